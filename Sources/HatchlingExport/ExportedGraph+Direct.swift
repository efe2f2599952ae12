import HatchlingGraph
import HatchlingNumerics

extension ExportedGraph {
  /// A direct graph: neurons and token neurons, and the synapses between them; plastic synapses once, without weight. Edges out of
  /// tokens are kinds of their own (`token_x`, …).
  ///
  /// Hubs appear only where they carry what pruning cut (`cut_x_in`, `cut_x_out`, …), named `h0 …` for G_x and on for G_y; those of
  /// gains and readout carry nothing from neuron to neuron and are left out.
  public init<Scalar: NetworkScalar>(_ graph: DirectGraph<Scalar>) {
    let (neurons, tokens) = (graph.neuronCount, graph.tokenCount)
    var kinds = DirectSynapseKind.allCases.map { kind in
      Kind(
        name: kind.rawValue, from: kind.startsAtTokens ? Tokens.letter : Neurons.letter, to: Neurons.letter,
        sources: kind.startsAtTokens ? tokens : neurons, targets: neurons, edges: graph.count(of: kind),
        hasWeights: ![.plastic, .tokenPlastic, .partner].contains(kind))
    }
    let remainders = [
      ("cut_x", graph.remainderX, 0), ("cut_y", graph.remainderY, graph.remainderX?.hubs ?? 0),
    ]
    .compactMap { name, remainder, first in
      remainder.map { RemainderEdges(name: name, remainder: $0, firstHub: first) }
    }
    let hubs = remainders.reduce(0) { $0 + $1.remainder.hubs }
    for edges in remainders { kinds += edges.kinds(neurons: neurons, hubs: hubs) }
    self.init(
      kinds: kinds,
      forEachNode: { body in
        for (head, range) in graph.neurons.heads.enumerated() {
          for neuron in range {
            try body(
              ExportedNode(
                letter: Neurons.letter, index: neuron, kind: "neuron", head: head,
                frequencyBucket: Self.frequencyBucket(graph.neurons.frequencies[neuron])))
          }
        }
        for token in 0..<tokens { try body(ExportedNode(letter: Tokens.letter, index: token, kind: "token")) }
        for hub in 0..<hubs { try body(ExportedNode(letter: Hubs.letter, index: hub, kind: "hub")) }
      },
      forEachEdge: { name, body in
        if let kind = DirectSynapseKind(rawValue: name) {
          try graph.forEachSynapse(of: kind) { synapse in
            try body(
              ExportedEdge(
                source: synapse.presynaptic.index, target: synapse.postsynaptic.index, sign: synapse.sign,
                weight: synapse.weight.map { Double($0) }))
          }
        }
        for edges in remainders { try edges.forEach(name, neurons, body) }
      })
  }
}

/// The synapses of hubs that carry what pruning cut.
private struct RemainderEdges<Scalar: NetworkScalar> {
  let name: String
  let remainder: HubRemainder<Scalar>
  let firstHub: Int

  func kinds(neurons: Int, hubs: Int) -> [ExportedGraph.Kind] {
    let tokens = remainder.encoder.rows - neurons
    func count(_ matrix: Matrix<Scalar>, _ rows: Range<Int>) -> Int {
      rows.reduce(0) { sum, row in
        sum + (0..<matrix.columns).count { matrix.row(row)[$0] != 0 }
      }
    }
    return [
      ExportedGraph.Kind(
        name: "\(name)_in", from: Neurons.letter, to: Hubs.letter, sources: neurons, targets: hubs,
        edges: count(remainder.encoder, 0..<neurons)),
      ExportedGraph.Kind(
        name: "token_\(name)_in", from: Tokens.letter, to: Hubs.letter, sources: tokens, targets: hubs,
        edges: count(remainder.encoder, neurons..<neurons + tokens)),
      ExportedGraph.Kind(
        name: "\(name)_out", from: Hubs.letter, to: Neurons.letter, sources: hubs, targets: neurons,
        edges: count(remainder.decoder, 0..<neurons)),
    ]
  }

  func forEach(_ kind: String, _ neurons: Int, _ body: (ExportedEdge) throws -> Void) throws {
    func visit(_ weight: Scalar, _ source: Int, _ target: Int) throws {
      guard weight != 0 else { return }
      try body(
        ExportedEdge(
          source: source, target: target, sign: weight > 0 ? .excitatory : .inhibitory,
          weight: Double(weight.magnitude)))
    }
    switch kind {
    case "\(name)_in", "token_\(name)_in":
      let ofTokens = kind.hasPrefix("token")
      for node in ofTokens ? neurons..<remainder.encoder.rows : 0..<neurons {
        for hub in 0..<remainder.hubs {
          try visit(remainder.encoder.row(node)[hub], ofTokens ? node - neurons : node, firstHub + hub)
        }
      }
    case "\(name)_out":
      for neuron in 0..<neurons {
        for hub in 0..<remainder.hubs {
          try visit(remainder.decoder.row(neuron)[hub], firstHub + hub, neuron)
        }
      }
    default: break
    }
  }
}
