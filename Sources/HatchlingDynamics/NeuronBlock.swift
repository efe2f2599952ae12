/// A run of neurons of one head that is worked on together. Blocks depend on sizes alone, never on the number of threads.
package struct NeuronBlock: Sendable {
  package let neurons: Range<Int>
  package let head: Int
  /// The first neuron's number inside its head.
  package let firstInHead: Int

  /// Cuts every head into blocks of `size` neurons, the last of a head the shorter one.
  package static func cut(_ heads: [Range<Int>], size: Int) -> [NeuronBlock] {
    heads.enumerated().flatMap { head, range in
      stride(from: range.lowerBound, to: range.upperBound, by: size).map { first in
        NeuronBlock(
          neurons: first..<min(first + size, range.upperBound), head: head,
          firstInHead: first - range.lowerBound)
      }
    }
  }

  /// The numbers of the blocks of each head.
  package static func ofHeads(_ blocks: [NeuronBlock], heads: Int) -> [Range<Int>] {
    (0..<heads).map { head in
      let first = blocks.firstIndex { $0.head >= head } ?? blocks.count
      return first..<(blocks.firstIndex { $0.head > head } ?? blocks.count)
    }
  }
}
