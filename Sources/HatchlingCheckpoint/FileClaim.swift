import Foundation

/// Tells other programs that a file is spoken for as long as this lives: an empty file beside it that is locked, and that the next
/// writer removes where a program was killed.
public final class FileClaim {
  private let file: AtomicFile

  /// - Throws: ``CheckpointError/unwritable(path:reason:)``, also where somebody else claims the file or writes it now. Systems without
  ///   locks notice nobody.
  public init(_ path: String) throws(CheckpointError) {
    file = try AtomicFile(path: path)
    guard !Self.hasRival(file.temporary) else {
      throw .unwritable(path: path, reason: "another program is writing it")
    }
  }

  /// Whether another unfinished file of the same name is locked.
  private static func hasRival(_ temporary: String) -> Bool {
    let (folder, own) = (temporary.folderOfPath, temporary.nameInPath)
    guard let ending = own.range(of: ".partial-", options: .backwards) else { return false }
    let prefix = own[..<ending.upperBound]
    return (Folder.names(in: folder) ?? []).contains { name in
      guard name != own, name.hasPrefix(prefix) else { return false }
      let descriptor = open("\(folder)/\(name)".systemPath, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
      guard descriptor >= 0 else { return false }
      defer { close(descriptor) }
      return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
  }
}
