import HatchlingNumerics

/// What needs igraph, in a build that was made without the package trait Topology.
public enum TopologyMissing: InputError, Equatable {
  /// Positions of nodes.
  case positions
  /// A log of how structure appears.
  case emergence
  /// Communities and power-law fits of this graph.
  case report(graph: String)

  public var description: String {
    let lack = "this build lacks: it was made without the package trait Topology"
    return switch self {
    case .positions: "a layout needs igraph, which \(lack)"
    case .emergence: "a topology log needs igraph, which \(lack)"
    case .report(let graph):
      "the topology of \(graph) needs communities and power-law fits, which \(lack) (igraph); build with the trait, or look at the circuit"
    }
  }
}
