#if Topology
  internal import CIgraph
  import HatchlingNumerics

  /// Positions of nodes in the plane so that connected nodes lie together: igraph's DrL, made for large graphs.
  public enum ForceLayout {
    /// - Parameter edges: source, target, source, target, …
    /// - Returns: one position per node, in arbitrary units. The same for the same seed.
    /// - Throws: ``IgraphError``. Cost: seconds for 50 000 edges.
    public static func positions(nodes: Int, edges: [Int], seed: UInt64) throws -> [(x: Double, y: Double)] {
      guard nodes > 0 else { return [] }
      var random = SeededRandom(seed: seed)
      let start = (0..<2 * nodes).map { _ in random.uniform() * 2 - 1 }
      return try IgraphLibrary.alone(seed: seed & 0xFFFF_FFFF) {
        let graph = try IgraphGraph(nodes: nodes, edges: edges, directed: false)
        var (options, result) = (igraph_layout_drl_options_t(), igraph_matrix_t())
        igraph_layout_drl_options_init(&options, IGRAPH_LAYOUT_DRL_DEFAULT)
        try IgraphLibrary.check(igraph_matrix_init(&result, Int64(nodes), 2), "igraph_matrix_init")
        defer { igraph_matrix_destroy(&result) }
        for (index, value) in start.enumerated() {
          igraph_matrix_set(&result, Int64(index / 2), Int64(index % 2), value)
        }
        try IgraphLibrary.check(
          igraph_layout_drl(&graph.graph, &result, true, &options, nil), "igraph_layout_drl")
        return (0..<Int64(nodes)).map {
          (igraph_matrix_get(&result, $0, 0), igraph_matrix_get(&result, $0, 1))
        }
      }
    }
  }
#endif
