import Foundation
import HatchlingCheckpoint

/// Reads a file line by line without holding it: lines end with LF or CRLF, the last may lack its ending. A byte-order mark at
/// the beginning is dropped. Bytes are otherwise left as they are, valid UTF-8 or not.
struct LineReader {
  private let path: String
  private let file: FileHandle
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false
  /// Bytes read up to now, and the file's length; 0 for a pipe.
  private(set) var done = 0
  let total: Int
  private static let piece = 1 << 16
  /// Longer lines are no sentences: the file is no text.
  private static let longestLine = 1 << 26

  /// - Throws: `CheckpointError.unreadable`.
  init(path: String) throws {
    self.path = path
    var status = stat()
    let descriptor = open(path.systemPath, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw CheckpointError.unreadable(path: path, reason: String(cString: strerror(errno)))
    }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    let isKnown = fstat(descriptor, &status) == 0
    total = isKnown && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0
    if isKnown, status.st_mode & S_IFMT == S_IFDIR {
      throw CheckpointError.unreadable(path: path, reason: "it is a directory")
    }
    try fill()
    if buffer.starts(with: [0xEF, 0xBB, 0xBF]) { start = 3 }
  }

  /// The next line without its ending; nil after the last. An empty file has no line.
  mutating func next() throws -> ArraySlice<UInt8>? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: 10) {
        defer { start = end + 1 }
        return buffer[start..<end].droppingCarriageReturn
      }
      if isAtEnd {
        defer { start = buffer.endIndex }
        return start < buffer.endIndex ? buffer[start...].droppingCarriageReturn : nil
      }
      guard buffer.count - start <= Self.longestLine else {
        throw CheckpointError.unsupported(path: path, what: "a line is longer than 64 MiB; is it a text?")
      }
      let held = buffer.count - start
      buffer.removeSubrange(..<start)
      start = 0
      searched = held
      try fill()
    }
  }

  private mutating func fill() throws {
    do {
      let bytes = try file.read(upToCount: Self.piece) ?? Data()
      isAtEnd = bytes.isEmpty
      done += bytes.count
      buffer.append(contentsOf: bytes)
    } catch {
      throw CheckpointError.unreadable(path: path, reason: String(cString: strerror(errno)))
    }
  }
}

extension ArraySlice<UInt8> {
  fileprivate var droppingCarriageReturn: ArraySlice<UInt8> { last == 13 ? dropLast() : self }
}
