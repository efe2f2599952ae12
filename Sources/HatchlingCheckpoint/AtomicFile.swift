import Foundation
import Synchronization

/// A file that appears whole or not at all: bytes go to a temporary file in the same folder, which replaces `path` on
/// ``commit()`` and is removed otherwise.
public final class AtomicFile {
  public let path: String
  /// Where the file really lies, links followed: a link stays a link.
  private let target: String
  /// Where the bytes wait, for libraries that write files by themselves.
  public let temporary: String
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private static let flushAt = 1 << 20

  /// - Throws: ``CheckpointError/unwritable(path:reason:)``.
  public init(path: String) throws(CheckpointError) {
    self.path = path
    target = try Self.target(of: path)
    Self.removeAbandoned(beside: target)
    (temporary, descriptor) = try Self.makeTemporary(beside: target, for: path)
    UnfinishedFiles.add(temporary)
    buffer.reserveCapacity(Self.flushAt + 4096)
  }

  /// Only a file takes the place of a file: a rename over a device or a pipe would remove it.
  private static func target(of path: String) throws(CheckpointError) -> String {
    guard !path.isEmpty else { throw .unwritable(path: path, reason: "a file needs a name") }
    var status = stat()
    guard stat(path.systemPath, &status) == 0 else {
      guard lstat(path.systemPath, &status) == 0 else { return path }
      throw .unwritable(path: path, reason: "it is a link to nothing")
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw .unwritable(path: path, reason: "it is a directory")
    default: throw .unwritable(path: path, reason: "it is a device or a pipe, not a file")
    }
    guard let resolved = realpath(path.systemPath, nil) else {
      throw .unwritable(path: path, reason: CheckpointError.lastFault)
    }
    defer { free(resolved) }
    return String(anyBytes: UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
  }

  /// A new file, locked as long as somebody has it open: process ids say nothing where a number is used again, or in a container.
  private static func makeTemporary(
    beside target: String, for path: String
  ) throws(CheckpointError) -> (path: String, descriptor: Int32) {
    while true {
      let temporary = "\(target).partial-\(getpid())-\(UInt32.random(in: 0 ... .max))"
      let descriptor = open(temporary.systemPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else { throw .unwritable(path: path, reason: CheckpointError.lastFault) }
      // Waits for one who takes it for abandoned, and then begins again. Where files cannot be locked, none is taken for abandoned.
      flock(descriptor, LOCK_EX)
      var status = stat()
      if fstat(descriptor, &status) != 0 || status.st_nlink > 0 { return (temporary, descriptor) }
      close(descriptor)
    }
  }

  /// What programs that were killed have left of this file: temporary files that nobody holds.
  private static func removeAbandoned(beside target: String) {
    let (folder, prefix) = (target.folderOfPath, target.nameInPath + ".partial-")
    for name in Folder.names(in: folder) ?? [] where name.hasPrefix(prefix) {
      let parts = name.dropFirst(prefix.count).split(separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 2, parts.allSatisfy({ UInt32($0) != nil }) else { continue }
      let path = "\(folder)/\(name)".systemPath
      let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
      close(descriptor)
    }
  }

  deinit { discard() }

  /// Appends bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
    if bytes.count >= Self.flushAt {
      try flush()
      try put(bytes)
    } else {
      buffer.append(contentsOf: bytes)
      if buffer.count >= Self.flushAt { try flush() }
    }
  }

  /// Appends UTF-8 text.
  public func write(_ text: String) throws(CheckpointError) { try write(Array(text.utf8)) }

  /// Appends bytes.
  public func write(_ bytes: [UInt8]) throws(CheckpointError) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= Self.flushAt { try flush() }
  }

  /// Writes bytes at the beginning of the file again, for headers that are known last. Call after all else.
  public func rewriteStart(_ bytes: [UInt8]) throws(CheckpointError) {
    try flush()
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw failure() }
    try putAll(bytes)
  }

  /// Everything is on disk, then the file takes its name.
  public func commit() throws(CheckpointError) {
    try flush()
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure() }
    // Locked until it has its name.
    let lock = dup(descriptor)
    defer { if lock >= 0 { close(lock) } }
    guard close(descriptor) == 0 else {
      descriptor = -1
      throw failure()
    }
    descriptor = -1
    guard rename(temporary.systemPath, target.systemPath) == 0 else { throw failure() }
    UnfinishedFiles.remove(temporary)
  }

  /// Removes what was written. Nothing happens after ``commit()``.
  public func discard() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
    if UnfinishedFiles.remove(temporary) { unlink(temporary.systemPath) }
  }

  private func flush() throws(CheckpointError) {
    try putAll(buffer)
    buffer.removeAll(keepingCapacity: true)
  }

  private func putAll(_ bytes: [UInt8]) throws(CheckpointError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(CheckpointError) in
      try put(UnsafeRawBufferPointer(bytes))
    }
  }

  private func put(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
    var offset = 0
    while offset < bytes.count {
      let written = Foundation.write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
      if written < 0 {
        if errno == EINTR { continue }
        throw failure()
      }
      offset += written
    }
  }

  private func failure() -> CheckpointError {
    let reason = CheckpointError.lastFault
    discard()
    return .unwritable(path: path, reason: reason)
  }
}

/// Temporary files that exist now, so that an interrupt can remove them.
public enum UnfinishedFiles {
  private static let paths = Mutex<Set<String>>([])

  static func add(_ path: String) { paths.withLock { _ = $0.insert(path) } }

  @discardableResult
  static func remove(_ path: String) -> Bool { paths.withLock { $0.remove(path) != nil } }

  /// Removes every unfinished file. For the end of an interrupted program.
  public static func removeAll() {
    paths.withLock { paths in
      for path in paths { unlink(path.systemPath) }
      paths.removeAll()
    }
  }
}
