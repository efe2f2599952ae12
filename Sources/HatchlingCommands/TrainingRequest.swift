import HatchlingModel
import HatchlingTraining

/// A training run as it is asked for. What is nil is left to the defaults or, where a run goes on, to its checkpoint.
public struct TrainingRequest: Sendable {
  /// What the run begins with.
  public enum Beginning: Equatable, Sendable {
    /// Weights drawn from the seed.
    case untrained
    /// A trained model, with a fresh optimiser.
    case model(path: String)
    /// An interrupted run, to the same result as without the interruption.
    case checkpoint(path: String)
  }

  /// Files of bytes, or `-` for standard input.
  public var texts: [String]
  /// The trained model, `.safetensors`; `.checkpoint` beside it.
  public var out: String
  public var beginning = Beginning.untrained
  public var network = NetworkChoices()
  public var schedule = ScheduleChoices()
  /// Fraction of every text that is held out. Default: 0.1.
  public var heldOut: Double?
  /// Updates between validations. Default: a twentieth of the run.
  public var validateEvery: Int?
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
    if case .minutes(let minutes) = schedule.length, !(minutes > 0 && minutes <= 1e6) {
      throw .outOfRange(.minutes, "\(minutes)", allowed: "more than 0, up to a million")
    }
  }
}

/// The sizes of a new network, or what a given one must have.
public struct NetworkChoices: Equatable, Sendable {
  /// n, of all heads. Default: 2048.
  public var neurons: Int?
  /// d. Default: 64.
  public var synapticDimension: Int?
  /// H. Default: 4.
  public var heads: Int?
  /// L. Default: 4.
  public var layers: Int?
  public var variant: Variant?

  public init() {}

  /// - Throws: `TrainingError` for sizes that make no network.
  func sizes() throws -> Hyperparameters {
    let sizes = Hyperparameters(
      neurons: neurons ?? 2048, synapticDimension: synapticDimension ?? 64, heads: heads ?? 4,
      layers: layers ?? 4, vocabulary: 256, variant: variant ?? .released)
    try sizes.checkTrainable()
    return sizes
  }

  /// What was said must be what a given network has.
  func check(_ sizes: Hyperparameters, of path: String) throws(TrainingError) {
    let require = Agreement(path: path)
    try require(.neurons, neurons, sizes.neurons)
    try require(.synapticDimension, synapticDimension, sizes.synapticDimension)
    try require(.heads, heads, sizes.heads)
    try require(.layers, layers, sizes.layers)
    try require(.variant, variant?.rawValue, sizes.variant.rawValue)
  }
}

/// What a training run computes.
public struct ScheduleChoices: Equatable, Sendable {
  /// How long a run goes on.
  public enum Length: Equatable, Sendable {
    case steps(Int)
    /// The number of steps is fixed after the first 20.
    case minutes(Double)
  }

  public var length: Length?
  public var block: Int?
  public var batch: Int?
  public var chunk: Int?
  /// The peak; it falls to a tenth.
  public var learningRate: Double?
  public var warmup: Int?
  public var weightDecay: Double?
  public var clip: Double?
  public var dropout: Double?
  public var damping: DampingMode?
  public var carry: Bool?
  public var passage: Int?
  public var detach: Bool?
  public var seed: UInt64?

  public init() {}

  /// The number of steps while a time limit has not fixed it: so many that the default warm-up is the longest there is.
  private static let stepsBeforePlanning = 20_000

  /// The options of a new run. - Parameter isContinued: whether it begins from a trained network, whose damping stays as it is.
  func options(isContinued: Bool) -> TrainingOptions {
    var options = TrainingOptions()
    options.block = block ?? options.block
    options.batch = batch ?? options.batch
    options.chunk = chunk ?? options.chunk
    switch length {
    case .steps(let steps): options.steps = steps
    case .minutes: options.steps = max(Self.stepsBeforePlanning, warmup ?? 0)
    case nil: options.steps = 2000
    }
    options.learningRate = learningRate ?? options.learningRate
    options.finalLearningRate = options.learningRate / 10
    options.warmup = warmup
    options.weightDecay = weightDecay ?? options.weightDecay
    options.clip = clip ?? options.clip
    options.dropout = dropout ?? options.dropout
    options.damping = damping ?? (isContinued ? .kept : .learned)
    options.carry = carry ?? true
    options.passage = passage ?? options.passage
    options.detach = detach ?? false
    options.seed = seed ?? options.seed
    return options
  }

  /// Whatever was said of a run that goes on must be what it began with.
  func check(_ options: TrainingOptions, of path: String) throws(TrainingError) {
    let require = Agreement(path: path)
    switch length {
    case .minutes: throw .lengthIsFixed(path: path, steps: options.steps)
    case .steps(let steps): try require(.steps, steps, options.steps)
    case nil: break
    }
    try require(.block, block, options.block)
    try require(.batch, batch, options.batch)
    try require(.learningRate, learningRate, options.learningRate)
    try require(.warmup, warmup, options.warmupSteps)
    try require(.weightDecay, weightDecay, options.weightDecay)
    try require(.clip, clip, options.clip)
    try require(.dropout, dropout, options.dropout)
    try require(.damping, damping?.name, options.damping.name)
    try require(.carry, carry, options.carry)
    try require(.passage, passage, options.passage)
    try require(.detach, detach, options.detach)
    try require(.chunk, chunk, options.chunk)
    try require(.seed, seed, options.seed)
  }
}

/// Whether what was said is what a file has.
struct Agreement {
  let path: String

  /// - Throws: ``TrainingError/contradicts(path:_:value:wanted:)``.
  func callAsFunction<Value: Equatable>(
    _ quantity: TrainingQuantity, _ wanted: Value?, _ there: Value
  ) throws(TrainingError) {
    guard let wanted, wanted != there else { return }
    throw .contradicts(path: path, quantity, value: "\(there)", wanted: "\(wanted)")
  }
}

extension DampingMode {
  /// As messages and metadata call it.
  package var name: String {
    switch self {
    case .kept: "as the model has it"
    case .none: "none"
    case .learned: "learned"
    case .fixed(let u): "\(u)"
    }
  }
}
