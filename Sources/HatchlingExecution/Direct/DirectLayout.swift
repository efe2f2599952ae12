import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// What a direct engine derives once from a graph.
struct DirectLayout<Scalar: NetworkScalar>: Sendable {
  /// About 32 blocks of at least 64 neurons.
  let blocks: [NeuronBlock]
  /// The blocks of each part of a head, `(heads · partsPerHead)`.
  let parts: [Range<Int>]
  /// Parts of a head that read plastic synapses side by side, so that at least 4 do.
  let partsPerHead: Int
  /// The blocks of each head.
  let blocksOfHead: [Range<Int>]
  /// Of each presynaptic particle: how many synapses it has.
  let outDegrees: [Connection: Degrees]
  let outgoingX: OutgoingSynapses<Scalar>
  let incomingY: IncomingSynapses<Scalar>
  /// Turns per token times 2⁶⁴, `(n)`.
  let clocks: [UInt64]
  let rotates: Bool
  /// Plastic synapses of each neuron, in one layer.
  let plasticDegrees: Degrees

  init(_ graph: DirectGraph<Scalar>) {
    let heads = graph.neurons.heads
    blocks = NeuronBlock.cut(heads, size: max(64, (graph.neuronCount + 31) / 32))
    blocksOfHead = NeuronBlock.ofHeads(blocks, heads: heads.count)
    (parts, partsPerHead) = NeuronBlock.parts(blocksOfHead)
    outgoingX = OutgoingSynapses(graph.drivesX)
    incomingY = IncomingSynapses(graph.drivesY, tokenCount: graph.tokenCount)
    let (neurons, nodes) = (graph.neuronCount, graph.nodeCount)
    func all(_ count: Int, to targets: Int) -> Degrees { Degrees(Array(repeating: targets, count: count)) }
    let (hubsX, hubsY) = (graph.remainderX?.hubs ?? 0, graph.remainderY?.hubs ?? 0)
    outDegrees = [
      .x: Degrees(outgoingX.degrees), .y: Degrees(graph.drivesY.columnDegrees),
      .toRemainderX: all(nodes, to: hubsX), .fromRemainderX: all(hubsX, to: neurons),
      .toRemainderY: all(nodes, to: hubsY), .fromRemainderY: all(hubsY, to: neurons),
      .traceReadout: all(nodes, to: graph.hasHubs ? 0 : graph.tokenCount),
    ]
    clocks = Phases(frequencies: graph.neurons.frequencies).turnsPerToken
    rotates = graph.neurons.rotates
    plasticDegrees = graph.plasticDegrees
  }
}

extension DirectGraph {
  /// Plastic synapses of each neuron, in one layer.
  var plasticDegrees: Degrees {
    switch plastic {
    case .complete: Degrees([Int32](repeating: Int32(nodeCount), count: neuronCount))
    case .lists(let lists):
      Degrees((0..<lists.targetCount).map { Int32(lists.offsets[$0 + 1] - lists.offsets[$0]) })
    }
  }
}
