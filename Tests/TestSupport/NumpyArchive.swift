import CZip
import Foundation
import HatchlingCheckpoint

/// Arrays of a compressed `.npz` file, for golden values.
public enum NumpyArchive {
  public struct Unreadable: Error {
    public let path: String
    public let array: String
  }

  /// - Throws: ``Unreadable`` when the file is no archive or lacks one of the `names`; `CheckpointError` for a damaged array.
  public static func read(_ url: URL, _ names: [String]) throws -> [String: NumpyArray] {
    let archive = zip_open(url.path, ZIP_RDONLY, nil)
    defer { if let archive { zip_discard(archive) } }
    var arrays: [String: NumpyArray] = [:]
    for name in names {
      guard let archive, let content = content(of: name + ".npy", in: archive) else {
        throw Unreadable(path: url.path, array: name)
      }
      let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString + ".npy")
      try content.write(to: file)
      defer { try? FileManager.default.removeItem(at: file) }
      arrays[name] = try NumpyArray.read(file.path)
    }
    return arrays
  }

  private static func content(of entry: String, in archive: OpaquePointer) -> Data? {
    var status = zip_stat_t()
    guard zip_stat(archive, entry, 0, &status) == 0, let file = zip_fopen(archive, entry, 0) else {
      return nil
    }
    defer { zip_fclose(file) }
    var content = Data(count: Int(status.size))
    let read = content.withUnsafeMutableBytes { zip_fread(file, $0.baseAddress, status.size) }
    return read == Int64(status.size) ? content : nil
  }
}
