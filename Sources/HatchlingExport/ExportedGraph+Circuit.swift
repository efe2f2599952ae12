import Foundation
import HatchlingGraph
import HatchlingNumerics

extension ExportedGraph {
  /// A circuit with all its particles and synapses; plastic synapses once, without weight.
  public init<Scalar: NetworkScalar>(_ graph: CircuitGraph<Scalar>) {
    func population(_ particle: Particle) -> Int {
      switch particle {
      case .neuron: graph.neuronCount
      case .hub: graph.hubCount
      case .token, .readout: graph.tokenCount
      }
    }
    let ends: [SynapseKind: (Particle, Particle)] = [
      .embedding: (.token(0), .hub(0)), .x: (.hub(0), .neuron(0)), .y: (.hub(0), .neuron(0)),
      .encoder: (.neuron(0), .hub(0)), .readout: (.hub(0), .readout(0)), .plastic: (.hub(0), .neuron(0)),
      .partner: (.neuron(0), .neuron(0)),
    ]
    let kinds = SynapseKind.allCases.compactMap { kind in
      ends[kind].map {
        Kind(
          name: kind.rawValue, sources: population($0.0), targets: population($0.1),
          edges: graph.count(of: kind))
      }
    }
    self.init(
      kinds: kinds,
      forEachNode: { body in
        for (head, range) in graph.neurons.heads.enumerated() {
          for neuron in range {
            try body(
              ExportedNode(
                name: "n\(neuron)", kind: "neuron", head: head,
                frequencyBucket: Self.bucket(graph.neurons.frequencies[neuron])))
          }
        }
        for hub in 0..<graph.hubCount { try body(ExportedNode(name: "h\(hub)", kind: "hub")) }
        for token in 0..<graph.tokenCount { try body(ExportedNode(name: "t\(token)", kind: "token")) }
        for readout in 0..<graph.tokenCount { try body(ExportedNode(name: "o\(readout)", kind: "readout")) }
      },
      forEachEdge: { kind, body in
        guard let kind = SynapseKind(rawValue: kind) else { return }
        try graph.forEachSynapse(of: [kind]) { synapse in
          try body(
            ExportedEdge(
              source: synapse.presynaptic.name, target: synapse.postsynaptic.name, kind: kind.rawValue,
              sign: synapse.sign.rawValue, weight: synapse.weight.map { Double($0) },
              sourceIndex: synapse.presynaptic.index, targetIndex: synapse.postsynaptic.index))
        }
      })
  }

  /// ⌊log2(tokens per turn)⌋.
  static func bucket(_ frequency: Float) -> Int? {
    frequency != 0 && frequency.isFinite
      ? Int(Foundation.log2(1 / Double(abs(frequency))).rounded(.down)) : nil
  }
}
