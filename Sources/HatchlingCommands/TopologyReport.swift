#if Topology
  import HatchlingCompiler
  import HatchlingGraph
  import HatchlingModel
  import HatchlingNumerics
  import HatchlingTopology

  /// Everything that is said about a graph of neurons.
  public struct TopologyReport: Encodable {
    /// Newman's, of the graph and of others with as many edges.
    struct Modularity: Encodable {
      /// Best of five seeds, undirected.
      let louvain: Double?
      let leiden: Double?
      /// Of the Louvain partition.
      let directed: Double?
      /// Sizes of the communities of more than one node, largest first.
      let communities: [Int]
      /// Louvain on G(n, m) and on the product of two Gaussian matrices.
      let uniform: Double?
      let product: Double?
      let isWeighted: Bool
      /// Graph, G(n, m) and product over the number of edges.
      let profile: [ModularityProfile.Row]
    }

    public let graph: NeuronGraph
    public let partition: Partition?
    public let structure: GraphStructure
    public let entries: EntryStatistics?
    let request: TopologyRequest
    private let model: String
    /// Of σ.
    private let layers: [Int]?
    /// Whether G_x or G_y is centred.
    private let isCentred: Bool?
    /// ‖(G + Gᵀ) / 2‖² / ‖G‖².
    private let symmetricFraction: Double?
    let inDegree: DegreeReport
    let outDegree: DegreeReport
    let modularity: Modularity

    /// - Parameter model: what the model is called.
    /// - Throws: `IgraphError`. Cost: mostly the synthetic samples of the power-law fits, and Louvain on every graph of the profile.
    public init(
      _ selection: EdgeSelection, model: String, workers: Workers, progress: WorkProgress = { _, _, _ in }
    ) throws {
      let (request, matrix, graph) = (selection.request, selection.matrix, selection.graph)
      (self.request, self.graph, self.model, entries) = (request, graph, model, selection.entries)
      let isSigma = request.graph == .sigma
      layers = isSigma ? try request.sigmaLayers(of: selection.sizes) : nil
      isCentred = isSigma || matrix == nil ? nil : request.isCentred && selection.sizes.variant.normalises
      structure = try GraphStructure(graph)
      let (seed, weighted, samples) = (request.seed, request.isWeighted, request.bootstraps)
      inDegree = DegreeReport(graph.inDegrees, bootstraps: samples, seed: seed, workers: workers) {
        progress("bootstrap sample", $0, 2 * samples)
      }
      outDegree = DegreeReport(graph.outDegrees, bootstraps: samples, seed: seed &+ 1, workers: workers) {
        progress("bootstrap sample", samples + $0, 2 * samples)
      }
      progress("bootstrap sample", 2 * samples, 2 * samples)
      let undirected = UndirectedGraph(graph, weighted: weighted)
      partition = try undirected.communities(.louvain, seed: seed)
      let (rank, nodes) = (selection.sizes.synapticDimension, graph.nodeCount)
      let isProduct = selection.entries != nil && (matrix?.rank ?? nodes) < nodes
      symmetricFraction = isProduct ? matrix?.symmetricFraction.flatMap(finite) : nil
      let uniform = try Baseline.uniform(nodes: nodes, edges: graph.edgeCount, seed: seed)
      let product = try UndirectedGraph(
        Baseline.product(nodes: nodes, rank: rank, edges: graph.edgeCount, seed: seed, workers: workers),
        weighted: weighted)
      let counts = selection.profileCounts
      let profile = try ModularityProfile(
        selection.all, at: counts, rank: rank, weighted: weighted, seed: seed, workers: workers
      ) { progress("modularity at number of edges", $0, counts.count) }
      modularity = Modularity(
        louvain: partition?.modularity, leiden: try undirected.communities(.leiden, seed: seed)?.modularity,
        directed: try partition.flatMap {
          try graph.directedModularity(of: $0.communities, weighted: weighted)
        },
        communities: partition.map { Self.sizes($0.communities) } ?? [],
        uniform: try uniform.communities(seed: seed)?.modularity,
        product: try product.communities(seed: seed)?.modularity, isWeighted: weighted, profile: profile.rows)
    }

    /// How many communities have more than one node: nodes without edges are communities of their own.
    private static func sizes(_ communities: [Int]) -> [Int] {
      var sizes: [Int: Int] = [:]
      for community in communities { sizes[community, default: 0] += 1 }
      return sizes.values.filter { $0 > 1 }.sorted(by: >)
    }

    /// The weakest edge.
    var threshold: Double? { graph.threshold.map(Double.init) }
    private var frame: String? { layers == nil ? nil : request.frame.rawValue }
    private var connectedNodes: Int { zip(graph.inDegrees, graph.outDegrees).count { $0.0 + $0.1 > 0 } }
  }

  // MARK: - As JSON and as text

  extension TopologyReport {
    public func encode(to encoder: any Encoder) throws {
      let (weak, strong) = (structure.weakComponents, structure.strongComponents)
      let object = JSONObject(omittingNil: [
        "graph": request.graph.rawValue, "model": model, "sign": request.sign.rawValue,
        "head": request.head.map(String.init) ?? "all", "from_head": request.sender, "centred": isCentred,
        "layers": layers,
        "frame": frame, "seed": request.seed, "nodes": graph.nodeCount, "connected_nodes": connectedNodes,
        "edges": graph.edgeCount, "self_loops": graph.selfLoops, "threshold": threshold,
        "entries": entries.map(json), "in_degree": inDegree, "out_degree": outDegree,
        "modularity": modularity, "reciprocity": structure.reciprocity,
        "components": [
          "weak": weak.count, "strong": strong.count, "largest_weak": weak.first ?? 0,
          "largest_strong": strong.first ?? 0,
        ] as JSONObject,
        "k_cores": structure.coreProfile,
      ])
      try object.encode(to: encoder)
    }

    private func json(_ entries: EntryStatistics) -> JSONObject {
      JSONObject(omittingNil: [
        "count": entries.count, "positive": entries.positive, "negative": entries.negative,
        "minimum": finite(entries.minimum) ?? 0, "maximum": finite(entries.maximum) ?? 0,
        "mean": entries.mean, "standard_deviation": entries.variance.squareRoot(),
        "skewness": entries.skewness, "symmetric_fraction": symmetricFraction,
      ])
    }

    /// `G_x, excitatory, head 0`.
    public var title: String {
      let name =
        layers.map { "σ, layer \($0.map(String.init).joined(separator: "+"))" }
        ?? (isCentred == false ? "D_\(request.graph.rawValue) E" : "G_\(request.graph.rawValue)")
      let sender = request.sender.map { " from head \($0)" } ?? ""
      return "\(name), \(request.sign.rawValue), \(request.head.map { "head \($0)" } ?? "all heads")\(sender)"
    }

    /// The report as a person reads it.
    public var lines: [String] {
      func number(_ value: Double?, _ places: Int = 3) -> String { decimal(value ?? .nan, places) }
      var lines = [
        "\(title)\(frame.map { ", frame \($0)" } ?? ""); model \(model)",
        "\(grouped(graph.nodeCount)) neurons, \(grouped(connectedNodes)) connected; \(grouped(graph.edgeCount)) edges of strength ≥ \(number(threshold, 4)), \(grouped(graph.selfLoops)) self-loops",
      ]
      if let entries {
        lines.append(
          "entries: \(grouped(entries.count)), \(grouped(entries.positive)) positive, \(grouped(entries.negative)) negative, deviation \(decimal(entries.variance.squareRoot())), skewness \(decimal(entries.skewness, 3)), symmetric part \(number(symmetricFraction))"
        )
      }
      lines += [
        "             mean  median     max   none       α  x_min      KS      p   tail   ln ratio to log-normal, exponential",
        row("in-degree", inDegree), row("out-degree", outDegree),
        "modularity: Louvain \(number(modularity.louvain)) (\(modularity.communities.count) communities), Leiden \(number(modularity.leiden)), directed \(number(modularity.directed)); G(n, m) \(number(modularity.uniform)), Gaussian product \(number(modularity.product))",
      ]
      for row in modularity.profile {
        lines.append(
          padded(grouped(row.edges), 12)
            + " edges: \(number(row.graph)), G(n, m) \(number(row.uniform)), product \(number(row.product))")
      }
      let core = structure.coreProfile.last
      lines.append(
        "reciprocity \(number(structure.reciprocity)); largest core k = \(core?.k ?? 0) (\(grouped(core?.nodes ?? 0)) neurons); components: largest weak \(grouped(structure.weakComponents.first ?? 0)), largest strong \(grouped(structure.strongComponents.first ?? 0))"
      )
      return lines
    }

    private func row(_ name: String, _ degree: DegreeReport) -> String {
      func number(_ value: Double?, _ places: Int) -> String { decimal(value ?? .nan, places) }
      let start =
        padded(name, 10, right: false) + padded(decimal(degree.mean, 1), 7)
        + padded(decimal(degree.median, 1), 8) + padded(grouped(degree.max), 8)
        + padded(grouped(degree.zeros), 7)
      guard let law = degree.powerLaw else { return start + "   nothing to fit" }
      return start + padded(decimal(law.alpha, 2), 8) + padded(grouped(law.xMin), 7)
        + padded(decimal(law.ks, 3), 8) + padded(number(law.p, 2), 7) + padded(grouped(law.tail), 7)
        + "   \(number(law.versusLogNormal?.ratio, 1)), \(number(law.versusExponential?.ratio, 1)): \(law.verdict)"
    }
  }
#endif
