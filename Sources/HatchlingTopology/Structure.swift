#if Topology
  internal import CIgraph
  import HatchlingGraph

  /// What else one asks of a directed graph: how many edges are answered, its core, what hangs together.
  public struct GraphStructure: Sendable, Equatable {
    /// The fraction of edges i → j, i ≠ j, whose opposite exists; nil without such edges.
    public let reciprocity: Double?
    /// The k of the largest k-core (directions ignored) that each node belongs to.
    public let coreness: [Int]
    /// Sizes of the weakly connected components, largest first.
    public let weakComponents: [Int]
    /// Sizes of the strongly connected components, largest first.
    public let strongComponents: [Int]

    /// How many nodes, those of coreness ≥ k, the k-core has.
    public struct Core: Sendable, Encodable {
      public let k: Int
      public let nodes: Int
    }

    /// The k-core for every k at which its number of nodes changes.
    public var coreProfile: [Core] {
      DegreeDistribution(coreness).rows.map { row in
        Core(k: row.degree, nodes: coreness.count { $0 >= row.degree })
      }
    }

    /// - Throws: ``IgraphError``. Cost: linear in nodes and edges, but for sorting.
    public init(_ graph: NeuronGraph) throws {
      let (edges, nodes) = (graph.flatEdges, graph.nodeCount)
      // A core is about other nodes, so self-connections and second directions of a pair do not count.
      let simple = UndirectedGraph(graph, weighted: false).pairs.filter { $0.0 != $0.1 }
      let hasReciprocity = !simple.isEmpty
      (reciprocity, coreness, weakComponents, strongComponents) = try IgraphLibrary.alone {
        let directed = try IgraphGraph(nodes: nodes, edges: edges, directed: true)
        var answered = 0.0
        if hasReciprocity {
          try IgraphLibrary.check(
            igraph_reciprocity(&directed.graph, &answered, true, IGRAPH_RECIPROCITY_DEFAULT),
            "igraph_reciprocity")
        }
        let undirected = try IgraphGraph(
          nodes: nodes, edges: simple.flatMap { [$0.0, $0.1] }, directed: false)
        let cores = try IgraphVector()
        try IgraphLibrary.check(
          igraph_coreness(&undirected.graph, &cores.vector, IGRAPH_ALL), "igraph_coreness")
        return (
          hasReciprocity ? answered : nil, cores.values, try directed.componentSizes(IGRAPH_WEAK),
          try directed.componentSizes(IGRAPH_STRONG)
        )
      }
    }
  }

  extension IgraphGraph {
    fileprivate func componentSizes(_ mode: igraph_connectedness_t) throws -> [Int] {
      let sizes = try IgraphVector()
      try IgraphLibrary.check(
        igraph_connected_components(&graph, nil, &sizes.vector, nil, mode), "igraph_connected_components")
      return sizes.values.sorted(by: >)
    }
  }
#endif
