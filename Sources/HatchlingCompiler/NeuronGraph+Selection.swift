import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

extension NeuronGraph {
  /// Selected edges between the neurons of a range, strongest first; weights become positive.
  ///
  /// - Parameter nodes: the neurons that are nodes; every edge lies between two of them.
  /// - Cost: a sort of the edges.
  public init<Scalar: NetworkScalar>(
    _ edges: SelectedEdges<Scalar>, nodes: Range<Int>, neuronsPerHead: Int, sign: Sign = .excitatory
  ) {
    let order = edges.strongestFirst
    let first = Int32(nodes.lowerBound)
    self.init(
      firstNeuron: nodes.lowerBound, nodeCount: nodes.count, neuronsPerHead: neuronsPerHead, sign: sign,
      sources: order.map { edges.sources[$0] - first }, targets: order.map { edges.targets[$0] - first },
      weights: order.map { Float(edges.weights[$0].magnitude) })
  }
}
