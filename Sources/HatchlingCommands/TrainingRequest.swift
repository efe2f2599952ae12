import HatchlingModel
import HatchlingTraining

/// A training run as it is asked for. What is nil is left to the defaults or, where a run goes on, to its checkpoint.
public struct TrainingRequest: Sendable {
  /// What the run begins with.
  public enum Beginning: Equatable, Sendable {
    /// Weights drawn from the seed.
    case untrained
    /// A trained model, with a fresh optimiser; `prefix` chooses among several networks in one file.
    case model(path: String, prefix: String? = nil)
    /// An interrupted run, to the same result as without the interruption.
    case checkpoint(path: String)
  }

  /// Files of bytes, or `-` for standard input.
  public var texts: [String]
  /// The trained model, `.safetensors`; `.checkpoint` beside it.
  public var out: String
  public var beginning = Beginning.untrained
  /// The sizes of a new network, by default n 2048, d 64, H 4 and L 4, or what a given one must have.
  public var network = TrainingChoices<Hyperparameters>()
  /// Trains a neuron graph on its own synapses; nil, the weights of tensors, unless the run begins with a graph.
  public var direct: DirectTrainingRequest?
  /// What the run computes, by default 2000 updates as `TrainingOptions` says.
  public var schedule = TrainingChoices<TrainingOptions>()
  /// Cuts a batch into shares of one stream, unless `schedule` says how many: for jobs of any number of ranks, which so compute the same.
  public var sharesStreams = false
  /// How long the run goes on, instead of a number of steps, which is then fixed after the first 20.
  public var minutes: Double?
  /// Fraction of every text that is held out. Default: 0.1.
  public var heldOut: Double?
  /// Updates between validations. Default: a twentieth of the run.
  public var validateEvery: Int?
  /// Bytes of the held-out text, from its beginning, that a validation reads at most. Default: what costs a tenth of the time.
  public var validationBytes: Int?
  /// Bytes of sample text at every validation; 0 writes none.
  public var sample = 200
  /// A line per update, CSV.
  public var log: String?
  /// A row per validation, CSV; see ``EmergenceLog``.
  public var emergenceLog: String?
  /// What the model's file says of its making, beside data and beginning.
  public var metadata: @Sendable (TrainingOptions) -> [String: String] = { _ in [:] }

  public init(texts: [String], out: String) {
    self.texts = texts
    self.out = out
  }

  /// Beside the model, `.checkpoint` instead of `.safetensors`.
  public var checkpointPath: String { String(out.dropLast(".safetensors".count)) + ".checkpoint" }

  var resumed: String? {
    guard case .checkpoint(let path) = beginning else { return nil }
    return path
  }

  /// - Throws: ``TrainingError/outOfRange(_:_:allowed:)``.
  func checkRanges() throws(TrainingError) {
    if let heldOut, !(0..<1).contains(heldOut) {
      throw .outOfRange(.heldOut, "\(heldOut)", allowed: "a fraction from 0 up to, but not including, 1")
    }
    if let validateEvery, validateEvery < 1 {
      throw .outOfRange(.validateEvery, "\(validateEvery)", allowed: "at least 1 update")
    }
    guard (0...1_000_000).contains(sample) else {
      throw .outOfRange(.sample, "\(sample)", allowed: "0 up to a million bytes")
    }
    if let minutes, !(minutes > 0 && minutes <= 1e6) {
      throw .outOfRange(.minutes, "\(minutes)", allowed: "more than 0, up to a million")
    }
  }

  /// The number of steps while a time limit has not fixed it: so many that the default warm-up is the longest there is.
  private static let stepsBeforePlanning = 20_000

  /// The options of a new run; the learning rate falls to a tenth.
  /// - Parameter isContinued: whether it begins from a trained network, whose damping stays as it is.
  func options(isContinued: Bool, isDirect: Bool = false) -> TrainingOptions {
    var options = TrainingOptions()
    if isDirect {
      // Blocks begin with an empty state unless another is asked for.
      (options.carry, options.block, options.dropout) = (false, 128, 0)
    }
    options.steps = 2000
    options.damping = isContinued ? .kept : .learned
    schedule.apply(to: &options)
    if sharesStreams && !isDirect { options.shares = options.shares ?? options.batch }
    if minutes != nil { options.steps = max(Self.stepsBeforePlanning, options.warmup ?? 0) }
    options.finalLearningRate = options.learningRate / 10
    return options
  }

  /// - Throws: `TrainingError` for sizes that make no network.
  func sizes() throws(TrainingError) -> Hyperparameters {
    var sizes = Hyperparameters(neurons: 2048, synapticDimension: 64, heads: 4, layers: 4, vocabulary: 256)
    network.apply(to: &sizes)
    try sizes.checkTrainable()
    return sizes
  }
}

/// What was said of a run, and nothing else: a new run is made so, one that goes on must have been.
public struct TrainingChoices<Subject>: Sendable {
  private struct Choice: Sendable {
    let quantity: TrainingQuantity
    let value: any Sendable
    let set: @Sendable (inout Subject) -> Void
    /// What there is, where it is something else.
    let other: @Sendable (Subject) -> String?
  }

  private var choices: [Choice] = []

  public init() {}

  /// Chooses a value; nil says nothing.
  public mutating func choose<Value: Equatable & Sendable>(
    _ quantity: TrainingQuantity, _ option: any WritableKeyPath<Subject, Value> & Sendable, _ value: Value?
  ) {
    choices.removeAll { $0.quantity == quantity }
    guard let value else { return }
    choices.append(
      Choice(
        quantity: quantity, value: value, set: { $0[keyPath: option] = value },
        other: { $0[keyPath: option] == value ? nil : "\($0[keyPath: option])" }))
  }

  /// What was chosen.
  func value<Value>(of quantity: TrainingQuantity) -> Value? {
    choices.first { $0.quantity == quantity }?.value as? Value
  }

  func apply(to subject: inout Subject) { for choice in choices { choice.set(&subject) } }

  /// - Throws: ``TrainingError/contradicts(path:_:value:wanted:)`` for the first choice that the file does not have.
  func check(_ subject: Subject, of path: String) throws(TrainingError) {
    for choice in choices {
      guard let there = choice.other(subject) else { continue }
      throw .contradicts(path: path, choice.quantity, value: there, wanted: "\(choice.value)")
    }
  }
}

extension TrainingOptions {
  /// S, chosen or by default.
  public var chosenShares: Int {
    get { shareCount }
    set { shares = newValue }
  }
  /// Updates of warm-up, chosen or by default.
  public var chosenWarmup: Int {
    get { warmupSteps }
    set { warmup = newValue }
  }
}

extension DampingMode: CustomStringConvertible {
  /// As messages and metadata call it.
  public var description: String {
    switch self {
    case .kept: "as the model has it"
    case .none: "none"
    case .learned: "learned"
    case .fixed(let u): "\(u)"
    }
  }
}
