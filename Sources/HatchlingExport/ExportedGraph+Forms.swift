import HatchlingGraph
import HatchlingNumerics

extension ExportedGraph {
  /// A circuit with all its particles and synapses; plastic synapses once, without weight.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public init<Scalar: NetworkScalar>(_ graph: CircuitGraph<Scalar>) {
    self.init(
      graph, [.hub: graph.hubCount, .token: graph.tokenCount, .readout: graph.tokenCount],
      order: [.hub, .token, .readout])
    metadata["centred"] = graph.isCentred ? "yes" : "no"
  }

  /// A direct graph: neurons and token neurons, and the synapses between them; plastic synapses once, without weight. Edges out of
  /// tokens are kinds of their own (`token_x`, …).
  ///
  /// Hubs appear only where they carry what pruning cut (`cut_x_in`, `cut_x_out`, …), named `h0 …` for G_x and on for G_y; those of
  /// gains and readout carry nothing from neuron to neuron and are left out.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public init<Scalar: NetworkScalar>(_ graph: DirectGraph<Scalar>) {
    let hubsX = graph.remainderX?.hubs ?? 0
    let hubs = hubsX + (graph.remainderY?.hubs ?? 0)
    var cut: [Kind] = []
    for (name, remainder, first) in [("x", graph.remainderX, 0), ("y", graph.remainderY, hubsX)] {
      guard let remainder else { continue }
      for (prefix, population) in [("", ParticleKind.neuron), ("token_", .token)] {
        let rows = graph.numbers(of: population)
        cut.append(
          Kind(
            name: "\(prefix)cut_\(name)_in", source: population, target: .hub, sources: rows.count,
            targets: hubs, matrix: remainder.encoder, rows: rows, firstHub: first))
      }
      cut.append(
        Kind(
          name: "cut_\(name)_out", source: .hub, target: .neuron, sources: hubs, targets: graph.neuronCount,
          matrix: remainder.decoder, rows: 0..<graph.neuronCount, firstHub: first))
    }
    self.init(graph, [.token: graph.tokenCount, .hub: hubs], order: [.token, .hub], more: cut)
  }

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
          try body(ExportedNode(.neuron, neuron, head: graph.head(of: node), frequency: frequency))
        }
      })
  }

  /// A graph of either form: its neurons, `others` particles in that order, and all kinds of synapses, with `more` behind them.
  private init<Graph: ParticleGraph>(
    _ graph: Graph, _ others: [ParticleKind: Int], order: [ParticleKind], more: [Kind] = []
  ) {
    let kinds = Graph.wirings.map { wiring in
      Kind(
        name: wiring.kind.rawValue, source: wiring.presynaptic, target: wiring.postsynaptic,
        sources: graph.numbers(of: wiring.presynaptic).count,
        targets: graph.numbers(of: wiring.postsynaptic).count, edges: graph.count(of: wiring.kind),
        hasWeights: wiring.kind.hasWeights,
        forEachEdge: { body in
          try graph.forEachSynapse(of: wiring.kind) { synapse in
            try body(
              ExportedEdge(
                source: synapse.presynaptic.index, target: synapse.postsynaptic.index, sign: synapse.sign,
                weight: synapse.weight.map { Double($0) }))
          }
        })
    }
    let (layers, variant) = (graph.hyperparameters.layers, graph.hyperparameters.variant)
    self.init(
      kinds: kinds + more,
      metadata: ["form": Graph.form.rawValue, "n_layer": String(layers), "variant": variant.rawValue],
      forEachNode: { body in
        let neurons = graph.neurons
        for (head, range) in neurons.heads.enumerated() {
          for neuron in range {
            try body(
              ExportedNode(
                .neuron, neuron, head: head, frequency: neurons.frequencies[neuron],
                damping: neurons.damping[neuron]))
          }
        }
        for kind in order {
          for index in 0..<(others[kind] ?? 0) { try body(ExportedNode(kind, index)) }
        }
      })
  }
}

extension ExportedGraph.Kind {
  /// Synapses of hubs that carry what pruning cut: rows of a matrix are nodes, columns hubs.
  fileprivate init<Scalar: NetworkScalar>(
    name: String, source: ParticleKind, target: ParticleKind, sources: Int, targets: Int,
    matrix: Matrix<Scalar>, rows: Range<Int>, firstHub: Int
  ) {
    let projection = Projection(dense: matrix)
    self.init(
      name: name, source: source, target: target, sources: sources, targets: targets,
      edges: projection.rowDegrees[rows].reduce(0) { $0 + Int($1) },
      forEachEdge: { body in
        try projection.forEachEntry(rows: rows) { row, column, weight in
          let (node, hub) = (row - rows.lowerBound, firstHub + column)
          try body(
            ExportedEdge(
              source: source == .hub ? hub : node, target: source == .hub ? node : hub,
              sign: weight > 0 ? .excitatory : .inhibitory, weight: Double(weight.magnitude)))
        }
      })
  }
}
