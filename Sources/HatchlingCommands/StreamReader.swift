import HatchlingActivity
import HatchlingCheckpoint
import HatchlingDynamics
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import HatchlingShards
import HatchlingTensor

/// What a ``StreamReader`` reads and writes beside its tokens; nil for what is not wanted.
public struct StreamFiles: Equatable, Sendable {
  /// A saved state that every stream goes on from.
  public var stateIn: String?
  /// Where the state after the last token goes.
  public var stateOut: String?
  /// Where the logits of all tokens go, `(tokens, V)`, a NumPy array.
  public var logits: String?
  /// After how many tokens each the state goes to ``stateOut`` on the way, too.
  public var stateEvery: Int?

  public init(
    stateIn: String? = nil, stateOut: String? = nil, logits: String? = nil, stateEvery: Int? = nil
  ) {
    (self.stateIn, self.stateOut, self.logits, self.stateEvery) = (stateIn, stateOut, logits, stateEvery)
  }
}

/// States that are saved while a text is read.
private final class StatesOnTheWay {
  let every: Int
  /// Of the text, the part that an earlier run has read included.
  var read: [Int] = []

  init(every: Int) { self.every = every }

  /// Notes a token. - Returns: whether the state is to be saved now.
  func note(_ token: Int) -> Bool {
    read.append(token)
    return read.count % every == 0
  }
}

/// Who reads a prompt, of which only the end matters.
public enum PromptReader: String, CaseIterable, Sendable {
  /// The graph, one token after another.
  case graph
  /// The tensors, in chunks; a graph takes their state over.
  case tensor
}

/// A prompt that cannot be read as asked.
public enum PromptError: InputError, Equatable {
  case noGraph
  /// Why the tensors cannot read for this graph.
  case graphOnly(String)

  public var description: String {
    switch self {
    case .noGraph: "the tensors run, so no graph can read the prompt"
    case .graphOnly(let why): "the tensors cannot read the prompt: \(why)"
    }
  }
}

/// An engine that reads streams of tokens, with the files that go with it.
public struct StreamReader<Scalar: NetworkScalar> {
  public let engine: any SteppingEngine<Scalar>
  /// How many tokens, some hundred bytes each, may wait for the streams before theirs to be told.
  package var mostWaiting = 1 << 17
  /// The saved state that was given. An empty start is not kept: a second hold on the plastic weights would have them copied
  /// whole when they are first written.
  private let initialState: SavedState?
  private let stateOut: String?
  private let onTheWay: StatesOnTheWay?
  private let logits: NumpyWriter<Scalar>?
  private let interventions: Interventions
  /// Who has the other neurons; nil where all are here.
  let ranks: Ranks?
  /// How many threads there are to work with.
  let threads: Int
  private let part: NeuronPart?
  /// Nil for a neuron graph.
  private let makeTensors: (() -> TensorEngine<Scalar>)?
  /// Why every token of a prompt must pass through the engine itself; nil where the tensors may read it in chunks.
  private let whyStepped: String?
  /// Shorter prompts are not worth the tensors.
  private static var fewestInChunks: Int { 64 }

  /// - Parameters:
  ///   - interventions: what is done to the network before every token.
  ///   - ranks: who has the other neurons of a network that is a part; all ranks read the same texts together, and the first writes the files.
  /// - Throws: as `EngineDescription.network(of:touchedBy:fingerprinted:workers:)`, `ActivityError` for interventions in what there is not, and
  ///   `CheckpointError` or `StateError` for files that cannot be used.
  public init(
    _ description: EngineDescription, _ network: Network, files: StreamFiles = StreamFiles(),
    interventions: Interventions = Interventions(), ranks: Ranks? = nil, workers: Workers
  ) throws {
    (self.interventions, self.ranks, threads) = (interventions, ranks, workers.threads)
    engine = try description.network(
      of: network, touchedBy: interventions,
      fingerprinted: files.stateIn != nil || files.stateOut != nil, ranks: ranks, workers: workers
    ).engine(ranks: ranks, workers: workers)
    let weights = try? network.model().weights
    let part = weights?.part
    self.part = part
    let engine = engine
    initialState = try ranks.together {
      let state = try files.stateIn.map { try StateFile.read($0, only: part) }
      if let state { try engine.restore(state) }
      return state
    }
    stateOut = files.stateOut
    onTheWay = files.stateEvery.map { StatesOnTheWay(every: $0) }
    makeTensors = weights.map { weights in
      { TensorEngine(interventions.silencing(weights.converted(to: Scalar.self)), workers: workers) }
    }
    let kept = ranks?.speaks == false ? nil : files.logits
    logits = try ranks.together {
      try kept.map { try NumpyWriter(path: $0, columns: network.hyperparameters.vocabulary) }
    }
    if ranks != nil {
      whyStepped = "its neurons are spread over ranks"
    } else if weights == nil {
      whyStepped = "the network is a neuron graph, which has no tensors"
    } else if !interventions.isEmpty {
      whyStepped = "interventions reach in at every token"
    } else if files != StreamFiles() {
      whyStepped = "saved states and logits must not depend on how a text was split"
    } else if description.spiking != nil {
      whyStepped = "they do not send spikes"
    } else if description.reduced != nil {
      whyStepped = "they do not compute from reduced weights"
    } else if case .direct = description.formulation {
      whyStepped = "the direct form has another state"
    } else {
      whyStepped = weights?.plasticSynapses == nil ? nil : "the network lacks some plastic synapses"
    }
    try interventions.check(on: watchable)
  }

