import HatchlingExport
import HatchlingGraph

#if Topology
  import HatchlingTopology
#endif

/// A GEXF graph of more edges than this gets positions only when they are asked for.
package let mostEdgesLaidOut = 50_000

/// The graph with positions (DrL) where the format holds them and the graph is small or `always` is set.
///
/// - Throws: ``TopologyMissing`` where positions were asked for and cannot be had.
public func laidOut(
  _ graph: ExportedGraph, _ format: GraphFormat, always: Bool, seed: UInt64 = 1
) throws -> ExportedGraph {
  guard format == .gexf, always || graph.edgeCount <= mostEdgesLaidOut else { return graph }
  #if Topology
    var places: [ParticleKind: Int] = [:]
    var nodes = 0
    try graph.forEachNode { node in
      // Populations follow one another, and their numbers need not start at 0.
      if places[node.particle.kind] == nil { places[node.particle.kind] = nodes - node.particle.index }
      nodes += 1
    }
    var edges: [Int] = []
    for kind in graph.kinds {
      guard let source = places[kind.source], let target = places[kind.target] else { continue }
      // A pair of opposite or parallel edges pulls twice; weights of different kinds have different units, so they do not count.
      try kind.forEachEdge { edges += [source + $0.source, target + $0.target] }
    }
    return graph.annotated(positions: try ForceLayout.positions(nodes: nodes, edges: edges, seed: seed))
  #else
    guard !always else { throw TopologyMissing.positions }
    return graph
  #endif
}
