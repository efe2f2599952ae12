import ArgumentParser
import Foundation
import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics
import HatchlingTraining

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a model from text.",
    discussion: """
      The last part of every TEXT is held out (--validation). --out holds the best network by held-out loss, the last one where \
      nothing is held out. Beside it lies a checkpoint with everything that --resume needs to go on to the same bits, written at \
      every validation, every five minutes and at an interrupt. --log writes a line per update, and the loss curve as .svg and \
      .png beside it when the run ends.
      """)

  @Argument(help: ArgumentHelp("Texts, or - for standard input.", valueName: "text"))
  var texts: [String]

  @Option(help: ArgumentHelp("The trained model.", valueName: "model.safetensors"))
  var out: String

  @OptionGroup var network: NetworkFlags
  @OptionGroup var schedule: ScheduleFlags

  @Option(
    help: ArgumentHelp("Fraction of every text that is held out; 0 holds nothing out.", valueName: "fraction")
  )
  var validation: Double?

  @Option(help: "Updates between validations. Default: a twentieth of the run.")
  var validateEvery: Int?

  @Option(help: "Bytes of sample text at every validation; 0 writes none.")
  var sample = 200

  @Option(
    help: ArgumentHelp(
      "Go on training this model with a fresh optimiser: one of ours or a PyTorch state dict.",
      valueName: "model"))
  var `init`: String?

  @Option(
    help: ArgumentHelp(
      "Go on with an interrupted run, to the same result as without the interruption. Its options come from the file.",
      valueName: "checkpoint"))
  var resume: String?

  @Option(
    help: ArgumentHelp(
      "A line per update, as CSV, and a picture of the loss beside it.", valueName: "file.csv"))
  var log: String?

  @Option(
    help: ArgumentHelp(
      "A row per validation, as CSV, and a picture: activity, modularity and tail exponents of G_x.",
      valueName: "file.csv"))
  var logTopology: String?

  @Option(help: "At most this many threads; the result does not depend on it. Default: all cores.")
  var threads: Int?

  func validate() throws {
    guard out.hasSuffix(".safetensors") else {
      throw ValidationError("--out '\(out)': the model is a safetensors file, name it .safetensors")
    }
    if let threads, threads < 1 {
      throw ValidationError("--threads \(threads): at least one thread is needed")
    }
    if let log, !log.hasSuffix(".csv") {
      throw ValidationError("--log '\(log)': the log is CSV, name it .csv")
    }
    if let logTopology, !logTopology.hasSuffix(".csv") || logTopology == log {
      throw ValidationError("--log-topology '\(logTopology)': the log is CSV, name it .csv, and not as --log")
    }
    if let validation, !(0..<1).contains(validation) {
      throw ValidationError("--validation \(validation): a fraction from 0 up to, but not including, 1")
    }
    if let validateEvery, validateEvery < 1 {
      throw ValidationError("--validate-every \(validateEvery): at least 1 update")
    }
    guard (0...1_000_000).contains(sample) else {
      throw ValidationError("--sample \(sample): 0 up to a million bytes")
    }
    if `init` != nil && resume != nil {
      throw ValidationError("--init and --resume exclude each other: begin a new run, or go on with one")
    }
    try schedule.checkRanges()
  }

  /// Beside the model, `.checkpoint` instead of `.safetensors`.
  var checkpointPath: String { String(out.dropLast(".safetensors".count)) + ".checkpoint" }

  func run() throws {
    let workers = Workers(threads: threads)
    try TrainingSession(self, workers: workers).train()
  }
}

/// The sizes of a new network.
struct NetworkFlags: ParsableArguments {
  @Option(name: .customLong("n"), help: "Neurons of all heads. Default: 2048.")
  var neurons: Int?

  @Option(name: .customLong("d"), help: "The synaptic dimension. Default: 64.")
  var synapticDimension: Int?

  @Option(help: "Heads; every one has n / heads neurons, an even number. Default: 4.")
  var heads: Int?

  @Option(help: "How often a token passes through the weights. Default: 4.")
  var layers: Int?

  @Option(help: "The layer rule: released (default), definition4 or normfree.")
  var variant: Variant?

  /// - Throws: `TrainingError` for sizes that make no network.
  func sizes() throws -> Hyperparameters {
    let sizes = Hyperparameters(
      neurons: neurons ?? 2048, synapticDimension: synapticDimension ?? 64, heads: heads ?? 4,
      layers: layers ?? 4, vocabulary: 256, variant: variant ?? .released)
    try sizes.checkTrainable()
    return sizes
  }

  /// What was said must be what a given network has. - Throws: ``TrainingError/wrongSize(path:quantity:value:expected:)``.
  func check(_ sizes: Hyperparameters, of path: String) throws {
    let pairs: [(String, Int?, Int)] = [
      ("n", neurons, sizes.neurons), ("d", synapticDimension, sizes.synapticDimension),
      ("heads", heads, sizes.heads), ("layers", layers, sizes.layers),
    ]
    for (name, wanted, there) in pairs {
      if let wanted, wanted != there {
        throw TrainingError.wrongSize(
          path: path, quantity: name, value: String(there), expected: "--\(name) \(wanted)")
      }
    }
    if let variant, variant != sizes.variant {
      throw TrainingError.wrongSize(
        path: path, quantity: "variant", value: sizes.variant.rawValue,
        expected: "--variant \(variant.rawValue)")
    }
  }
}
