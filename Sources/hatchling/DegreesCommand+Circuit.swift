import Foundation
import HatchlingCheckpoint
import HatchlingCompiler
import HatchlingExport
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

extension DegreesCommand {
  /// Neurons, tokens and hubs; every kind of synapse once, no power law.
  func runCircuit() throws {
    let workers = Workers(threads: threads)
    let loaded = try model.load(workers: workers)
    let circuit = try Compiler().circuit(from: loaded.weights, workers: workers).graph
    let degrees = CircuitDegrees(circuit)
    try OutputPaths.makeFolder(out)
    for population in degrees.populations {
      try writeDistribution(population.inDegree, "in_degree_\(population.kind).csv")
      try writeDistribution(population.outDegree, "out_degree_\(population.kind).csv")
    }
    try writeDistribution(degrees.populations.flatMap(\.inDegree), "in_degree.csv")
    try writeDistribution(degrees.populations.flatMap(\.outDegree), "out_degree.csv")
    try writeNodes(degrees)
    try writeEdges(circuit)
    if let export {
      let format = try GraphFormat(path: export)
      let exported = ExportedGraph(circuit)
      _ = try format.write(laidOut(exported, format, always: layout, seed: seed), to: export)
    }
    let summary = CircuitSummary(degrees, circuit)
    try writeSummary(summary)
    if json { try Output.json(summary) } else { Output.lines(summary.lines(folder: out)) }
  }

  private func writeNodes(_ degrees: CircuitDegrees) throws {
    try AtomicFile.writeText(to: path("nodes.csv")) { text in
      text.append("node,kind,head,in_degree,out_degree,in_strength,out_strength\n")
      for population in degrees.populations {
        for index in population.names.indices {
          let head = population.heads[index].map(String.init) ?? ""
          text.append(
            "\(population.names[index]),\(population.kind),\(head),\(population.inDegree[index]),\(population.outDegree[index]),\(population.inStrength[index]),\(population.outStrength[index])\n"
          )
          try text.flushIfLarge()
        }
      }
    }
  }

  private func writeEdges(_ circuit: CircuitGraph<Float>) throws {
    try AtomicFile.writeText(to: path("edges.csv")) { text in
      text.append("source,target,kind,weight\n")
      try circuit.forEachSynapse { synapse in
        text.append("\(synapse.presynaptic.name),\(synapse.postsynaptic.name),\(synapse.kind.rawValue),")
        if let weight = synapse.weight { text.append(Double(synapse.sign == .inhibitory ? -weight : weight)) }
        text.append(byte: 10)
        try text.flushIfLarge()
      }
    }
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
