import ArgumentParser
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
    help: ArgumentHelp("The neurons of one head, or all. Default: all.", valueName: "k|all"))
  var head: NumberOrAll?

  @Option(
    help: ArgumentHelp(
      "With --head, for x and y: edges into its neurons from those of head K (G^(ab) of §5.5); node k is the k-th neuron of both.",
      valueName: "k"))
  var fromHead: Int?

  @Option(
    help:
      "Which entries are edges: excitatory (the largest) or inhibitory (the most negative). Default: excitatory."
  )
  var sign: Sign?

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
    help: ArgumentHelp(
      "Synthetic samples for the p of a power-law fit; 0 for none. Default: 100.", valueName: "r"))
  var bootstrap: Int?

  @Option(
    help: ArgumentHelp(
      "Numbers of edges at which modularity is compared with the baselines. Default: powers of 4.",
      valueName: "a,b,…"))
  var modularityEdges: String?

  @Option(
    help: "Seed of everything random: communities, baselines, bootstrap, layout. Default: 1.")
  var seed: UInt64?

  @Option(help: "For sigma: the text to read.")
  var text: String?

  @Argument(help: "For sigma: a file to read instead of --text; - is standard input.")
  var files: [String] = []

  @Option(
    help: ArgumentHelp("For sigma: the layer, or all added up. Default: ⌈L/2⌉ + 1.", valueName: "k|all"))
  var layer: NumberOrAll?

  @Option(
    help: "For sigma: current (what an activity would meet now) or stored (co-rotating). Default: current.")
  var frame: SynapticState.Frame?

  @Option(
    help: ArgumentHelp(
      "Also write the graph for other tools: .graphml, .gexf, .csv or .mtx.", valueName: "file"))
  var export: String?

  @Flag(help: "Give a GEXF export positions however large the graph is; by default up to 50 000 edges.")
  var layout = false

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "Print the summary as one JSON object.")
  var json = false

  func validate() throws {
    let most = TopologyRequest.mostEdges
    let wanted = edges?.count ?? 1
    try require(wanted >= 1, "--edges \(wanted): at least one edge is needed")
    try require(wanted <= most, "--edges \(wanted): at most \(most) edges are analysed at a time")
    try require(
      threshold ?? 0 >= 0, "--threshold \(threshold ?? 0): a strength is at least 0; --sign chooses the side")
    try require(threshold == nil || edges == nil, "give either --threshold or --edges, not both")
    try require(
      (0...1_000_000).contains(bootstrap ?? 0),
      "--bootstrap \(bootstrap ?? 0): 0 up to a million samples are drawn")
    try checkGraph()
    try require(files.count <= 1, "sigma is the state after one text; give one FILE")
    try require(!layout || hasPositions, "--layout: only an --export FILE.gexf holds positions")
    _ = try profileCounts()
  }

  private var hasPositions: Bool { export?.hasSuffix(".gexf") == true }

  /// - Throws: `ValidationError` when options were given that do not apply to the graph.
  private func checkGraph() throws {
    try require(
      graph == .sigma || text == nil && files.isEmpty && layer == nil && frame == nil,
      "--text, a FILE, --layer and --frame are for --graph sigma")
    try require(graph != .sigma || !uncentred, "--uncentred is for --graph x and y; sigma is not centred")
    try require(
      fromHead == nil || head?.number != nil && graph != .sigma,
      "--from-head is for --graph x and y, of one head; give --head K too")
    let given: [(String, Bool)] = [
      ("--head", head != nil), ("--from-head", fromHead != nil), ("--sign", sign != nil),
      ("--threshold", threshold != nil),
      ("--edges", edges != nil), ("--uncentred", uncentred), ("--unweighted", unweighted),
      ("--bootstrap", bootstrap != nil), ("--modularity-edges", modularityEdges != nil),
      // Only a layout draws numbers here.
      ("--seed", seed != nil && !hasPositions),
    ]
    let wrong = given.filter(\.1).map(\.0).joined(separator: ", ")
    try require(
      graph != .circuit || wrong.isEmpty,
      "not for --graph circuit, which is counted whole: \(wrong); use --graph x, y or sigma")
  }

  /// The numbers of `--modularity-edges`; nil where it is left out.
  private func profileCounts() throws -> [Int]? {
    let most = TopologyRequest.mostEdges
    return try modularityEdges.map { list in
      try EdgeCount.list(list, in: 1...most) {
        "--modularity-edges '\($0)': not a number of edges from 1 to \(most), the most that are analysed at a time"
      }
    }
  }

  func run() throws {
    if let export { _ = try GraphFormat(path: export) }
    try OutputPaths.check([export], folders: [out], reading: [model.model] + files)
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
      try Compiler().circuit(from: loaded.model().weights, workers: workers).graph)
    try report.write(into: out)
    if let export { try report.export(to: export, laidOut: layout, seed: seed ?? 1) }
    if json { try Output.json(report) } else { Output.lines(report.lines(folder: out)) }
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
      let selection: EdgeSelection
      var frequencies: [Float] = []
      switch loaded {
      case .weights(let model):
        frequencies = model.weights.frequencies
        selection = try EdgeSelection(
          request, of: model.weights, tokens: tokens, workers: workers, progress: progress)
      case .graph(let file):
        frequencies = file.graph.neurons.frequencies
        selection = try EdgeSelection(request, of: file)
      }
      let report = try TopologyReport(
        selection, model: model.model ?? "shipped", workers: workers, progress: progress)
      let pictures = try report.write(into: out)
      let exported = try export.map {
        try report.export(to: $0, frequencies: frequencies, laidOut: layout)
      }
      if json { return try Output.json(report) }
      Output.lines(report.lines)
      Output.lines(pictures + (exported ?? []).map { "exported to \($0)" })
      Output.line("written to \(out): summary.json, nodes.csv, edges.csv, in_degree.csv, out_degree.csv")
    }

    private func request(_ kind: TopologyRequest.Graph) throws -> TopologyRequest {
      var request = TopologyRequest(kind)
      (request.head, request.sender) = (head?.number, fromHead)
      request.sign = sign ?? request.sign
      request.kept = threshold.map { .atLeast($0) } ?? edges.map { .strongest($0.count) } ?? .standard
      (request.isCentred, request.isWeighted) = (!uncentred, !unweighted)
      request.bootstraps = bootstrap ?? request.bootstraps
      request.profileCounts = try profileCounts()
      if let layer { request.layers = layer.number.map { .one($0) } ?? .all }
      (request.frame, request.seed) = (frame ?? request.frame, seed ?? request.seed)
      return request
    }
  #endif
}

/// A number, or `all`: nil.
struct NumberOrAll: ExpressibleByArgument {
  let number: Int?

  init?(argument: String) {
    number = Int(argument)
    guard argument == "all" || number ?? -1 >= 0 else { return nil }
  }
}

extension Sign: ExpressibleByArgument {}
extension SynapticState.Frame: ExpressibleByArgument {}
