import HatchlingActivity
import HatchlingCommands
import HatchlingCompiler
import HatchlingConcepts
import HatchlingEquivalence
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import HatchlingTraining

/// What the libraries say in the field's terms, in terms of the flags that the user gave or could give.
enum FlagAdvice {
  static func message(for error: any InputError) -> String {
    switch error {
    case let error as TrainingError: message(error)
    case let error as TrainingFileError: error.description(naming: name)
    case PlanError.outOfRange(let quantity, let value, let allowed): "\(name(quantity)) \(value): \(allowed)"
    case TopologyError.noSuchHead, TopologyError.noSuchLayer: "--\(error)"
    case TopologyError.noSuchSender: "--\(error.description.replacing("from head", with: "from-head"))"
    case TextError.empty("the text"): TextError.empty("--text").description
    default: error.description + (flags(for: error).map { " (\($0))" } ?? "")
    }
  }

  /// The flags that do what an error's description advises.
  private static func flags(for error: any InputError) -> String? {
    switch error {
    case ModelError.missingLayers, ModelError.badLayerCount: "--layers L"
    case ModelError.ambiguousMetadata(_, let key, _): key == "variant" ? "--variant" : "--layers L"
    case ModelError.badMetadata(_, "variant", _, _): "--variant"
    case ModelError.ambiguousNetwork: "--prefix"
    case ModelError.noShippedModel: "--model FILE"
    case is StateMemoryError: "--layers, --precision"
    case is DirectError: "--edges M or --threshold B, --plastic kept, --form circuit"
    case NetworkError.noCircuit: "--form direct"
    case NetworkError.noTensors: "--engine graph"
    case NetworkError.isPruned: "--edges, --threshold"
    case NetworkError.saysItself: "--layers, --variant, --prefix"
    case NetworkError.noSigma: "--graph x or y; record --synapses"
    case NetworkError.uncentred: "--uncentred"
    case DenseGraphError.tooLarge: "--precision float"
    case CompilerError.nothingToShift: "--dale cut or lot"
    case CompilerError.badPruning: "--edges, --threshold, --hubs, --rescale"
    case CompilerError.expansionTooLarge: "--edges M or --threshold B, --form circuit"
    case is FidelityError: "--segment"
    case PlanError.unevenHeads: "--neurons, --heads"
    case TextError.nothingToRead: "--text STRING, a FILE, or - for standard input"
    case TextError.twoSources: "--text, FILE"
    case is PromptError: "--prompt-by"
    case ActivityError.noSuchLayer: "--layer, L:PRE:POST"
    case ActivityError.unknownSpikes, ActivityError.withoutSpikes: "--spikes"
    case RasterError.noSuchToken: "--magnify"
    case RasterError.noSuchLayer: "--layer"
    case RasterError.withoutSpikes: "--spiking"
    case ActivityError.outOfRange(let setting, _, _):
      switch setting {
      case .every: "--every"
      case .surprise: "--surprise-above"
      case .change: "--change-above"
      case .strongest: "--strongest"
      case .millisecondsPerToken: "--token-ms"
      case .settingToken: "--set"
      }
    case ExplanationError.noSuchPosition: "--token"
    case ExplanationError.wrongState: "--state-in; step --precision double --state-out FILE saves one"
    case ExplanationError.notOneByte, ExplanationError.noSuchToken, ExplanationError.againstItself:
      "--predicts, --against"
    case ConceptError.emptyList, ConceptError.notOneWord, ConceptError.noneOccurs:
      "--words-with, --words-without, --text"
    case ConceptError.overlap: "--words-with, --words-without"
    case ConceptError.noSentences, ConceptError.wordNotInSentence:
      "--sentences-with, --sentences-without, --min-length, --max-length"
    case ConceptError.tooFew: "--text, --min-length, --max-length, --held-out-words"
    case ConceptError.tooMuchMemory: "--count, --max-length"
    case ConceptError.outOfRange(let setting, _, _):
      switch setting {
      case .count: "--count"
      case .heldOutShare: "--held-out-words"
      case .permutations: "--permutations"
      case .window: "--window"
      }
    case ActivityStudyError.outOfRange(let setting, _, _):
      switch setting {
      case .segment: "--segment"
      case .leftOut: "--leave-out"
      case .buckets: "--buckets"
      case .resamples: "--resamples"
      case .synapses: "--pairs"
      case .positions: "--sigma-after"
      case .warmUp: "--warm-up"
      case .word: "--word"
      case .showings: "--showings"
      case .letters: "--letters"
      case .episodes: "--episodes"
      }
    case ActivityStudyError.tooShort: "--segment, --leave-out, a longer FILE"
    case ActivityStudyError.noEpisodes: "--warm-up, --word, --showings; memorise-corpus --episodes"
    case ActivityStudyError.tooLong: "--tokens"
    case ActivityStudyError.noTwin: "--untrained"
    case TopologyError.tooManyEdges: "--edges"
    case DirectTrainingError.needsEdges, DirectTrainingError.tooManyEdges, DirectTrainingError.unreached:
      "--edges M"
    case DirectTrainingError.carriesAllPairs: "--plastic kept, --no-carry"
    case DirectTrainingError.detaches: "--detach"
    case DirectTrainingError.hasNoShares: "--shares"
    case DirectTrainingError.hasNoHubs: "--gains"
    case SpikingError.withoutHubs: "--spiking"
    case DirectTrainingError.plasticIsNotOfX: "--plastic, --prune-tokens"
    case DirectTrainingError.logsNoTopology: "--log-topology; degrees --model GRAPH"
    case TopologyMissing.positions: "--layout"
    case TopologyMissing.emergence: "--log-topology"
    case TopologyMissing.report: "--graph circuit"
    default: nil
    }
  }

