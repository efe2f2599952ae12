import HatchlingCheckpoint
import HatchlingGraph
import HatchlingNumerics

/// The formats that other tools read, told by the ending of a file's name.
///
/// Node attributes are kind, head, frequency bucket and community; edge attributes kind, sign and weight. GraphML and GEXF hold them all in
/// one file; CSV and Matrix Market hold edges, and nodes go into a second file that ends in `.nodes.csv`.
public enum GraphFormat: String, CaseIterable, Sendable {
  /// igraph, NetworkX, Gephi, Cytoscape.
  case graphml
  /// Gephi; the only one with positions.
  case gexf
  /// `source,target,kind,sign,weight`.
  case csv
  /// Matrix Market, one file per kind of synapse.
  case mtx
  /// SONATA nodes and edges, HDF5: libsonata, bmtk; a circuit is read back (``SonataNetwork``).
  case sonata = "h5"

  /// - Throws: ``ExportError/unknownEnding(_:)``; ``ExportError/withoutHDF5(_:)`` for SONATA in a program without it.
  public init(path: String) throws(ExportError) {
    guard let dot = path.lastIndex(of: "."),
      let format = GraphFormat(rawValue: String(path[path.index(after: dot)...]))
    else { throw .unknownEnding(path) }
    #if !HDF5
      guard format != .sonata else { throw .withoutHDF5(path) }
    #endif
    self = format
  }

  /// Writes the graph, streaming; every file appears whole or not at all. Returns the files.
  ///
  /// Cost: one walk over nodes and edges, some 100 ns per edge; memory does not grow with their number.
  /// - Throws: `CheckpointError.unwritable`; ``ExportError/withoutHDF5(_:)`` for SONATA in a program without it.
  public func write(_ graph: ExportedGraph, to path: String) throws -> [String] {
    switch self {
    case .csv: return [try writeCSV(graph, path), try writeNodes(graph, path)]
    case .graphml: return [try writeGraphML(graph, path)]
    case .gexf: return [try writeGEXF(graph, path)]
    case .mtx: return try writeMatrixMarket(graph, path) + [try writeNodes(graph, path)]
    case .sonata:
      #if HDF5
        return try SonataNetwork.write(graph, to: path)
      #else
        throw ExportError.withoutHDF5(path)
      #endif
    }
  }

  private func writeCSV(_ graph: ExportedGraph, _ path: String) throws -> String {
    try writeText(path) { text in
      text.append("source,target,kind,sign,weight\n")
      for kind in graph.kinds {
        try text.append(
          kind,
          as: [
            "\(kind.source.letter)", .source, ",\(kind.target.letter)", .target, ",\(kind.name),", .sign, ",",
            .weighted([.weight]), "\n",
          ])
      }
    }
  }

  /// Node attributes for the formats that have no place for them.
  private func writeNodes(_ graph: ExportedGraph, _ path: String) throws -> String {
    try writeText(String(path.dropLast(rawValue.count)) + "nodes.csv") { text in
      text.append("node,kind,head,frequency_bucket,community\n")
      try graph.forEachNode { node in
        text.append(node.name)
        text.append(",\(node.kind)")
        for value in [node.head, node.frequencyBucket, node.community] {
          text.append(byte: 44)
          if let value { text.append(value) }
        }
        text.append(byte: 10)
        try text.flushIfLarge()
      }
    }
  }

  /// One file per kind: `circuit.mtx` becomes `circuit.x.mtx` and so on. Rows are sources, columns targets, numbered from 1; an
  /// inhibitory synapse has a negative entry, and kinds without fixed weights are patterns.
  private func writeMatrixMarket(_ graph: ExportedGraph, _ path: String) throws -> [String] {
    try graph.kinds.filter { $0.edges > 0 }.map { kind in
      try writeText("\(path.dropLast(".mtx".count)).\(kind.name).mtx") { text in
        text.append("%%MatrixMarket matrix coordinate \(kind.hasWeights ? "real" : "pattern") general\n")
        text.append("% \(kind.name) synapses: row = source, column = target; negative = inhibitory\n")
        text.append("\(kind.sources) \(kind.targets) \(kind.edges)\n")
        try text.append(kind, as: [.sourceFrom1, " ", .targetFrom1, .weighted([" ", .signedWeight]), "\n"])
      }
    }
  }

  /// Writes one file whole or not at all; returns its name.
  private func writeText(_ path: String, _ body: (inout TextBuffer) throws -> Void) throws -> String {
    try AtomicFile.writeText(to: path, body)
    return path
  }

