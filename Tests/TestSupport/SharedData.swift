import Foundation

/// The folder with the texts, the two reference checkpoints and what the public PyTorch code computes for them (docs/data.md):
/// `$HATCHLING_DATA` where that is set, else `shared/data` beside the checkout. Nil when it is not there; then tests that need it skip.
public let sharedData: URL? = {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  let folder =
    ProcessInfo.processInfo.environment["HATCHLING_DATA"].map { URL(fileURLWithPath: $0) }
    ?? root.deletingLastPathComponent().appendingPathComponent("shared/data")
  let checkpoint = folder.appendingPathComponent("reference-shakespeare.safetensors")
  return FileManager.default.fileExists(atPath: checkpoint.path) ? folder : nil
}()
