import Foundation
import HatchlingCheckpoint
import HatchlingExport
import HatchlingGraph

/// A folder that a report is written into.
struct ReportFolder {
  private let path: String

  /// Makes the folder if it is not there. - Throws: `CheckpointError.unwritable`.
  init(_ path: String) throws {
    self.path = path
    try OutputPaths.makeFolder(path)
  }

  func file(_ name: String) -> String { path.hasSuffix("/") ? path + name : "\(path)/\(name)" }

  /// How many nodes have which degree.
  func write(_ degrees: [Int], _ name: String) throws {
    try AtomicFile.writeText(to: file(name)) { text in
      text.append("degree,count,ccdf\n")
      for row in DegreeDistribution(degrees).rows { text.append("\(row.degree),\(row.count),\(row.ccdf)\n") }
    }
  }

  /// `edges.csv`: the names of both ends, then `more`.
  func write(
    _ graph: ExportedGraph, header: String, more: (ExportedGraph.Kind) -> [EdgePiece]
  ) throws {
    try AtomicFile.writeText(to: file("edges.csv")) { text in
      text.append(header + "\n")
      for kind in graph.kinds {
        let ends: [EdgePiece] = ["\(kind.sourceLetter)", .source, ",\(kind.targetLetter)", .target]
        try text.append(kind, as: ends + more(kind) + ["\n"])
      }
    }
  }

  func write(summary: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let json = try encoder.encode(summary)
    try AtomicFile.writeText(to: file("summary.json")) { $0.append([UInt8](json) + [10]) }
  }
}
