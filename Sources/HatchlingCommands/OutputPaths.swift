import Foundation
import HatchlingCheckpoint
import HatchlingExport
import HatchlingGraph
import HatchlingNumerics
import HatchlingTraining

/// Where results go.
package enum OutputPaths {
  /// Tries every place where results go, before the work: each can be written, no two are one file, and none is a file that the work
  /// reads. What is there stays as it is, and nothing new is left behind.
  ///
  /// - Parameters:
  ///   - files: nil for what is not wanted.
  ///   - folders: made where they are missing, and removed again.
  ///   - read: files that the work reads; `-`, standard input, is none.
  /// - Throws: ``OutputError``, `CheckpointError.unwritable`.
  package static func check(
    _ files: [String?], folders: [String?] = [], reading read: [String?] = []
  ) throws {
    let written = files.compactMap { $0 }
    for (index, path) in written.enumerated() {
      if written[..<index].contains(where: { isSame($0, path) }) { throw OutputError.twice(path: path) }
      if let read = read.compactMap({ $0 }).first(where: { $0 != "-" && isSame($0, path) }) {
        throw OutputError.overwrites(path: path, read: read)
      }
      try AtomicFile(path: path).discard()
    }
    for folder in folders.compactMap({ $0 }) {
      if isNamedAsFile(folder) { throw OutputError.isNamedAsFile(folder: folder) }
      let made = try Folder.make(folder)
      defer { Folder.remove(made) }
      try AtomicFile(path: "\(folder)/.hatchling-tries-this").discard()
    }
  }

  /// Whether a folder that does not exist yet has the name of a file, which somebody expects who asks for one picture or table.
  private static func isNamedAsFile(_ folder: String) -> Bool {
    let endings = [".csv", ".dat", ".h5", ".json", ".npy", ".nwb", ".pdf", ".png", ".svg", ".tsv", ".txt"]
    return access(folder.systemPath, F_OK) != 0 && endings.contains { folder.lowercased().hasSuffix($0) }
  }

  /// The same file through whatever links, or the same name where there is none yet.
  package static func isSame(_ first: String, _ second: String) -> Bool {
    var (a, b) = (stat(), stat())
    if stat(first.systemPath, &a) == 0, stat(second.systemPath, &b) == 0 {
      return a.st_dev == b.st_dev && a.st_ino == b.st_ino
    }
    // Links to nothing are followed by nobody: they cannot be written.
    guard first.nameInPath == second.nameInPath else { return false }
    return first.folderOfPath == second.folderOfPath || isSame(first.folderOfPath, second.folderOfPath)
  }
}

/// Places where results cannot go.
public enum OutputError: InputError, Equatable {
  /// `read` is the same file, perhaps by another name.
  case overwrites(path: String, read: String)
  case twice(path: String)
  /// Several files are written into a folder, whose name ends like one file's.
  case isNamedAsFile(folder: String)

  public var description: String {
    switch self {
    case .overwrites(let path, let read):
      "'\(path)' is \(path == read ? "" : "'\(read)', ")one of the files to read, and would be overwritten; choose another name"
    case .twice(let path): "'\(path)' would be written twice; choose another name for one of the files"
    case .isNamedAsFile(let folder):
      "'\(folder)' would be a folder, since several files are written; name it without .\(folder.split(separator: ".").last ?? ""), or make it first"
    }
  }
}

/// Whether a run's files have room, found out before hours of work.
enum DiskSpace {
  /// - Throws: `CheckpointError.unwritable` for too little room on the disk.
  static func check(checkpoint: String, _ trainer: any NetworkTrainer) throws {
    let weights = Double(trainer.memory.parameters) / 5
    // A new checkpoint exists beside the old one before it takes its place.
    let needed = weights + 2 * (4 * weights + Double(trainer.carriedBytes))
    var status = statvfs()
    guard statvfs(checkpoint.folderOfPath.systemPath, &status) == 0 else { return }
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
    try Folder.make(path)
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
    let json = try JSONEncoder.reports(.prettyPrinted).text(of: summary)
    try AtomicFile.writeText(to: file("summary.json")) { $0.append(json + "\n") }
  }
}
