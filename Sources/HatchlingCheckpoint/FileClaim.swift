/// Tells other programs that a file is spoken for as long as this lives: an empty file beside it that is locked, and that the next
/// writer removes where a program was killed.
public final class FileClaim {
  private let file: AtomicFile

  /// - Throws: ``CheckpointError/unwritable(path:reason:)``, also where somebody else claims the file or writes it now. Systems without
  ///   locks notice nobody.
  public init(_ path: String) throws(CheckpointError) {
    file = try AtomicFile(path: path)
    guard !file.hasRival else {
      throw .unwritable(path: path, reason: "another program is writing it")
    }
  }
}
