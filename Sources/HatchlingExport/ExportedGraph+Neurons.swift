import HatchlingGraph

extension ExportedGraph {
  /// A graph of neurons: a thresholded G_x, G_y or σ.
  ///
  /// - Parameters:
  ///   - kind: what the edge attribute `kind` says: `x`, `y` or `sigma`.
  ///   - frequencies: f of every neuron of a head, see `Weights.frequencies`.
  public init(_ graph: NeuronGraph, kind: String = "", frequencies: [Float] = []) {
    // Numbers are those of the whole network, also when the graph is one head.
    let all = graph.firstNeuron + graph.nodeCount
    self.init(
      kinds: [
        Kind(
          name: kind, source: .neuron, target: .neuron, sources: all, targets: all, edges: graph.edgeCount,
          forEachEdge: { body in
            for edge in 0..<graph.edgeCount {
              try body(
                ExportedEdge(
                  source: graph.firstNeuron + Int(graph.sources[edge]),
                  target: graph.firstNeuron + Int(graph.targets[edge]), sign: graph.sign,
                  weight: Double(graph.weights[edge])))
            }
          })
      ],
      forEachNode: { body in
        for node in 0..<graph.nodeCount {
          let neuron = graph.firstNeuron + node
          let frequency = frequencies.isEmpty ? 0 : frequencies[neuron % frequencies.count]
          try body(ExportedNode(neuron: neuron, head: graph.head(of: node), frequency: frequency))
        }
      })
  }
}
