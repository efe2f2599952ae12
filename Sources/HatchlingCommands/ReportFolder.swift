import Foundation
import HatchlingCheckpoint
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

  func write(summary: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let whole = try AtomicFile(path: file("summary.json"))
    try whole.write([UInt8](try encoder.encode(summary)) + [10])
    try whole.commit()
  }
}
