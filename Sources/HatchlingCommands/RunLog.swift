import Foundation
import HatchlingCheckpoint
import HatchlingPictures

/// A CSV log of a run, a line at a time as things happen. A resumed run keeps the lines up to its checkpoint and goes on after them.
final class RunLog {
  private let path: String
  private var descriptor: Int32

  /// - Parameters:
  ///   - header: the first line, names of columns; the first one counts steps.
  ///   - kind: what such a file is called.
  ///   - step: how many updates were done before; 0 begins a new log in place of an old one.
  /// - Throws: `CheckpointError` for a file that cannot be written, or one there that is no such log.
  init(path: String, header: String, kind: String, resumingAfter step: Int) throws {
    self.path = path
    let kept = try Self.lines(of: path, header: header, kind: kind, upTo: step)
    try AtomicFile.writeText(to: path) { text in
      for line in [header] + kept { text.append(line + "\n") }
    }
    descriptor = open(path.systemPath, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure }
  }

  deinit { close(descriptor) }

  private var failure: CheckpointError { .unwritable(path: path, reason: String(cString: strerror(errno))) }

  private static func lines(of path: String, header: String, kind: String, upTo step: Int) throws -> [String]
  {
    var status = stat()
    // An empty file is no log yet.
    guard stat(path.systemPath, &status) == 0, status.st_mode & S_IFMT != S_IFREG || status.st_size > 0 else {
      return []
    }
    let lines = try text(of: path).split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first.map(String.init) == header else {
      throw CheckpointError.unsupported(
        path: path, what: "it is not \(kind) of hatchling train; name another file")
    }
    // The last line may have been cut by a kill; a whole one has all columns.
    let commas = header.count { $0 == "," }
    return lines.dropFirst().filter { line in
      line.count { $0 == "," } == commas && line.prefix { $0 != "," }.isNumber(upTo: step)
    }.map(String.init)
  }

  private static func text(of path: String) throws -> String {
    let file = try MappedFile(path: path)
    return withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }
  }

  /// Appends a line, without its ending. - Throws: `CheckpointError.unwritable`, a full disk for example.
  func append(_ line: String) throws {
    var bytes = Array((line + "\n").utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if written >= 0 { bytes = bytes.dropFirst(written) } else if errno != EINTR { throw failure }
    }
  }

  /// The numbers of every line, NaN where there is none. - Throws: `CheckpointError`.
  func rows() throws -> [[Double]] {
    try Self.text(of: path).split(separator: "\n").dropFirst().map { line in
      line.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) ?? .nan }
    }
  }

  /// What a picture beside the log is called: as the log.
  var pictureName: String { String(path.nameInPath.dropLast(".csv".count)) }

  /// Draws `NAME.svg` and `NAME.png` beside the log, with data and commands.
  ///
  /// - Returns: `done` and where, or why there is no picture of `what`. - Throws: `CheckpointError`.
  func draw(_ picture: Picture, of what: String, done: String) throws -> String {
    let files = String(path.dropLast(".csv".count))
    return switch try picture.draw(into: path.folderOfPath) {
    case .drawn: "\(done) \(files).svg and .png"
    case .gnuplotMissing: "no picture of \(what): gnuplot is not installed; \(files).gp holds its commands"
    case .failed(let reason): "no picture of \(what): gnuplot says: \(reason)"
    }
  }
}

extension Substring {
  fileprivate func isNumber(upTo limit: Int) -> Bool { Int(self).map { $0 <= limit } ?? false }
}
