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
  /// S, shares of the batch, of as many streams each: the gradient of each is taken by itself, and those are added along a binary tree. So many
  /// ranks can work side by side, and what the run computes depends on S, not on them. Nil means 1.
  public var shares: Int?
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

  /// S.
  public var shareCount: Int { shares ?? 1 }

  /// The learning rate of update `step`, counted from 1.
  public func rate(at step: Int) -> Double {
    let warmup = warmupSteps
    if step <= warmup { return learningRate * Double(step) / Double(warmup) }
    let rest = Double(max(1, steps - warmup))
    return learningRate + (finalLearningRate - learningRate) * min(1, Double(step - warmup) / rest)
  }

  /// - Throws: ``TrainingError/outOfRange(_:_:allowed:)`` for values out of range.
  public func validate() throws(TrainingError) {
    let warmup = warmup ?? 0
    var rules: [TrainingError.Rule] = [
      ((1...1 << 20).contains(block), .block, block, "a block has 1 … 1048576 tokens"),
      ((1...4096).contains(batch), .batch, batch, "a batch has 1 … 4096 streams"),
      (
        (1...4096).contains(shareCount) && batch % max(1, shareCount) == 0, .shares, shareCount,
        "the \(batch) streams of a batch are cut into equal shares, so a divisor of \(batch)"
      ),
      ((1...4096).contains(chunk), .chunk, chunk, "a chunk has 1 … 4096 tokens"),
      ((1...1 << 40).contains(steps), .steps, steps, "1 … 2⁴⁰ updates"),
      (
        learningRate > 0 && learningRate <= 10, .learningRate, learningRate,
        "a learning rate lies above 0, up to 10"
      ),
      (
        finalLearningRate >= 0 && finalLearningRate <= learningRate, .finalLearningRate, finalLearningRate,
        "not between 0 and the peak learning rate \(learningRate)"
      ),
      (warmup >= 0 && warmup <= steps, .warmup, warmup, "not between 0 and the number of steps, \(steps)"),
      (clip >= 0 && clip.isFinite, .clip, clip, "0 (none) or a positive norm"),
      (dropout >= 0 && dropout < 1, .dropout, dropout, "0 up to, but not including, 1"),
      (passage >= 0, .passage, passage, "0 (the whole text) or a number of bytes"),
    ]
    if case .fixed(let u) = damping { rules.append(((0...1).contains(u), .damping, u, "not in 0 … 1")) }
    try TrainingError.check(rules)
    guard weightDecay >= 0 && weightDecay * learningRate < 1 else {
      throw .decayTooStrong(weightDecay: weightDecay, learningRate: learningRate)
    }
  }
}

extension Hyperparameters {
  /// - Throws: ``TrainingError/outOfRange(_:_:allowed:)`` for sizes that make no network that can be trained.
  ///
  /// - Parameter hasHubs: whether d counts hubs; a neuron graph without any has d = 0.
  public func checkTrainable(hasHubs: Bool = true) throws(TrainingError) {
    try TrainingError.check([
      ((1...1 << 16).contains(heads), .heads, heads, "1 … 65536 heads"),
      ((2...1 << 28).contains(neurons), .neurons, neurons, "2 … 268435456 neurons"),
      (
        heads > 0 && neurons % max(1, 2 &* heads) == 0, .neurons, neurons,
        "each of \(heads) heads needs the same, even number of neurons; n must be a multiple of \(2 &* heads)"
      ),
      (
        hasHubs ? (1...1 << 16).contains(synapticDimension) : synapticDimension == 0, .synapticDimension,
        synapticDimension,
        "a synaptic dimension of 1 … 65536"
      ),
      ((1...4096).contains(layers), .layers, layers, "1 … 4096 layers"),
      ((1...1 << 24).contains(vocabulary), .vocabulary, vocabulary, "1 … 16777216 tokens"),
    ])
  }
}

