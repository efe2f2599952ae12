import HatchlingCheckpoint
import HatchlingExport
import HatchlingGraph
import HatchlingNumerics

/// Neurons, tokens and hubs of a circuit; every kind of synapse once, no power law.
public struct CircuitDegreesReport: Encodable {
  private let circuit: CircuitGraph<Float>
  private let degrees: CircuitDegrees
  private static let remark =
    "a circuit is a hub graph, about n at hubs and d at neurons, not a scale-free one: no power law is fitted"

  public init(_ circuit: CircuitGraph<Float>) { (self.circuit, degrees) = (circuit, CircuitDegrees(circuit)) }

  /// Writes `summary.json`, `nodes.csv`, `edges.csv` and `in_degree*.csv`, `out_degree*.csv`; the folder is made if it is not there.
  /// - Throws: `CheckpointError`.
  public func write(into path: String) throws {
    let folder = try ReportFolder(path)
    for population in degrees.populations {
      try folder.write(population.inDegree, "in_degree_\(population.kind.rawValue).csv")
      try folder.write(population.outDegree, "out_degree_\(population.kind.rawValue).csv")
    }
    try folder.write(degrees.populations.flatMap(\.inDegree), "in_degree.csv")
    try folder.write(degrees.populations.flatMap(\.outDegree), "out_degree.csv")
    try writeNodes(folder)
    try folder.write(ExportedGraph(circuit), header: "source,target,kind,weight") {
      [",\($0.name),", .signedWeight]
    }
    try folder.write(summary: self)
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
        for index in population.heads.indices {
          let name = Particle(population.kind, index).name
          let head = population.heads[index].map(String.init) ?? ""
          text.append(
            "\(name),\(population.kind.rawValue),\(head),\(population.inDegree[index]),\(population.outDegree[index]),\(population.inStrength[index]),\(population.outStrength[index])\n"
          )
          try text.flushIfLarge()
        }
      }
    }
  }

  private static func mean(_ degrees: [Int]) -> Double {
    Double(degrees.reduce(0, +)) / Double(max(1, degrees.count))
  }

  public func encode(to encoder: any Encoder) throws {
    let populations = degrees.populations.map { population in
      let (into, out) = (population.inDegree, population.outDegree)
      let object: JSONObject = [
        "nodes": into.count, "in_degree_mean": Self.mean(into), "in_degree_max": into.max() ?? 0,
        "out_degree_mean": Self.mean(out), "out_degree_max": out.max() ?? 0,
      ]
      return (population.kind.rawValue, object)
    }
    let kinds = degrees.synapses.map { ($0.key.rawValue, $0.value) }
    let object: JSONObject = [
      "graph": "circuit", "nodes": degrees.populations.reduce(0) { $0 + $1.heads.count },
      "edges": circuit.synapseCount, "edges_by_kind": Dictionary(uniqueKeysWithValues: kinds),
      "populations": Dictionary(uniqueKeysWithValues: populations), "remark": Self.remark,
    ]
    try object.encode(to: encoder)
  }

  /// The report as a person reads it.
  public func lines(folder: String) -> [String] {
    func degrees(_ values: [Int]) -> String {
      "\(decimal(Self.mean(values), 1)) / \(grouped(values.max() ?? 0))"
    }
    let rows = self.degrees.populations.map {
      padded($0.kind.rawValue, 10, right: false) + padded(grouped($0.heads.count), 11)
        + padded(degrees($0.inDegree), 25) + padded(degrees($0.outDegree), 26)
    }
    return ["population      nodes   in-degree mean / max     out-degree mean / max"] + rows + [
      "\(grouped(circuit.synapseCount)) synapses; \(Self.remark)",
      "written to \(folder): summary.json, nodes.csv, edges.csv, in_degree*.csv, out_degree*.csv",
    ]
  }
}
