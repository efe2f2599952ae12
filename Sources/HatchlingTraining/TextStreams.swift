import HatchlingCheckpoint
import HatchlingNumerics

/// The bytes of a training text as tokens.
enum TextTokens {
  /// - Throws: ``TrainingError/tokenOutOfRange(token:vocabulary:offset:)``.
  static func check(_ text: [UInt8], vocabulary: Int) throws(TrainingError) {
    if let offset = text.firstIndex(where: { Int($0) >= vocabulary }) {
      throw .tokenOutOfRange(token: Int(text[offset]), vocabulary: vocabulary, offset: offset)
    }
  }

  /// SHA-256 of a text.
  static func digest(of text: [UInt8]) -> String { text.withUnsafeBytes(ContentHash.sha256) }
}

/// B readers of one text, side by side.
///
/// With carried state a reader goes through the text block by block; at the end of a passage it goes on elsewhere, with an empty state.
/// Without, every block begins at a random place.
package struct TextStreams: Codable, Equatable, Sendable {
  /// Where each stream reads next.
  package private(set) var offsets: [Int]
  /// Position of the next token since the stream's state was empty.
  package private(set) var positions: [Int]
  /// Bytes left of each stream's passage.
  private var remaining: [Int]
  private var random: SeededRandom

  /// - Throws: ``TrainingError/textTooShort(bytes:needed:)``.
  package init(textCount: Int, _ options: TrainingOptions) throws(TrainingError) {
    let needed = options.block + 1
    guard textCount >= needed else { throw .textTooShort(bytes: textCount, needed: needed) }
    random = SeededRandom(seed: options.seed ^ 0x7465_7874)
    positions = [Int](repeating: 0, count: options.batch)
    if options.carry && options.passage == 0 {
      offsets = (0..<options.batch).map { min($0 * (textCount / options.batch), textCount - needed) }
      remaining = [Int](repeating: Int.max, count: options.batch)
    } else {
      offsets = []
      remaining = []
      for _ in 0..<options.batch {
        offsets.append(Int.random(in: 0...textCount - needed, using: &random))
        // Passages of the first round differ in length, so that streams do not all begin anew together.
        remaining.append(options.passage > 0 ? Int.random(in: 1...options.passage, using: &random) : 0)
      }
    }
  }

  /// The next block of every stream. `beforeReading` is told which streams begin with an empty state.
  package mutating func next(
    _ text: [UInt8], _ options: TrainingOptions, beforeReading resets: (Int) -> Void
  ) -> TrainingBatch {
    let block = options.block
    var batch = TrainingBatch(tokens: [], targets: [], positions: positions)
    batch.tokens.reserveCapacity(options.batch * block)
    batch.targets.reserveCapacity(options.batch * block)
    for stream in offsets.indices {
      let isOver = offsets[stream] + block + 1 > text.count || remaining[stream] <= 0
      if isOver || !options.carry {
        let isSequential = options.carry && options.passage == 0
        let farthest = text.count - block - 1
        offsets[stream] = isSequential ? 0 : Int.random(in: 0...farthest, using: &random)
        remaining[stream] = isSequential ? Int.max : options.passage
        positions[stream] = 0
        resets(stream)
      }
      batch.positions[stream] = positions[stream]
      let start = offsets[stream]
      for place in start..<start + block {
        batch.tokens.append(Int(text[place]))
        batch.targets.append(Int(text[place + 1]))
      }
      offsets[stream] += block
      positions[stream] += block
      if remaining[stream] != Int.max { remaining[stream] -= block }
    }
    return batch
  }

  /// Whether these streams can go on in a text of that length.
  func fits(textCount: Int, _ options: TrainingOptions) -> Bool {
    [offsets.count, positions.count, remaining.count].allSatisfy { $0 == options.batch }
      && offsets.allSatisfy { (0...textCount).contains($0) }
      && positions.allSatisfy { (0..<1 << 50).contains($0) }
      && remaining.allSatisfy { $0 == Int.max || (-options.block...max(options.passage, 0)).contains($0) }
  }
}
