import ArgumentParser
import HatchlingCheckpoint
import HatchlingCommands
import HatchlingCompiler
import HatchlingExport
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

struct CompileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compile", abstract: "Compiles weights to a graph and writes it for other tools.",
    discussion: """
      The ending of --out chooses the format: .graphml (igraph, NetworkX, Gephi, Cytoscape), .gexf (Gephi), \
      .csv (source,target,kind,sign,weight), .mtx (Matrix Market, one file per kind of synapse), .h5 (SONATA nodes and edges: libsonata, bmtk). \
      --model takes a circuit in .h5 again. A direct graph can be written as .safetensors: --model takes it, and it runs as it is.
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
  var out: String

  @Option(
    help:
      "Which graph form: circuit or direct. Default: circuit; a neuron graph in a file has the direct form.")
  var form: GraphForm?

  @OptionGroup var direct: DirectFormOptions

  @Option(help: "In a .safetensors file, write the weights in 16 bits: bf16. Default: 32 bits, exact.")
  var weights: ReducedFormat?

  @Flag(help: "Give a GEXF file positions however large the graph is; by default up to 50 000 edges.")
  var layout = false

  @Flag(help: "Fold LayerNorm's mean into the weights first. The direct form always does.")
  var centre = false

  private var writesGraph: Bool { out.hasSuffix(".safetensors") }

  func validate() throws {
    try direct.check(form)
    try require(!layout || out.hasSuffix(".gexf"), "--layout: only a .gexf file holds positions")
    try require(
      !writesGraph || form != .circuit,
      "--out '\(out)': only a direct graph is written as .safetensors; add --form direct")
    try require(weights == nil || writesGraph, "--weights: only a .safetensors file holds fewer bits")
    try require(weights != .int8, "--weights int8: a graph is written in 32 bits or as bf16")
    try require(
      !writesGraph || direct.repairs.hubs == 0,
      "--hubs: a .safetensors file of a graph has no place for hubs that carry what was cut")
  }

  func run() throws {
    let format = writesGraph ? nil : try GraphFormat(path: out)
    try OutputPaths.check([out], reading: [model.model])
    let workers = Workers()
    switch (try model.load(workers: workers), form) {
    case (.weights(let loaded), .direct):
      let (graph, reports) = try Compiler().direct(
        from: loaded.weights, options: direct.compilerOptions, workers: workers)
      try write(
        graph, format, reports,
        from: ["compiled.from": loaded.path.nameInPath.escaped, "compiled.fingerprint": loaded.fingerprint])
    case (.weights(let loaded), _):
      guard let format else {
        throw ValidationError(
          "--out '\(out)': only a direct graph is written as .safetensors; add --form direct")
      }
      let (graph, reports) = try Compiler(centres: centre).circuit(from: loaded.weights, workers: workers)
      try write(ExportedGraph(graph), format, reports)
    case (.graph(let file), _):
      // The one place that knows what a graph cannot be.
      let description =
        form == .circuit ? EngineDescription(.circuit) : EngineDescription(.direct(direct.compilerOptions))
      let _: RunnableNetwork<Float> = try description.network(of: .graph(file), workers: workers)
      try write(file.graph, format, [], from: file.metadata)
    }
  }

  /// A direct graph, as a file of its own or for other tools.
  private func write(
    _ graph: DirectGraph<Float>, _ format: GraphFormat?, _ reports: [PassReport],
    from origin: [String: String]
  ) throws {
    if let format { return try write(ExportedGraph(graph), format, reports) }
    show(reports)
    var metadata = origin
    metadata["compiled.version"] = "hatchling \(Version.number)"
    try graph.save(to: out, metadata: metadata, as: weights == nil ? .f32 : .bf16)
    Output.line(out)
  }

  private func write(_ exported: ExportedGraph, _ format: GraphFormat, _ reports: [PassReport]) throws {
    show(reports)
    var nodes = 0
    try exported.forEachNode { _ in nodes += 1 }
    Output.line("writing \(grouped(nodes)) nodes and \(grouped(exported.edgeCount)) edges")
    Output.flush()
    let progress = shownProgress()
    let graph = try laidOut(exported, format, always: layout).reporting { progress("writing edge", $0, $1) }
    for file in try format.write(graph, to: out) { Output.line(file) }
  }

  /// What the passes did; nothing for a graph that was compiled before.
  private func show(_ reports: [PassReport]) {
    guard !reports.isEmpty else { return }
    Output.line("pass          edges in    edges out   seconds")
    for report in reports {
      Output.line(
        padded(report.pass, 8, right: false) + padded(grouped(report.edgesIn), 14)
          + padded(grouped(report.edgesOut), 13)
          + padded(decimal(report.seconds, 3), 10) + "   " + report.note)
    }
  }
}
