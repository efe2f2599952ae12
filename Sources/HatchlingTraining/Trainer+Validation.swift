import HatchlingModel
import HatchlingNumerics

/// What a held-out text costs.
public struct ValidationReport: Sendable {
  /// Mean cross-entropy, nats per byte.
  public let loss: Double
  /// Bytes that were predicted.
  public let bytes: Int
}

extension Trainer {
  /// The loss on held-out text, read as training reads: B streams through equal parts of it, without dropout. With carried state, a
  /// stream's first block only fills the state where there is a second.
  ///
  /// Nil when the text is shorter than one block. Neither the training streams nor their state change. Cost: a third of training on as
  /// many tokens.
  /// - Throws: ``TrainingError/tokenOutOfRange(token:vocabulary:offset:)``.
  public func validate(_ text: [UInt8], atMost limit: Int = .max) throws(TrainingError) -> ValidationReport? {
    try TextTokens.check(text, vocabulary: weights.hyperparameters.vocabulary)
    let (block, batch) = (options.block, options.batch)
    let blocks = min(text.count - 1, limit) / block
    guard blocks > 0 else { return nil }
    let perStream = max(1, blocks / batch)
    let streamCount = min(batch, blocks)
    let fresh = options.carry ? StreamStates<Scalar>(weights.hyperparameters, batch: batch) : nil
    var (sum, counted) = (0.0, 0)
    for index in 0..<perStream {
      var input = TrainingBatch(
        tokens: [], targets: [], positions: [Int](repeating: options.carry ? index * block : 0, count: batch))
      for stream in 0..<batch {
        let start = (min(stream, streamCount - 1) * perStream + index) * block
        input.tokens += text[start..<start + block].map { Int($0) }
        input.targets += text[start + 1..<start + block + 1].map { Int($0) }
      }
      _ = pass.forward(weights, input, states: fresh)
      if options.carry && index == 0 && perStream > 1 { continue }
      sum += pass.losses[0..<streamCount * block].reduce(0, +)
      counted += streamCount * block
    }
    return ValidationReport(loss: sum / Double(counted), bytes: counted)
  }
}
