import HatchlingGraph
import HatchlingNumerics

/// *lay out*: storage fit for the engine. A projection that connects most of its two populations stays one dense block, so that a
/// neuron's synapses lie together; a sparse one becomes lists of synapses.
public struct LayOutPass: CompilerPass {
  public let name = "lay out"

  public init() {}

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
    for (_, path) in Graph.projections { result[keyPath: path] = graph[keyPath: path].laidOut }
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
}
