import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// What one update did.
public struct UpdateReport: Sendable {
  /// Updates done, this one included.
  public let step: Int
  /// Mean cross-entropy of the batch before the update, nats.
  public let loss: Double
  /// Global norm of the gradient before clipping.
  public let gradientNorm: Double
  public let learningRate: Double
  /// Mean fraction of neurons with x > 0 and y > 0, per layer.
  public let activeX, activeY: [Double]
}

/// A network in training: weights, optimiser, streams and their plastic state. ``update()`` is one step of everything.
///
/// Same options, text and weights: the same result, to the last bit, for any number of threads and ranks.
public final class Trainer<Scalar: NetworkScalar> {
  public internal(set) var weights: Weights<Scalar>
  public private(set) var options: TrainingOptions
  /// The text that is trained on.
  public let text: [UInt8]
  /// The network that ``keepAsBest()`` kept, or that a checkpoint had.
  public internal(set) var best: Weights<Scalar>?
  /// The ranks that take the shares of every batch; nil where one process takes all. All of them call everything in the same order.
  public let ranks: Ranks?
  let workers: Workers
  /// Reads one share of a batch.
  let pass: TrainingPass<Scalar>
  let shares: StreamShares
  var optimiser: AdamW<Scalar>
  /// θ of every pair, `(1, n / 2)`; nil unless damping is learned.
  var theta: Matrix<Scalar>?
  var streams: TextStreams
  let states: StreamStates<Scalar>?
  let sums: GradientSums<Scalar>

  /// - Parameter ranks: each takes its shares of every batch; weights and optimiser are the same on all.
  /// - Throws: ``TrainingError`` for options or sizes out of range, more memory than the machine has, text that is too short, or
  ///   tokens beyond the alphabet.
  public init(
    _ initial: Weights<Scalar>, text: [UInt8], options: TrainingOptions, ranks: Ranks? = nil,
    workers: Workers = Workers()
  ) throws(TrainingError) {
    try options.validate()
    let sizes = initial.hyperparameters
    try sizes.checkTrainable()
    try TrainingMemory(sizes, options, bytes: MemoryLayout<Scalar>.size, ranks: ranks?.size ?? 1)
      .check(processes: ranks?.neighbours ?? 1)
    try TextTokens.check(text, vocabulary: sizes.vocabulary)
    if initial.plasticSynapses != nil {
      throw .lacksPlasticSynapses
    }
    (self.options, self.text, self.ranks, self.workers) = (options, text, ranks, workers)
    let shares = StreamShares(options, ranks: ranks?.size ?? 1, rank: ranks?.rank ?? 0)
    self.shares = shares
    streams = try TextStreams(textCount: text.count, options)
    weights = initial
    switch options.damping {
    case .kept: break
    case .none: weights.damping = nil
    case .fixed(let u): weights.damping = u == 0 ? nil : [Float](repeating: u, count: sizes.neurons)
    case .learned:
      let initialTheta: Matrix<Scalar> = LearnedDamping.initial(sizes, damping: initial.damping)
      theta = initialTheta
      weights.damping = LearnedDamping.damping(initialTheta)
    }
    let shape = PassShape(batch: shares.streams, block: options.block, chunk: options.chunk)
    pass = TrainingPass(sizes, shape, workers: workers)
    states = options.carry ? StreamStates(sizes, batch: options.batch, own: shares.ownStreams) : nil
    sums = GradientSums(sizes, shares, among: ranks, workers: workers)
    optimiser = AdamW(shapesOf: weights.trained + (theta.map { [$0] } ?? []))
  }

  /// Updates done.
  public var step: Int { optimiser.step }

  /// Reads the next block of every stream and updates the weights.
  /// - Throws: ``TrainingError/diverged(step:what:)`` when the loss or the gradient is no number; weights stay as they were.
  public func update() throws(TrainingError) -> UpdateReport {
    let batch = streams.next(text, options) { states?.reset(stream: $0) }
    let dropout =
      options.dropout > 0 ? Dropout(rate: options.dropout, seed: options.seed, step: step) : nil
    let (result, gradients) = passShares(of: batch, dropout)
    guard result.loss.isFinite else { throw diverged("the loss is \(result.loss)") }
    var all = gradients.weights
    if theta != nil, let damping = weights.damping {
      all.append(LearnedDamping.gradient(gradients.damping, damping))
    }
    let norm = AdamW.norm(all)
    guard norm.isFinite else { throw diverged("the gradient's norm is \(norm) at a loss of \(result.loss)") }
    let rate = options.rate(at: step + 1)
    apply(all, norm, rate)
    return UpdateReport(
      step: step, loss: result.loss, gradientNorm: norm, learningRate: rate, activeX: result.activeX,
      activeY: result.activeY)
  }

  private func apply(_ gradients: [Matrix<Scalar>], _ norm: Double, _ rate: Double) {
    var parameters = weights.trained
    weights.trained = parameters.map { _ in Matrix(rows: 0, columns: 0) }  // one owner each: updated in place
    optimiser.update(&parameters, &theta, gradients, norm: norm, rate: rate, options, workers)
    weights.trained = parameters
    if let theta { weights.damping = LearnedDamping.damping(theta) }
  }

  /// Fixes how many updates the run will have; the schedule of the learning rate follows.
  public func plan(steps: Int) {
    options.steps = steps
    options.warmup = options.warmup.map { min($0, steps) }
  }

  private func diverged(_ what: String) -> TrainingError {
    let norm = AdamW.norm(weights.trained)
    return .diverged(step: step + 1, what: "\(what); the weights' norm is \(norm)")
  }
}
