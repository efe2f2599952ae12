#if Topology
  import Foundation
  import HatchlingCompiler
  import HatchlingEquivalence
  import HatchlingGraph
  import HatchlingModel
  import HatchlingNumerics
  import HatchlingTopology

  /// Everything that is said about a graph of neurons.
  public struct TopologyReport {
    public let graph: NeuronGraph
    public let partition: Partition?
    public let structure: GraphStructure
    public let entries: EntryStatistics?
    public let summary: TopologySummary

    /// - Parameter model: what the model is called.
    /// - Throws: `IgraphError`. Cost: mostly the synthetic samples of the power-law fits, and Louvain on every graph of the profile.
    public init(
      _ selection: EdgeSelection, model: String, workers: Workers,
      progress: WorkProgress = { _, _, _ in }
    ) throws {
      let (request, matrix, graph) = (selection.request, selection.matrix, selection.graph)
      self.graph = graph
      entries = selection.entries
      structure = try GraphStructure(graph)
      let (seed, weighted, samples) = (request.seed, request.isWeighted, request.bootstraps)
      let inDegree = DegreeReport(graph.inDegrees, bootstraps: samples, seed: seed, workers: workers) {
        progress("bootstrap sample", $0, 2 * samples)
      }
      let outDegree = DegreeReport(
        graph.outDegrees, bootstraps: samples, seed: seed &+ 1, workers: workers
      ) { progress("bootstrap sample", samples + $0, 2 * samples) }
      progress("bootstrap sample", 2 * samples, 2 * samples)
      let undirected = UndirectedGraph(graph, weighted: weighted)
      partition = try undirected.communities(.louvain, seed: seed)
      let leiden = try undirected.communities(.leiden, seed: seed)
      let rank = selection.sizes.synapticDimension
      let nodes = graph.nodeCount
      let uniform = try Baseline.uniform(nodes: nodes, edges: graph.edgeCount, seed: seed)
        .communities(seed: seed)
      let product = try UndirectedGraph(
        Baseline.product(nodes: nodes, rank: rank, edges: graph.edgeCount, seed: seed, workers: workers),
        weighted: weighted
      ).communities(seed: seed)
      let counts = selection.profileCounts
      let profile = try ModularityProfile(
        selection.all, at: counts, rank: rank, weighted: weighted, seed: seed, workers: workers
      ) { progress("modularity at number of edges", $0, counts.count) }
      summary = TopologySummary(
        request, model: model, selection.sizes,
        layers: request.graph == .sigma ? try request.sigmaLayers(of: selection.sizes) : nil,
        graph: graph, structure: structure,
        entries: entries.map { .init($0, symmetric: matrix.rank < nodes ? matrix.symmetricFraction : nil) },
        degrees: (inDegree, outDegree),
        modularity: .init(
          louvain: partition?.modularity, leiden: leiden?.modularity,
          directed: try partition.flatMap {
            try graph.directedModularity(of: $0.communities, weighted: weighted)
          },
          communities: partition.map { Self.sizes($0.communities) } ?? [], uniform: uniform?.modularity,
          product: product?.modularity, isWeighted: weighted, profile: profile.rows))
    }

    /// How many communities have more than one node: nodes without edges are communities of their own.
    private static func sizes(_ communities: [Int]) -> [Int] {
      var sizes: [Int: Int] = [:]
      for community in communities { sizes[community, default: 0] += 1 }
      return sizes.values.filter { $0 > 1 }.sorted(by: >)
    }

    /// The report as a person reads it.
    public var lines: [String] { summary.lines }
  }

  /// What goes into `summary.json`.
  public struct TopologySummary: Encodable, Sendable {
    public struct Entries: Encodable, Sendable {
      public let count: Int
      public let positive: Int
      public let negative: Int
      public let minimum: Double
      public let maximum: Double
      public let mean: Double
      public let standardDeviation: Double
      public let skewness: Double
      /// ‖(G + Gᵀ) / 2‖² / ‖G‖².
      public let symmetricFraction: Double?

      init(_ entries: EntryStatistics, symmetric: Double?) {
        (count, positive, negative) = (entries.count, entries.positive, entries.negative)
        (minimum, maximum) = (finite(entries.minimum) ?? 0, finite(entries.maximum) ?? 0)
        (mean, standardDeviation) = (entries.mean, entries.variance.squareRoot())
        skewness = entries.skewness
        symmetricFraction = symmetric.flatMap(finite)
      }
    }

    public struct Modularity: Encodable, Sendable {
      /// Best of five seeds, undirected.
      public let louvain: Double?
      public let leiden: Double?
      /// Of the Louvain partition.
      public let directed: Double?
      /// Sizes of the communities of more than one node, largest first.
      public let communities: [Int]
      /// Louvain on G(n, m) and on the product of two Gaussian matrices, with as many edges.
      public let uniform: Double?
      public let product: Double?
      public let isWeighted: Bool
      /// The same three over the number of edges.
      public let profile: [ModularityProfile.Row]
    }

    public struct Components: Encodable, Sendable {
      public let weak: Int
      public let strong: Int
      public let largestWeak: Int
      public let largestStrong: Int
    }

    public struct Core: Encodable, Sendable {
      public let k: Int
      public let nodes: Int
    }

    public let graph: String
    public let model: String
    public let sign: String
    public let head: String
    public let centred: Bool?
    public let layers: [Int]?
    public let frame: String?
    public let seed: UInt64
    public let nodes: Int
    public let connectedNodes: Int
    public let edges: Int
    public let selfLoops: Int
    public let threshold: Double?
    public let entries: Entries?
    public let inDegree: DegreeReport
    public let outDegree: DegreeReport
    public let modularity: Modularity
    public let reciprocity: Double?
    public let components: Components
    public let kCores: [Core]

    init(
      _ request: TopologyRequest, model: String, _ sizes: Hyperparameters, layers: [Int]?, graph: NeuronGraph,
      structure: GraphStructure, entries: Entries?, degrees: (in: DegreeReport, out: DegreeReport),
      modularity: Modularity
    ) {
      self.graph = request.graph.rawValue
      self.model = model
      sign = request.sign.rawValue
      head = request.head.map(String.init) ?? "all"
      let isSigma = request.graph == .sigma
      centred = isSigma ? nil : request.isCentred && sizes.variant.normalises
      self.layers = layers
      frame = isSigma ? request.frame.rawValue : nil
      seed = request.seed
      nodes = graph.nodeCount
      connectedNodes = zip(graph.inDegrees, graph.outDegrees).reduce(0) { $0 + ($1.0 + $1.1 > 0 ? 1 : 0) }
      edges = graph.edgeCount
      selfLoops = graph.selfLoops
      threshold = graph.threshold.map(Double.init)
      self.entries = entries
      (inDegree, outDegree) = degrees
      self.modularity = modularity
      reciprocity = structure.reciprocity
      components = Components(
        weak: structure.weakComponents.count, strong: structure.strongComponents.count,
        largestWeak: structure.weakComponents.first ?? 0, largestStrong: structure.strongComponents.first ?? 0
      )
      kCores = structure.coreProfile.map { Core(k: $0.k, nodes: $0.nodes) }
    }

    /// `G_x, excitatory, head 0`.
    public var title: String {
      let name =
        graph == "sigma"
        ? "σ, layer \((layers ?? []).map(String.init).joined(separator: "+"))"
        : centred == false ? "D_\(graph) E" : "G_\(graph)"
      return "\(name), \(sign), \(head == "all" ? "all heads" : "head \(head)")"
    }

    /// The summary as a person reads it.
    public var lines: [String] {
      func number(_ value: Double?, _ places: Int = 3) -> String { value.map { decimal($0, places) } ?? "–" }
      var lines = [
        "\(title)\(frame.map { ", frame \($0)" } ?? ""); model \(model)",
        "\(grouped(nodes)) neurons, \(grouped(connectedNodes)) connected; \(grouped(edges)) edges of strength ≥ \(number(threshold, 4)), \(grouped(selfLoops)) self-loops",
      ]
      if let entries {
        lines.append(
          "entries: \(grouped(entries.count)), \(grouped(entries.positive)) positive, \(grouped(entries.negative)) negative, deviation \(decimal(entries.standardDeviation)), skewness \(decimal(entries.skewness, 3)), symmetric part \(number(entries.symmetricFraction))"
        )
      }
      lines.append(
        "             mean  median     max   none       α  x_min      KS      p   tail   ln ratio to log-normal, exponential"
      )
      for (name, degree) in [("in-degree", inDegree), ("out-degree", outDegree)] {
        var line =
          padded(name, 10, right: false) + padded(decimal(degree.mean, 1), 7)
          + padded(decimal(degree.median, 1), 8) + padded(grouped(degree.max), 8)
          + padded(grouped(degree.zeros), 7)
        if let law = degree.powerLaw {
          line +=
            padded(decimal(law.alpha, 2), 8) + padded(grouped(law.xMin), 7) + padded(decimal(law.ks, 3), 8)
            + padded(number(law.p, 2), 7) + padded(grouped(law.tail), 7)
            + "   \(number(law.versusLogNormal?.ratio, 1)), \(number(law.versusExponential?.ratio, 1)): \(law.verdict)"
        } else {
          line += "   nothing to fit"
        }
        lines.append(line)
      }
      lines.append(
        "modularity: Louvain \(number(modularity.louvain)) (\(modularity.communities.count) communities), Leiden \(number(modularity.leiden)), directed \(number(modularity.directed)); G(n, m) \(number(modularity.uniform)), Gaussian product \(number(modularity.product))"
      )
      for row in modularity.profile {
        lines.append(
          padded(grouped(row.edges), 12)
            + " edges: \(number(row.graph)), G(n, m) \(number(row.uniform)), product \(number(row.product))"
        )
      }
      lines.append(
        "reciprocity \(number(reciprocity)); largest core k = \(kCores.last?.k ?? 0) (\(grouped(kCores.last?.nodes ?? 0)) neurons); components: largest weak \(grouped(components.largestWeak)), largest strong \(grouped(components.largestStrong))"
      )
      return lines
    }
  }
#endif
