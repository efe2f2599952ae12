import HatchlingModel
import HatchlingNumerics
import HatchlingShards
import HatchlingTensor
import Synchronization

/// What one network did on the text.
public struct FidelityMeasure: Sendable {
  /// Mean cross-entropy in nats of the tokens of each segment, in order.
  public let segmentLosses: [Double]
  /// Fraction of predictions whose most likely token is the reference's.
  public let top1Agreement: Double
  /// Mean KL(reference ‖ this) in nats of each segment, in order.
  public let segmentDivergences: [Double]
  /// Per token: synapses traversed, Hebbian updates, and values through hubs for gains and readout.
  public let messages: Double
  public let updates: Double
  public let broadcasts: Double
  /// Spikes that were fired, per token.
  public let spikes: Double
  /// Fractions of neurons with x > 0 and y > 0, over tokens and layers.
  public let activeX: Double
  public let activeY: Double

  /// Mean KL(reference ‖ this) in nats.
  public var meanKL: Double { segmentDivergences.reduce(0, +) / Double(segmentDivergences.count) }

  /// Mean loss over all tokens, in nats: segments have the same length.
  public var loss: Double { segmentLosses.reduce(0, +) / Double(segmentLosses.count) }

  /// The interval between the `(1 ± level) / 2` quantiles of the mean loss under resampling of segments with replacement.
  ///
  /// - Parameter values: of every segment; nil for the losses.
  public func interval(
    of values: [Double]? = nil, level: Double = 0.95, resamples: Int = 2000, seed: UInt64
  ) -> (lower: Double, upper: Double) {
    var random = SeededRandom(seed: seed)
    let values = values ?? segmentLosses
    let count = values.count
    let means = (0..<resamples).map { _ in
      (0..<count).reduce(0) { sum, _ in sum + values[Int.random(in: 0..<count, using: &random)] }
        / Double(count)
    }.sorted()
    func quantile(_ fraction: Double) -> Double {
      means[min(means.count - 1, max(0, Int(fraction * Double(means.count))))]
    }
    return (quantile((1 - level) / 2), quantile((1 + level) / 2))
  }
}

/// What a network that was changed still knows of the language: its losses and predictions on a text beside the unchanged network's.
///
/// The text is read in segments of the training block, each from an empty state, and every token is followed by a prediction of the next,
/// as in training. Segments are shared out between threads, one engine each, and added up in order: results do not depend on the
/// number of threads. Ranks, each with the whole network, share out the segments, and all have the same results.
public struct Fidelity<Scalar: NetworkScalar> {
  /// Tokens per segment.
  public let segment: Int
  /// Where each segment starts in the text.
  public let starts: [Int]
  private let tokens: [Int]
  private let workers: Workers
  private let ranks: Ranks?
  private let sizes: Hyperparameters
  /// The segments that this rank reads.
  private let own: Range<Int>
  /// log p of every prediction of the reference in them, `(own segments · segment, V)`.
  private let reference: Matrix<Double>
  /// The reference's own mean loss in each segment.
  public let referenceLosses: [Double]

  /// How many segments this rank reads.
  public var ownCount: Int { own.count }
  /// Tokens that are predicted.
  public var scored: Int { starts.count * segment }
  /// The reference's mean loss in nats.
  public var referenceLoss: Double { referenceLosses.reduce(0, +) / Double(referenceLosses.count) }

