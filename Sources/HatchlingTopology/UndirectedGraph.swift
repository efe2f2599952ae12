#if Topology
  import HatchlingGraph

  /// A graph of neurons without directions: the weights of both directions added, self-connections kept, each pair once.
  public struct UndirectedGraph: Sendable {
    public let nodeCount: Int
    /// Pairs in ascending order, the smaller node first.
    public let pairs: [(Int, Int)]
    public let weights: [Double]

    /// - Parameter weighted: false gives every directed edge the weight 1.
    public init(_ graph: NeuronGraph, weighted: Bool = true) {
      self.init(
        nodeCount: graph.nodeCount, sources: graph.sources.map(Int.init),
        targets: graph.targets.map(Int.init), weights: weighted ? graph.weights.map(Double.init) : nil)
    }

    /// - Parameter weights: nil means 1 for every edge.
    init(nodeCount: Int, sources: [Int], targets: [Int], weights: [Double]?) {
      var keyed = sources.indices.map { edge in
        (
          pair: UInt64(min(sources[edge], targets[edge])) << 32 | UInt64(max(sources[edge], targets[edge])),
          weight: weights?[edge] ?? 1
        )
      }
      // The weight decides between the two directions of a pair, so that the sum has one order.
      keyed.sort { $0.pair != $1.pair ? $0.pair < $1.pair : $0.weight < $1.weight }
      var pairs: [(Int, Int)] = []
      var sums: [Double] = []
      var last: UInt64?
      for (pair, weight) in keyed {
        if pair == last {
          sums[sums.count - 1] += weight
        } else {
          pairs.append((Int(pair >> 32), Int(pair & 0xFFFF_FFFF)))
          sums.append(weight)
          last = pair
        }
      }
      self.nodeCount = nodeCount
      self.pairs = pairs
      self.weights = sums
    }

    /// Source, target, source, target, …
    var flatEdges: [Int] { pairs.flatMap { [$0.0, $0.1] } }

    /// Summed weights per node, a self-connection twice.
    var strengths: [Double] {
      var strengths = [Double](repeating: 0, count: nodeCount)
      for (pair, weight) in zip(pairs, weights) {
        strengths[pair.0] += weight
        strengths[pair.1] += weight
      }
      return strengths
    }
  }
#endif
