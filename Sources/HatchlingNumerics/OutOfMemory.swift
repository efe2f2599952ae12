import Synchronization

/// The end of a program that gets no memory for its numbers.
public enum OutOfMemory {
  private static let ending = Mutex<(@Sendable (_ bytes: Int) -> Never)?>(nil)

  /// Says how the program ends when a large block of `bytes` is refused; without it, in a trap. Called on any thread.
  public static func ends(_ end: @escaping @Sendable (_ bytes: Int) -> Never) { ending.withLock { $0 = end } }

  static func end(_ bytes: Int) -> Never {
    if let end = ending.withLock({ $0 }) { end(bytes) }
    preconditionFailure("out of memory: \(bytes) bytes")
  }
}
