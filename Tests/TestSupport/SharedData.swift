import Foundation

/// The folder with reference checkpoints, texts and golden values: `$HATCHLING_DATA`, else `../shared/data` beside the
/// checkout; nil where neither exists, then tests that need it skip.
public let sharedData: URL? = {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  let candidates =
    [ProcessInfo.processInfo.environment["HATCHLING_DATA"].map { URL(fileURLWithPath: $0) }].compactMap { $0 }
    + [root.deletingLastPathComponent().appendingPathComponent("shared/data")]
  return candidates.first {
    FileManager.default.fileExists(
      atPath: $0.appendingPathComponent("reference-shakespeare.safetensors").path)
  }
}()
