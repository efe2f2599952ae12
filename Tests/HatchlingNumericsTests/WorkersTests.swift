import Foundation
import HatchlingNumerics
import Testing

/// The pool: every block once, whoever calls from wherever.
@Suite struct WorkersTests {
  /// Runs `rounds` rounds and expects that every block ran once in each.
  private func expectOnce(_ workers: Workers, blocks: Int, rounds: Int) {
    let counts = Matrix<Int>(rows: 1, columns: blocks)
    var owned = counts
    let base = owned.mutablePointer()
    // Plain additions: the last round sees what the earlier ones left, whichever thread did it.
    for _ in 0..<rounds { workers.run(blocks: blocks) { base[$0] += 1 } }
    #expect(
      owned.elements == [Int](repeating: rounds, count: blocks),
      "\(workers.threads) threads, \(blocks) blocks")
    #expect(counts.elements.allSatisfy { $0 == 0 })
  }

  @Test(arguments: [1, 2, 3, 5]) func everyBlockOnce(threads: Int) {
    let workers = Workers(threads: threads)
    #expect(workers.threads == threads)
    for blocks in [0, 1, 2, 3, 4, 5, 7, 64, 10_000] { expectOnce(workers, blocks: blocks, rounds: 3) }
    expectOnce(workers, blocks: 9, rounds: 5_000)
    // Helpers have gone to sleep by then.
    for _ in 0..<3 {
      Thread.sleep(forTimeInterval: 0.02)
      expectOnce(workers, blocks: 20, rounds: 2)
    }
  }

  @Test(arguments: [1, 2, 5]) func blocksMayRunBlocks(threads: Int) {
    let workers = Workers(threads: threads)
    let counts = (0..<12).map { _ in NumberStorage<Int>(zeros: 30) }
    for _ in 0..<50 {
      workers.run(blocks: 12) { outer in
        workers.run(blocks: 30) { counts[outer].base[$0] += 1 }
      }
    }
    for row in counts { #expect((0..<30).allSatisfy { row.base[$0] == 50 }) }
    expectOnce(workers, blocks: 40, rounds: 2)
  }

  @Test func threadsMayShareAPool() {
    let workers = Workers(threads: 3)
    let done = NumberStorage<Int>(zeros: 4)
    DispatchQueue.concurrentPerform(iterations: 4) { thread in
      for _ in 0..<200 {
        let seen = NumberStorage<Int>(zeros: 25)
        workers.run(blocks: 25) { seen.base[$0] += 1 }
        if (0..<25).allSatisfy({ seen.base[$0] == 1 }) { done.base[thread] += 1 }
      }
    }
    #expect((0..<4).allSatisfy { done.base[$0] == 200 })
  }

  /// Offers that are withdrawn: at the moment at which a helper takes them, which is often where there is next to nothing to do, and with
  /// more threads than cores.
  @Test func nobodyIsAtWorkAfterARun() {
    #expect(Self.wrongRounds(of: 100_000, Workers(threads: 2)) == 0)
    let wrong = NumberStorage<Int>(zeros: 6)
    DispatchQueue.concurrentPerform(iterations: 6) {
      wrong.base[$0] = Self.wrongRounds(of: 2_000, Workers(threads: 3))
    }
    #expect((0..<6).allSatisfy { wrong.base[$0] == 0 })
  }

  /// Rounds after which some block was not done, or is done later.
  private static func wrongRounds(of rounds: Int, _ workers: Workers) -> Int {
    let counts = NumberStorage<Int>(zeros: 7)
    var wrong = 0
    for round in 1...rounds {
      let blocks = 2 + round % 6
      if round % 1000 == 0 { Thread.sleep(forTimeInterval: 0.002) }
      let before = (0..<blocks).map { counts.base[$0] }
      workers.run(blocks: blocks) { counts.base[$0] += 1 }
      if (0..<blocks).contains(where: { counts.base[$0] != before[$0] + 1 }) { wrong += 1 }
    }
    return wrong
  }

  @Test func poolsComeAndGo() {
    for round in 0..<60 { expectOnce(Workers(threads: 1 + round % 4), blocks: round, rounds: 1) }
  }

  @Test func sizes() {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    #expect(Workers(threads: 0).threads == 1 && Workers(threads: -3).threads == 1)
    #expect(Workers().threads == cores)
    #expect(Workers(threads: 100_000).threads == max(8, 2 * cores))
  }
}
