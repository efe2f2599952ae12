import HatchlingGraph
import HatchlingNumerics

/// In- and out-degrees and strengths of every particle of a circuit. Every kind of synapse counts once; plastic synapses and
/// partner edges have a degree and no strength.
///
/// A circuit is a hub graph, about n at hubs and d at neurons, not a scale-free one: no power law is fitted to it.
public struct CircuitDegrees: Sendable {
  /// One population: `neuron`, `hub` or `token`.
  public struct Population: Sendable {
    public let kind: String
    public let names: [String]
    public let heads: [Int?]
    public internal(set) var inDegree: [Int]
    public internal(set) var outDegree: [Int]
    public internal(set) var inStrength: [Double]
    public internal(set) var outStrength: [Double]

    init(kind: ParticleKind, count: Int, heads: [Int?]) {
      self.kind = kind.rawValue
      names = (0..<count).map { Particle(kind, $0).name }
      self.heads = heads
      (inDegree, outDegree) = ([Int](repeating: 0, count: count), [Int](repeating: 0, count: count))
      (inStrength, outStrength) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    }
  }

  public private(set) var populations: [Population]
  public let synapses: [SynapseKind: Int]

  /// Cost: one walk over all synapses.
  public init<Scalar: NetworkScalar>(_ graph: CircuitGraph<Scalar>) {
    var heads: [Int?] = []
    for (head, range) in graph.neurons.heads.enumerated() {
      heads += [Int?](repeating: head, count: range.count)
    }
    let kinds: [ParticleKind] = [.neuron, .token, .hub]
    var found = kinds.map { kind in
      let count = graph.numbers(of: kind).count
      return Population(
        kind: kind, count: count, heads: kind == .neuron ? heads : Array(repeating: nil, count: count))
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
    synapses = Dictionary(
      uniqueKeysWithValues: CircuitGraph<Scalar>.kinds.map { ($0, graph.count(of: $0)) })
  }
}
