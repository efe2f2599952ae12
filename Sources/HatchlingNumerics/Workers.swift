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

  /// - Parameter threads: at least 1; `nil` means the number of cores.
  public init(threads: Int? = nil) {
    self.threads = max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount)
    shared = Shared(helpers: self.threads - 1)
    for index in 0..<(self.threads - 1) {
      let shared = self.shared
      let thread = Thread { shared.help(index) }
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  deinit { shared.stop() }

  /// Runs `body(0)`, …, `body(blocks − 1)`, each once, and returns when all are done. Not reentrant: `body` must
  /// not call `run` on the same pool, and only one thread at a time may call it.
  public func run(blocks: Int, _ body: (Int) -> Void) {
    if threads == 1 || blocks <= 1 {
      for block in 0..<blocks { body(block) }
    } else {
      withoutActuallyEscaping(body) { body in
        withUnsafePointer(to: body) { shared.run(blocks: blocks, body: $0) }
      }
    }
  }
}

/// What the caller and the helpers of one pool share. A class, because atomics have an address.
private final class Shared: @unchecked Sendable {
  // `body` and `blocks` are written before `generation` is released and read after it is acquired.
  private var body: UnsafePointer<(Int) -> Void>?
  private var blocks = 0
  /// The next block of every thread's share.
  private let next: [AtomicCounter]
  private let generation = Atomic<Int>(0)
  private let working = Atomic<Int>(0)
  private let sleeping = Atomic<Int>(0)
  private let stopped = Atomic<Bool>(false)
  private let helpers: Int
  private let bell: [DispatchSemaphore]
  private let asleep: [AtomicFlag]

  init(helpers: Int) {
    self.helpers = helpers
    next = (0...helpers).map { _ in AtomicCounter() }
    bell = (0..<helpers).map { _ in DispatchSemaphore(value: 0) }
    asleep = (0..<helpers).map { _ in AtomicFlag() }
  }

  func run(blocks: Int, body: UnsafePointer<(Int) -> Void>) {
    self.body = body
    self.blocks = blocks
    for thread in 0...helpers {
      next[thread].value.store(share(thread, blocks).lowerBound, ordering: .relaxed)
    }
    working.store(helpers, ordering: .relaxed)
    generation.add(1, ordering: .sequentiallyConsistent)
    wakeSleepers()
    drain(body, blocks, thread: helpers)
    waitForHelpers()
    self.body = nil
  }

  /// Spins, then lets others run: with fewer cores than threads a helper may be waiting for this one.
  private func waitForHelpers() {
    for _ in 0..<Self.spins {
      if working.load(ordering: .acquiring) == 0 { return }
      hatchling_spin_pause()
    }
    while working.load(ordering: .acquiring) != 0 { sched_yield() }
  }

  /// Turns of a spin loop before the processor is offered to others: some tens of microseconds.
  private static let spins = 2_000

  /// The blocks that a thread does first. The same ones in every run of as many blocks, so that what they touch stays in its cache.
  private func share(_ thread: Int, _ blocks: Int) -> Range<Int> {
    blocks * thread / (helpers + 1)..<blocks * (thread + 1) / (helpers + 1)
  }

  /// First the thread's own share, then what others have not begun.
  private func drain(_ body: UnsafePointer<(Int) -> Void>, _ blocks: Int, thread: Int) {
    for other in 0...helpers {
      let owner = (thread + other) % (helpers + 1)
      let end = share(owner, blocks).upperBound
      while true {
        let block = next[owner].value.add(1, ordering: .relaxed).oldValue
        if block >= end { break }
        call(body, block)
      }
    }
  }

  /// A function of its own, so that every reference to the caller's closure, which lives on the caller's stack, is given back before
  /// the block counts as done.
  @inline(never)
  private func call(_ body: UnsafePointer<(Int) -> Void>, _ block: Int) { body.pointee(block) }

  private func wakeSleepers() {
    for index in 0..<helpers where asleep[index].value.exchange(false, ordering: .sequentiallyConsistent) {
      bell[index].signal()
    }
  }

  func help(_ index: Int) {
    var seen = 0
    while true {
      waitForWork(index, after: seen)
      if stopped.load(ordering: .acquiring) { return }
      seen += 1
      if let body { drain(body, blocks, thread: index) }
      working.subtract(1, ordering: .acquiringAndReleasing)
    }
  }

  /// Spins some tens of microseconds, offers the processor to others for some more, then sleeps until the bell rings.
  private func waitForWork(_ index: Int, after seen: Int) {
    for _ in 0..<Self.spins {
      if generation.load(ordering: .acquiring) != seen { return }
      hatchling_spin_pause()
    }
    for _ in 0..<200 {
      if generation.load(ordering: .acquiring) != seen { return }
      sched_yield()
    }
    while true {
      asleep[index].value.store(true, ordering: .sequentiallyConsistent)
      if generation.load(ordering: .sequentiallyConsistent) != seen {
        // Work came while we lay down. If the flag is gone already, the bell was rung for us: take it.
        if !asleep[index].value.exchange(false, ordering: .sequentiallyConsistent) { bell[index].wait() }
        return
      }
      bell[index].wait()
      if generation.load(ordering: .acquiring) != seen { return }
    }
  }

  func stop() {
    stopped.store(true, ordering: .releasing)
    generation.add(1, ordering: .sequentiallyConsistent)
    wakeSleepers()
  }
}

private final class AtomicFlag: Sendable {
  let value = Atomic<Bool>(false)
}

private final class AtomicCounter: Sendable {
  let value = Atomic<Int>(0)
}
