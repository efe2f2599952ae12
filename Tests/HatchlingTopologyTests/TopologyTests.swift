#if Topology
  import HatchlingCompiler
  import HatchlingGraph
  import HatchlingNumerics
  import Testing

  @testable import HatchlingTopology

  /// Against NumPy and NetworkX on the same graphs, and on graphs where nothing can be said.
  @Suite struct TopologyTests {
    @Test func degreesAndStrengthsEqualNumPy() throws {
      let graphs = try Answers.load().graphs
      #expect(graphs.count == 2)
      for answer in graphs {
        let graph = answer.graph
        #expect(graph.inDegrees == answer.inDegree && graph.outDegrees == answer.outDegree)
        #expect(graph.selfLoops == answer.selfLoops && answer.selfLoops > 0)
        for (ours, numpy) in zip(
          graph.inStrengths + graph.outStrengths, answer.inStrength + answer.outStrength)
        {
          #expect(abs(ours - numpy) <= 1e-9 * max(1, numpy))
        }
      }
    }

    /// networkx.community.modularity(G, communities, weight=…), undirected with both directions added, and directed.
    @Test func modularityOfAPartitionEqualsNetworkX() throws {
      for answer in try Answers.load().graphs {
        let graph = answer.graph
        let found = [
          try UndirectedGraph(graph).modularity(of: answer.partition),
          try UndirectedGraph(graph, weighted: false).modularity(of: answer.partition),
          try graph.directedModularity(of: answer.partition),
          try graph.directedModularity(of: answer.partition, weighted: false),
        ]
        let expected = [
          answer.modularity, answer.modularityUnweighted, answer.modularityDirected,
          answer.modularityDirectedUnweighted,
        ]
        for (ours, networkx) in zip(found, expected) {
          #expect(abs(try #require(ours) - networkx) <= 1e-9)
        }
      }
    }

    @Test func structureEqualsNetworkX() throws {
      for answer in try Answers.load().graphs {
        let structure = try GraphStructure(answer.graph)
        #expect(abs(try #require(structure.reciprocity) - answer.reciprocity) <= 1e-12)
        #expect(structure.coreness == answer.coreness)
        #expect(structure.weakComponents == answer.weak && structure.strongComponents == answer.strong)
        let profile = structure.coreProfile
        #expect(profile.first?.nodes == answer.nodes && profile.last?.k == answer.coreness.max())
      }
    }

    /// Planted groups are found, by both methods: a partition is as good as the planted one, or nearly.
    @Test func communitiesAreFound() throws {
      for answer in try Answers.load().graphs {
        let graph = UndirectedGraph(answer.graph)
        for method in [CommunityMethod.louvain, .leiden] {
          let found = try #require(try graph.communities(method, seed: 3))
          #expect(found.modularity >= answer.modularity - 0.01 && found.communities.count == answer.nodes)
          let again = try #require(try graph.modularity(of: found.communities))
          #expect(abs(again - found.modularity) <= 1e-12)
          #expect(try graph.communities(method, seed: 3) == found)
        }
      }
    }

    /// networkx.community.louvain_communities and leidenalg until stable on the same graphs, best of five seeds. One pass of Leiden is 5 % worse.
    @Test func communitiesOfRandomGraphsAreNetworkXsAndLeidenalgs() throws {
      var last = Double.infinity
      let answers = try Answers.load().uniform
      #expect(answers.count == 4)
      for answer in answers {
        var random = SeededRandom(seed: answer.seed)
        var (sources, targets): ([Int], [Int]) = ([], [])
        for _ in 0..<answer.edges {
          sources.append(Int(random.next() % UInt64(answer.nodes)))
          targets.append(Int(random.next() % UInt64(answer.nodes)))
        }
        let graph = UndirectedGraph(
          nodeCount: answer.nodes, sources: sources, targets: targets, weights: nil)
        let ours = try #require(try graph.communities(seed: 1)?.modularity)
        #expect(abs(ours - answer.louvain) <= 0.1 * answer.louvain, "m = \(answer.edges): \(ours)")
        #expect(ours < last)
        last = ours
        let stable = try #require(try graph.communities(.leiden, seed: 1)?.modularity)
        #expect(
          abs(stable - answer.leiden) <= 0.025 * answer.leiden, "m = \(answer.edges): \(stable), Leiden")
      }
      #expect(last < 0.1, "mean degree 200: \(last)")
    }

    @Test func theBaselineGnmFallsWithItsEdges() throws {
      var last = Double.infinity
      for edges in [1000, 4000, 20_000, 60_000] {
        let graph = try Baseline.uniform(nodes: 600, edges: edges, seed: 5)
        #expect(graph.weights.reduce(0, +) == Double(edges))
        let modularity = try #require(try graph.communities(seed: 1)?.modularity)
        #expect(modularity < last)
        last = modularity
      }
      #expect(last < 0.1)
    }

    @Test func theProductBaselineHasItsEdgesAndRepeats() throws {
      let graphs = try [1, 3].map {
        try Baseline.product(nodes: 200, rank: 8, edges: 900, seed: 4, workers: Workers(threads: $0))
      }
      #expect(graphs[0].edgeCount == 900 && graphs[0].sources == graphs[1].sources)
      #expect(graphs[0].weights == graphs[1].weights && graphs[0].weights == graphs[0].weights.sorted(by: >))
    }

    @Test func graphsWithoutAnythingInThem() throws {
      func graph(_ nodes: Int, _ edges: [(Int32, Int32)] = []) -> NeuronGraph {
        NeuronGraph(
          nodeCount: nodes, neuronsPerHead: max(1, nodes), sources: edges.map(\.0), targets: edges.map(\.1),
          weights: edges.map { _ in 1 })
      }
      let workers = Workers(threads: 1)
      for (empty, components) in [(graph(5), [1, 1, 1, 1, 1]), (graph(1), [1]), (graph(0), [])] {
        #expect(try UndirectedGraph(empty).communities(seed: 1) == nil)
        #expect(try empty.directedModularity(of: []) == nil)
        let structure = try GraphStructure(empty)
        #expect(structure.reciprocity == nil && structure.weakComponents == components)
        #expect(DegreeReport(empty.inDegrees, bootstraps: 3, seed: 1, workers: workers).powerLaw == nil)
        #expect(empty.threshold == nil)
        #expect(
          try ModularityProfile(
            empty, at: [1, 10], rank: 2, weighted: true, seed: 1, workers: workers
          ).rows.isEmpty)
      }
      // One neuron that drives itself; all degrees equal.
      let loop = graph(1, [(0, 0)])
      #expect(try UndirectedGraph(loop).communities(seed: 1)?.communities == [0])
      #expect(try GraphStructure(loop).reciprocity == nil && loop.selfLoops == 1)
      let ring = graph(9, (0..<9).map { (Int32($0), Int32(($0 + 1) % 9)) })
      #expect(DegreeReport(ring.inDegrees, bootstraps: 3, seed: 1, workers: workers).powerLaw == nil)
      #expect(try #require(try UndirectedGraph(ring).communities(seed: 1)).modularity > 0)
      #expect(try GraphStructure(ring).strongComponents == [9])
    }

    /// Where a first pass changes nothing igraph's own "until stable" never ends.
    @Test func communitiesWithNothingToJoin() throws {
      func graph(_ nodes: Int, _ edges: [(Int, Int)]) -> UndirectedGraph {
        UndirectedGraph(
          nodeCount: nodes, sources: edges.map(\.0), targets: edges.map(\.1), weights: nil)
      }
      for method in [CommunityMethod.louvain, .leiden] {
        // Self-connections only: each node is a community, and modularity is 1 − Σ (its share)².
        for size in [1, 2, 8, 300] {
          let found = try #require(
            try graph(size, (0..<size).map { ($0, $0) }).communities(method, seed: 1))
          #expect(Set(found.communities).count == size)
          #expect(abs(found.modularity - (1 - 1 / Double(size))) <= 1e-12, "\(method), \(size)")
        }
        let among = try #require(try graph(8, [(3, 3)]).communities(method, seed: 1))
        #expect(among.modularity == 0 && among.communities.count == 8)
        let edge = try #require(try graph(5, [(1, 4)]).communities(method, seed: 1))
        #expect(edge.modularity == 0 && edge.communities[1] == edge.communities[4])
        let both = try #require(try graph(2, [(0, 1), (1, 0)]).communities(method, seed: 1))
        #expect(both.modularity == 0)
        // Two pairs: half of all edges within each.
        let pairs = try #require(try graph(4, [(0, 1), (2, 3)]).communities(method, seed: 1))
        #expect(abs(pairs.modularity - 0.5) <= 1e-12)
        #expect(try graph(4, []).communities(method, seed: 1) == nil)
        #expect(try graph(0, []).communities(method, seed: 1) == nil)
      }
    }

    @Test func layoutsRepeatAndPutNeighboursTogether() throws {
      let answer = try Answers.load().graphs[0]
      let edges = answer.graph.flatEdges
      func positions() throws -> [(x: Double, y: Double)] {
        try ForceLayout.positions(nodes: answer.nodes, edges: edges, seed: 9)
      }
      let (first, second) = (try positions(), try positions())
      #expect(first.count == answer.nodes && first.allSatisfy { $0.x.isFinite && $0.y.isFinite })
      #expect(zip(first, second).allSatisfy { $0.x == $1.x && $0.y == $1.y })
      func distance(_ pairs: [(Int, Int)]) -> Double {
        pairs.reduce(0) {
          let (a, b) = (first[$1.0], first[$1.1])
          return $0 + ((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y)).squareRoot()
        } / Double(pairs.count)
      }
      let joined = stride(from: 0, to: edges.count, by: 2).map { (edges[$0], edges[$0 + 1]) }
      let all = (0..<answer.nodes).flatMap { a in (0..<answer.nodes).map { (a, $0) } }
      #expect(distance(joined) < 0.9 * distance(all))
    }
  }
#endif