  private func writeGraphML(_ graph: ExportedGraph, _ path: String) throws -> String {
    try writeText(path) { text in
      text.append(
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <graphml xmlns="http://graphml.graphdrawing.org/xmlns">
        <key id="nk" for="node" attr.name="kind" attr.type="string"/>
        <key id="nh" for="node" attr.name="head" attr.type="long"/>
        <key id="nf" for="node" attr.name="frequency_bucket" attr.type="long"/>
        <key id="nc" for="node" attr.name="community" attr.type="long"/>
        <key id="ek" for="edge" attr.name="kind" attr.type="string"/>
        <key id="es" for="edge" attr.name="sign" attr.type="string"/>
        <key id="ew" for="edge" attr.name="weight" attr.type="double"/>
        <graph edgedefault="directed">

        """)
      try graph.forEachNode { node in
        text.append("<node id=\"\(node.name)\"><data key=\"nk\">\(node.kind)</data>")
        for (key, value) in [("nh", node.head), ("nf", node.frequencyBucket), ("nc", node.community)] {
          if let value { text.append("<data key=\"\(key)\">\(value)</data>") }
        }
        text.append("</node>\n")
        try text.flushIfLarge()
      }
      for kind in graph.kinds {
        try text.append(
          kind,
          as: [
            "<edge source=\"\(kind.source.letter)", .source, "\" target=\"\(kind.target.letter)", .target,
            "\"><data key=\"ek\">\(kind.name)</data><data key=\"es\">", .sign, "</data>",
            .weighted(["<data key=\"ew\">", .weight, "</data>"]), "</edge>\n",
          ])
      }
      text.append("</graph>\n</graphml>\n")
    }
  }

  private func writeGEXF(_ graph: ExportedGraph, _ path: String) throws -> String {
    try writeText(path) { text in
      text.append(
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <gexf xmlns="http://www.gexf.net/1.2draft" xmlns:viz="http://www.gexf.net/1.2draft/viz" version="1.2">
        <graph defaultedgetype="directed">
        <attributes class="node"><attribute id="0" title="kind" type="string"/><attribute id="1" title="head" type="integer"/><attribute id="2" title="frequency_bucket" type="integer"/><attribute id="3" title="community" type="integer"/></attributes>
        <attributes class="edge"><attribute id="0" title="kind" type="string"/><attribute id="1" title="sign" type="string"/></attributes>
        <nodes>

        """)
      try graph.forEachNode { node in
        text.append("<node id=\"\(node.name)\" label=\"\(node.name)\"><attvalues>")
        text.append("<attvalue for=\"0\" value=\"\(node.kind)\"/>")
        for (key, value) in [("1", node.head), ("2", node.frequencyBucket), ("3", node.community)] {
          if let value { text.append("<attvalue for=\"\(key)\" value=\"\(value)\"/>") }
        }
        text.append("</attvalues>")
        if let position = node.position {
          text.append("<viz:position x=\"\(position.x)\" y=\"\(position.y)\" z=\"0.0\"/>")
        }
        text.append("</node>\n")
        try text.flushIfLarge()
      }
      text.append("</nodes>\n<edges>\n")
      var first = 0
      for kind in graph.kinds {
        try text.append(
          kind, numberedFrom: first,
          as: [
            "<edge id=\"", .number, "\" source=\"\(kind.source.letter)", .source,
            "\" target=\"\(kind.target.letter)", .target, .weighted(["\" weight=\"", .weight]),
            "\"><attvalues><attvalue for=\"0\" value=\"\(kind.name)\"/><attvalue for=\"1\" value=\"", .sign,
            "\"/></attvalues></edge>\n",
          ])
        first += kind.edges
      }
      text.append("</edges>\n</graph>\n</gexf>\n")
    }
  }
}

/// A piece of the line that an edge is written as.
package enum EdgePiece: ExpressibleByStringInterpolation {
  case text([UInt8])
  /// How many edges stand before it.
  case number
  /// The numbers of its particles, counted from 0 or from 1.
  case source, target, sourceFrom1, targetFrom1
  case sign
  /// The weight; the signed one is negative for an inhibitory edge.
  case weight, signedWeight
  /// What only an edge with a weight has.
  indirect case weighted([EdgePiece])

  package init(stringLiteral text: String) { self = .text([UInt8](text.utf8)) }
}

extension TextBuffer {
  /// Every edge of a kind.
  package mutating func append(
    _ kind: ExportedGraph.Kind, numberedFrom first: Int = 0, as pieces: [EdgePiece]
  ) throws {
    var number = first
    try kind.forEachEdge { edge in
      append(edge, number, pieces)
      number += 1
      try flushIfLarge()
    }
  }

  private mutating func append(_ edge: ExportedEdge, _ number: Int, _ pieces: [EdgePiece]) {
    for piece in pieces {
      switch piece {
      case .text(let text): append(text)
      case .number: append(number)
      case .source: append(edge.source)
      case .target: append(edge.target)
      case .sourceFrom1: append(edge.source + 1)
      case .targetFrom1: append(edge.target + 1)
      case .sign: append(edge.sign.rawValue)
      case .weight: if let weight = edge.weight { append(weight) }
      case .signedWeight: if let weight = edge.weight { append(edge.sign == .inhibitory ? -weight : weight) }
      case .weighted(let pieces): if edge.weight != nil { append(edge, number, pieces) }
      }
    }
  }
}

/// A graph that cannot be exported as asked.
public enum ExportError: InputError, Equatable {
  case unknownEnding(String)
  case withoutHDF5(String)

  public var description: String {
    switch self {
    case .unknownEnding(let path):
      "'\(path)': the ending chooses the format; use .graphml, .gexf, .csv, .mtx or .h5"
    case .withoutHDF5(let path):
      "'\(path)': this program was built without HDF5 (package trait HDF5); use .graphml, .gexf, .csv or .mtx"
    }
  }
}
