import ArgumentParser
import Foundation
import HatchlingCompiler
import HatchlingExport
import HatchlingModel
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

  @Flag(help: "Fold LayerNorm's mean into the weights first.")
  var centre = false

  func run() throws {
    let format = try GraphFormat(path: out)
    guard form == .circuit else {
      throw OptionError.bad("--form direct is not part of this version; use --form circuit")
    }
    let workers = Workers()
    let loaded = try model.load(workers: workers)
    let (graph, reports) = try Compiler(centres: centre).circuit(from: loaded.weights, workers: workers)
    Output.line("pass          edges in    edges out   seconds")
    for report in reports {
      Output.line(
        padded(report.pass, 8, right: false) + padded(grouped(report.edgesIn), 14)
          + padded(grouped(report.edgesOut), 13)
          + padded(decimal(report.seconds, 3), 10) + "   " + report.note)
    }
    let exported = ExportedGraph(graph)
    let nodes = graph.neuronCount + graph.hubCount + 2 * graph.tokenCount
    Output.line("writing \(grouped(nodes)) nodes and \(grouped(exported.edgeCount)) edges")
    Output.flush()
    for file in try format.write(exported, to: out) { Output.line(file) }
  }
}
