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
  /// stream's first block only fills the state where there is a second. Ranks read their shares of the streams.
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
    var sums = [Double](repeating: 0, count: shares.count)
    for share in shares.own {
      let counted = shares.streams(of: share).clamped(to: 0..<streamCount)
      guard !counted.isEmpty else { continue }
      sums[share] = loss(text, share, blocks: perStream, streams: streamCount, counting: counted.count)
    }
    ranks?.gather(&sums, rows: shares.owners, width: 1)
    let counted = streamCount * block * (options.carry && perStream > 1 ? perStream - 1 : perStream)
    return ValidationReport(loss: sums.reduce(0, +) / Double(counted), bytes: counted)
  }

  /// The losses of a share's streams, the first `counted` of them, added up. Of `count` streams each reads `blocks` blocks.
  private func loss(
    _ text: [UInt8], _ share: Int, blocks: Int, streams count: Int, counting counted: Int
  ) -> Double {
    let block = options.block
    let fresh = options.carry ? StreamStates<Scalar>(weights.hyperparameters, batch: shares.streams) : nil
    var sum = 0.0
    for index in 0..<blocks {
      let position = options.carry ? index * block : 0
      var input = TrainingBatch(
        tokens: [], targets: [], positions: [Int](repeating: position, count: shares.streams))
      for stream in shares.streams(of: share) {
        let start = (min(stream, count - 1) * blocks + index) * block
        input.tokens += text[start..<start + block].map { Int($0) }
        input.targets += text[start + 1..<start + block + 1].map { Int($0) }
      }
      _ = pass.forward(weights, input, states: fresh)
      if options.carry && index == 0 && blocks > 1 { continue }
      sum += pass.losses[0..<counted * block].reduce(0, +)
    }
    return sum
  }
}
