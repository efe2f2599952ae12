import HatchlingCheckpoint
import HatchlingCompiler
import HatchlingExport
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Neurons, tokens and hubs of a circuit; every kind of synapse once, no power law.
public struct CircuitDegreesReport {
  private let circuit: CircuitGraph<Float>
  private let degrees: CircuitDegrees
  public let summary: CircuitSummary

  public init(_ circuit: CircuitGraph<Float>) {
    self.circuit = circuit
    degrees = CircuitDegrees(circuit)
    summary = CircuitSummary(degrees, circuit)
  }

  /// Writes `summary.json`, `nodes.csv`, `edges.csv` and `in_degree*.csv`, `out_degree*.csv`; the folder is made if it is not there.
  /// - Throws: `CheckpointError`.
  public func write(into path: String) throws {
    let folder = try ReportFolder(path)
    for population in degrees.populations {
      try folder.write(population.inDegree, "in_degree_\(population.kind).csv")
      try folder.write(population.outDegree, "out_degree_\(population.kind).csv")
    }
    try folder.write(degrees.populations.flatMap(\.inDegree), "in_degree.csv")
    try folder.write(degrees.populations.flatMap(\.outDegree), "out_degree.csv")
    try writeNodes(folder)
    try writeEdges(folder)
    try folder.write(summary: summary)
  }

  /// For other tools. - Throws: `CheckpointError`, ``TopologyMissing``.
  public func export(to path: String, laidOut always: Bool, seed: UInt64) throws {
    let format = try GraphFormat(path: path)
    _ = try format.write(
      HatchlingCommands.laidOut(ExportedGraph(circuit), format, always: always, seed: seed), to: path)
  }

  private func writeNodes(_ folder: ReportFolder) throws {
    try AtomicFile.writeText(to: folder.file("nodes.csv")) { text in
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

  private func writeEdges(_ folder: ReportFolder) throws {
    try AtomicFile.writeText(to: folder.file("edges.csv")) { text in
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

/// What goes into `summary.json` of a circuit.
public struct CircuitSummary: Encodable, Sendable {
  public struct Degrees: Encodable, Sendable {
    public let nodes: Int
    public let inDegreeMean: Double
    public let inDegreeMax: Int
    public let outDegreeMean: Double
    public let outDegreeMax: Int
  }

  public let graph = "circuit"
  public let nodes: Int
  public let edges: Int
  public let edgesByKind: [String: Int]
  public let populations: [String: Degrees]
  public let powerLaw: String? = nil
  public let remark =
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

  /// The summary as a person reads it.
  public func lines(folder: String) -> [String] {
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
