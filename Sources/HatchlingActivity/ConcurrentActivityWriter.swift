import Foundation
import HatchlingNumerics

/// Hands frames to another writer on a thread of its own: the network reads on while files are written. The files are the same to the byte.
///
/// At most three batches are in memory, each of about 2¹⁶ numbers: one is gathered, one waits, one is written. Who appends waits where the disk is
/// slower than the network. What goes wrong while a batch is written is thrown where a later one is handed over, or at the end.
public final class ConcurrentActivityWriter<Scalar: NetworkScalar>: ActivityWriter {
  private let desk: WritingDesk<Scalar>
  private var gathered: [ActivityFrame<Scalar>] = []
  private var numbers = 0
  private static var numbersOfBatch: Int { 1 << 16 }

  public init(_ writer: any ActivityWriter<Scalar>) {
    let desk = WritingDesk(writer)
    self.desk = desk
    Thread { desk.work() }.start()
  }

  /// The other writer ends before this one, on the thread that lets go: what it leaves behind is gone when the program goes on.
  deinit {
    desk.close()
    desk.writer = nil
  }

  /// Seconds of the processor that the other thread has had; final after ``finish()``.
  public var writingSeconds: Double { desk.seconds }

  public func append(_ frame: ActivityFrame<Scalar>) throws {
    gathered.append(frame)
    // A frame without numbers takes memory too.
    numbers += frame.samples.reduce(64) { $0 + $1.values.count }
    if numbers >= Self.numbersOfBatch { try handOver() }
  }

  private func handOver() throws {
    if gathered.isEmpty { return }
    try desk.put(gathered)
    gathered.removeAll(keepingCapacity: true)
    numbers = 0
  }

  public func finish() throws {
    try handOver()
    desk.close()
    try desk.failure.map { throw $0 }
    try desk.writer?.finish()
  }
}

/// Where one thread lays down batches and another takes them away.
private final class WritingDesk<Scalar: NetworkScalar>: @unchecked Sendable {
  /// Used by the writing thread alone until it is done.
  var writer: (any ActivityWriter<Scalar>)?
  // The condition guards what follows.
  private let condition = NSCondition()
  private var batch: [ActivityFrame<Scalar>]?
  private var (isClosed, isDone) = (false, false)
  private var thrown: (any Error)?
  private var used = 0.0

  init(_ writer: any ActivityWriter<Scalar>) { self.writer = writer }

  var failure: (any Error)? { condition.withLock { thrown } }
  var seconds: Double { condition.withLock { used } }

  func put(_ frames: [ActivityFrame<Scalar>]) throws {
    condition.lock()
    defer { condition.unlock() }
    while batch != nil, thrown == nil { condition.wait() }
    if let thrown { throw thrown }
    batch = frames
    condition.broadcast()
  }

  /// Returns when all that was put down is written and the writing thread is done.
  func close() {
    condition.lock()
    defer { condition.unlock() }
    isClosed = true
    condition.broadcast()
    while !isDone { condition.wait() }
  }

  /// The writing thread, from beginning to end.
  func work() {
    while let frames = take() {
      let failure = write(frames)
      condition.withLock {
        (thrown, used) = (thrown ?? failure, ThreadTime.now)
        condition.broadcast()
      }
    }
    condition.withLock {
      isDone = true
      condition.broadcast()
    }
  }

  /// The next batch; nil when there will be none.
  private func take() -> [ActivityFrame<Scalar>]? {
    condition.lock()
    defer { condition.unlock() }
    while batch == nil, !isClosed { condition.wait() }
    defer {
      batch = nil
      condition.broadcast()
    }
    // After a failure the rest would stand behind a gap.
    return thrown == nil ? batch : nil
  }

  private func write(_ frames: [ActivityFrame<Scalar>]) -> (any Error)? {
    do {
      for frame in frames { try writer?.append(frame) }
      return nil
    } catch { return error }
  }
}
