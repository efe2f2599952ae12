import Foundation

/// How many steps lie between a particle's spike and its next one, and what chance alone would make of the same spikes.
///
/// A train is what one particle did in a span of steps: in a phase of T sub-steps, or at the N tokens of a text. The control keeps how often each
/// train fired and forgets when: it is the mean over all orders, computed, not drawn.
public struct SpikeIntervals: Sendable, Equatable {
  /// Steps of a train.
  public let span: Int
  /// How many intervals are k steps long, k = 0 ..< span; none is 0.
  public private(set) var counts: [Int]
  /// How many trains have n spikes.
  public private(set) var trains: [Int: Int] = [:]

  public init(span: Int) {
    self.span = span
    counts = Array(repeating: 0, count: max(1, span))
  }

  mutating func add(interval: Int) { counts[interval] += 1 }
  mutating func add(trainOf spikes: Int) { trains[spikes, default: 0] += 1 }

  public var total: Int { counts.reduce(0, +) }
  /// The longest interval that was seen.
  public var longest: Int { counts.lastIndex { $0 > 0 } ?? 0 }

  /// The mean of ``counts`` over all ways to place every train's spikes in its span.
  ///
  /// Of n spikes in T steps, two that are k apart with none between them have T − k places, the others the T − k − 1 steps outside:
  /// (T − k) C(T − k − 1, n − 2) / C(T, n). Cost: span × numbers of spikes that occur.
  public var expected: [Double] {
    var logFactorials = [0.0]
    for step in 1...max(1, span) { logFactorials.append(logFactorials[step - 1] + log(Double(step))) }
    func logChoose(_ all: Int, _ some: Int) -> Double {
      some < 0 || some > all
        ? -.infinity : logFactorials[all] - logFactorials[some] - logFactorials[all - some]
    }
    var expected = [Double](repeating: 0, count: counts.count)
    for (spikes, number) in trains.sorted(by: { $0.key < $1.key }) where spikes >= 2 && spikes <= span {
      let all = logChoose(span, spikes)
      for interval in 1..<span {
        let ways = logChoose(span - interval - 1, spikes - 2)
        guard ways > -.infinity else { break }
        expected[interval] += Double(number) * Double(span - interval) * exp(ways - all)
      }
    }
    return expected
  }

  mutating func add(_ other: SpikeIntervals) {
    for interval in counts.indices { counts[interval] += other.counts[interval] }
    trains.merge(other.trains, uniquingKeysWith: +)
  }
}
