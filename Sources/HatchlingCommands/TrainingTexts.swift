import HatchlingCheckpoint
import HatchlingShards

/// The texts of a training run: what is learned, what is held out, and what each file was.
struct TrainingTexts {
  struct Source {
    let name: String
    let bytes: Int
    let sha256: String
    /// Bytes that are learned; the rest is held out.
    let learned: Int
  }

  let sources: [Source]
  /// The beginnings of all texts, one after another.
  private(set) var training: [UInt8] = []
  /// The ends of all texts, one after another.
  private(set) var heldOut: [UInt8] = []

  /// Reads files, or standard input for `-`; the last `fraction` of every one is held out. Every rank reads the files, and the first one standard
  /// input for all.
  /// - Throws: `CheckpointError` for a file that cannot be read, ``TextError`` for empty standard input.
  init(paths: [String], heldOut fraction: Double, ranks: Ranks? = nil) throws {
    var sources: [Source] = []
    if paths.count(where: { $0 == "-" }) > 1 { throw TextError.standardInputTwice }
    for path in paths {
      if path.hasSuffix(".npy") { throw TextError.noBytes(path: path) }
      let bytes =
        try path == "-"
        ? TextSource.bytes(path, ranks: ranks) : ranks.together { try TextSource.bytes(path) }
      if path == "-" && bytes.isEmpty { throw TextError.empty("standard input") }
      let name = path == "-" ? "standard input" : path.nameInPath.escaped
      let cut = bytes.count - Int(Double(bytes.count) * fraction)
      let hash = bytes.withUnsafeBytes(ContentHash.sha256)
      sources.append(Source(name: name, bytes: bytes.count, sha256: hash, learned: cut))
      training += bytes[..<cut]
      heldOut += bytes[cut...]
    }
    self.sources = sources
  }

  /// - Throws: ``TextError/tokenTooLarge(name:token:offset:vocabulary:)`` for the first byte that the network has no token for.
  func check(vocabulary: Int) throws {
    var (learned, held) = (training[...], heldOut[...])
    for source in sources {
      let parts = [learned.prefix(source.learned), held.prefix(source.bytes - source.learned)]
      for (part, before) in zip(parts, [0, source.learned]) {
        guard let place = part.firstIndex(where: { Int($0) >= vocabulary }) else { continue }
        throw TextError.tokenTooLarge(
          name: "'\(source.name)'", token: Int(part[place]), offset: before + place - part.startIndex,
          vocabulary: vocabulary)
      }
      learned = learned.dropFirst(source.learned)
      held = held.dropFirst(source.bytes - source.learned)
    }
  }

  /// SHA-256 of every text, in order.
  var hashes: String { sources.map(\.sha256).joined(separator: ",") }

  /// What the model's metadata says of the data: name, length and SHA-256 of every file.
  var provenance: String {
    sources.map { "\($0.name), \($0.bytes) bytes, sha256 \($0.sha256)" }.joined(separator: "; ")
  }
}