  /// - Throws: as ``init(_:_:files:interventions:workers:)-(_,Network,_,_,_)``.
  public init(
    _ description: EngineDescription, _ model: Model, files: StreamFiles = StreamFiles(),
    interventions: Interventions = Interventions(), workers: Workers
  ) throws {
    try self.init(
      description, .weights(model), files: files, interventions: interventions, workers: workers)
  }

  /// The engine, to be looked into.
  package var watchable: any WatchableEngine<Scalar> {
    guard let engine = engine as? any WatchableEngine<Scalar> else {
      preconditionFailure("an engine without probes")
    }
    return engine
  }

  /// Where every stream starts: the saved state that was given, or nothing.
  public func rewind() throws { try rewind(engine) }

  func rewind(_ engine: any SteppingEngine<Scalar>) throws {
    if let initialState { try engine.restore(initialState) } else { engine.reset() }
  }

  /// Whether tokens leave nothing behind and nobody reaches in: then streams may be read at once.
  var isPlain: Bool { interventions.isEmpty && logits == nil && stateOut == nil && ranks == nil }

  /// Reads a prompt. When nobody says who, the tensors read 64 tokens or more in chunks wherever they can.
  ///
  /// - Parameter afterToken: called with the number of tokens read, where one is read after another.
  /// - Returns: who read it.
  /// - Throws: ``PromptError`` when the wanted reader cannot, `TokenError` for a token that is not in the alphabet.
  @discardableResult
  public func read(
    prompt tokens: [Int], by wanted: PromptReader? = nil, afterToken: (Int) -> Void = { _ in }
  ) throws -> PromptReader {
    let own = engine as? TensorEngine<Scalar>
    if wanted == .graph, own != nil { throw PromptError.noGraph }
    if wanted == .tensor, own == nil, let whyStepped { throw PromptError.graphOnly(whyStepped) }
    let inChunks = wanted == .tensor || wanted == nil && tokens.count >= Self.fewestInChunks
    guard inChunks, whyStepped == nil, engine.position == 0 else {
      for (index, token) in tokens.enumerated() {
        _ = try step(token)
        afterToken(index + 1)
      }
      return own == nil ? .graph : .tensor
    }
    guard let tensors = own ?? makeTensors?() else { throw PromptError.noGraph }
    _ = try tensors.read(tokens)
    guard own == nil else { return .tensor }
    guard let circuit = engine as? CircuitEngine<Scalar> else {
      preconditionFailure("only a circuit takes over what tensors read")
    }
    circuit.adopt(
      attention: (1...tensors.hyperparameters.layers).map { tensors.attentionState(layer: $0) },
      logits: tensors.logits, position: tensors.position)
    return .tensor
  }

  /// What is left of a text to read: where the state that was given was saved on the way through it, without what had been read.
  ///
  /// Cost: one pass over what had been read. States that are saved on the way count what this leaves out.
  public func rest(of text: [Int]) -> ArraySlice<Int> {
    guard let beginning = initialState?.text, beginning.begins(text) else { return text[...] }
    onTheWay?.read = Array(text[..<beginning.tokens])
    return text[beginning.tokens...]
  }

  /// Reads a token, keeps its logits if they are wanted, and saves the state if it is time.
  public func step(_ token: Int) throws -> StepActivity {
    let activity = try advance(token)
    try logits?.append(engine.logits)
    if let onTheWay, onTheWay.note(token) { try saveState(after: onTheWay.read) }
    return activity
  }

  /// Reads a token and keeps nothing of it.
  func advance(_ token: Int) throws -> StepActivity {
    if !interventions.isEmpty { interventions.apply(to: watchable) }
    return try engine.step(token)
  }

  /// Writes what was asked for, after the last token.
  public func finish() throws {
    try logits?.commit()
    try saveState()
  }

  /// - Parameter tokens: what has been read of a text that goes on.
  private func saveState(after tokens: [Int]? = nil) throws {
    guard let stateOut else { return }
    var state = engine.save()
    state.text = tokens.map { TextBeginning($0[...]) }
    guard let ranks, let part else { return try StateFile.write(state, to: stateOut) }
    try StateFile.write(state, of: part, to: stateOut, among: ranks)
  }
}
