import Foundation
import HatchlingCheckpoint

/// Where results go.
enum OutputPaths {
  /// Makes a folder and those above it, where they are missing. - Throws: `CheckpointError.unwritable`.
  static func makeFolder(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw CheckpointError.unwritable(path: path, reason: "the folder cannot be made")
    }
  }

  /// What a path is called in messages and metadata: its last part.
  static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

  /// Whether a training run's files are apart: nothing that it writes may be what it reads, or written twice.
  /// - Throws: `OptionError` that names both flags.
  static func check(_ command: TrainCommand) throws {
    var read = command.texts.filter { $0 != "-" }.map { ("the text", $0) }
    if let path = command.`init` { read.append(("--init", path)) }
    var written = [("--out", command.out), ("the checkpoint of --out", command.checkpointPath)]
    for (flag, log) in [("--log", command.log), ("--log-topology", command.logTopology)] {
      guard let log else { continue }
      // Pictures, their data and commands lie beside the log.
      for ending in [".csv", ".svg", ".png", ".gp", ".dat", "-training.dat", "-held-out.dat"] {
        written.append((flag, String(log.dropLast(4)) + ending))
      }
    }
    for (index, (flag, path)) in written.enumerated() {
      for (other, second) in read + written[..<index] where isSame(path, second) {
        throw OptionError.bad("\(flag) would overwrite '\(second)', which is \(other); name another file")
      }
    }
    // The checkpoint that a run goes on from is replaced by its later ones, but by nothing else.
    if let resume = command.resume {
      for (flag, path) in written where flag != "the checkpoint of --out" && isSame(path, resume) {
        throw OptionError.bad("\(flag) would overwrite '\(resume)', which is --resume; name another file")
      }
    }
  }

  /// The same file through whatever links, or the same name where there is none yet.
  static func isSame(_ first: String, _ second: String) -> Bool {
    var (a, b) = (stat(), stat())
    if stat(first, &a) == 0, stat(second, &b) == 0 { return a.st_dev == b.st_dev && a.st_ino == b.st_ino }
    func plain(_ path: String) -> URL { URL(fileURLWithPath: path).resolvingSymlinksInPath().standardized }
    return plain(first) == plain(second)
  }
}
