import Foundation

/// A checkpoint file of any supported format: named tensors and text metadata. Everything about the container is
/// validated before it is returned; numbers are read only when asked for.
public struct CheckpointFile: Sendable {
  public let path: String
  public let tensors: [String: TensorView]
  public let metadata: [String: String]
  /// What lies in the file under a name but is no tensor of numbers that are read here, by its type: `F8_E4M3`, `argparse.Namespace`.
  public let opaque: [String: String]

  /// Opens a safetensors file or a PyTorch state dict, told apart by their first bytes. - Throws: ``CheckpointError``.
  public static func open(_ path: String) throws(CheckpointError) -> CheckpointFile {
    var status = stat()
    if stat(path.systemPath, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
      let what = ForeignFormat.folder(path)
    {
      throw .unreadable(path: path, reason: what)
    }
    let file = try MappedFile(path: path)
    if file.bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || file.bytes.starts(with: [0x50, 0x4B, 0x05, 0x06])
    {
      return try PyTorchCheckpoint.read(file)
    }
    // The claimed length of the header tells a safetensors file from whatever happens to have a brace in the ninth place.
    let count = file.bytes.count
    let beginsObject = count <= 8 || [UInt8(ascii: "{"), UInt8(ascii: " ")].contains(file.bytes[8])
    let claim = count < 8 ? .max : UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
    let isSafetensors = beginsObject && claim <= UInt64(max(count - 8, Safetensors.largestHeader))
    if !isSafetensors, let what = ForeignFormat.name(file.bytes) {
      throw .unsupported(path: path, what: what)
    }
    guard beginsObject else {
      throw .damaged(
        path: path, place: "offset 0",
        problem: "neither a safetensors header nor a PyTorch zip archive begins here")
    }
    return try Safetensors.read(file)
  }
}
