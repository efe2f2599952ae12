import Foundation

/// A program in another process that does the same work, asked over pipes; see scripts/peers/protocol.py.
final class Peer {
  struct Missing: Error { let reason: String }

  /// What it is, with versions.
  let description: String
  private let process = Process()
  private let requests = Pipe()
  private let answers = Pipe()
  private var pending = Data()

  /// Starts `scripts/peers/NAME.py`. - Throws: ``Missing`` with the reason when it cannot run here.
  init(_ name: String, _ arguments: [String], settings: Settings) throws {
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [settings.python, "\(settings.root)/scripts/peers/\(name).py"] + arguments
    process.standardInput = requests
    process.standardOutput = answers
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch { throw Missing(reason: "\(settings.python) does not start: \(error)") }
    let reader = LineReader(answers.fileHandleForReading)
    self.reader = reader
    guard let line = reader.next(), let answer = Peer.object(line) else {
      throw Missing(reason: "\(name).py ended without a word; is \(settings.python) with NumPy installed?")
    }
    if let reason = answer["skip"] as? String { throw Missing(reason: reason) }
    description = answer["ready"] as? String ?? name
  }

  private let reader: LineReader

  /// - Throws: ``Missing`` when the peer reports an error or is gone.
  func ask(_ action: String, _ request: [String: Any] = [:]) throws -> [String: Double] {
    var request = request
    request["do"] = action
    let data = try JSONSerialization.data(withJSONObject: request)
    try requests.fileHandleForWriting.write(contentsOf: data + Data("\n".utf8))
    guard let line = reader.next(), let answer = Peer.object(line) else {
      throw Missing(reason: "the peer ended during '\(action)'")
    }
    if let error = answer["error"] as? String { throw Missing(reason: error) }
    return answer.compactMapValues { ($0 as? NSNumber)?.doubleValue }
  }

  /// The answer's `seconds`.
  func seconds(_ action: String, _ request: [String: Any] = [:]) throws -> Double {
    guard let seconds = try ask(action, request)["seconds"] else {
      throw Missing(reason: "the peer gave no time for '\(action)'")
    }
    return seconds
  }

  func stop() {
    try? requests.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  private static func object(_ line: Data) -> [String: Any]? {
    try? JSONSerialization.jsonObject(with: line) as? [String: Any]
  }
}

/// Lines of a pipe.
private final class LineReader {
  private let handle: FileHandle
  private var buffer = Data()

  init(_ handle: FileHandle) { self.handle = handle }

  func next() -> Data? {
    while true {
      if let end = buffer.firstIndex(of: 10) {
        let line = Data(buffer[..<end])
        buffer = Data(buffer[(end + 1)...])
        return line
      }
      let more = handle.availableData
      if more.isEmpty { return nil }
      buffer.append(more)
    }
  }
}
