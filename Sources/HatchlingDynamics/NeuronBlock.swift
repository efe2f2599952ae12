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

  /// The blocks of a circuit: about 64, at least 64 neurons each, an even number so that neighbouring pairs stay together.
  package static func ofCircuit(_ heads: [Range<Int>]) -> [NeuronBlock] {
    let neurons = heads.last?.upperBound ?? 0
    return cut(heads, size: max(64, ((neurons + 63) / 64 + 15) / 16 * 16))
  }

  /// The block on a machine where numbers of neurons count from `first`; empty where its neurons are not there.
  package func counted(from first: Int, isHere: Bool) -> NeuronBlock {
    let (lower, upper) = (neurons.lowerBound - first, neurons.upperBound - first)
    return NeuronBlock(neurons: isHere ? lower..<upper : 0..<0, head: head, firstInHead: firstInHead)
  }

  /// Cuts the blocks of every head into parts that read plastic synapses side by side, so that at least 4 do, head by head.
  package static func parts(_ blocksOfHead: [Range<Int>]) -> (parts: [Range<Int>], perHead: Int) {
    let pieces = max(1, 4 / max(1, blocksOfHead.count))
    let parts = blocksOfHead.flatMap { blocks in
      (0..<pieces).map { piece in
        let (first, count) = (blocks.lowerBound, blocks.count)
        return first + piece * count / pieces..<first + (piece + 1) * count / pieces
      }
    }
    return (parts, pieces)
  }

  /// The numbers of the blocks of each head.
  package static func ofHeads(_ blocks: [NeuronBlock], heads: Int) -> [Range<Int>] {
    (0..<heads).map { head in
      let first = blocks.firstIndex { $0.head >= head } ?? blocks.count
      return first..<(blocks.firstIndex { $0.head > head } ?? blocks.count)
    }
  }
}