/// What a training run is told, or was begun with, by its name in messages.
public enum TrainingQuantity: String, Equatable, Sendable {
  case neurons = "n"
  case synapticDimension = "d"
  case heads, layers, variant, vocabulary
  case block, batch, shares, chunk, steps
  case learningRate = "learning rate"
  case finalLearningRate = "final learning rate"
  case warmup = "warm-up"
  case weightDecay = "weight decay"
  case clip = "clipping norm"
  case dropout, damping
  case carry = "carried state"
  case passage
  case detach = "detached keys and values"
  case seed
  case heldOut = "held-out fraction"
  case validateEvery = "updates between validations"
  case validationBytes = "bytes of a validation"
  case sample = "bytes of sample text"
  case minutes
}

/// A training run that cannot be done as asked.
public enum TrainingError: InputError, Equatable {
  case outOfRange(TrainingQuantity, String, allowed: String)
  case decayTooStrong(weightDecay: Double, learningRate: Double)
  /// Sizes in bytes.
  case tooMuchMemory(needed: Int, available: Int)
  case lacksPlasticSynapses
  case textTooShort(bytes: Int, needed: Int)
  case tokenOutOfRange(token: Int, vocabulary: Int, offset: Int)
  /// What was asked for is not what the model or checkpoint at `path` has.
  case contradicts(path: String, TrainingQuantity, value: String, wanted: String)
  /// A time limit for a run whose number of steps is fixed.
  case lengthIsFixed(path: String, steps: Int)
  case diverged(step: Int, what: String)
  case otherText(path: String, bytes: Int, given: Int)
  case damagedCheckpoint(path: String, problem: String)

  /// Whether a quantity is in range, its name and value, and what would be.
  typealias Rule = (
    holds: Bool, quantity: TrainingQuantity, value: any CustomStringConvertible, allowed: String
  )

  /// - Throws: ``outOfRange(_:_:allowed:)`` for the first rule that does not hold.
  static func check(_ rules: [Rule]) throws(TrainingError) {
    for rule in rules where !rule.holds {
      throw .outOfRange(rule.quantity, "\(rule.value)", allowed: rule.allowed)
    }
  }

  public var description: String {
    switch self {
    case .outOfRange(let quantity, let value, let allowed): "\(quantity.rawValue) \(value): \(allowed)"
    case .decayTooStrong(let decay, let rate):
      "weight decay \(decay) with learning rate \(rate): at least 0, and the product of both below 1"
    case .tooMuchMemory(let needed, let available):
      "the run needs up to \(TrainingMemory.text(needed)) of memory and this machine has \(TrainingMemory.text(available)); a smaller batch, block, n or d needs less"
    case .lacksPlasticSynapses: "a network that lacks some plastic synapses cannot be trained"
    case .textTooShort(let bytes, let needed):
      "the training text has \(bytes) bytes and one step reads \(needed) in a row; give more text or a smaller block"
    case .tokenOutOfRange(let token, let vocabulary, let offset):
      "token \(token) at offset \(offset) of the text is not below the alphabet size \(vocabulary)"
    case .contradicts(let path, let quantity, let value, let wanted):
      "'\(path)' has \(quantity.rawValue) \(value), not \(wanted); leave it out, or give what is there"
    case .lengthIsFixed(let path, let steps):
      "a time limit cannot be given to a run that goes on: '\(path)' fixed \(steps) steps"
    case .otherText(let path, let bytes, let given):
      "'\(path)' was made with another text: \(bytes) bytes to learn, this one has \(given)\(bytes == given ? " others" : ""); give the same files in the same order"
    case .diverged(let step, let what):
      "step \(step): \(what); go on from the last checkpoint with a smaller learning rate or clipping norm, or a longer warm-up"
    case .damagedCheckpoint(let path, let problem):
      "'\(path)' cannot be resumed: \(problem); use an earlier checkpoint"
    }
  }
}
