#if Topology
  import HatchlingCompiler
  import HatchlingEquivalence
  import HatchlingGraph
  import HatchlingModel
  import HatchlingNumerics

  /// The strongest edges of G_x, G_y or σ.
  public struct EdgeSelection {
    public let request: TopologyRequest
    /// G or σ as a product; nil for a neuron graph, whose synapses are no product.
    let matrix: FactoredMatrix<Float>?
    /// As many edges as anything about the graph needs.
    let all: NeuronGraph
    /// The graph.
    public let graph: NeuronGraph
    /// How all entries of the matrix are distributed.
    public let entries: EntryStatistics?
    let sizes: Hyperparameters

    /// - Parameter tokens: what σ has read; nothing for G_x and G_y.
    /// - Throws: ``TopologyError``, and `StateMemoryError` for σ. Cost: a pass over all n² entries in blocks.
    public init(
      _ request: TopologyRequest, of weights: Weights<Float>, tokens: [Int] = [], workers: Workers,
      progress: WorkProgress = { _, _, _ in }
    ) throws {
      self.request = request
      sizes = weights.hyperparameters
      try request.checkHeads(of: sizes)
      let matrix = try Self.factored(request, weights, tokens, workers, progress)
      let shown: Int
      (all, shown, entries) = try Self.select(request, matrix, sizes, workers)
      self.matrix = matrix
      graph = all.strongest(shown)
    }

    /// Edges among the synapses that a neuron graph has; all of them unless fewer are asked for.
    /// - Throws: ``TopologyError``, ``NetworkError`` for σ and for a plain D E. Cost: a pass over all synapses, and sorting them.
    public init(_ request: TopologyRequest, of file: GraphFile) throws {
      self.request = request
      sizes = file.graph.hyperparameters
      guard request.graph != .sigma else { throw NetworkError.noSigma(path: file.path) }
      guard request.isCentred else { throw NetworkError.uncentred(path: file.path) }
      try request.checkHeads(of: sizes)
      (matrix, entries) = (nil, nil)
      all = file.graph.neuronGraph(
        of: request.graph == .x ? .x : .y, sign: request.sign, head: request.head, from: request.sender)
      graph =
        switch request.kept {
        case .standard: all
        case .strongest(let count): all.strongest(count)
        case .atLeast(let threshold): all.strongest(all.weights.count { Double($0) >= threshold })
        }
      guard graph.edgeCount <= TopologyRequest.mostEdges else {
        throw TopologyError.tooManyEdges(wanted: graph.edgeCount, limit: TopologyRequest.mostEdges)
      }
    }

    /// G_x, G_y or σ as a product.
    private static func factored(
      _ request: TopologyRequest, _ weights: Weights<Float>, _ tokens: [Int], _ workers: Workers,
      _ progress: WorkProgress
    ) throws -> FactoredMatrix<Float> {
      switch request.graph {
      case .x, .y:
        return try FactoredMatrix(
          request.graph == .x ? .x : .y, of: weights, centred: request.isCentred, head: request.head,
          from: request.sender)
      case .sigma:
        let layers = try request.sigmaLayers(of: weights.hyperparameters)
        try weights.hyperparameters.checkState(bytesPerWeight: MemoryLayout<Float>.size)
        let state = try SynapticState(
          reading: tokens, weights: weights, layers: Set(layers), workers: workers,
          progress: { progress("reading token", $0, tokens.count) })
        return state.factored(layers: layers, frame: request.frame, head: request.head)
      }
    }

    /// The strongest edges, how many of them are the graph, and how all entries are distributed.
    private static func select(
      _ request: TopologyRequest, _ matrix: FactoredMatrix<Float>, _ sizes: Hyperparameters,
      _ workers: Workers
    ) throws -> (all: NeuronGraph, shown: Int, entries: EntryStatistics?) {
      let side: EdgeSign = request.sign == .excitatory ? .excitatory : .inhibitory
      let statistics = EntryStatistics.Request(matrix, bins: 200)
      func graph(_ edges: SelectedEdges<Float>) -> NeuronGraph {
        NeuronGraph(
          edges, nodes: matrix.targets, from: matrix.sources, neuronsPerHead: sizes.neuronsPerHead,
          sign: request.sign)
      }
      func atLeast(_ threshold: Double) throws -> (edges: SelectedEdges<Float>, statistics: EntryStatistics?)
      {
        try matrix.select(
          .atLeast(threshold), sign: side, statistics: statistics, limit: TopologyRequest.mostEdges,
          workers: workers)
      }
      let nodes = matrix.targets.count
      let forProfile = request.profileCounts?.max() ?? min(1 << 18, nodes * nodes / 4)
      let wanted: Int
      switch request.kept {
      case .atLeast(let threshold):
        let (edges, entries) = try atLeast(threshold)
        guard edges.count < forProfile else { return (graph(edges), edges.count, entries) }
        let more = try matrix.select(.strongest(forProfile), sign: side, workers: workers).edges
        return (graph(more), edges.count, entries)
      case .standard where request.graph == .sigma:
        let (edges, entries) = try atLeast(0)
        return (graph(edges), edges.count - edges.count / 20, entries)
      case .standard: wanted = Int((Double(nodes) * TopologyRequest.edgesPerNeuron).rounded())
      case .strongest(let count): wanted = count
      }
      guard wanted <= TopologyRequest.mostEdges else {
        throw TopologyError.tooManyEdges(wanted: wanted, limit: TopologyRequest.mostEdges)
      }
      let (found, entries) = try matrix.select(
        .strongest(max(wanted, forProfile)), sign: side, statistics: statistics, workers: workers)
      return (graph(found), min(wanted, found.count), entries)
    }

    /// Where modularity is compared: powers of 4 from half an edge per node on, and the graph itself, unless others are asked for.
    var profileCounts: [Int] {
      if let counts = request.profileCounts { return counts }
      let most = min(all.edgeCount, 1 << 18)
      let powers = (0...31).map { 1 << (2 * $0) }.filter { $0 >= all.nodeCount / 2 && $0 <= most }
      let shown = graph.edgeCount
      return Set(powers + (shown <= max(most, 1 << 18) ? [shown] : [])).sorted()
    }
  }
#endif
