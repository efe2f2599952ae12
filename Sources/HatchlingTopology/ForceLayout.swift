#if Topology
  internal import CIgraph
  import HatchlingNumerics

  /// Positions of nodes in the plane so that connected nodes lie together: igraph's DrL, made for large graphs.
  public enum ForceLayout {
    /// - Parameters:
    ///   - edges: source, target, source, target, …
    ///   - weights: one per edge, positive; empty for equal ones. Scaled to a mean of 1, which DrL is tuned for.
    /// - Returns: one position per node, in arbitrary units. The same for the same seed.
    /// - Throws: ``IgraphError``. Cost: seconds for 50 000 edges.
    public static func positions(
      nodes: Int, edges: [Int], weights: [Double] = [], seed: UInt64
    ) throws -> [(x: Double, y: Double)] {
      guard nodes > 0 else { return [] }
      let mean = weights.reduce(0, +) / Double(max(1, weights.count))
      let scaled = mean > 0 ? weights.map { $0 / mean } : []
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
        let code =
          scaled.isEmpty
          ? igraph_layout_drl(&graph.graph, &result, true, &options, nil)
          : withIgraphVector(scaled) { igraph_layout_drl(&graph.graph, &result, true, &options, $0) }
        try IgraphLibrary.check(code, "igraph_layout_drl")
        return (0..<Int64(nodes)).map {
          (igraph_matrix_get(&result, $0, 0), igraph_matrix_get(&result, $0, 1))
        }
      }
    }
  }
#endif
