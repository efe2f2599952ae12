import HatchlingGraph
import HatchlingNumerics

/// Sums of numbers over all parts of a network, each of which brings as many.
public typealias SumOverParts = @Sendable ([Int]) -> [Int]

/// *lay out*: storage fit for the engine. A projection that connects most of its two populations stays one dense block, so that a
/// neuron's synapses lie together; a sparse one becomes lists of synapses.
public struct LayOutPass: CompilerPass {
  public let name = "lay out"

  private let sum: SumOverParts?

  /// - Parameter sum: adds up over all parts of a network, where the graph is one of them: all are stored alike.
  public init(sum: SumOverParts? = nil) { self.sum = sum }

  public func run<Scalar: NetworkScalar>(_ stage: Stage<Scalar>) throws -> PassResult<Scalar> {
    switch stage {
    case .weights: throw CompilerError.misplaced(pass: name, needs: "a graph")
    case .circuit(let graph):
      let laidOut = Self.run(graph, sum: sum)
      return (.circuit(laidOut), nil, Self.note(laidOut))
    case .direct(let graph):
      let laidOut = Self.run(graph, sum: sum)
      return (.direct(laidOut), nil, Self.note(laidOut))
    }
  }

  /// The same graph, every projection stored as fits it.
  public static func run<Graph: ParticleGraph>(_ graph: Graph, sum: SumOverParts? = nil) -> Graph {
    var result = graph
    for (_, path) in Graph.projections {
      let projection = graph[keyPath: path]
      let counts = [projection.count, projection.rows * projection.columns]
      let whole = sum?(counts) ?? counts
      result[keyPath: path] = projection.laidOut(asOneOf: whole[0], possible: whole[1])
    }
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
