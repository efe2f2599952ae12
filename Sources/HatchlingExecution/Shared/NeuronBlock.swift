/// A run of neurons of one head that is worked on together. Blocks depend on the graph alone, never on the number of threads.
struct NeuronBlock: Sendable {
  let neurons: Range<Int>
  let head: Int
  /// Where the clocks of its neurons begin, one after the other, when its pairs are neighbours (2i, 2i + 1) that lead and follow, or
  /// nothing turns at all; nil for any other wiring.
  var clock: Int?
}

extension NeuronBlock {
  /// The numbers of the blocks of each head, for blocks in the order of their neurons.
  static func ofHeads(_ blocks: [NeuronBlock], heads: Int) -> [Range<Int>] {
    (0..<heads).map { head in
      let first = blocks.firstIndex { $0.head >= head } ?? blocks.count
      return first..<(blocks.firstIndex { $0.head > head } ?? blocks.count)
    }
  }
}
