import Foundation
import HatchlingCheckpoint
import HatchlingNumerics

/// The texts of a training run: what is learned, what is held out, and what each file was.
struct TrainingTexts {
  struct Source {
    let name: String
    let bytes: Int
    let sha256: String
  }

  let sources: [Source]
  /// The beginnings of all texts, one after another.
  private(set) var training: [UInt8] = []
  /// The ends of all texts, one after another.
  private(set) var heldOut: [UInt8] = []

  /// Reads files, or standard input for `-`; the last `fraction` of every one is held out.
  /// - Throws: `CheckpointError` for a file that cannot be read, ``TextError`` for an empty one.
  init(paths: [String], heldOut fraction: Double) throws {
    var sources: [Source] = []
    for path in paths {
      if path.hasSuffix(".npy") {
        throw OptionError.bad("'\(path)': training reads bytes; a token array can be stepped, not trained on")
      }
      let bytes = try Self.read(path)
      let name = path == "-" ? "standard input" : (path.split(separator: "/").last.map(String.init) ?? path)
      sources.append(
        Source(name: name, bytes: bytes.count, sha256: bytes.withUnsafeBytes(ContentHash.sha256)))
      let cut = bytes.count - Int(Double(bytes.count) * fraction)
      training += bytes[..<cut]
      heldOut += bytes[cut...]
    }
    self.sources = sources
  }

  private static func read(_ path: String) throws -> [UInt8] {
    if path == "-" {
      let bytes = try FileHandle.standardInput.readToEnd() ?? Data()
      guard !bytes.isEmpty else { throw TextError.empty("standard input") }
      return Array(bytes)
    }
    let file = try MappedFile(path: path)
    // The mapping goes away with `file`.
    return withExtendedLifetime(file) { Array(file.bytes) }
  }

  /// What the model's metadata says of the data: name, length and SHA-256 of every file.
  var provenance: String {
    sources.map { "\($0.name), \($0.bytes) bytes, sha256 \($0.sha256)" }.joined(separator: "; ")
  }
}