  private static func message(_ error: TrainingError) -> String {
    switch error {
    case .outOfRange(let quantity, let value, let allowed): "\(name(quantity)) \(value): \(allowed)"
    case .decayTooStrong(let decay, let rate):
      "--weight-decay \(decay) with --lr \(rate): at least 0, and the product of both below 1"
    case .contradicts(let path, .carry, _, let wanted):
      "'\(path)' was begun without \(wanted == "true" ? "--carry or --passage" : "--no-carry"); leave the option out"
    case .contradicts(let path, .detach, _, _):
      "'\(path)' was begun without --detach; leave the option out"
    case .contradicts(let path, let quantity, let value, let wanted):
      "'\(path)' has \(quantity.rawValue) \(value), not \(name(quantity)) \(wanted); leave the option out, or give what is there"
    case .lengthIsFixed(let path, let steps):
      "--minutes cannot be given with --resume: '\(path)' fixed \(steps) steps"
    case .tooMuchMemory: "\(error) (--batch, --block, --n, --d)"
    case .textTooShort: "\(error) (--block)"
    case .diverged: "\(error) (--lr, --clip, --warmup)"
    case .lacksPlasticSynapses, .tokenOutOfRange, .otherText, .damagedCheckpoint: error.description
    }
  }

  private static func name(_ quantity: TrainingQuantity) -> String {
    switch quantity {
    case .neurons: "--n"
    case .synapticDimension: "--d"
    case .learningRate: "--lr"
    case .warmup: "--warmup"
    case .weightDecay: "--weight-decay"
    case .carry: "--no-carry"
    case .detach: "--detach"
    case .heldOut: "--validation"
    case .validateEvery: "--validate-every"
    case .validationBytes: "--validation-bytes"
    case .clip: "--clip"
    case .sample: "--sample"
    case .heads, .layers, .variant, .block, .batch, .shares, .chunk, .steps, .dropout, .damping, .passage,
      .seed,
      .minutes:
      "--\(quantity.rawValue)"
    case .vocabulary, .finalLearningRate: quantity.rawValue
    }
  }

  private static func name(_ quantity: PlannedQuantity) -> String { "--\(quantity.rawValue)" }

  private static func name(_ file: TrainingFile) -> String {
    switch file {
    case .text: file.rawValue
    case .initialModel: "--init"
    case .model: "--out"
    case .checkpoint: "the checkpoint of --out"
    case .resumed: "--resume"
    case .log: "--log"
    case .emergenceLog: "--log-topology"
    }
  }
}
