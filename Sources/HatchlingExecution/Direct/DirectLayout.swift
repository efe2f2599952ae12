import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// What a direct engine derives once from a graph.
struct DirectLayout<Scalar: NetworkScalar>: Sendable {
  /// Neurons of one head that are worked on together; by the size of the graph alone.
  let blocks: [NeuronBlock]
  /// The blocks of each part of a head, `(heads · partsPerHead)`.
  let parts: [Range<Int>]
  /// Parts of a head that read plastic synapses side by side.
  let partsPerHead: Int
  let outgoingX: OutgoingSynapses<Scalar>
  let incomingY: IncomingSynapses<Scalar>
  /// Turns per token times 2⁶⁴, `(n)`.
  let clocks: [UInt64]
  let rotates: Bool
  /// Plastic synapses of each neuron, in one layer.
  let plasticDegrees: [Int32]

  init(_ graph: DirectGraph<Scalar>) {
    (blocks, parts, partsPerHead) = Self.cut(graph.neurons.heads, neurons: graph.neuronCount)
    outgoingX = OutgoingSynapses(graph.drivesX)
    incomingY = IncomingSynapses(graph.drivesY, tokenCount: graph.tokenCount)
    clocks = Phases(frequencies: graph.neurons.frequencies).turnsPerToken
    rotates = graph.neurons.rotates
    switch graph.plastic {
    case .complete:
      plasticDegrees = [Int32](repeating: Int32(graph.nodeCount), count: graph.neuronCount)
    case .lists(let lists):
      plasticDegrees = (0..<lists.targetCount).map { Int32(lists.offsets[$0 + 1] - lists.offsets[$0]) }
    }
  }

  /// About 32 blocks of at least 64 neurons, and parts so that at least 4 work side by side.
  private static func cut(
    _ heads: [Range<Int>], neurons: Int
  ) -> (blocks: [NeuronBlock], parts: [Range<Int>], partsPerHead: Int) {
    let size = max(64, (neurons + 31) / 32)
    let partsPerHead = max(1, 4 / max(1, heads.count))
    var blocks: [NeuronBlock] = []
    var parts: [Range<Int>] = []
    for (head, range) in heads.enumerated() {
      let first = blocks.count
      for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
        blocks.append(NeuronBlock(neurons: start..<min(start + size, range.upperBound), head: head))
      }
      let count = blocks.count - first
      for part in 0..<partsPerHead {
        parts.append(first + part * count / partsPerHead..<first + (part + 1) * count / partsPerHead)
      }
    }
    return (blocks, parts, partsPerHead)
  }
}
