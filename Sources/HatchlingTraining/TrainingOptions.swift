import HatchlingModel
import HatchlingNumerics

/// How plastic weights are damped in training (u(i, j) of Table 1).
public enum DampingMode: Codable, Equatable, Sendable {
  /// u stays what the initial weights have; nothing where they have none.
  case kept
  /// No damping, whatever the initial weights have.
  case none
  /// The same u, 0 … 1, for every neuron.
  case fixed(Float)
  /// One u per pair of neurons, learned as u = σ(θ); starts log-uniform between 1/1024 and 1/8 where the initial weights have none.
  case learned
}

/// Everything that decides what a training run computes. Kept in its checkpoints; a resumed run uses the same.
public struct TrainingOptions: Codable, Equatable, Sendable {
  /// T, tokens of one stream per step: the length of back-propagation through time.
  public var block = 256
  /// B, streams read side by side.
  public var batch = 8
  /// Tokens per chunk: attention is quadratic inside, linear between.
  public var chunk = 64
  /// All planned updates; the schedule depends on it.
  public var steps = 1000
  public var learningRate = 1e-3
  /// Reached at the last step, linearly after the warm-up.
  public var finalLearningRate = 1e-4
  /// Updates of linear warm-up; nil means min(1000, 5 % of `steps`).
  public var warmup: Int?
  public var weightDecay = 0.1
  /// Largest global norm of the gradient; 0 means no clipping.
  public var clip = 1.0
  /// Fraction of y that is silenced, after the product with x.
  public var dropout = 0.1
  public var damping = DampingMode.none
  /// Whether ρ goes on from block to block (truncated back-propagation through time, Appendix B); otherwise every block begins at a
  /// random place with an empty state.
  public var carry = true
  /// With `carry`: after about this many bytes a stream goes on at a random place with an empty state; 0 means at the end of the text
  /// only.
  public var passage = 0
  /// §7.2: keys and values count as constants, so that nothing is propagated back through time.
  public var detach = false
  public var seed: UInt64 = 1

  public init() {}

  /// Updates of warm-up.
  public var warmupSteps: Int { warmup ?? min(1000, steps / 20) }

  /// The learning rate of update `step`, counted from 1.
  public func rate(at step: Int) -> Double {
    let warmup = warmupSteps
    if step <= warmup { return learningRate * Double(step) / Double(warmup) }
    let rest = Double(max(1, steps - warmup))
    return learningRate + (finalLearningRate - learningRate) * min(1, Double(step - warmup) / rest)
  }

  /// - Throws: ``TrainingError/badOption(_:)`` for values out of range.
  public func validate() throws(TrainingError) {
    func require(_ holds: Bool, _ what: String) throws(TrainingError) {
      if !holds { throw .badOption(what) }
    }
    try require((1...1 << 20).contains(block), "--block \(block): a block has 1 … 1048576 tokens")
    try require((1...4096).contains(batch), "--batch \(batch): a batch has 1 … 4096 streams")
    try require((1...4096).contains(chunk), "--chunk \(chunk): a chunk has 1 … 4096 tokens")
    try require((1...1 << 40).contains(steps), "--steps \(steps): 1 … 2⁴⁰ updates")
    try require(
      learningRate > 0 && learningRate <= 10, "--lr \(learningRate): a learning rate lies above 0, up to 10")
    try require(
      finalLearningRate >= 0 && finalLearningRate <= learningRate,
      "the final learning rate \(finalLearningRate) is not between 0 and --lr \(learningRate)")
    try require(
      (warmup ?? 0) >= 0 && (warmup ?? 0) <= steps,
      "--warmup \(warmup ?? 0): not between 0 and --steps \(steps)")
    try require(
      weightDecay >= 0 && weightDecay * learningRate < 1,
      "--weight-decay \(weightDecay) with --lr \(learningRate): at least 0, and the product of both below 1")
    try require(clip >= 0 && clip.isFinite, "--clip \(clip): 0 (none) or a positive norm")
    try require(dropout >= 0 && dropout < 1, "--dropout \(dropout): 0 up to, but not including, 1")
    try require(passage >= 0, "--passage \(passage): 0 (the whole text) or a number of bytes")
    if case .fixed(let u) = damping { try require((0...1).contains(u), "--damping \(u): not in 0 … 1") }
  }
}

extension Hyperparameters {
  /// - Throws: ``TrainingError/badOption(_:)`` for sizes that make no network that can be trained.
  public func checkTrainable() throws(TrainingError) {
    func require(_ holds: Bool, _ what: String) throws(TrainingError) {
      if !holds { throw .badOption(what) }
    }
    try require((1...1 << 16).contains(heads), "--heads \(heads): 1 … 65536 heads")
    try require((2...1 << 28).contains(neurons), "--n \(neurons): 2 … 268435456 neurons")
    try require(
      neurons % (2 * heads) == 0,
      "--n \(neurons) with --heads \(heads): every head needs the same, even number of neurons; n must be a multiple of \(2 * heads)"
    )
    try require(
      (1...1 << 16).contains(synapticDimension),
      "--d \(synapticDimension): a synaptic dimension of 1 … 65536")
    try require((1...4096).contains(layers), "--layers \(layers): 1 … 4096 layers")
    try require((1...1 << 24).contains(vocabulary), "an alphabet of \(vocabulary) tokens")
  }
}

/// A training run that cannot be done as asked.
public enum TrainingError: InputError, Equatable {
  case badOption(String)
  case textTooShort(bytes: Int, needed: Int)
  case tokenOutOfRange(token: Int, vocabulary: Int, offset: Int)
  case wrongSize(path: String, quantity: String, value: String, expected: String)
  case diverged(step: Int, what: String, advice: String)
  case otherText(path: String, bytes: Int, given: Int)
  case damagedCheckpoint(path: String, problem: String)

  public var description: String {
    switch self {
    case .badOption(let what): what
    case .textTooShort(let bytes, let needed):
      "the training text has \(bytes) bytes and one step reads \(needed) in a row; give more text or a smaller --block"
    case .tokenOutOfRange(let token, let vocabulary, let offset):
      "token \(token) at offset \(offset) of the text is not below the alphabet size \(vocabulary)"
    case .wrongSize(let path, let quantity, let value, let expected):
      "'\(path)' has \(quantity) \(value), not \(expected); leave the option out, or give what is there"
    case .otherText(let path, let bytes, let given):
      "'\(path)' was made with another text: \(bytes) bytes to learn, this one has \(given)\(bytes == given ? " others" : ""); give the same files in the same order"
    case .diverged(let step, let what, let advice): "step \(step): \(what); \(advice)"
    case .damagedCheckpoint(let path, let problem):
      "'\(path)' cannot be resumed: \(problem); use an earlier checkpoint"
    }
  }
}
