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
///
/// Every helper has a word: the caller offers a run with it, the helper takes the offer and says when it is done. An offer that nobody
/// has taken by the time the caller has no more to do is withdrawn: a helper whose core others are using is not waited for.
private final class Shared: @unchecked Sendable {
  // `body` and `blocks` are written before an offer is released and read after it is taken.
  private var body: UnsafePointer<(Int) -> Void>?
  private var blocks = 0
  private let helpers: Int
  /// Numbers that threads tell each other, each on a cache line of its own: a thread that spins on one does not slow the others.
  private let lines: UnsafeMutablePointer<Atomic<Int>>
  private let bell: [DispatchSemaphore]

  // What a helper's word says.
  private static let idle = 0
  private static let offered = 1
  private static let taken = 2
  private static let stopped = 3

  // What lies on which line; behind it every helper's word, the next block of every thread's share, and whether a helper sleeps.
  private static let claimed = 0
  private static let own = 1
  /// Two lines of 64 bytes, because processors fetch them in pairs.
  private static let lineStride = 16

  init(helpers: Int) {
    self.helpers = helpers
    let count = (Self.own + 3 * helpers + 1) * Self.lineStride
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
  private func word(_ helper: Int) -> UnsafeMutablePointer<Atomic<Int>> { line(Self.own + helper) }

  @inline(__always)
  private func next(_ thread: Int) -> UnsafeMutablePointer<Atomic<Int>> {
    line(Self.own + helpers + thread)
  }

  @inline(__always)
  private func asleep(_ helper: Int) -> UnsafeMutablePointer<Atomic<Int>> {
    line(Self.own + 2 * helpers + 1 + helper)
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
    tellAll(Self.offered)
    drain(body, blocks, thread: helpers)
    for helper in 0..<helpers { withdraw(helper) }
    self.body = nil
  }

  /// Changes every helper's word and wakes those that sleep.
  private func tellAll(_ state: Int) {
    for helper in 0..<helpers { word(helper).pointee.store(state, ordering: .sequentiallyConsistent) }
    for helper in 0..<helpers
    where asleep(helper).pointee.exchange(0, ordering: .sequentiallyConsistent) != 0 {
      bell[helper].signal()
    }
  }

  /// Takes an offer back, or waits until the helper that took it is done: spins, then lets others run, since with fewer cores than threads
  /// the helper may be waiting for this one.
  private func withdraw(_ helper: Int) {
    let word = word(helper)
    if word.pointee.load(ordering: .relaxed) == Self.offered,
      word.pointee.compareExchange(
        expected: Self.offered, desired: Self.idle, ordering: .acquiring
      ).exchanged
    {
      return
    }
    for _ in 0..<Self.spins {
      if word.pointee.load(ordering: .acquiring) == Self.idle { return }
      hatchling_spin_pause()
    }
    while word.pointee.load(ordering: .acquiring) != Self.idle { sched_yield() }
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

  func help(_ index: Int) {
    let word = word(index)
    while waitForWork(index) {
      if let body { drain(body, blocks, thread: index) }
      word.pointee.store(Self.idle, ordering: .releasing)
    }
  }

  /// Spins some tens of microseconds, offers the processor to others for some more, then sleeps until the bell rings. Returns with an offer
  /// taken; false when the pool has come to its end.
  private func waitForWork(_ index: Int) -> Bool {
    let (word, asleep) = (word(index), asleep(index))
    while true {
      for turn in 0..<Self.spins + 200 {
        switch word.pointee.load(ordering: .acquiring) {
        case Self.offered:
          if word.pointee.compareExchange(
            expected: Self.offered, desired: Self.taken, ordering: .acquiring
          ).exchanged {
            return true
          }
        case Self.stopped: return false
        default: break
        }
        if turn < Self.spins { hatchling_spin_pause() } else { sched_yield() }
      }
      asleep.pointee.store(1, ordering: .sequentiallyConsistent)
      if word.pointee.load(ordering: .sequentiallyConsistent) != Self.idle {
        // Work came while we lay down. If the flag is gone already, the bell was rung for us: take it.
        if asleep.pointee.exchange(0, ordering: .sequentiallyConsistent) == 1 { continue }
      }
      bell[index].wait()
    }
  }

  /// The pool is at rest: no helper has taken an offer.
  func stop() { tellAll(Self.stopped) }
}
