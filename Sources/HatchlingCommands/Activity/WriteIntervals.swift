import Foundation
import HatchlingNumerics

#if Topology
  import HatchlingTopology
#endif

/// How many tokens pass from one event of a neuron, or one write of a synapse, to the next, beside what chance makes of the same events.
struct WriteIntervals: Sendable {
  /// What was asked of the tail.
  struct TailTest: Sendable {
    let alpha: Double
    let minimum: Int
    let distance: Double
    let tail: Int
    let p: Double?
    /// ln L(power law) − ln L of the other.
    let versusLogNormal: Double?
    let versusExponential: Double?
    let verdict: String

    var json: JSONObject {
      [
        "alpha": alpha, "x_min": minimum, "ks": distance, "tail": tail, "p": p,
        "versus_log_normal": versusLogNormal, "versus_exponential": versusExponential, "verdict": verdict,
      ]
    }
  }

  /// `x`, `y`, or `synapse`: y of a neuron in the layer below and x of another in this layer at the same token.
  let what: String
  /// 1 … L.
  let layer: Int
  /// Trains with one event at least, and of how many.
  let active: Int
  let trains: Int
  /// At place k how many intervals of k tokens were seen, and how many there are on average when the events of every train are dealt out
  /// anew over its stream.
  let seen: [Double]
  let byChance: [Double]
  /// Of intervals drawn from those two.
  let seenTail: TailTest?
  let chanceTail: TailTest?
  /// Of the trains with intervals enough: how many were judged, and for how many one law alone is likelier (p < 0.1).
  let judged: Int
  let geometric: Int
  let powerLaw: Int

  /// Intervals that the tails are fitted to, drawn from all.
  static var drawn: Int { 3000 }
  /// Trains that are judged by themselves, and the intervals that each needs.
  private static var mostJudged: Int { 200 }
  private static var fewestIntervals: Int { 50 }

  /// - Parameter times: of train `0 ..< trains` when its events were, ascending tokens of the trace.
  init(
    _ what: String, layer: Int, trains: Int, streams: [Range<Int>], bootstraps: Int, seed: UInt64,
    workers: Workers, times: (Int) -> [Int]
  ) {
    var bySpan: [Int: SpikeIntervals] = [:]
    for stream in streams where bySpan[stream.count] == nil {
      bySpan[stream.count] = SpikeIntervals(span: stream.count)
    }
    var active = 0
    var candidates: [[Int]] = []
    for train in 0..<trains {
      let events = times(train)
      if !events.isEmpty { active += 1 }
      var (own, next) = ([Int](), 0)
      for stream in streams where next < events.count {
        let start = next
        while next < events.count && events[next] < stream.upperBound {
          if next > start {
            let interval = events[next] - events[next - 1]
            own.append(interval)
            bySpan[stream.count]?.add(interval: interval)
          }
          next += 1
        }
        if next > start { bySpan[stream.count]?.add(trainOf: next - start) }
      }
      if own.count >= Self.fewestIntervals { candidates.append(own) }
    }
    (self.what, self.layer, self.active, self.trains) = (what, layer, active, trains)
    let intervals = bySpan.sorted { $0.key < $1.key }.map(\.value)
    seen = Self.sum(intervals.map { $0.counts.map(Double.init) })
    byChance = Self.sum(intervals.map(\.expected))
    var random = SeededRandom(seed: seed)
    seenTail = Self.tail(Self.draw(Self.drawn, from: seen, &random), bootstraps, seed, workers)
    chanceTail = Self.tail(Self.draw(Self.drawn, from: byChance, &random), bootstraps, seed, workers)
    candidates.shuffle(using: &random)
    (judged, geometric, powerLaw) = Self.judge(candidates.prefix(Self.mostJudged))
  }

  // MARK: Beside chance

  /// Intervals that were seen.
  var total: Int { Int(seen.reduce(0, +)) }

  private static func sum(_ parts: [[Double]]) -> [Double] {
    parts.reduce(into: [Double](repeating: 0, count: parts.map(\.count).max() ?? 0)) { sum, part in
      for (interval, count) in part.enumerated() { sum[interval] += count }
    }
  }

  /// How many times as many intervals of one token as by chance.
  var burstiness: Double {
    seen.count > 1 ? seen[1] / byChance[1] : .nan
  }

  /// How many times as many intervals as by chance are longer than 99 % of those by chance.
  var longIntervals: Double {
    let total = byChance.reduce(0, +)
    var (sum, bound) = (0.0, 0)
    while bound < byChance.count && sum + byChance[bound] <= 0.99 * total {
      sum += byChance[bound]
      bound += 1
    }
    return seen[bound...].reduce(0, +) / byChance[bound...].reduce(0, +)
  }

