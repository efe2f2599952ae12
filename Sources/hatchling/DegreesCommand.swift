import ArgumentParser
import Foundation
import HatchlingCheckpoint
import HatchlingCompiler
import HatchlingExport
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

struct DegreesCommand: ParsableCommand {
  enum GraphChoice: String, ExpressibleByArgument, CaseIterable { case x, y, sigma, circuit }

  static let configuration = CommandConfiguration(
    commandName: "degrees", abstract: "Degree distributions of a graph of the network.",
    discussion:
      "Writes summary.json, in_degree.csv, out_degree.csv, nodes.csv and edges.csv into the folder --out.")

  @OptionGroup var model: ModelOptions

  @Option(help: ArgumentHelp("The folder to write into; made if it is not there.", valueName: "dir"))
  var out: String

  @Option(help: "Which graph. This version has circuit: neurons, tokens and hubs.")
  var graph: GraphChoice = .circuit

  @Flag(help: "Print the summary as one JSON object.")
  var json = false

  func run() throws {
    guard graph == .circuit else {
      throw OptionError.bad("--graph \(graph.rawValue) is not part of this version; use --graph circuit")
    }
    let loaded = try model.load()
    let circuit = try Compiler().circuit(from: loaded.weights).graph
    let degrees = CircuitDegrees(circuit)
    try makeFolder()
    for population in degrees.populations {
      try writeDistribution(population.inDegree, "in_degree_\(population.kind).csv")
      try writeDistribution(population.outDegree, "out_degree_\(population.kind).csv")
    }
    try writeDistribution(degrees.populations.flatMap(\.inDegree), "in_degree.csv")
    try writeDistribution(degrees.populations.flatMap(\.outDegree), "out_degree.csv")
    try writeNodes(degrees)
    try writeEdges(circuit)
    let summary = CircuitSummary(degrees, circuit)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let file = try AtomicFile(path: path("summary.json"))
    try file.write([UInt8](try encoder.encode(summary)) + [10])
    try file.commit()
    if json { try Output.json(summary) } else { Output.lines(summary.lines(folder: out)) }
  }

  private func path(_ name: String) -> String { out.hasSuffix("/") ? out + name : "\(out)/\(name)" }

  private func makeFolder() throws {
    do {
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    } catch {
      throw CheckpointError.unwritable(path: out, reason: "the folder cannot be made")
    }
  }

  private func writeDistribution(_ degrees: [Int], _ name: String) throws {
    let file = try AtomicFile(path: path(name))
    try file.write("degree,count,ccdf\n")
    for row in CircuitDegrees.distribution(degrees) {
      try file.write("\(row.degree),\(row.count),\(row.ccdf)\n")
    }
    try file.commit()
  }

  private func writeNodes(_ degrees: CircuitDegrees) throws {
    let file = try AtomicFile(path: path("nodes.csv"))
    try file.write("node,kind,head,in_degree,out_degree,in_strength,out_strength\n")
    for population in degrees.populations {
      for index in population.names.indices {
        let head = population.heads[index].map(String.init) ?? ""
        try file.write(
          "\(population.names[index]),\(population.kind),\(head),\(population.inDegree[index]),\(population.outDegree[index]),\(population.inStrength[index]),\(population.outStrength[index])\n"
        )
      }
    }
    try file.commit()
  }

  private func writeEdges(_ circuit: CircuitGraph<Float>) throws {
    let file = try AtomicFile(path: path("edges.csv"))
    try file.write("source,target,kind,weight\n")
    try circuit.forEachSynapse { synapse in
      let sign = synapse.sign == .inhibitory ? "-" : ""
      let weight = synapse.weight.map { sign + $0.description } ?? ""
      try file.write(
        "\(synapse.presynaptic.name),\(synapse.postsynaptic.name),\(synapse.kind.rawValue),\(weight)\n")
    }
    try file.commit()
  }
}

/// What `degrees --graph circuit` says.
struct CircuitSummary: Encodable {
  struct Degrees: Encodable {
    let nodes: Int
    let inDegreeMean: Double
    let inDegreeMax: Int
    let outDegreeMean: Double
    let outDegreeMax: Int
  }

  let graph = "circuit"
  let nodes: Int
  let edges: Int
  let edgesByKind: [String: Int]
  let populations: [String: Degrees]
  let powerLaw: String? = nil
  let remark =
    "a circuit is a hub graph, about n at hubs and d at neurons, not a scale-free one: no power law is fitted"

  init(_ degrees: CircuitDegrees, _ circuit: CircuitGraph<Float>) {
    nodes = degrees.populations.reduce(0) { $0 + $1.names.count }
    edges = circuit.synapseCount
    edgesByKind = Dictionary(uniqueKeysWithValues: degrees.synapses.map { ($0.key.rawValue, $0.value) })
    populations = Dictionary(
      uniqueKeysWithValues: degrees.populations.map {
        func mean(_ values: [Int]) -> Double { Double(values.reduce(0, +)) / Double(max(1, values.count)) }
        return (
          $0.kind,
          Degrees(
            nodes: $0.names.count, inDegreeMean: mean($0.inDegree), inDegreeMax: $0.inDegree.max() ?? 0,
            outDegreeMean: mean($0.outDegree), outDegreeMax: $0.outDegree.max() ?? 0)
        )
      })
  }

  func lines(folder: String) -> [String] {
    var lines = ["population      nodes   in-degree mean / max     out-degree mean / max"]
    for kind in ["neuron", "token", "hub"] {
      guard let row = populations[kind] else { continue }
      lines.append(
        padded(kind, 10, right: false) + padded(grouped(row.nodes), 11)
          + padded("\(decimal(row.inDegreeMean, 1)) / \(grouped(row.inDegreeMax))", 25)
          + padded("\(decimal(row.outDegreeMean, 1)) / \(grouped(row.outDegreeMax))", 26))
    }
    lines.append("\(grouped(edges)) synapses; \(remark)")
    lines.append("written to \(folder): summary.json, nodes.csv, edges.csv, in_degree*.csv, out_degree*.csv")
    return lines
  }
}
