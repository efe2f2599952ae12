import HatchlingCompiler
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingGraph

/// Walking, counting, editing and renumbering, the same for both forms.
@Suite struct EditingTests {
  private func weights(_ seed: UInt64) -> Weights<Double> {
    let sizes = Hyperparameters(neurons: 12, synapticDimension: 4, heads: 2, layers: 2, vocabulary: 5)
    return Weights.random(sizes, seed: seed).converted(to: Double.self)
  }

  private func circuit(_ seed: UInt64) throws -> CircuitGraph<Double> {
    try Compiler().circuit(from: weights(seed)).graph
  }

  private func direct(_ seed: UInt64, plastic: DirectOptions.Plastic = .kept) throws -> DirectGraph<Double> {
    try Compiler().direct(
      from: weights(seed), options: DirectOptions(kept: .strongest(20), plastic: plastic),
      workers: Workers(threads: 1)
    ).graph
  }

  private func all<Graph: ParticleGraph>(_ graph: Graph) -> [Synapse<Graph.Scalar>] {
    var found: [Synapse<Graph.Scalar>] = []
    graph.forEachSynapse { found.append($0) }
    return found
  }

  /// Cuts, scales and sets synapses of every kind; what a walk yields afterwards is what it yielded before, with that one changed.
  private func edit<Graph: ParticleGraph>(_ whole: Graph, seed: UInt64) throws
  where Graph.Scalar == Double {
    var random = SeededRandom(seed: seed)
    let synapses = all(whole)
    #expect(Set(synapses.map(\.kind)) == Set(Graph.kinds), "seed \(seed)")
    #expect(synapses.count == whole.synapseCount)
    for kind in Graph.kinds {
      let indices = synapses.indices.filter { synapses[$0].kind == kind }
      #expect(indices.count == whole.count(of: kind), "seed \(seed), \(kind)")
      let index = try #require(indices.randomElement(using: &random))
      let (from, to) = (synapses[index].presynaptic, synapses[index].postsynaptic)
      #expect(whole.contains(from) && whole.contains(to))
      var (cut, scaled) = (whole, whole)
      guard kind != .partner else {
        #expect(throws: GraphError.weightIsState(kind: "partner")) {
          try cut.remove(kind, from: from, to: to)
        }
        continue
      }
      try cut.remove(kind, from: from, to: to)
      try cut.validate()
      var expected = synapses
      expected.remove(at: index)
      #expect(all(cut) == expected, "seed \(seed), \(kind)")
      #expect(throws: GraphError.self) { try cut.remove(kind, from: from, to: to) }
      guard kind.hasWeights else {
        #expect(throws: GraphError.weightIsState(kind: kind.rawValue)) {
          try scaled.scale(kind, from: from, to: to, by: 2)
        }
        continue
      }
      let weight = try #require(whole.signedWeight(of: kind, from: from, to: to))
      #expect(weight.magnitude == synapses[index].weight)
      #expect((weight > 0) == (synapses[index].sign == .excitatory))
      try scaled.scale(kind, from: from, to: to, by: -2)
      #expect(scaled.signedWeight(of: kind, from: from, to: to) == -2 * weight)
      try scaled.setSignedWeight(weight, of: kind, from: from, to: to)
      try cut.setSignedWeight(weight, of: kind, from: from, to: to)
      #expect(all(scaled) == synapses && all(cut) == synapses, "seed \(seed), \(kind)")
    }
  }

  @Test(arguments: UInt64(1)...5) func everyKindOfBothForms(seed: UInt64) throws {
    try edit(circuit(seed), seed: seed)
    try edit(direct(seed), seed: seed)
    try edit(direct(seed, plastic: .complete), seed: seed)
  }

  @Test func endsThatDoNotFitAreRefused() throws {
    var (circuit, direct) = (try circuit(1), try direct(1))
    let wrong: [(SynapseKind, Particle, Particle)] = [
      (.x, .neuron(0), .neuron(1)), (.x, .hub(4), .neuron(0)), (.x, .hub(0), .neuron(12)),
      (.x, .hub(-1), .neuron(0)), (.embedding, .token(5), .hub(0)), (.readout, .hub(0), .token(0)),
      (.tokenX, .token(0), .neuron(0)),
    ]
    for (kind, from, to) in wrong {
      let error = GraphError.noSuchParticle("\(from.name) → \(to.name)", kind: kind.rawValue)
      #expect(throws: error) { try circuit.scale(kind, from: from, to: to, by: 2) }
      #expect(throws: error) { try circuit.setSignedWeight(1, of: kind, from: from, to: to) }
      #expect(circuit.signedWeight(of: kind, from: from, to: to) == nil)
    }
    for (kind, from, to) in [
      (SynapseKind.x, Particle.hub(0), Particle.neuron(0)), (.x, .token(5), .neuron(0)),
      (.tokenX, .neuron(0), .neuron(0)), (.encoder, .neuron(0), .hub(0)), (.y, .neuron(0), .neuron(12)),
    ] {
      let error = GraphError.noSuchParticle("\(from.name) → \(to.name)", kind: kind.rawValue)
      #expect(throws: error) { try direct.scale(kind, from: from, to: to, by: 2) }
    }
    // Out of a token, the kind of neurons' edges will do.
    #expect(
      direct.signedWeight(of: .x, from: .token(3), to: .neuron(7)) == direct.drivesX[15, 7])
    #expect(
      direct.signedWeight(of: .tokenY, from: .token(0), to: .neuron(7)) == direct.drivesY[7, 12])
  }

  @Test(arguments: UInt64(1)...5) func renumberingMovesEverySynapse(seed: UInt64) throws {
    var graph = try circuit(seed)
    try graph.remove(.plastic, from: .hub(1), to: .neuron(3))
    graph.drivesY = Projection(.sparse(SparseRows(graph.drivesY.dense)))
    var random = SeededRandom(seed: seed)
    let order = (0..<6).shuffled(using: &random) + (6..<12).shuffled(using: &random)
    func old(_ particle: Particle) -> Particle {
      if case .neuron(let neuron) = particle { .neuron(NeuronIndex(order[neuron.index])) } else { particle }
    }
    let renumbered = try graph.renumbered(order)
    try renumbered.validate()
    let moved = all(renumbered).map {
      Synapse(
        kind: $0.kind, presynaptic: old($0.presynaptic), postsynaptic: old($0.postsynaptic), sign: $0.sign,
        weight: $0.weight)
    }
    func sorted(_ synapses: [Synapse<Double>]) -> [String] { synapses.map { "\($0)" }.sorted() }
    #expect(sorted(moved) == sorted(all(graph)), "seed \(seed)")
    for neuron in 0..<12 {
      #expect(renumbered.neurons.frequencies[neuron] == graph.neurons.frequencies[order[neuron]])
    }
    #expect(throws: GraphError.self) { try graph.renumbered([0, 0] + order.dropFirst(2)) }
    #expect(throws: GraphError.self) { try graph.renumbered(Array(6..<12) + Array(0..<6)) }
  }

  @Test func namesOfParticles() {
    for kind in ParticleKind.allCases {
      let particle = Particle(kind, 12)
      #expect(particle.kind == kind && particle.index == 12 && particle.name == "\(kind.letter)12")
      #expect(Particle(name: particle.name) == particle)
    }
    for text in ["", "n", "12", "q3", "n-1", "nn1", "n1.0"] { #expect(Particle(name: text) == nil) }
  }
}
