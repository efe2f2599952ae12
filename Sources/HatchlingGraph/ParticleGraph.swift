import HatchlingModel
import HatchlingNumerics

/// A network as particles and synapses, in either form: what an executor, a walk, an editor or the specification has to know.
///
/// A form says which kinds of synapses it has and where it keeps them (``wirings``); walking, counting, editing and checking are
/// written once, for all forms.
public protocol ParticleGraph<Scalar>: Sendable {
  associatedtype Scalar: NetworkScalar
  associatedtype Plastic: PlasticSynapses

  static var form: GraphForm { get }
  /// The kinds of synapses of this form, in the order of a walk.
  static var wirings: [Wiring<Self>] { get }
  /// Rules of the specification that only this form has.
  static var ownRules: [Specification<Self>.Rule] { get }

  /// L, how many times a token passes through the synapses.
  var layers: Int { get }
  var variant: Variant { get }
  var neurons: NeuronPopulation { get }
  /// d.
  var hubCount: Int { get }
  /// Whether there are hubs at all.
  var hasHubs: Bool { get }
  /// V.
  var tokenCount: Int { get }
  /// Whether the mean of LayerNorm is folded into the weights, so that normalisers answer with a gain alone.
  var isCentred: Bool { get }
  /// Identifies the weights that the graph came from; a saved state is refused by any other graph.
  var fingerprint: String { get }
  /// Which plastic synapses exist.
  var plastic: Plastic { get set }

  /// The numbers that the particles of a population have as rows and columns of projections.
  func numbers(of kind: ParticleKind) -> Range<Int>
  /// All fixed weights, as the specification looks at them.
  var fixedSynapses: [FixedSynapses<Scalar>] { get }
}

/// Where a form keeps the synapses of one kind, and which populations they join.
public struct Wiring<Graph: ParticleGraph> {
  public let kind: SynapseKind
  public let presynaptic, postsynaptic: ParticleKind
  /// The fixed weights; nil for plastic synapses and partner edges.
  let projection: WritableKeyPath<Graph, Projection<Graph.Scalar>>?
  /// Whether a row of the projection is a presynaptic particle, else a postsynaptic one.
  let rowsSend: Bool

  init(
    _ kind: SynapseKind, from presynaptic: ParticleKind, to postsynaptic: ParticleKind,
    _ projection: WritableKeyPath<Graph, Projection<Graph.Scalar>>? = nil, rowsSend: Bool = false
  ) {
    (self.kind, self.presynaptic, self.postsynaptic) = (kind, presynaptic, postsynaptic)
    (self.projection, self.rowsSend) = (projection, rowsSend)
  }
}

/// One array of fixed weights and the shape it must have.
public struct FixedSynapses<Scalar: NetworkScalar>: Sendable {
  /// `x`, `field` …
  let name: String
  /// One of them in words: `an x synapse`.
  let noun: String
  let projection: Projection<Scalar>
  let rows, columns: Int
}

/// Which plastic synapses exist. A source is the number of a presynaptic particle (hub or node), see ``ParticleGraph/numbers(of:)``.
public protocol PlasticSynapses: Sendable {
  func contains(source: Int, neuron: Int) -> Bool
  /// Calls `body` with every source of a neuron inside a range, ascending.
  func forEachSource(of neuron: Int, in sources: Range<Int>, _ body: (Int) throws -> Void) rethrows
  /// How many synapses come from a range of sources, in one layer.
  func count(neurons: Int, in sources: Range<Int>) -> Int
  /// Cuts one synapse of all that `neurons` and `sources` allow.
  mutating func remove(source: Int, neuron: Int, neurons: Int, sources: Int)
}

extension ParticleGraph {
  public var hasHubs: Bool { true }
  /// n.
  public var neuronCount: Int { neurons.count }
  /// H.
  public var headCount: Int { neurons.heads.count }

  /// The sizes in the model's terms.
  public var hyperparameters: Hyperparameters {
    Hyperparameters(
      neurons: neuronCount, synapticDimension: hubCount, heads: headCount, layers: layers,
      vocabulary: tokenCount, variant: variant)
  }

  /// The kinds of synapses of this form, in the order of a walk.
  public static var kinds: [SynapseKind] { wirings.map(\.kind) }

  /// The projections that are stored as such, each once, with the kind that names it.
  public static var projections: [(kind: SynapseKind, path: WritableKeyPath<Self, Projection<Scalar>>)] {
    var found: [(kind: SynapseKind, path: WritableKeyPath<Self, Projection<Scalar>>)] = []
    for wiring in wirings {
      guard let path = wiring.projection, !found.contains(where: { $0.path == path }) else { continue }
      found.append((wiring.kind, path))
    }
    return found
  }

  /// Counts all synapses of the projections and checks their weights once; see ``Projection/takeCensus(workers:)``.
  public mutating func takeCensus(workers: Workers? = nil) {
    for (_, path) in Self.projections { self[keyPath: path].takeCensus(workers: workers) }
  }

  /// Checks the standard specification. - Throws: ``GraphError/brokenRule(rule:detail:)``.
  public func validate() throws(GraphError) { try Specification.standard.check(self) }

  /// Whether the particle exists in this graph.
  public func contains(_ particle: Particle) -> Bool {
    (0..<numbers(of: particle.kind).count).contains(particle.index)
  }
}
