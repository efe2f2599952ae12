#if Topology
  internal import CIgraph
  import HatchlingGraph
  import HatchlingNumerics

  /// A partition of the nodes into communities, with its Newman modularity on the undirected graph.
  public struct Partition: Sendable, Equatable {
    /// The community of each node, from 0.
    public let communities: [Int]
    public let modularity: Double
  }

  /// How communities are looked for.
  public enum CommunityMethod: String, Sendable {
    /// Blondel and others 2008.
    case louvain
    /// Traag and others 2019, for modularity, until stable.
    case leiden
  }

  extension UndirectedGraph {
    /// The best of `tries` partitions, each from its own seed; nil for a graph without edges, where modularity is not defined.
    ///
    /// Cost: `tries` runs, each some passes over the edges.
    /// - Throws: ``IgraphError``.
    public func communities(
      _ method: CommunityMethod = .louvain, tries: Int = 5, seed: UInt64
    ) throws -> Partition? {
      guard weights.contains(where: { $0 > 0 }) else { return nil }
      let (edges, strengths) = (flatEdges, strengths)
      var random = SeededRandom(seed: seed)
      var best: Partition?
      for _ in 0..<max(1, tries) {
        let found = try IgraphLibrary.alone(seed: random.next() >> 32) {
          let graph = try IgraphGraph(nodes: nodeCount, edges: edges, directed: false)
          return switch method {
          case .louvain: try Self.louvain(graph, weights)
          case .leiden: try Self.leiden(graph, weights, strengths)
          }
        }
        if best.map({ found.modularity > $0.modularity }) ?? true { best = found }
      }
      return best
    }

    /// Newman's modularity of a given partition, resolution 1; nil without edges.
    public func modularity(of communities: [Int]) throws -> Double? {
      guard weights.contains(where: { $0 > 0 }), communities.count == nodeCount else { return nil }
      return try IgraphGraph.modularity(of: communities, nodeCount, flatEdges, weights, directed: false)
    }

    private static func louvain(_ graph: IgraphGraph, _ weights: [Double]) throws -> Partition {
      let membership = try IgraphVector()
      let code = withIgraphVector(weights) {
        igraph_community_multilevel(&graph.graph, $0, 1, &membership.vector, nil, nil)
      }
      try IgraphLibrary.check(code, "igraph_community_multilevel")
      return try graph.partition(membership.values, weights)
    }

    /// Pass after pass, each from the communities of the last, until modularity no longer grows, which one pass does not reach.
    ///
    /// igraph 0.10.2 can do so itself but never ends where its first pass changes nothing. Leiden's quality with strengths as node weights and
    /// resolution 1 / 2m is modularity.
    private static func leiden(
      _ graph: IgraphGraph, _ weights: [Double], _ strengths: [Double]
    ) throws -> Partition {
      let membership = try IgraphVector()
      let resolution = 1 / strengths.reduce(0, +)
      var best: Partition?
      for pass in 0..<mostPasses {
        let code = withIgraphVector(weights) { weights in
          withIgraphVector(strengths) { strengths in
            igraph_community_leiden(
              &graph.graph, weights, strengths, resolution, 0.01, pass > 0, 1, &membership.vector, nil, nil)
          }
        }
        try IgraphLibrary.check(code, "igraph_community_leiden")
        let found = try graph.partition(membership.values, weights)
        // Differences of rounding are no gain.
        if let best, found.modularity <= best.modularity + 1e-12 { break }
        best = found
      }
      return try best ?? graph.partition(Array(0..<strengths.count), weights)
    }

    /// Five to thirty passes are usual.
    private static let mostPasses = 1000
  }

  extension IgraphGraph {
    fileprivate func partition(_ communities: [Int], _ weights: [Double]) throws -> Partition {
      Partition(communities: communities, modularity: try modularity(communities, weights, directed: false))
    }

    /// Of a partition of a graph that is made for it.
    fileprivate static func modularity(
      of communities: [Int], _ nodes: Int, _ edges: [Int], _ weights: [Double], directed: Bool
    ) throws -> Double {
      try IgraphLibrary.alone {
        try IgraphGraph(nodes: nodes, edges: edges, directed: directed)
          .modularity(communities, weights, directed: directed)
      }
    }

    fileprivate func modularity(_ communities: [Int], _ weights: [Double], directed: Bool) throws -> Double {
      var (membership, result) = (igraph_vector_int_t(), 0.0)
      let code = communities.map(Int64.init).withUnsafeBufferPointer { communities in
        igraph_vector_int_view(&membership, communities.baseAddress, Int64(communities.count))
        return withIgraphVector(weights) { igraph_modularity(&graph, &membership, $0, 1, directed, &result) }
      }
      try IgraphLibrary.check(code, "igraph_modularity")
      return result
    }
  }

  extension NeuronGraph {
    var flatEdges: [Int] { zip(sources, targets).flatMap { [Int($0), Int($1)] } }

    /// The directed modularity (Leicht and Newman 2008) of a partition; nil without edges.
    public func directedModularity(of communities: [Int], weighted: Bool = true) throws -> Double? {
      guard edgeCount > 0, communities.count == nodeCount else { return nil }
      let weights = weighted ? self.weights.map(Double.init) : [Double](repeating: 1, count: edgeCount)
      return try IgraphGraph.modularity(of: communities, nodeCount, flatEdges, weights, directed: true)
    }
  }
#endif
