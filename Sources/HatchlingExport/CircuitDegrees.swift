import HatchlingGraph
import HatchlingNumerics

/// In- and out-degrees and strengths of every particle of a circuit. Every kind of synapse counts once; plastic synapses and
/// partner edges have a degree and no strength.
///
/// A circuit is a hub graph, about n at hubs and d at neurons, not a scale-free one: no power law is fitted to it.
public struct CircuitDegrees: Sendable {
  /// One population: `neuron`, `hub` or `token`.
  public struct Population: Sendable {
    public let kind: ParticleKind
    /// Of neurons; nil for other particles.
    public let heads: [Int?]
    public internal(set) var inDegree: [Int]
    public internal(set) var outDegree: [Int]
    public internal(set) var inStrength: [Double]
    public internal(set) var outStrength: [Double]

    init(_ kind: ParticleKind, heads: [Int?]) {
      (self.kind, self.heads) = (kind, heads)
      let (zeros, nothing) = (heads.map { _ in 0 }, heads.map { _ in 0.0 })
      (inDegree, outDegree, inStrength, outStrength) = (zeros, zeros, nothing, nothing)
    }
  }

  public private(set) var populations: [Population]
  public let synapses: [SynapseKind: Int]

  /// Cost: one walk over all synapses.
  public init<Scalar: NetworkScalar>(_ graph: CircuitGraph<Scalar>) {
    let heads = graph.neurons.heads.enumerated().flatMap { head, range in range.map { _ -> Int? in head } }
    let kinds: [ParticleKind] = [.neuron, .token, .hub]
    var found = kinds.map { kind in
      Population(kind, heads: kind == .neuron ? heads : graph.numbers(of: kind).map { _ in nil })
    }
    func place(_ particle: Particle) -> (Int, Int)? {
      kinds.firstIndex(of: particle.kind).map { ($0, particle.index) }
    }
    graph.forEachSynapse { synapse in
      let weight = synapse.weight.map { Double($0) } ?? 0
      if let (population, index) = place(synapse.presynaptic) {
        found[population].outDegree[index] += 1
        found[population].outStrength[index] += weight
      }
      if let (population, index) = place(synapse.postsynaptic) {
        found[population].inDegree[index] += 1
        found[population].inStrength[index] += weight
      }
    }
    populations = found
    synapses = Dictionary(uniqueKeysWithValues: CircuitGraph<Scalar>.kinds.map { ($0, graph.count(of: $0)) })
  }
}
