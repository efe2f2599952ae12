import Dispatch
import HatchlingNumerics
import Synchronization

/// Hands frames to another writer on a thread beside: the network reads on while files are written. The files are the same to the byte.
///
/// At most three batches are in memory, each of about 2¹⁶ numbers: one is gathered, one waits, one is written. Who appends waits where the disk is
/// slower than the network. What goes wrong while a batch is written is thrown where a later one is handed over, or at the end.
public final class ConcurrentActivityWriter<Scalar: NetworkScalar>: ActivityWriter {
  private let desk: WritingDesk<Scalar>
  private let queue = DispatchQueue(label: "hatchling.recording")
  private var gathered: [ActivityFrame<Scalar>] = []
  private var numbers = 0
  private static var numbersOfBatch: Int { 1 << 16 }

  public init(_ writer: any ActivityWriter<Scalar>) { desk = WritingDesk(writer) }

  /// The other writer ends before this one: what it leaves behind is gone when the program goes on.
  deinit { queue.sync { desk.writer = nil } }

  /// Seconds of the processor that writing beside has taken; final after ``finish()``.
  public var writingSeconds: Double { desk.outcome.withLock { $0.seconds } }

  public func append(_ frame: ActivityFrame<Scalar>) throws {
    gathered.append(frame)
    // A frame without numbers takes memory too.
    numbers += frame.samples.reduce(64) { $0 + $1.values.count }
    if numbers >= Self.numbersOfBatch { try handOver() }
  }

  private func handOver() throws {
    let (desk, frames) = (desk, gathered)
    desk.room.wait()
    queue.async { desk.write(frames) }
    gathered.removeAll(keepingCapacity: true)
    numbers = 0
    try desk.check()
  }

  public func finish() throws {
    try handOver()
    try queue.sync {
      try desk.check()
      try desk.writer?.finish()
    }
  }
}

/// What the queue works on.
private final class WritingDesk<Scalar: NetworkScalar>: @unchecked Sendable {
  /// Touched on the queue alone.
  var writer: (any ActivityWriter<Scalar>)?
  let outcome = Mutex<(failure: (any Error)?, seconds: Double)>((nil, 0))
  /// For the batch that is written and the one that waits.
  let room = DispatchSemaphore(value: 2)

  init(_ writer: any ActivityWriter<Scalar>) { self.writer = writer }

  /// - Throws: what went wrong while frames were written.
  func check() throws {
    if let failure = outcome.withLock({ $0.failure }) { throw failure }
  }

  func write(_ frames: [ActivityFrame<Scalar>]) {
    defer { room.signal() }
    let start = ThreadTime.now
    do {
      // After a failure the rest would stand behind a gap.
      try check()
      for frame in frames { try writer?.append(frame) }
    } catch { outcome.withLock { $0.failure = error } }
    outcome.withLock { $0.seconds += ThreadTime.now - start }
  }
}