  /// Cuts a text into whole segments, at most `limit` tokens of them spread evenly over it, and reads them as tensors.
  ///
  /// - Parameters:
  ///   - ranks: which share out the segments; all of them do this together.
  ///   - afterSegment: called with the number of segments read.
  /// - Throws: ``FidelityError/tooShort(tokens:segment:)``, `TokenError`. Cost: 8 V bytes per token are kept.
  public init(
    _ weights: Weights<Scalar>, tokens: [Int], segment: Int, limit: Int = .max, ranks: Ranks? = nil,
    workers: Workers = Workers(), afterSegment: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws {
    let tensors = TensorEngine(weights, workers: workers)
    try self.init(
      weights.hyperparameters, tokens: tokens, segment: segment, limit: limit, ranks: ranks, workers: workers,
      afterSegment: afterSegment
    ) { segment in
      let logits = try tensors.parallel(segment)
      return (0..<segment.count).map {
        Predictions(logits: Array(UnsafeBufferPointer(start: logits.row($0), count: logits.columns)))
      }
    }
  }

  /// The same with an engine as the reference, which reads token by token.
  public init(
    reference engine: any SteppingEngine<Scalar>, tokens: [Int], segment: Int, limit: Int = .max,
    ranks: Ranks? = nil, workers: Workers = Workers(),
    afterSegment: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws {
    try self.init(
      engine.hyperparameters, tokens: tokens, segment: segment, limit: limit, ranks: ranks, workers: workers,
      afterSegment: afterSegment
    ) { segment in
      engine.reset()
      return try segment.map { token in
        try engine.step(token)
        return Predictions(logits: engine.logits)
      }
    }
  }

  /// - Parameter predict: the reference's predictions after every token of a segment.
  private init(
    _ sizes: Hyperparameters, tokens: [Int], segment: Int, limit: Int, ranks: Ranks?, workers: Workers,
    afterSegment: (_ done: Int, _ total: Int) -> Void, predict: ([Int]) throws -> [Predictions]
  ) throws {
    let possible = (tokens.count - 1) / max(1, segment)
    guard segment > 0, possible > 0 else {
      throw FidelityError.tooShort(tokens: tokens.count, segment: segment)
    }
    let wanted = max(1, min(possible, limit / segment + (limit % segment > 0 ? 1 : 0)))
    let starts = (0..<wanted).map { $0 * possible / wanted * segment }
    self.segment = segment
    self.starts = starts
    self.tokens = tokens
    (self.workers, self.ranks, self.sizes) = (workers, ranks, sizes)
    let vocabulary = sizes.vocabulary
    let own = Self.share(of: wanted, ranks, ranks?.rank ?? 0)
    self.own = own
    var reference = Matrix<Double>(rows: own.count * segment, columns: vocabulary)
    let rows = reference.mutablePointer()
    var losses: [Double] = []
    for (index, start) in starts[own].enumerated() {
      var sum = 0.0
      for (place, predictions) in try predict(Array(tokens[start..<start + segment])).enumerated() {
        sum += predictions.loss(of: tokens[start + place + 1])
        for token in 0..<vocabulary {
          rows[(index * segment + place) * vocabulary + token] = predictions.logProbabilities[token]
        }
      }
      losses.append(sum / Double(segment))
      afterSegment(index + 1, own.count)
    }
    self.reference = reference
    referenceLosses = Self.collect(losses, wanted, ranks)
  }

  private static func share(of segments: Int, _ ranks: Ranks?, _ rank: Int) -> Range<Int> {
    let size = ranks?.size ?? 1
    return segments * rank / size..<segments * (rank + 1) / size
  }

  /// What all ranks found, in the order of the segments.
  private static func collect<Value: BitwiseCopyable>(
    _ own: [Value], _ segments: Int, _ ranks: Ranks?
  ) -> [Value] {
    ranks?.collect(own, counts: (0..<(ranks?.size ?? 1)).map { share(of: segments, ranks, $0).count }) ?? own
  }

  /// Reads all segments with engines made by `makeEngine`, one per thread, and compares.
  ///
  /// - Parameter afterSegment: called with the number of segments done, on any thread.
  /// - Throws: what `makeEngine` or a step throws.
  public func measure(
    afterSegment: @Sendable (Int) -> Void = { _ in }, _ makeEngine: () throws -> any SteppingEngine<Scalar>
  ) throws -> FidelityMeasure {
    let found = try ranks.together { try readOwn(afterSegment, makeEngine) }
    return summary(Self.collect(found, starts.count, ranks))
  }

  private func readOwn(
    _ afterSegment: @Sendable (Int) -> Void, _ makeEngine: () throws -> any SteppingEngine<Scalar>
  ) throws -> [Segment] {
    let engines = try (0..<min(workers.threads, own.count)).map { _ in try makeEngine() }
    let results = Mutex<[Result<Segment, any Error>?]>(Array(repeating: nil, count: own.count))
    let begun = Atomic(0)
    let done = Atomic(0)
    // A block per engine, which takes one segment after another.
    workers.run(blocks: engines.count) { block in
      while true {
        let index = begun.add(1, ordering: .relaxed).oldValue
        guard index < own.count else { return }
        let result = Result { try read(index, engines[block]) }
        results.withLock { $0[index] = result }
        afterSegment(done.add(1, ordering: .relaxed).newValue)
      }
    }
    return try results.withLock { try $0.compactMap { try $0?.get() } }
  }

  private struct Segment: Sendable, BitwiseCopyable {
    var (loss, agreements, divergence) = (0.0, 0, 0.0)
    var (messages, updates, broadcasts, spikes, activeX, activeY) = (0, 0, 0, 0, 0, 0)
  }

  /// - Parameter index: of a segment among the own ones.
  private func read(_ index: Int, _ engine: some SteppingEngine<Scalar>) throws -> Segment {
    engine.reset()
    let start = starts[own.lowerBound + index]
    var result = Segment()
    for place in 0..<segment {
      let activity = try engine.step(tokens[start + place])
      result.messages += activity.messages
      result.updates += activity.updates
      result.broadcasts += activity.broadcasts
      result.spikes += activity.spikes
      result.activeX += activity.activeX.reduce(0, +)
      result.activeY += activity.activeY.reduce(0, +)
      let predictions = Predictions(logits: engine.logits)
      result.loss += predictions.loss(of: tokens[start + place + 1])
      let row = UnsafeBufferPointer(start: reference.row(index * segment + place), count: reference.columns)
      let expected = Predictions(logits: Array(row))
      result.divergence += expected.divergence(from: predictions)
      result.agreements += expected.mostLikely == predictions.mostLikely ? 1 : 0
    }
    return result
  }

  private func summary(_ segments: [Segment]) -> FidelityMeasure {
    func total(_ value: (Segment) -> Int) -> Double { Double(segments.reduce(0) { $0 + value($1) }) }
    let count = Double(scored)
    let possible = count * Double(sizes.layers * sizes.neurons)
    return FidelityMeasure(
      segmentLosses: segments.map { $0.loss / Double(segment) }, top1Agreement: total(\.agreements) / count,
      segmentDivergences: segments.map { $0.divergence / Double(segment) },
      messages: total(\.messages) / count,
      updates: total(\.updates) / count, broadcasts: total(\.broadcasts) / count,
      spikes: total(\.spikes) / count,
      activeX: total(\.activeX) / possible, activeY: total(\.activeY) / possible)
  }
}

/// A text that fidelity cannot be measured on.
public enum FidelityError: InputError, Equatable {
  case tooShort(tokens: Int, segment: Int)

  public var description: String {
    switch self {
    case .tooShort(let tokens, let segment):
      "the text has \(tokens) tokens, and a segment of \(segment) needs one more than it has; give a longer text or shorter segments"
    }
  }
}
