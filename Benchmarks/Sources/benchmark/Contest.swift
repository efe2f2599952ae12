import Foundation

/// One thing that is timed: ours or a peer's.
struct Contestant {
  let name: String
  let threads: Int
  /// Seconds for one unit of work (a token, a load, …).
  let run: () throws -> Double
  /// The least-byte bound in seconds per unit, by what the algorithm is allowed to leave out.
  var bounds: [String: Double] = [:]
}

/// What came out for one contestant.
struct Outcome: Codable {
  /// `step`, `prefill`, … and `small`, `middle`, `large` or empty.
  let task: String
  let size: String
  let contestant: String
  let threads: Int
  /// Seconds per unit: median, smallest and largest of the runs.
  let median: Double
  let fastest: Double
  let slowest: Double
  let runs: Int
  let unit: String
  /// How many times faster than the reference, the first of the contest's peers.
  var ratio: Double?
  var reference: String?
  /// Least-byte bound over median, by bound.
  var fractions: [String: Double] = [:]
}

/// Several contestants on the same work, in turns, so that what else the machine does falls on all of them.
struct Contest {
  let task: String
  let size: String
  let unit: String
  var contestants: [Contestant] = []
  /// The contestant that ratios refer to; nil without peers.
  var reference: String?
  /// How often a contestant does its work in one turn; the turn counts as the median. More than once for work of some milliseconds, which
  /// is over before threads and processor have woken up.
  var passes = 1

  /// `runs` rounds after one that does not count. A contestant that fails drops out with a note.
  func hold(runs: Int, note: (String) -> Void) -> [Outcome] {
    var times: [Int: [Double]] = [:]
    var failed: Set<Int> = []
    for round in 0...runs {
      for (index, contestant) in contestants.enumerated() where !failed.contains(index) {
        do {
          let passes = try (0..<passes).map { _ in try contestant.run() }.sorted()
          let time = passes[passes.count / 2]
          if round > 0 { times[index, default: []].append(time) }
        } catch {
          failed.insert(index)
          note("\(task), \(size), \(contestant.name): \((error as? Peer.Missing)?.reason ?? "\(error)")")
        }
        // OpenMP and OpenBLAS threads of the one before may still spin for work.
        Thread.sleep(forTimeInterval: 0.25)
      }
    }
    var outcomes = contestants.enumerated().compactMap { index, contestant -> Outcome? in
      guard let sorted = times[index]?.sorted(), let first = sorted.first, let last = sorted.last else {
        return nil
      }
      let median = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
      return Outcome(
        task: task, size: size, contestant: contestant.name, threads: contestant.threads, median: median,
        fastest: first, slowest: last, runs: sorted.count, unit: unit,
        fractions: contestant.bounds.mapValues { $0 / median })
    }
    if let base = outcomes.first(where: { $0.contestant == reference }) {
      for index in outcomes.indices where outcomes[index].contestant != base.contestant {
        outcomes[index].ratio = base.median / outcomes[index].median
        outcomes[index].reference = base.contestant
      }
    }
    return outcomes
  }
}
