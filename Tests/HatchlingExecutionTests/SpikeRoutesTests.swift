import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingExecution

/// Spikes on their way over synapses of every density against one addition after another.
@Suite struct SpikeRoutesTests {
  /// A connection of some density, and a train that two rows of particles, or one, have fired.
  private struct Case {
    let sources: Int
    let pieces: [(targets: Range<Int>, head: Int)]
    /// `(sources, targets)`.
    let weights: [[Double]]
    let train: SpikeTrain<Double>
    let listens: [Double]
    var targets: Int { weights[0].count }
    var routes: SpikeRoutes<Double> {
      SpikeRoutes(sources: sources, panels: pieces) { body in
        for source in 0..<sources {
          for target in 0..<targets { body(source, target, weights[source][target]) }
        }
      }
    }

    init(seed: Int, density: Double, perHead: Bool) throws {
      var random = SeededRandom(seed: UInt64(seed))
      sources = Int.random(in: 40...300, using: &random)
      let heads = Int.random(in: 1...3, using: &random)
      var pieces: [(targets: Range<Int>, head: Int)] = []
      var next = 0
      for head in 0..<heads {
        for _ in 0..<Int.random(in: 1...12, using: &random) {
          let width = Int.random(in: 1...90, using: &random)
          pieces.append((next..<next + width, head))
          next += width
        }
      }
      self.pieces = pieces
      // Some sources reach all that there is or most of it, others next to nothing.
      let (targets, count) = (next, sources)
      weights = (0..<count).map { _ in
        let own = [density, density / 2, 1, 0.6].randomElement(using: &random) ?? density
        let reach = density < 0.2 && own >= 0.6 && Int.random(in: 0..<4, using: &random) > 0 ? density : own
        return (0..<targets).map { _ in random.uniform() < reach ? random.normal() : 0 }
      }
      listens = (0..<targets).map { _ in random.uniform() < 0.4 ? random.uniform() : 0 }
      let cut = stride(from: 0, to: count, by: 37).map { $0..<min(count, $0 + 37) }
      let rows = (0..<(perHead ? heads : 1)).map { row in
        cut.map { $0.lowerBound + row * count..<$0.upperBound + row * count }
      }
      train = SpikeTrain(rows: rows, width: count, code: try .few(3, 6))
      let values = (0..<rows.count * count).map { _ in random.uniform() < 0.5 ? random.normal() : 0 }
      let scales = [Double](repeating: 1.5, count: values.count)
      train.fire(values, scales: scales, IntegrateAndFire(), chance: 1, workers: Workers(threads: 1))
    }

    /// Every spike over every synapse, one after the other.
    func plain(listening: Bool) -> (sums: [Double], events: Int) {
      var (sums, events) = ([Double](repeating: 0, count: targets), 0)
      for (targets, head) in pieces {
        let own = train.blocksOfRow[train.blocksOfRow.count > 1 ? head : 0]
        for substep in 0..<train.substeps {
          for block in own {
            for spike in train.spikes(block, at: substep) {
              let (source, weight) = (
                Int(train.particles[block].base[spike]), train.weights[block].base[spike]
              )
              for target in targets
              where weights[source][target] != 0 && (!listening || listens[target] > 0) {
                sums[target] += weight * weights[source][target]
                events += 1
              }
            }
          }
        }
      }
      return (sums, events)
    }
  }

  /// Sums in the order of the spikes, over whatever kind of storage, the same bits for any number of threads; events counted one by one.
  @Test(arguments: 0..<12, [0.02, 0.15, 0.5, 1])
  func spikesArriveOverEverySynapse(seed: Int, density: Double) throws {
    let one = try Case(seed: seed, density: density, perHead: seed % 2 == 0)
    let (routes, count) = (one.routes, one.targets)
    let traversed = NumberStorage<Int>(zeros: one.pieces.count)
    for listening in [false, true] {
      let expected = one.plain(listening: listening)
      var results: [[Double]] = []
      for threads in [1, 3] {
        var sums = [Double](repeating: .nan, count: count)
        let workers = Workers(threads: threads)
        let events =
          listening
          ? one.train.deliver(
            over: routes, listening: one.listens, into: &sums, traversed: traversed, workers: workers)
          : one.train.deliver(over: routes, into: &sums, workers: workers)
        // A row per head is delivered to the targets of that head; who counts by degrees counts the others, too.
        let isShared = !listening && one.train.blocksOfRow.count > 1
        #expect(isShared ? events >= expected.events : events == expected.events, "seed \(seed)")
        #expect(relativeDifference(sums, expected.sums) <= 1e-13, "seed \(seed), density \(density)")
        results.append(sums)
      }
      #expect(results[0] == results[1] && expected.events > 100)
    }
  }

  /// What blocks of senders gather is added up as a tree: another order, the same sum.
  @Test(arguments: 0..<6)
  func spikesAreGathered(seed: Int) throws {
    let one = try Case(seed: seed, density: [0.05, 0.9][seed % 2], perHead: false)
    let count = one.targets
    var (sums, partial) = (
      [Double](repeating: .nan, count: count),
      [Double](repeating: .nan, count: count * one.train.blocks.count)
    )
    let events = one.train.gather(
      over: one.routes, row: 0, targets: count, into: &sums, partial: &partial, workers: Workers(threads: 2))
    let expected = one.plain(listening: false)
    #expect(events == expected.events && events > 100)
    #expect(relativeDifference(sums, expected.sums) <= 1e-12, "seed \(seed)")
  }
}