  /// The largest difference between the distributions of intervals, seen and by chance.
  var distance: Double {
    let (all, expected) = (seen.reduce(0, +), byChance.reduce(0, +))
    var (largest, below, expectedBelow) = (0.0, 0.0, 0.0)
    for interval in seen.indices {
      below += seen[interval] / all
      expectedBelow += byChance[interval] / expected
      largest = max(largest, abs(below - expectedBelow))
    }
    return all > 0 ? largest : .nan
  }

  // MARK: Tails

  /// Intervals drawn from a histogram, with replacement.
  static func draw(_ count: Int, from histogram: [Double], _ random: inout SeededRandom) -> [Int] {
    var sums: [Double] = []
    for value in histogram { sums.append((sums.last ?? 0) + value) }
    guard let total = sums.last, total > 0 else { return [] }
    return (0..<min(count, Int(total.rounded(.up)))).map { _ in
      let bound = random.uniform() * total
      var (low, high) = (0, sums.count - 1)
      while low < high {
        let middle = (low + high) / 2
        if sums[middle] > bound { high = middle } else { low = middle + 1 }
      }
      return low
    }
  }

  private static func tail(_ sample: [Int], _ bootstraps: Int, _ seed: UInt64, _ workers: Workers)
    -> TailTest?
  {
    #if Topology
      guard let law = DegreeReport(sample, bootstraps: bootstraps, seed: seed, workers: workers).powerLaw
      else {
        return nil
      }
      return TailTest(
        alpha: law.alpha, minimum: law.xMin, distance: law.ks, tail: law.tail, p: law.p,
        versusLogNormal: law.versusLogNormal?.ratio, versusExponential: law.versusExponential?.ratio,
        verdict: law.verdict)
    #else
      return nil
    #endif
  }

  /// Each train by itself, from intervals of 1 on: a power law against the geometric law of events without memory.
  private static func judge(_ trains: some Collection<[Int]>) -> (judged: Int, geometric: Int, powerLaw: Int)
  {
    #if Topology
      var (judged, geometric, powerLaw) = (0, 0, 0)
      for intervals in trains {
        guard let fit = PowerLawFit(intervals, minimum: 1) else { continue }
        let comparison = Tail(intervals, from: 1).againstExponential(fit)
        judged += 1
        guard comparison.probability < 0.1 else { continue }
        if comparison.ratio < 0 { geometric += 1 } else { powerLaw += 1 }
      }
      return (judged, geometric, powerLaw)
    #else
      return (0, 0, 0)
    #endif
  }
}

extension WriteIntervals {
  /// Of x and y in every layer, and of drawn pairs of neurons from the second layer on.
  static func all(
    of trace: ActivityTrace, _ request: ActivityRequest, workers: Workers, progress: WorkProgress
  ) -> [WriteIntervals] {
    let streams = trace.streams.map(\.tokens)
    let bootstraps = min(100, request.resamples)
    var found: [WriteIntervals] = []
    let steps = 3 * trace.sizes.layers - 1
    for key in trace.wholeSeries {
      guard let trains = trace.trains[key] else { continue }
      found.append(
        WriteIntervals(
          key.quantity.rawValue, layer: key.layer, trains: trains.neurons, streams: streams,
          bootstraps: bootstraps, seed: request.seed, workers: workers, times: trains.times))
      progress("intervals of quantity and layer", found.count, steps)
    }
    guard request.synapses > 0 else { return found }
    for layer in 1...trace.sizes.layers where layer > 1 {
      guard let y = trace.trains[ActivitySeriesKey(quantity: .y, layer: layer - 1, bucket: nil)],
        let x = trace.trains[ActivitySeriesKey(quantity: .x, layer: layer, bucket: nil)]
      else { continue }
      var random = SeededRandom(seed: request.seed &+ UInt64(layer))
      let pairs = (0..<request.synapses).map { _ in
        (Int.random(in: 0..<y.neurons, using: &random), Int.random(in: 0..<x.neurons, using: &random))
      }
      found.append(
        WriteIntervals(
          "synapse", layer: layer, trains: pairs.count, streams: streams, bootstraps: bootstraps,
          seed: request.seed, workers: workers
        ) { y.times(pairs[$0].0, with: x, pairs[$0].1) })
      progress("intervals of quantity and layer", found.count, steps)
    }
    return found
  }
}
