/// A checkpoint file of any supported format: named tensors and text metadata. Everything about the container is
/// validated before it is returned; numbers are read only when asked for.
public struct CheckpointFile: Sendable {
  public let path: String
  public let tensors: [String: TensorView]
  public let metadata: [String: String]

  /// Opens a safetensors file or a PyTorch state dict, told apart by their first bytes. - Throws: ``CheckpointError``.
  public static func open(_ path: String) throws(CheckpointError) -> CheckpointFile {
    let file = try MappedFile(path: path)
    if file.bytes.starts(with: [0x50, 0x4B]) { return try PyTorchCheckpoint.read(file) }
    if file.bytes.count > 1, file.bytes[0] == 0x80, (1...5).contains(file.bytes[1]),
      !looksLikeSafetensors(file)
    {
      throw .unsupported(
        path: path,
        what: "it is a bare pickle from before PyTorch 1.6; save it again with a current torch.save")
    }
    if file.bytes.count >= 8, !looksLikeSafetensors(file) {
      throw .damaged(
        path: path, place: "offset 0",
        problem: "neither a safetensors header nor a PyTorch zip archive begins here")
    }
    return try Safetensors.read(file)
  }

  /// A header of plausible length that starts an object. A longer claim is reported as such by the reader.
  private static func looksLikeSafetensors(_ file: MappedFile) -> Bool {
    guard file.bytes.count > 8 else { return true }
    return file.bytes[8] == UInt8(ascii: "{") || file.bytes[8] == UInt8(ascii: " ")
  }
}
