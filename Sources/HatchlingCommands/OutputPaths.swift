import Foundation
import HatchlingCheckpoint

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
