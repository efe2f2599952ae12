import ArgumentParser
import HatchlingCommands
import HatchlingCompiler
import HatchlingExport
import HatchlingNumerics

struct CompileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compile", abstract: "Compiles weights to a graph and writes it for other tools.",
    discussion: """
      The ending of --out chooses the format: .graphml (igraph, NetworkX, Gephi, Cytoscape), .gexf (Gephi), \
      .csv (source,target,kind,sign,weight), .mtx (Matrix Market, one file per kind of synapse).
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
  var out: String

  @Option(help: "Which graph form: circuit or direct.")
  var form: FormChoice = .circuit

  @OptionGroup var direct: DirectFormOptions

  @Flag(help: "Give a GEXF file positions however large the graph is; by default up to 50 000 edges.")
  var layout = false

  @Flag(help: "Fold LayerNorm's mean into the weights first. The direct form always does.")
  var centre = false

  func validate() throws {
    try direct.check(form)
    try require(!layout || out.hasSuffix(".gexf"), "--layout: only a .gexf file holds positions")
  }

  func run() throws {
    let format = try GraphFormat(path: out)
    try OutputPaths.check([out], reading: [model.model])
    let workers = Workers()
    let loaded = try model.load(workers: workers)
    switch form {
    case .circuit:
      let (graph, reports) = try Compiler(centres: centre).circuit(from: loaded.weights, workers: workers)
      try write(ExportedGraph(graph), format, reports)
    case .direct:
      let (graph, reports) = try Compiler().direct(
        from: loaded.weights, options: direct.compilerOptions, workers: workers)
      try write(ExportedGraph(graph), format, reports)
    }
  }

  private func write(_ exported: ExportedGraph, _ format: GraphFormat, _ reports: [PassReport]) throws {
    Output.line("pass          edges in    edges out   seconds")
    for report in reports {
      Output.line(
        padded(report.pass, 8, right: false) + padded(grouped(report.edgesIn), 14)
          + padded(grouped(report.edgesOut), 13)
          + padded(decimal(report.seconds, 3), 10) + "   " + report.note)
    }
    var nodes = 0
    try exported.forEachNode { _ in nodes += 1 }
    Output.line("writing \(grouped(nodes)) nodes and \(grouped(exported.edgeCount)) edges")
    Output.flush()
    let progress = shownProgress()
    let graph = try laidOut(exported, format, always: layout).reporting { progress("writing edge", $0, $1) }
    for file in try format.write(graph, to: out) { Output.line(file) }
  }
}
