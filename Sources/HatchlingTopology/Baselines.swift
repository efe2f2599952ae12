#if Topology
  import HatchlingCompiler
  import HatchlingGraph
  import HatchlingNumerics

  /// The two kinds of random graphs that the paper compares modularity with (§5.5, Fig. 9b), on the same nodes and with the same
  /// number of edges.
  public enum Baseline {
    /// G(n, m): directed edges at random, self-connections allowed, all of weight 1.
    public static func uniform(nodes: Int, edges: Int, seed: UInt64) throws -> UndirectedGraph {
      let edges = min(edges, nodes * nodes)
      let flat = try IgraphLibrary.alone(seed: seed & 0xFFFF_FFFF) {
        try IgraphGraph(randomNodes: nodes, edges: edges).edges()
      }
      return UndirectedGraph(
        nodeCount: nodes, sources: stride(from: 0, to: flat.count, by: 2).map { flat[$0] },
        targets: stride(from: 1, to: flat.count, by: 2).map { flat[$0] }, weights: nil)
    }

    /// The largest entries of the product of two Gaussian matrices `(nodes, rank)` and `(rank, nodes)`, strongest first.
    public static func product(
      nodes: Int, rank: Int, edges: Int, seed: UInt64, workers: Workers
    ) throws -> NeuronGraph {
      var random = SeededRandom(seed: seed)
      func gaussian() -> Matrix<Float> {
        Matrix(rows: nodes, columns: rank, (0..<nodes * rank).map { _ in Float(random.normal()) })
      }
      let factored = FactoredMatrix(left: gaussian(), right: gaussian())
      let found = try factored.select(.strongest(edges), workers: workers).edges
      return NeuronGraph(found, nodes: 0..<nodes, neuronsPerHead: nodes)
    }
  }

  /// Modularity over the number of edges, beside the two baselines (Fig. 9b).
  public struct ModularityProfile: Sendable {
    public struct Row: Sendable, Equatable, Encodable {
      public let edges: Int
      /// Louvain, best of the tries; nil where no edge is left.
      public let graph: Double?
      public let uniform: Double?
      public let product: Double?
    }

    public let rows: [Row]

    /// - Parameters:
    ///   - graph: at least as many edges as the largest of `counts`, strongest first.
    ///   - rank: d, the rank of the product baseline.
    ///   - progress: called with the number of rows done.
    /// - Throws: ``IgraphError``. Cost: three searches for communities per row.
    public init(
      _ graph: NeuronGraph, at counts: [Int], rank: Int, weighted: Bool, tries: Int = 5, seed: UInt64,
      workers: Workers, progress: (Int) -> Void = { _ in }
    ) throws {
      let counts = counts.filter { $0 > 0 && $0 <= graph.edgeCount }
      let product = try Baseline.product(
        nodes: graph.nodeCount, rank: rank, edges: counts.max() ?? 0, seed: seed &+ 1, workers: workers)
      var rows: [Row] = []
      for count in counts {
        func best(_ graph: UndirectedGraph) throws -> Double? {
          try graph.communities(tries: tries, seed: seed)?.modularity
        }
        rows.append(
          Row(
            edges: count, graph: try best(UndirectedGraph(graph.strongest(count), weighted: weighted)),
            uniform: try best(Baseline.uniform(nodes: graph.nodeCount, edges: count, seed: seed &+ 2)),
            product: try best(UndirectedGraph(product.strongest(count), weighted: weighted))))
        progress(rows.count)
      }
      self.rows = rows
    }
  }
#endif
