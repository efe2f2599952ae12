import HatchlingModel
import HatchlingNumerics

extension DirectTrainer {
  /// The loss on held-out text, without dropout, read as training reads: in blocks that begin with an empty state; or, with carried state,
  /// in B streams through equal parts of it, whose first block only fills the state where there is a second.
  ///
  /// Nil when the text is shorter than one block. Neither the training streams nor their state change.
  /// - Throws: ``TrainingError/tokenOutOfRange(token:vocabulary:offset:)``.
  public func validate(_ text: [UInt8], atMost limit: Int = .max) throws(TrainingError) -> ValidationReport? {
    try TextTokens.check(text, vocabulary: weights.sizes.vocabulary)
    let blocks = min(text.count - 1, limit) / options.block
    guard blocks > 0 else { return nil }
    return options.carry ? validateStreams(text, blocks) : validateBlocks(text, blocks)
  }

  private func validateBlocks(_ text: [UInt8], _ blocks: Int) -> ValidationReport {
    var (sum, counted) = (0.0, 0)
    for first in stride(from: 0, to: blocks, by: options.batch) {
      // Where streams outnumber the blocks that are left, the last one is read again and not counted.
      read(text, position: 0, states: nil) { min(first + $0, blocks - 1) }
      for stream in pass.streams.prefix(blocks - first) {
        sum += stream.loss
        counted += options.block
      }
    }
    return ValidationReport(loss: sum / Double(counted), bytes: counted)
  }

  private func validateStreams(_ text: [UInt8], _ blocks: Int) -> ValidationReport {
    let (perStream, streams) = (max(1, blocks / options.batch), min(options.batch, blocks))
    let states = DirectStates(weights, batch: options.batch)
    var (sum, counted) = (0.0, 0)
    for index in 0..<perStream {
      read(text, position: index * options.block, states: states) {
        min($0, streams - 1) * perStream + index
      }
      states.turn()
      if index == 0 && perStream > 1 { continue }
      for stream in pass.streams.prefix(streams) {
        sum += stream.loss
        counted += options.block
      }
    }
    return ValidationReport(loss: sum / Double(counted), bytes: counted)
  }

  /// Reads a block of the text with every stream.
  private func read(
    _ text: [UInt8], position: Int, states: DirectStates<Scalar>?, block place: (_ stream: Int) -> Int
  ) {
    let (block, batch) = (options.block, options.batch)
    var input = TrainingBatch(
      tokens: [], targets: [], positions: [Int](repeating: position, count: batch))
    for stream in 0..<batch {
      let start = place(stream) * block
      input.tokens += text[start..<start + block].map { Int($0) }
      input.targets += text[start + 1..<start + block + 1].map { Int($0) }
    }
    _ = pass.forward(weights, input, states: states)
  }
}
