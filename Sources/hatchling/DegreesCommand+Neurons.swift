#if Topology
  import Foundation
  import HatchlingCheckpoint
  import HatchlingCompiler
  import HatchlingEquivalence
  import HatchlingExport
  import HatchlingGraph
  import HatchlingModel
  import HatchlingNumerics
  import HatchlingTopology

  extension DegreesCommand {
    /// Edges per neuron of the paper's Fig. 10: 46 820 on 8192 neurons.
    static let edgesPerNeuron = 46_820.0 / 8192

    /// Topology of G_x, G_y or σ.
    func runNeurons() throws {
      let workers = Workers(threads: threads)
      let loaded = try model.load(workers: workers)
      let weights = loaded.weights
      let head = try headNumber(weights.hyperparameters)
      let matrix = try factored(weights, head: head, workers)
      let (all, shown, entries) = try select(matrix, weights.hyperparameters, workers)
      try OutputPaths.makeFolder(out)
      let report = try TopologyReport(
        self, loaded, matrix: matrix, graph: all.strongest(shown), all: all, entries: entries,
        profileAt: try profileCounts() ?? defaultCounts(all, shown), workers: workers)
      try write(report)
      let pictures = try TopologyPictures(report).draw(into: out)
      let exported = try export.map { try write(report, weights, to: $0) } ?? []
      if json {
        try Output.json(report.summary)
      } else {
        Output.lines(report.lines)
        Output.lines(pictures + exported.map { "exported to \($0)" })
        Output.line("written to \(out): summary.json, nodes.csv, edges.csv, in_degree.csv, out_degree.csv")
      }
    }

    private func headNumber(_ sizes: Hyperparameters) throws -> Int? {
      guard case .number(let head) = head else { return nil }
      guard head < sizes.heads else {
        throw OptionError.bad("--head \(head): the model has heads 0 … \(sizes.heads - 1), or all")
      }
      return head
    }

    /// G_x, G_y or σ as a product.
    private func factored(
      _ weights: Weights<Float>, head: Int?, _ workers: Workers
    ) throws -> FactoredMatrix<Float> {
      switch graph {
      case .x, .circuit: return try FactoredMatrix(.x, of: weights, centred: !uncentred, head: head)
      case .y: return try FactoredMatrix(.y, of: weights, centred: !uncentred, head: head)
      case .sigma:
        let layers = try sigmaLayers(weights.hyperparameters)
        try weights.hyperparameters.checkState(bytesPerWeight: MemoryLayout<Float>.size)
        let stream = try TextSource.streams(
          text: text, files: files, vocabulary: weights.hyperparameters.vocabulary)[0]
        var progress = Progress("reading token", total: stream.tokens.count)
        let state = try SynapticState(
          reading: stream.tokens, weights: weights, layers: Set(layers), workers: workers,
          progress: { progress.update($0) })
        return state.factored(layers: layers, frame: frame, head: head)
      }
    }

    /// The layers whose σ is looked at, from 1.
    func sigmaLayers(_ sizes: Hyperparameters) throws -> [Int] {
      switch layer {
      case .all: return Array(1...sizes.layers)
      case .number(let number):
        guard (1...sizes.layers).contains(number) else {
          throw OptionError.bad("--layer \(number): the model has layers 1 … \(sizes.layers), or all")
        }
        return [number]
      case nil: return [min(sizes.layers, (sizes.layers + 1) / 2 + 1)]
      }
    }

    /// The strongest edges, as many as anything below needs, how many of them are the graph, and how all entries are distributed.
    private func select(
      _ matrix: FactoredMatrix<Float>, _ sizes: Hyperparameters, _ workers: Workers
    ) throws -> (all: NeuronGraph, shown: Int, entries: EntryStatistics?) {
      let side: EdgeSign = sign == .excitatory ? .excitatory : .inhibitory
      let request = EntryStatistics.Request(matrix, bins: 200)
      func graph(_ edges: SelectedEdges<Float>) -> NeuronGraph {
        NeuronGraph(edges, nodes: matrix.targets, neuronsPerHead: sizes.neuronsPerHead, sign: sign)
      }
      let nodes = matrix.targets.count
      let forProfile = try profileCounts()?.max() ?? min(1 << 18, nodes * nodes / 4)
      if let threshold {
        let (edges, entries) = try matrix.select(
          .atLeast(threshold), sign: side, statistics: request, limit: Self.mostEdges, workers: workers)
        guard edges.count < forProfile else { return (graph(edges), edges.count, entries) }
        let more = try matrix.select(.strongest(forProfile), sign: side, workers: workers).edges
        return (graph(more), edges.count, entries)
      }
      if self.graph == .sigma, edges == nil {
        let (edges, entries) = try matrix.select(
          .atLeast(0), sign: side, statistics: request, limit: Self.mostEdges, workers: workers)
        return (graph(edges), edges.count - edges.count / 20, entries)
      }
      let wanted = edges?.count ?? Int((Double(nodes) * Self.edgesPerNeuron).rounded())
      guard wanted <= Self.mostEdges else {
        throw OptionError.bad(
          "the paper's Fig. 10 would have \(wanted) edges here and at most \(Self.mostEdges) are analysed at a time; ask for fewer with --edges"
        )
      }
      let (found, entries) = try matrix.select(
        .strongest(max(wanted, forProfile)), sign: side, statistics: request, workers: workers)
      return (graph(found), min(wanted, found.count), entries)
    }

    /// Powers of 4 from half an edge per node on, and the graph itself.
    private func defaultCounts(_ all: NeuronGraph, _ shown: Int) -> [Int] {
      let most = min(all.edgeCount, 1 << 18)
      let powers = (0...31).map { 1 << (2 * $0) }.filter { $0 >= all.nodeCount / 2 && $0 <= most }
      return Set(powers + (shown <= max(most, 1 << 18) ? [shown] : [])).sorted()
    }

    private func write(_ report: TopologyReport) throws {
      try writeDistribution(report.graph.inDegrees, "in_degree.csv")
      try writeDistribution(report.graph.outDegrees, "out_degree.csv")
      try writeSummary(report.summary)
      try writeNeuronNodes(report)
      try writeNeuronEdges(report.graph)
    }

    private func writeNeuronNodes(_ report: TopologyReport) throws {
      let graph = report.graph
      let (into, out) = (graph.inDegrees, graph.outDegrees)
      let (strengthIn, strengthOut) = (graph.inStrengths, graph.outStrengths)
      try AtomicFile.writeText(to: path("nodes.csv")) { text in
        text.append("node,head,in_degree,out_degree,in_strength,out_strength,community,coreness\n")
        for node in 0..<graph.nodeCount {
          let community = report.partition.map { String($0.communities[node]) } ?? ""
          text.append(
            "n\(graph.firstNeuron + node),\(graph.head(of: node)),\(into[node]),\(out[node]),\(strengthIn[node]),\(strengthOut[node]),\(community),\(report.structure.coreness[node])\n"
          )
          try text.flushIfLarge()
        }
      }
    }

    /// The strongest first.
    private func writeNeuronEdges(_ graph: NeuronGraph) throws {
      let (start, middle) = ([UInt8]("n".utf8), [UInt8](",n".utf8))
      try AtomicFile.writeText(to: path("edges.csv")) { text in
        text.append("source,target,weight\n")
        for edge in 0..<graph.edgeCount {
          text.append(start)
          text.append(graph.firstNeuron + Int(graph.sources[edge]))
          text.append(middle)
          text.append(graph.firstNeuron + Int(graph.targets[edge]))
          text.append(byte: 44)
          text.append(Double(graph.weights[edge]))
          text.append(byte: 10)
          try text.flushIfLarge()
        }
      }
    }

    private func write(_ report: TopologyReport, _ weights: Weights<Float>, to path: String) throws
      -> [String]
    {
      let format = try GraphFormat(path: path)
      let exported = ExportedGraph(
        report.graph, kind: graph.rawValue, frequencies: weights.frequencies
      ).annotated(communities: report.partition?.communities ?? [])
      return try format.write(laidOut(exported, format, always: layout, seed: seed), to: path)
    }
  }
#endif
