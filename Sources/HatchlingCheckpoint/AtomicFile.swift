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
    (temporary, descriptor) = Self.begin(beside: target)
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: CheckpointError.lastFault) }
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

  /// A new file beside `target`, locked as long as it is written: so other programs, in other containers too, see that somebody still
  /// does. A negative descriptor where there can be none.
  private static func begin(beside target: String) -> (path: String, descriptor: Int32) {
    while true {
      let path = "\(target).partial-\(getpid())-\(UInt32.random(in: 0 ... .max))"
      let descriptor = UnfinishedFiles.create(path)
      guard descriptor >= 0 else { return (path, descriptor) }
      let isTaken = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
      var status = stat()
      if !isTaken, fstat(descriptor, &status) != 0 || status.st_nlink > 0 { return (path, descriptor) }
      // Somebody took it for abandoned before it was locked.
      UnfinishedFiles.remove(path)
      close(descriptor)
    }
  }

  /// Unfinished files of `target`, each with the process that began it.
  private static func unfinished(beside target: String) -> [(path: String, process: Int32)] {
    let (folder, prefix) = (target.folderOfPath, target.nameInPath + ".partial-")
    return (Folder.names(in: folder) ?? []).compactMap { name in
      guard name.hasPrefix(prefix) else { return nil }
      let numbers = name.dropFirst(prefix.count).split(separator: "-", omittingEmptySubsequences: false)
      guard numbers.count == 2, let process = Int32(numbers[0]), process > 0, UInt32(numbers[1]) != nil else {
        return nil
      }
      return ("\(folder)/\(name)", process)
    }
  }

  /// Whether nobody holds the lock of an unfinished file; nil where the system has no locks. The lock is taken until `body` has ended.
  private static func withLock<Result>(of path: String, _ body: (_ isFree: Bool?) -> Result) -> Result {
    let descriptor = open(path.systemPath, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    defer { if descriptor >= 0 { close(descriptor) } }
    if descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return body(true) }
    return body(errno == EWOULDBLOCK ? false : nil)
  }

  /// What programs that were killed have left of this file: nobody holds its lock. Where the system has no locks, the process in the
  /// name tells.
  private static func removeAbandoned(beside target: String) {
    for (path, process) in unfinished(beside: target) {
      withLock(of: path) { isFree in
        let isOver = isFree ?? (kill(process, 0) != 0 && errno == ESRCH)
        if isOver { unlink(path.systemPath) }
      }
    }
  }

  /// Whether another program, or this one elsewhere, is writing the same file now. Systems without locks notice nobody.
  var hasRival: Bool {
    Self.unfinished(beside: target).contains { path, _ in
      path.nameInPath != temporary.nameInPath && Self.withLock(of: path) { $0 == false }
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

  /// Writes bytes to their place in a file that somebody else has begun, see ``temporary``; they are on disk then.
  ///
  /// - Parameter path: the name that the file will take, for the error.
  /// - Throws: ``CheckpointError/unwritable(path:reason:)``.
  package static func write(
    _ bytes: UnsafeRawBufferPointer, at offset: Int, into temporary: String, of path: String
  ) throws(CheckpointError) {
    let descriptor = open(temporary.systemPath, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: CheckpointError.lastFault) }
    defer { close(descriptor) }
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let written = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if written < 0 {
        if errno == EINTR { continue }
        throw .unwritable(path: path, reason: CheckpointError.lastFault)
      }
      done += written
    }
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw .unwritable(path: path, reason: CheckpointError.lastFault)
    }
  }

  /// Everything is on disk, then the file takes its name.
  public func commit() throws(CheckpointError) {
    try flush()
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure() }
    // Some disks say only here that they are full. The file itself stays open, and with it locked, until it has its name.
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0, close(copy) == 0 else { throw failure() }
    guard rename(temporary.systemPath, target.systemPath) == 0 else { throw failure() }
    UnfinishedFiles.forget(temporary)
    close(descriptor)
    descriptor = -1
  }

  /// Removes what was written. Nothing happens after ``commit()``.
  public func discard() {
    guard descriptor >= 0 else { return }
    UnfinishedFiles.remove(temporary)
    close(descriptor)
    descriptor = -1
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

/// Temporary files that exist now, so that a program that ends can remove them.
public enum UnfinishedFiles {
  private struct Known {
    var paths = Set<String>()
    var isOver = false
  }
  private static let known = Mutex(Known())

  /// A new, empty file, open for writing; negative with `errno` where there can be none.
  static func create(_ path: String) -> Int32 {
    known.withLock { known in
      // Another thread ends the program. What is begun now would be left.
      while known.isOver { pause() }
      let descriptor = open(path.systemPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { known.paths.insert(path) }
      return descriptor
    }
  }

  /// It has another name now.
  static func forget(_ path: String) { known.withLock { _ = $0.paths.remove(path) } }

  static func remove(_ path: String) {
    known.withLock { known in
      if known.paths.remove(path) != nil { unlink(path.systemPath) }
    }
  }

  /// Removes every unfinished file, for the end of a program: who begins one afterwards waits for that end.
  public static func removeAll() {
    known.withLock { known in
      for path in known.paths { unlink(path.systemPath) }
      known.paths.removeAll()
      known.isOver = true
    }
  }
}
