import ArgumentParser
import Foundation
import HatchlingCommands
import HatchlingCompiler
import HatchlingEquivalence
import HatchlingExport
import HatchlingGraph
import HatchlingNumerics

struct DegreesCommand: ParsableCommand {
  enum GraphChoice: String, ExpressibleByArgument, CaseIterable { case x, y, sigma, circuit }

  static let configuration = CommandConfiguration(
    commandName: "degrees", abstract: "Degree distributions and topology of a graph of the network.",
    discussion: """
      Graphs x and y are G_x = D_x P E and G_y = D_y P E between neurons, sigma is the plastic state between neurons after a text, circuit \
      is the graph with hubs. Writes summary.json, in_degree.csv, out_degree.csv, nodes.csv, edges.csv and pictures (SVG and PNG, by \
      gnuplot) into the folder --out. docs/topology.md shows them and says how to read them.
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: ArgumentHelp("The folder to write into; made if it is not there.", valueName: "dir"))
  var out: String

  @Option(help: "Which graph: x, y, sigma or circuit.")
  var graph: GraphChoice = .x

  // Options without a default say whether they were given, so that a graph to which they do not apply can refuse them.

  @Option(
    name: .customLong("head"),
    help: ArgumentHelp("The neurons of one head, or all. Default: all.", valueName: "k|all"))
  var givenHead: NumberOrAll?

  @Option(
    name: .customLong("sign"),
    help:
      "Which entries are edges: excitatory (the largest) or inhibitory (the most negative). Default: excitatory."
  )
  var givenSign: Sign?

  @Option(help: ArgumentHelp("Keep entries of at least this strength.", valueName: "b"))
  var threshold: Double?

  @Option(
    help: ArgumentHelp(
      "Keep this many of the strongest entries. Default: 5.715 per neuron, as in the paper's Fig. 10; for sigma all above the 5 % quantile.",
      valueName: "m"))
  var edges: EdgeCount?

  @Flag(help: "The paper's plain D E, without the centring that LayerNorm applies.")
  var uncentred = false

  @Flag(help: "Every edge counts 1 for modularity.")
  var unweighted = false

  @Option(
    name: .customLong("bootstrap"),
    help: ArgumentHelp(
      "Synthetic samples for the p of a power-law fit; 0 for none. Default: 100.", valueName: "r"))
  var givenBootstrap: Int?

  @Option(
    help: ArgumentHelp(
      "Numbers of edges at which modularity is compared with the baselines. Default: powers of 4.",
      valueName: "a,b,…"))
  var modularityEdges: String?

  @Option(
    name: .customLong("seed"),
    help: "Seed of everything random: communities, baselines, bootstrap, layout. Default: 1.")
  var givenSeed: UInt64?

  @Option(help: "For sigma: the text to read.")
  var text: String?

  @Argument(help: "For sigma: a file to read instead of --text; - is standard input.")
  var files: [String] = []

  @Option(
    help: ArgumentHelp("For sigma: the layer, or all added up. Default: ⌈L/2⌉ + 1.", valueName: "k|all"))
  var layer: NumberOrAll?

  @Option(
    name: .customLong("frame"),
    help: "For sigma: current (what an activity would meet now) or stored (co-rotating). Default: current.")
  var givenFrame: SynapticState.Frame?

  @Option(
    help: ArgumentHelp(
      "Also write the graph for other tools: .graphml, .gexf, .csv or .mtx.", valueName: "file"))
  var export: String?

  @Flag(help: "Give a GEXF export positions however large the graph is; by default up to 50 000 edges.")
  var layout = false

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print the summary as one JSON object.")
  var json = false

  var head: NumberOrAll { givenHead ?? .all }
  var sign: Sign { givenSign ?? .excitatory }
  var bootstrap: Int { givenBootstrap ?? 100 }
  var seed: UInt64 { givenSeed ?? 1 }
  var frame: SynapticState.Frame { givenFrame ?? .current }

  func validate() throws {
    if let edges = edges?.count, !(1...TopologyRequest.mostEdges).contains(edges) {
      throw ValidationError(
        edges < 1
          ? "--edges \(edges): at least one edge is needed"
          : "--edges \(edges): at most \(TopologyRequest.mostEdges) edges are analysed at a time")
    }
    if let threshold, !(threshold >= 0) {
      throw ValidationError("--threshold \(threshold): a strength is at least 0; --sign chooses the side")
    }
    if threshold != nil, edges != nil {
      throw ValidationError("give either --threshold or --edges, not both")
    }
    if bootstrap < 0 { throw ValidationError("--bootstrap \(bootstrap): a number of samples is at least 0") }
    try checkGraph()
    if files.count > 1 { throw ValidationError("sigma is the state after one text; give one FILE") }
    if layout, export?.hasSuffix(".gexf") != true {
      throw ValidationError("--layout: only an --export FILE.gexf holds positions")
    }
    _ = try profileCounts()
  }

  /// - Throws: `ValidationError` when options were given that do not apply to the graph.
  private func checkGraph() throws {
    if graph != .sigma, text != nil || !files.isEmpty || layer != nil || givenFrame != nil {
      throw ValidationError("--text, a FILE, --layer and --frame are for --graph sigma")
    }
    if graph == .sigma, uncentred {
      throw ValidationError("--uncentred is for --graph x and y; sigma is not centred")
    }
    guard graph == .circuit else { return }
    // Only a layout draws numbers here.
    let hasPositions = export?.hasSuffix(".gexf") == true
    var wrong: [String] = []
    func refuse(_ option: String, when isGiven: Bool) { if isGiven { wrong.append(option) } }
    refuse("--head", when: givenHead != nil)
    refuse("--sign", when: givenSign != nil)
    refuse("--threshold", when: threshold != nil)
    refuse("--edges", when: edges != nil)
    refuse("--uncentred", when: uncentred)
    refuse("--unweighted", when: unweighted)
    refuse("--bootstrap", when: givenBootstrap != nil)
    refuse("--modularity-edges", when: modularityEdges != nil)
    refuse("--seed", when: givenSeed != nil && !hasPositions)
    guard wrong.isEmpty else {
      throw ValidationError(
        "not for --graph circuit, which is counted whole: \(wrong.joined(separator: ", ")); use --graph x, y or sigma"
      )
    }
  }

  /// The numbers of `--modularity-edges`; nil where it is left out.
  func profileCounts() throws -> [Int]? {
    try modularityEdges.map { list in
      try list.split(separator: ",", omittingEmptySubsequences: false).map { part in
        let parsed = EdgeCount(argument: part.trimmingCharacters(in: .whitespaces))
        guard let count = parsed?.count, (1...TopologyRequest.mostEdges).contains(count) else {
          throw ValidationError(
            "--modularity-edges '\(part)': not a number of edges from 1 to \(TopologyRequest.mostEdges), the most that are analysed at a time"
          )
        }
        return count
      }
    }
  }

  func run() throws {
    if let export { _ = try GraphFormat(path: export) }
    guard let kind = TopologyRequest.Graph(rawValue: graph.rawValue) else { return try runCircuit() }
    #if Topology
      try runNeurons(kind)
    #else
      throw TopologyMissing.report(graph: kind.rawValue)
    #endif
  }

  private func runCircuit() throws {
    let workers = threads.workers
    let loaded = try model.load(workers: workers)
    let report = CircuitDegreesReport(
      try Compiler().circuit(from: loaded.weights, workers: workers).graph)
    try report.write(into: out)
    if let export { try report.export(to: export, laidOut: layout, seed: seed) }
    if json { try Output.json(report.summary) } else { Output.lines(report.summary.lines(folder: out)) }
  }

  #if Topology
    private func runNeurons(_ kind: TopologyRequest.Graph) throws {
      let workers = threads.workers
      let loaded = try model.load(workers: workers)
      let request = try request(kind)
      var tokens: [Int] = []
      if kind == .sigma {
        tokens = try TextSource.streams(
          text: text, files: files, vocabulary: loaded.hyperparameters.vocabulary)[0].tokens
      }
      let progress = shownProgress()
      let selection = try EdgeSelection(
        request, of: loaded.weights, tokens: tokens, workers: workers, progress: progress)
      try OutputPaths.makeFolder(out)
      let report = try TopologyReport(
        selection, model: model.model ?? "shipped", workers: workers, progress: progress)
      let pictures = try report.write(into: out)
      let exported = try export.map {
        try report.export(to: $0, frequencies: loaded.weights.frequencies, laidOut: layout)
      }
      if json { return try Output.json(report.summary) }
      Output.lines(report.lines)
      Output.lines(pictures + (exported ?? []).map { "exported to \($0)" })
      Output.line("written to \(out): summary.json, nodes.csv, edges.csv, in_degree.csv, out_degree.csv")
    }

    private func request(_ kind: TopologyRequest.Graph) throws -> TopologyRequest {
      var request = TopologyRequest(kind)
      if case .number(let number) = head { request.head = number }
      request.sign = sign
      request.kept = threshold.map { .atLeast($0) } ?? edges.map { .strongest($0.count) } ?? .standard
      (request.isCentred, request.isWeighted, request.bootstraps) = (!uncentred, !unweighted, bootstrap)
      request.profileCounts = try profileCounts()
      switch layer {
      case .all: request.layers = .all
      case .number(let number): request.layers = .one(number)
      case nil: break
      }
      (request.frame, request.seed) = (frame, seed)
      return request
    }
  #endif
}

/// A number, or `all`.
enum NumberOrAll: ExpressibleByArgument, Equatable {
  case all
  case number(Int)

  init?(argument: String) {
    if argument == "all" {
      self = .all
    } else if let number = Int(argument), number >= 0 {
      self = .number(number)
    } else {
      return nil
    }
  }
}

extension Sign: ExpressibleByArgument {}
extension SynapticState.Frame: ExpressibleByArgument {}
