import Foundation
import HatchlingGraph
import HatchlingNumerics

extension ExportedGraph {
  /// A circuit with all its particles and synapses; plastic synapses once, without weight.
  public init<Scalar: NetworkScalar>(_ graph: CircuitGraph<Scalar>) {
    func population(_ letter: Character) -> Int {
      letter == Neurons.letter ? graph.neuronCount : letter == Hubs.letter ? graph.hubCount : graph.tokenCount
    }
    let ends: [SynapseKind: (Character, Character)] = [
      .embedding: (Tokens.letter, Hubs.letter), .x: (Hubs.letter, Neurons.letter),
      .y: (Hubs.letter, Neurons.letter), .encoder: (Neurons.letter, Hubs.letter),
      .readout: (Hubs.letter, Readouts.letter), .plastic: (Hubs.letter, Neurons.letter),
      .partner: (Neurons.letter, Neurons.letter),
    ]
    let kinds = SynapseKind.allCases.compactMap { kind in
      ends[kind].map {
        Kind(
          name: kind.rawValue, from: $0.0, to: $0.1, sources: population($0.0), targets: population($0.1),
          edges: graph.count(of: kind), hasWeights: kind != .plastic && kind != .partner)
      }
    }
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
        for (letter, kind) in [(Hubs.letter, "hub"), (Tokens.letter, "token"), (Readouts.letter, "readout")] {
          for index in 0..<population(letter) {
            try body(ExportedNode(letter: letter, index: index, kind: kind))
          }
        }
      },
      forEachEdge: { kind, body in
        guard let kind = SynapseKind(rawValue: kind) else { return }
        try graph.forEachSynapse(of: [kind]) { synapse in
          try body(
            ExportedEdge(
              source: synapse.presynaptic.index, target: synapse.postsynaptic.index, sign: synapse.sign,
              weight: synapse.weight.map { Double($0) }))
        }
      })
  }

  /// ⌊log2(tokens per turn)⌋; nil for a clock that stands still.
  public static func frequencyBucket(_ frequency: Float) -> Int? {
    frequency != 0 && frequency.isFinite
      ? Int(Foundation.log2(1 / Double(abs(frequency))).rounded(.down)) : nil
  }
}
