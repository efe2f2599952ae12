import HatchlingCheckpoint
import HatchlingNumerics

/// The formats that other tools read, told by the ending of a file's name.
public enum GraphFormat: String, CaseIterable, Sendable {
  /// igraph, NetworkX, Gephi, Cytoscape.
  case graphml
  /// Gephi.
  case gexf
  /// `source,target,kind,sign,weight`.
  case csv
  /// Matrix Market, one file per kind of synapse.
  case mtx

  /// - Throws: ``ExportError/unknownEnding(_:)``.
  public init(path: String) throws(ExportError) {
    guard let dot = path.lastIndex(of: "."),
      let format = GraphFormat(rawValue: String(path[path.index(after: dot)...]))
    else { throw .unknownEnding(path) }
    self = format
  }

  /// Writes the graph, streaming; every file appears whole or not at all. Returns the files.
  public func write(_ graph: ExportedGraph, to path: String) throws -> [String] {
    switch self {
    case .csv: try writeCSV(graph, path)
    case .graphml: try writeGraphML(graph, path)
    case .gexf: try writeGEXF(graph, path)
    case .mtx: return try writeMatrixMarket(graph, path)
    }
    return [path]
  }

  private func writeCSV(_ graph: ExportedGraph, _ path: String) throws {
    let file = try AtomicFile(path: path)
    try file.write("source,target,kind,sign,weight\n")
    for kind in graph.kinds {
      try graph.forEachEdge(kind.name) { edge in
        let weight = edge.weight.map(Self.shortest) ?? ""
        try file.write("\(edge.source),\(edge.target),\(edge.kind),\(edge.sign),\(weight)\n")
      }
    }
    try file.commit()
  }

  private func writeGraphML(_ graph: ExportedGraph, _ path: String) throws {
    let file = try AtomicFile(path: path)
    try file.write(
      """
      <?xml version="1.0" encoding="UTF-8"?>
      <graphml xmlns="http://graphml.graphdrawing.org/xmlns">
      <key id="nk" for="node" attr.name="kind" attr.type="string"/>
      <key id="nh" for="node" attr.name="head" attr.type="long"/>
      <key id="nf" for="node" attr.name="frequency_bucket" attr.type="long"/>
      <key id="ek" for="edge" attr.name="kind" attr.type="string"/>
      <key id="es" for="edge" attr.name="sign" attr.type="string"/>
      <key id="ew" for="edge" attr.name="weight" attr.type="double"/>
      <graph edgedefault="directed">

      """)
    try graph.forEachNode { node in
      var line = "<node id=\"\(node.name)\"><data key=\"nk\">\(node.kind)</data>"
      if let head = node.head { line += "<data key=\"nh\">\(head)</data>" }
      if let bucket = node.frequencyBucket { line += "<data key=\"nf\">\(bucket)</data>" }
      try file.write(line + "</node>\n")
    }
    for kind in graph.kinds {
      try graph.forEachEdge(kind.name) { edge in
        let weight = edge.weight.map { "<data key=\"ew\">\(Self.shortest($0))</data>" } ?? ""
        try file.write(
          "<edge source=\"\(edge.source)\" target=\"\(edge.target)\"><data key=\"ek\">\(edge.kind)</data><data key=\"es\">\(edge.sign)</data>\(weight)</edge>\n"
        )
      }
    }
    try file.write("</graph>\n</graphml>\n")
    try file.commit()
  }

  private func writeGEXF(_ graph: ExportedGraph, _ path: String) throws {
    let file = try AtomicFile(path: path)
    try file.write(
      """
      <?xml version="1.0" encoding="UTF-8"?>
      <gexf xmlns="http://gexf.net/1.2" version="1.2">
      <graph defaultedgetype="directed">
      <attributes class="node"><attribute id="0" title="kind" type="string"/><attribute id="1" title="head" type="integer"/><attribute id="2" title="frequency_bucket" type="integer"/></attributes>
      <attributes class="edge"><attribute id="0" title="kind" type="string"/><attribute id="1" title="sign" type="string"/></attributes>
      <nodes>

      """)
    try graph.forEachNode { node in
      var values = "<attvalue for=\"0\" value=\"\(node.kind)\"/>"
      if let head = node.head { values += "<attvalue for=\"1\" value=\"\(head)\"/>" }
      if let bucket = node.frequencyBucket { values += "<attvalue for=\"2\" value=\"\(bucket)\"/>" }
      try file.write(
        "<node id=\"\(node.name)\" label=\"\(node.name)\"><attvalues>\(values)</attvalues></node>\n")
    }
    try file.write("</nodes>\n<edges>\n")
    var number = 0
    for kind in graph.kinds {
      try graph.forEachEdge(kind.name) { edge in
        let weight = edge.weight.map { " weight=\"\(Self.shortest($0))\"" } ?? ""
        try file.write(
          "<edge id=\"\(number)\" source=\"\(edge.source)\" target=\"\(edge.target)\"\(weight)><attvalues><attvalue for=\"0\" value=\"\(edge.kind)\"/><attvalue for=\"1\" value=\"\(edge.sign)\"/></attvalues></edge>\n"
        )
        number += 1
      }
    }
    try file.write("</edges>\n</graph>\n</gexf>\n")
    try file.commit()
  }

  /// One file per kind: `circuit.mtx` becomes `circuit.x.mtx` and so on. Rows are sources, columns targets, numbered from 1; an
  /// inhibitory synapse has a negative entry, and kinds without fixed weights are patterns.
  private func writeMatrixMarket(_ graph: ExportedGraph, _ path: String) throws -> [String] {
    var files: [String] = []
    for kind in graph.kinds where kind.edges > 0 {
      let name = "\(path.dropLast(".mtx".count)).\(kind.name).mtx"
      let isPattern = ["plastic", "token_plastic", "partner"].contains(kind.name)
      let file = try AtomicFile(path: name)
      try file.write("%%MatrixMarket matrix coordinate \(isPattern ? "pattern" : "real") general\n")
      try file.write("% \(kind.name) synapses: row = source, column = target; negative = inhibitory\n")
      try file.write("\(kind.sources) \(kind.targets) \(kind.edges)\n")
      try graph.forEachEdge(kind.name) { edge in
        let sign = edge.sign == "inhibitory" ? "-" : ""
        let weight = edge.weight.map { " \(sign)\(Self.shortest($0))" } ?? ""
        try file.write("\(edge.sourceIndex + 1) \(edge.targetIndex + 1)\(weight)\n")
      }
      try file.commit()
      files.append(name)
    }
    return files
  }

  /// The shortest decimal that reads back as the same number; float32 weights print as float32.
  static func shortest(_ value: Double) -> String {
    Double(Float(value)) == value ? Float(value).description : value.description
  }
}

/// A graph that cannot be exported as asked.
public enum ExportError: InputError, Equatable {
  case unknownEnding(String)

  public var description: String {
    switch self {
    case .unknownEnding(let path):
      "--out '\(path)': the ending chooses the format; use .graphml, .gexf, .csv or .mtx"
    }
  }
}
