import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

extension NeuronGraph {
  /// Selected edges between the neurons of a range, strongest first; weights become positive.
  ///
  /// - Parameters:
  ///   - nodes: the neurons that are nodes; every edge lies between two of them.
  ///   - senders: where edges come from other neurons, as many: node k is then the k-th neuron of both ranges, and has no neuron's number.
  /// - Cost: a sort of the edges.
  public init<Scalar: NetworkScalar>(
    _ edges: SelectedEdges<Scalar>, nodes: Range<Int>, from senders: Range<Int>? = nil, neuronsPerHead: Int,
    sign: Sign = .excitatory
  ) {
    let order = edges.strongestFirst
    let senders = senders ?? nodes
    precondition(senders.count == nodes.count, "a node is one neuron of each range")
    let (first, firstSender) = (Int32(nodes.lowerBound), Int32(senders.lowerBound))
    self.init(
      firstNeuron: senders == nodes ? nodes.lowerBound : 0, nodeCount: nodes.count,
      neuronsPerHead: neuronsPerHead, sign: sign,
      sources: order.map { edges.sources[$0] - firstSender },
      targets: order.map { edges.targets[$0] - first },
      weights: order.map { Float(edges.weights[$0].magnitude) })
  }
}
