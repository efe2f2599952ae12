import Foundation

/// A file mapped read-only into memory; unmapped with the last reference. Pages are clean, so they do not count as private memory.
public final class MappedFile: @unchecked Sendable {
  public let path: String
  /// All bytes of the file.
  public let bytes: UnsafeRawBufferPointer

  /// - Throws: ``CheckpointError/unreadable(path:reason:)`` for a missing, empty or unreadable file, or a directory.
  public init(path: String) throws(CheckpointError) {
    self.path = path
    let descriptor = open(path.systemPath, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: CheckpointError.lastFault) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .unreadable(path: path, reason: CheckpointError.lastFault)
    }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw .unreadable(path: path, reason: "it is a directory")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .unreadable(path: path, reason: "it is not a regular file")
    }
    guard status.st_size > 0 else { throw .unreadable(path: path, reason: "the file is empty") }
    let size = Int(status.st_size)
    guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
      throw .unreadable(path: path, reason: CheckpointError.lastFault)
    }
    bytes = UnsafeRawBufferPointer(start: base, count: size)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}
