/// A zip archive without compression, as `torch.save` packs it.
enum StoredZip {
  static func pack(_ entries: [(name: String, content: [UInt8])]) -> [UInt8] {
    var (archive, directory): ([UInt8], [UInt8]) = ([], [])
    for (name, content) in entries {
      let name = [UInt8](name.utf8)
      let sizes =
        bytes(of: UInt32(0)) + bytes(of: UInt32(content.count)) + bytes(of: UInt32(content.count))
        + bytes(of: UInt16(name.count)) + [0, 0]
      directory += [0x50, 0x4B, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] + sizes
      directory += [UInt8](repeating: 0, count: 10) + bytes(of: UInt32(archive.count)) + name
      archive += [0x50, 0x4B, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] + sizes + name + content
    }
    let count = bytes(of: UInt16(entries.count))
    return archive + directory + [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + count + count
      + bytes(of: UInt32(directory.count)) + bytes(of: UInt32(archive.count)) + [0, 0]
  }

  /// A PyTorch archive around a pickle, with six storages of 256 bytes.
  static func torch(pickle: [UInt8]) -> [UInt8] {
    let storage = (0..<64).flatMap { bytes(of: (Float($0) / 64).bitPattern) }
    return pack(
      [("m/data.pkl", pickle), ("m/byteorder", Array("little".utf8))]
        + (0..<6).map { ("m/data/\($0)", storage) })
  }
}
