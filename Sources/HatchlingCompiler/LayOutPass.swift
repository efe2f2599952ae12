import HatchlingGraph
import HatchlingNumerics

/// *lay out*: storage fit for the engine. A projection that connects most of its two populations stays one dense block, so that a
/// neuron's synapses lie together; a sparse one becomes lists of synapses.
public struct LayOutPass: CompilerPass {
  public let name = "lay out"

  public init() {}

  /// Below this fraction of all possible synapses, lists read fewer bytes than a block (a list spends 4 bytes on every
  /// column number and cannot be read in full vectors).
  public static let listsBelow = 0.25

  public func run<Scalar: NetworkScalar>(_ stage: Stage<Scalar>) throws -> PassResult<Scalar> {
    switch stage {
    case .weights: throw CompilerError.misplaced(pass: name, needs: "a graph")
    case .circuit(let graph):
      let laidOut = Self.run(graph)
      return (.circuit(laidOut), nil, Self.note(laidOut))
    case .direct(let graph):
      let laidOut = Self.run(graph)
      return (.direct(laidOut), nil, Self.note(laidOut))
    }
  }

  /// The same graph, every projection stored as fits it.
  public static func run<Graph: ParticleGraph>(_ graph: Graph) -> Graph {
    var result = graph
    for (_, path) in Graph.projections { result[keyPath: path] = layOut(graph[keyPath: path]) }
    result.takeCensus()
    return result
  }

  private static func note<Graph: ParticleGraph>(_ graph: Graph) -> String {
    let lists = Graph.projections.filter {
      if case .sparse = graph[keyPath: $0.path].storage { true } else { false }
    }
    if lists.isEmpty { return "dense blocks" }
    return "lists for \(lists.map(\.kind.rawValue).joined(separator: ", "))"
      + (lists.count < Graph.projections.count ? ", else dense blocks" : "")
  }

  private static func layOut<Scalar: NetworkScalar>(_ projection: Projection<Scalar>) -> Projection<Scalar> {
    let possible = projection.rows * projection.columns
    let isSparse = Double(projection.count) < listsBelow * Double(possible)
    switch projection.storage {
    case .dense(let matrix): return isSparse ? Projection(.sparse(SparseRows(matrix))) : projection
    case .sparse(let lists): return isSparse ? projection : Projection(dense: lists.dense)
    case .reduced: return projection
    }
  }
}
