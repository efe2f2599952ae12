import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// What passes hand to each other.
public enum Stage<Scalar: NetworkScalar>: Sendable {
  case weights(Weights<Scalar>)
  case circuit(CircuitGraph<Scalar>)
  case direct(DirectGraph<Scalar>)

  /// Weights for a pass; see ``circuit(for:)``.
  func weights(for pass: some CompilerPass) throws(CompilerError) -> Weights<Scalar> {
    guard case .weights(let weights) = self else { throw .misplaced(pass: pass.name, needs: "weights") }
    return weights
  }

  /// A circuit for a pass. - Throws: ``CompilerError/misplaced(pass:needs:)`` when passes stand in the wrong order.
  func circuit(for pass: some CompilerPass) throws(CompilerError) -> CircuitGraph<Scalar> {
    guard case .circuit(let graph) = self else { throw .misplaced(pass: pass.name, needs: "a circuit") }
    return graph
  }

  /// Fixed synapses of the projections (non-zero weights). Cost: one pass where no census was taken.
  mutating func countEdges(_ workers: Workers?) -> Int {
    func edges<Graph: ParticleGraph>(_ graph: inout Graph) -> Int {
      graph.takeCensus(workers: workers)
      return Graph.projections.reduce(0) { $0 + graph[keyPath: $1.path].count }
    }
    switch self {
    case .weights(let weights):
      return [weights.embedding, weights.decoderX, weights.decoderY, weights.encoder, weights.readout]
        .reduce(0) { $0 + SignCensus(of: $1.pointer, count: $1.count, workers: workers).nonZero }
    case .circuit(var graph):
      defer { self = .circuit(graph) }
      return edges(&graph)
    case .direct(var graph):
      defer { self = .direct(graph) }
      return edges(&graph)
    }
  }

  /// Checks a graph against its specification; weights have none.
  func validate() throws(GraphError) {
    switch self {
    case .weights: break
    case .circuit(let graph): try graph.validate()
    case .direct(let graph): try graph.validate()
    }
  }
}

/// The next stage; the edges that the pass chose among, where these are not those of the stage before; what it has to say.
public typealias PassResult<Scalar: NetworkScalar> = (stage: Stage<Scalar>, edgesIn: Int?, note: String)

/// One step of a compilation, a value that says all it needs.
public protocol CompilerPass: Sendable {
  /// What the log calls it: `centre`, `split` …
  var name: String { get }
  /// Whether the edges before have to be counted; a pass that starts from the weights as they are keeps their number.
  var changesEdges: Bool { get }
  func run<Scalar: NetworkScalar>(_ stage: Stage<Scalar>) throws -> PassResult<Scalar>
}

extension CompilerPass {
  public var changesEdges: Bool { true }
}

/// What one pass did.
public struct PassReport: Equatable, Sendable {
  /// `centre`, `split`, `expand`, `prune`, `dale` or `lay out`.
  public let pass: String
  /// Fixed synapses (non-zero weights) before and after.
  public let edgesIn, edgesOut: Int
  public let seconds: Double
  /// What the pass has to say beyond numbers; may be empty.
  public let note: String
}

/// A compilation that cannot be done as asked.
public enum CompilerError: InputError, Equatable {
  /// Norm-free networks have no mean to fold away.
  case nothingToCentre
  case inconsistentWeights(String)
  /// σ has no counterpart of a plastic synapse between a hub and a neuron, and so cannot lack one.
  case lacksPlasticSynapses
  /// More edges meet a threshold than were allowed.
  case tooManyEdges(limit: Int)
  /// G_x and G_y would not fit into half of the machine's memory. Sizes in bytes.
  case expansionTooLarge(needed: Int, limit: Int)
  /// Options of pruning that make no sense together.
  case badPruning(String)
  /// Nothing takes away what would be added to a neuron's synapses.
  case nothingToShift
  /// A pass that stands in the wrong place of a list.
  case misplaced(pass: String, needs: String)

  public var description: String {
    switch self {
    case .nothingToCentre: "a norm-free network has no LayerNorm to centre; leave the pass out"
    case .inconsistentWeights(let detail): "the weights do not fit together: \(detail)"
    case .lacksPlasticSynapses:
      "the network lacks some plastic synapses between hubs and neurons; where neurons learn from neurons none can be left out, so it runs as a circuit only"
    case .tooManyEdges(let limit):
      "more than \(limit) edges are at or above the threshold; raise it, or ask for a number of edges"
    case .expansionTooLarge(let needed, let limit):
      "the unpruned G_x and G_y would need \(needed >> 20) MiB, more than half of this machine's memory (\(limit >> 20) MiB); keep fewer synapses, or compile the circuit"
    case .badPruning(let what): what
    case .nothingToShift:
      "synapses can be raised only where a normaliser takes the mean away: in a circuit that has LayerNorms and is not centred"
    case .misplaced(let pass, let needs): "the pass '\(pass)' needs \(needs); change the order of the passes"
    }
  }
}
