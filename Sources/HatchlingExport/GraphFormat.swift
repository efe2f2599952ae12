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

  /// - Throws: ``ExportError/unknownEnding(_:)``.
  public init(path: String) throws(ExportError) {
    guard let dot = path.lastIndex(of: "."),
      let format = GraphFormat(rawValue: String(path[path.index(after: dot)...]))
    else { throw .unknownEnding(path) }
    self = format
  }

  /// Writes the graph, streaming; every file appears whole or not at all. Returns the files.
  ///
  /// Cost: one walk over nodes and edges, some 100 ns per edge; memory does not grow with their number.
  /// - Throws: `CheckpointError.unwritable`.
  public func write(_ graph: ExportedGraph, to path: String) throws -> [String] {
    switch self {
    case .csv: return [try writeCSV(graph, path), try writeNodes(graph, path)]
    case .graphml: return [try writeGraphML(graph, path)]
    case .gexf: return [try writeGEXF(graph, path)]
    case .mtx: return try writeMatrixMarket(graph, path) + [try writeNodes(graph, path)]
    }
  }

  private func writeCSV(_ graph: ExportedGraph, _ path: String) throws -> String {
    try writeText(path) { text in
      text.append("source,target,kind,sign,weight\n")
      for kind in graph.kinds {
        let (start, middle) = ([UInt8]("\(kind.sourceLetter)".utf8), [UInt8](",\(kind.targetLetter)".utf8))
        let ends = SignedFragments { [UInt8](",\(kind.name),\($0.rawValue),".utf8) }
        try kind.forEachEdge { edge in
          text.append(start)
          text.append(edge.source)
          text.append(middle)
          text.append(edge.target)
          text.append(ends[edge.sign])
          if let weight = edge.weight { text.append(weight) }
          text.append(byte: 10)
          try text.flushIfLarge()
        }
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
        try kind.forEachEdge { edge in
          text.append(edge.source + 1)
          text.append(byte: 32)
          text.append(edge.target + 1)
          if let weight = edge.weight {
            text.append(byte: 32)
            text.append(edge.sign == .inhibitory ? -weight : weight)
          }
          text.append(byte: 10)
          try text.flushIfLarge()
        }
      }
    }
  }

  /// Writes one file whole or not at all; returns its name.
  func writeText(_ path: String, _ body: (inout TextBuffer) throws -> Void) throws -> String {
    try AtomicFile.writeText(to: path, body)
    return path
  }
}

/// The same piece of text for either sign, made once.
struct SignedFragments {
  private let excitatory: [UInt8]
  private let inhibitory: [UInt8]

  init(_ make: (Sign) -> [UInt8]) { (excitatory, inhibitory) = (make(.excitatory), make(.inhibitory)) }

  subscript(_ sign: Sign) -> [UInt8] { sign == .excitatory ? excitatory : inhibitory }
}

/// A graph that cannot be exported as asked.
public enum ExportError: InputError, Equatable {
  case unknownEnding(String)

  public var description: String {
    switch self {
    case .unknownEnding(let path):
      "'\(path)': the ending chooses the format; use .graphml, .gexf, .csv or .mtx"
    }
  }
}
