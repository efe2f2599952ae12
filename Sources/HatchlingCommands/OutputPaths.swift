import Foundation
import HatchlingCheckpoint
import HatchlingExport
import HatchlingGraph
import HatchlingTraining

/// Where results go.
package enum OutputPaths {
  /// Makes a folder and those above it, where they are missing. - Throws: `CheckpointError.unwritable`.
  package static func makeFolder(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw CheckpointError.unwritable(path: path, reason: "the folder cannot be made")
    }
  }

  /// What a path is called in messages and metadata: its last part.
  package static func name(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// The same file through whatever links, or the same name where there is none yet.
  package static func isSame(_ first: String, _ second: String) -> Bool {
    var (a, b) = (stat(), stat())
    if stat(first, &a) == 0, stat(second, &b) == 0 { return a.st_dev == b.st_dev && a.st_ino == b.st_ino }
    func plain(_ path: String) -> URL { URL(fileURLWithPath: path).resolvingSymlinksInPath().standardized }
    return plain(first) == plain(second)
  }
}

/// Whether a run's files can be written, found out before hours of work.
enum DiskSpace {
  /// - Throws: `CheckpointError.unwritable` for a folder that cannot be written, or too little room on its disk.
  static func check(model: String, checkpoint: String, _ trainer: Trainer<Float>) throws {
    // Made and discarded: the folder is there and may be written.
    for path in [model, checkpoint] { try AtomicFile(path: path).discard() }
    let sizes = trainer.weights.hyperparameters
    let weights = 4.0 * Double(sizes.parameters)
    let carried = trainer.options.carry ? 4.0 * Double(trainer.options.batch) * Double(sizes.stateSize) : 0
    // A new checkpoint exists beside the old one before it takes its place.
    let needed = weights + 2 * (4 * weights + carried)
    var status = statvfs()
    let folder = URL(fileURLWithPath: checkpoint).deletingLastPathComponent().path
    guard statvfs(folder, &status) == 0 else { return }
    let free = Double(status.f_bavail) * Double(status.f_frsize)
    guard free >= needed else {
      throw CheckpointError.unwritable(
        path: checkpoint,
        reason:
          "\(TrainingMemory.text(Int(free))) are free on its disk and model and checkpoints need \(TrainingMemory.text(Int(needed)))"
      )
    }
  }
}

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
  func write(_ graph: ExportedGraph, header: String, more: (ExportedGraph.Kind) -> [EdgePiece]) throws {
    try AtomicFile.writeText(to: file("edges.csv")) { text in
      text.append(header + "\n")
      for kind in graph.kinds {
        let ends: [EdgePiece] = ["\(kind.source.letter)", .source, ",\(kind.target.letter)", .target]
        try text.append(kind, as: ends + more(kind) + ["\n"])
      }
    }
  }

  func write(summary: some Encodable) throws {
    let json = try JSONEncoder.reports(.prettyPrinted).encode(summary)
    try AtomicFile.writeText(to: file("summary.json")) { $0.append([UInt8](json) + [10]) }
  }
}
