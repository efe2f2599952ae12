#if Topology
  import Foundation
  import HatchlingCompiler
  import HatchlingEquivalence
  import HatchlingGraph
  import HatchlingModel
  import HatchlingNumerics
  import HatchlingTopology

  /// Everything that `degrees` says about a graph of neurons.
  struct TopologyReport {
    let graph: NeuronGraph
    let partition: Partition?
    let structure: GraphStructure
    let entries: EntryStatistics?
    let summary: TopologySummary

    init(
      _ command: DegreesCommand, _ model: Model, matrix: FactoredMatrix<Float>, graph: NeuronGraph,
      all: NeuronGraph, entries: EntryStatistics?, profileAt counts: [Int], workers: Workers
    ) throws {
      self.graph = graph
      self.entries = entries
      structure = try GraphStructure(graph)
      let (seed, weighted) = (command.seed, !command.unweighted)
      let samples = ProgressLine("bootstrap sample", total: 2 * command.bootstrap, saysHowLong: true)
      let inDegree = DegreeReport(
        graph.inDegrees, bootstraps: command.bootstrap, seed: seed, workers: workers,
        progress: samples.update)
      let outDegree = DegreeReport(
        graph.outDegrees, bootstraps: command.bootstrap, seed: seed &+ 1, workers: workers
      ) { samples.update(command.bootstrap + $0) }
      samples.update(2 * command.bootstrap)
      let undirected = UndirectedGraph(graph, weighted: weighted)
      partition = try undirected.communities(.louvain, seed: seed)
      let leiden = try undirected.communities(.leiden, seed: seed)
      let rank = model.hyperparameters.synapticDimension
      let nodes = graph.nodeCount
      let uniform = try Baseline.uniform(nodes: nodes, edges: graph.edgeCount, seed: seed)
        .communities(seed: seed)
      let product = try UndirectedGraph(
        Baseline.product(nodes: nodes, rank: rank, edges: graph.edgeCount, seed: seed, workers: workers),
        weighted: weighted
      ).communities(seed: seed)
      var rows = Progress("modularity at number of edges", total: counts.count)
      let profile = try ModularityProfile(
        all, at: counts, rank: rank, weighted: weighted, seed: seed, workers: workers
      ) { rows.update($0) }
      summary = TopologySummary(
        command, model,
        layers: command.graph == .sigma ? try command.sigmaLayers(model.hyperparameters) : nil,
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

    var lines: [String] { summary.lines }
  }

  /// What goes into `summary.json`.
  struct TopologySummary: Encodable {
    struct Entries: Encodable {
      let count: Int
      let positive: Int
      let negative: Int
      let minimum: Double
      let maximum: Double
      let mean: Double
      let standardDeviation: Double
      let skewness: Double
      /// ‖(G + Gᵀ) / 2‖² / ‖G‖².
      let symmetricFraction: Double?

      init(_ entries: EntryStatistics, symmetric: Double?) {
        (count, positive, negative) = (entries.count, entries.positive, entries.negative)
        (minimum, maximum) = (finite(entries.minimum) ?? 0, finite(entries.maximum) ?? 0)
        (mean, standardDeviation) = (entries.mean, entries.variance.squareRoot())
        skewness = entries.skewness
        symmetricFraction = symmetric.flatMap(finite)
      }
    }

    struct Modularity: Encodable {
      /// Best of five seeds, undirected.
      let louvain: Double?
      let leiden: Double?
      /// Of the Louvain partition.
      let directed: Double?
      /// Sizes of the communities of more than one node, largest first.
      let communities: [Int]
      /// Louvain on G(n, m) and on the product of two Gaussian matrices, with as many edges.
      let uniform: Double?
      let product: Double?
      let isWeighted: Bool
      /// The same three over the number of edges.
      let profile: [ModularityProfile.Row]
    }

    struct Components: Encodable {
      let weak: Int
      let strong: Int
      let largestWeak: Int
      let largestStrong: Int
    }

    struct Core: Encodable {
      let k: Int
      let nodes: Int
    }

    let graph: String
    let model: String
    let sign: String
    let head: String
    let centred: Bool?
    let layers: [Int]?
    let frame: String?
    let seed: UInt64
    let nodes: Int
    let connectedNodes: Int
    let edges: Int
    let selfLoops: Int
    let threshold: Double?
    let entries: Entries?
    let inDegree: DegreeReport
    let outDegree: DegreeReport
    let modularity: Modularity
    let reciprocity: Double?
    let components: Components
    let kCores: [Core]

    init(
      _ command: DegreesCommand, _ model: Model, layers: [Int]?, graph: NeuronGraph,
      structure: GraphStructure, entries: Entries?, degrees: (in: DegreeReport, out: DegreeReport),
      modularity: Modularity
    ) {
      self.graph = command.graph.rawValue
      self.model = command.model.model ?? "shipped"
      sign = command.sign.rawValue
      head = command.head.description
      let isSigma = command.graph == .sigma
      centred = isSigma ? nil : !command.uncentred && model.hyperparameters.variant.normalises
      self.layers = layers
      frame = isSigma ? command.frame.rawValue : nil
      seed = command.seed
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
    var title: String {
      let name =
        graph == "sigma"
        ? "σ, layer \((layers ?? []).map(String.init).joined(separator: "+"))"
        : centred == false ? "D_\(graph) E" : "G_\(graph)"
      return "\(name), \(sign), \(head == "all" ? "all heads" : "head \(head)")"
    }

    var lines: [String] {
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
