import CKernels
import Foundation
import Synchronization

/// A pool of threads that runs numbered blocks of work.
///
/// Which thread runs which block never matters: callers cut work into blocks by the size of the problem alone and
/// add the blocks' results in block order, so results are the same to the last bit for every number of threads.
/// Idle workers spin for some microseconds before they sleep, because a network step hands out work every few
/// microseconds.
public final class Workers: Sendable {
  /// How many threads run blocks, the caller of ``run(blocks:_:)`` included.
  public let threads: Int
  private let shared: Shared

  /// - Parameter threads: at most so many; `nil` means the number of cores, and more than twice that (or 8) helps nobody and is not done.
  public init(threads: Int? = nil) {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    self.threads = min(max(1, threads ?? cores), max(8, 2 * cores))
    shared = Shared(helpers: self.threads - 1)
    for index in 0..<(self.threads - 1) {
      let shared = self.shared
      let thread = Thread { shared.help(index) }
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  deinit { shared.stop() }

  /// Runs `body(0)`, …, `body(blocks − 1)`, each once, and returns when all are done. While the pool is at work, a further call, from
  /// inside a block or from another thread, runs its blocks on the thread that calls.
  ///
  /// `body` is not `@Sendable`: blocks write their own parts of shared memory through unsafe pointers, which Swift holds to be not
  /// sendable, so that every capture would have to be declared `nonisolated(unsafe)` and nothing more would be checked. The thread
  /// sanitizer looks at it instead (`.ci/run`).
  public func run(blocks: Int, _ body: (Int) -> Void) {
    guard threads > 1, blocks > 1, shared.claim() else {
      for block in 0..<blocks { body(block) }
      return
    }
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { shared.run(blocks: blocks, body: $0) }
    }
    shared.release()
  }
}

/// What the caller and the helpers of one pool share.
private final class Shared: @unchecked Sendable {
  // `body` and `blocks` are written before `generation` is released and read after it is acquired.
  private var body: UnsafePointer<(Int) -> Void>?
  private var blocks = 0
  private let helpers: Int
  /// Numbers that threads tell each other, each on a cache line of its own: a thread that spins on one does not slow the others.
  private let lines: UnsafeMutablePointer<Atomic<Int>>
  private let bell: [DispatchSemaphore]

  // What lies on which line; behind these the next block of every thread's share, and whether a helper sleeps.
  private static let generation = 0
  private static let working = 1
  private static let stopped = 2
  private static let claimed = 3
  private static let own = 4
  /// Two lines of 64 bytes, because processors fetch them in pairs.
  private static let lineStride = 16

  init(helpers: Int) {
    self.helpers = helpers
    let count = (Self.own + 2 * (helpers + 1)) * Self.lineStride
    lines = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Int>.stride, alignment: 128)
      .bindMemory(to: Atomic<Int>.self, capacity: count)
    for index in 0..<count { (lines + index).initialize(to: Atomic(0)) }
    bell = (0..<helpers).map { _ in DispatchSemaphore(value: 0) }
  }

  deinit { lines.deallocate() }

  /// A line's number; a pointer, so that reading it counts no reference.
  @inline(__always)
  private func line(_ index: Int) -> UnsafeMutablePointer<Atomic<Int>> { lines + index * Self.lineStride }

  @inline(__always)
  private func next(_ thread: Int) -> UnsafeMutablePointer<Atomic<Int>> { line(Self.own + thread) }

  @inline(__always)
  private func asleep(_ helper: Int) -> UnsafeMutablePointer<Atomic<Int>> {
    line(Self.own + helpers + 1 + helper)
  }

  /// Whether the caller has the pool to itself now, until it releases it.
  func claim() -> Bool { line(Self.claimed).pointee.exchange(1, ordering: .acquiring) == 0 }
  func release() { line(Self.claimed).pointee.store(0, ordering: .releasing) }

  func run(blocks: Int, body: UnsafePointer<(Int) -> Void>) {
    self.body = body
    self.blocks = blocks
    for thread in 0...helpers {
      next(thread).pointee.store(share(thread, blocks).lowerBound, ordering: .relaxed)
    }
    line(Self.working).pointee.store(helpers, ordering: .relaxed)
    line(Self.generation).pointee.add(1, ordering: .sequentiallyConsistent)
    wakeSleepers()
    drain(body, blocks, thread: helpers)
    waitForHelpers()
    self.body = nil
  }

  /// Spins, then lets others run: with fewer cores than threads a helper may be waiting for this one.
  private func waitForHelpers() {
    let working = line(Self.working)
    for _ in 0..<Self.spins {
      if working.pointee.load(ordering: .acquiring) == 0 { return }
      hatchling_spin_pause()
    }
    while working.pointee.load(ordering: .acquiring) != 0 { sched_yield() }
  }

  /// Turns of a spin loop before the processor is offered to others: some tens of microseconds.
  private static let spins = 2_000

  /// The blocks that a thread does first. The same ones in every run of as many blocks, so that what they touch stays in its cache.
  private func share(_ thread: Int, _ blocks: Int) -> Range<Int> {
    blocks * thread / (helpers + 1)..<blocks * (thread + 1) / (helpers + 1)
  }

  /// First the thread's own share, then what others have not begun.
  ///
  /// A function of its own, so that its reference to the caller's closure, which lives on the caller's stack, is given back before the
  /// thread says that it is done. It is taken once, not per block: threads would fight for its count.
  @inline(never)
  private func drain(_ body: UnsafePointer<(Int) -> Void>, _ blocks: Int, thread: Int) {
    let work = body.pointee
    for other in 0...helpers {
      let owner = (thread + other) % (helpers + 1)
      let end = share(owner, blocks).upperBound
      let next = next(owner)
      while true {
        let block = next.pointee.add(1, ordering: .relaxed).oldValue
        if block >= end { break }
        work(block)
      }
    }
  }

  private func wakeSleepers() {
    for index in 0..<helpers
    where asleep(index).pointee.exchange(0, ordering: .sequentiallyConsistent) != 0 {
      bell[index].signal()
    }
  }

  func help(_ index: Int) {
    var seen = 0
    while true {
      waitForWork(index, after: seen)
      if line(Self.stopped).pointee.load(ordering: .acquiring) != 0 { return }
      seen += 1
      if let body { drain(body, blocks, thread: index) }
      line(Self.working).pointee.subtract(1, ordering: .acquiringAndReleasing)
    }
  }

  /// Spins some tens of microseconds, offers the processor to others for some more, then sleeps until the bell rings.
  private func waitForWork(_ index: Int, after seen: Int) {
    let generation = line(Self.generation)
    for _ in 0..<Self.spins {
      if generation.pointee.load(ordering: .acquiring) != seen { return }
      hatchling_spin_pause()
    }
    for _ in 0..<200 {
      if generation.pointee.load(ordering: .acquiring) != seen { return }
      sched_yield()
    }
    let asleep = asleep(index)
    while true {
      asleep.pointee.store(1, ordering: .sequentiallyConsistent)
      if generation.pointee.load(ordering: .sequentiallyConsistent) != seen {
        // Work came while we lay down. If the flag is gone already, the bell was rung for us: take it.
        if asleep.pointee.exchange(0, ordering: .sequentiallyConsistent) == 0 { bell[index].wait() }
        return
      }
      bell[index].wait()
      if generation.pointee.load(ordering: .acquiring) != seen { return }
    }
  }

  func stop() {
    line(Self.stopped).pointee.store(1, ordering: .releasing)
    line(Self.generation).pointee.add(1, ordering: .sequentiallyConsistent)
    wakeSleepers()
  }
}
