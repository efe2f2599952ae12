import HatchlingModel
import HatchlingNumerics
import Testing

@testable import HatchlingCommands

/// The statistics of `activity`, by pencil and paper, against SciPy, and on numbers made to have an effect or none.
@Suite struct ActivityStatisticsTests {
  private func correlation(
    _ a: [Double], _ b: [Double], strata: [[Int]]? = nil, segments: [Int]? = nil, permutations: Int = 0
  ) -> RankCorrelation {
    let strata = strata ?? [Array(a.indices)]
    let segments = segments ?? a.indices.map { _ in 0 }
    return RankCorrelation(
      StratifiedRanks(a, strata: strata), StratifiedRanks(b, strata: strata), strata: strata,
      segments: segments,
      segmentCount: (segments.max() ?? 0) + 1, resamples: 200, permutations: permutations, seed: 5)
  }

  @Test func ranksAreMidRanksInsideStrata() {
    #expect(StratifiedRanks([3, 1, 2, 2], strata: [[0, 1, 2, 3]]).values == [0.375, -0.375, 0, 0])
    // Two strata, and the last place in none.
    #expect(
      StratifiedRanks([9, 1, 8, 2, 5], strata: [[0, 2], [1, 3]]).values == [0.25, -0.25, -0.25, 0.25, 0])
  }

  /// scipy.stats.spearmanr of SciPy 1.17.1; a and b as numpy.random.default_rng(7) gave them.
  @Test func oneStratumIsSpearman() {
    let a: [Double] = [8, 5, 6, 8, 5, 6, 7, 2, 0, 2, 2, 7, 8, 0, 4, 7, 1, 7, 1, 4, 7, 2, 3, 2]
    let b = [
      4.2, 0.6, 2.9, 5.4, -0.2, 2.1, -0.3, -1.6, -3.7, 0.5, -1.5, 4.0, 4.3, -0.4, -3.0, 2.4, 0.4, 3.7, -2.6,
      1.0, 1.5, -0.6, 3.6, -0.6,
    ]
    #expect(abs(correlation(a, b).correlation.value - 0.7974070106719493) < 1e-12)
    #expect(correlation(a, a).correlation.value == 1)
    let constant = correlation(a, a.map { _ in 1 })
    #expect(constant.correlation.value.isNaN && constant.count == 24)
  }

  /// What goes up from stratum to stratum and down inside each.
  @Test func strataTakeTheirLevelsAway() {
    let a = (0..<40).map { (place: Int) -> Double in Double(place / 10 * 100 + place % 10) }
    let b = (0..<40).map { (place: Int) -> Double in Double(place / 10 * 100 - place % 10) }
    #expect(correlation(a, b).correlation.value > 0.8)
    let strata = (0..<4).map { Array($0 * 10..<$0 * 10 + 10) }
    #expect(abs(correlation(a, b, strata: strata).correlation.value + 1) < 1e-12)
  }

  /// Of the orders of three values two are as far from 0 as a perfect one.
  @Test func permutationsAreCounted() {
    let p = correlation([1, 2, 3], [4, 5, 6], permutations: 20_000).p
    #expect(abs(p - 1.0 / 3) < 0.02)
    // Two values are as far from 0 in either order, and where one side never varies there is no p.
    #expect(correlation([3, 1], [1, 2], permutations: 50).p == 1)
    #expect(correlation([1, 1], [1, 2], permutations: 50).p.isNaN)
  }

  /// One segment says one thing and the other the opposite: resamples hold both.
  @Test func theIntervalComesFromSegments() {
    let values = (0..<20).map(Double.init)
    let other = (0..<20).map { Double($0 < 10 ? $0 : 30 - $0) }
    let own = correlation(values, other, segments: (0..<20).map { $0 / 10 })
    #expect(own.correlation.low < -0.9 && own.correlation.high > 0.9)
    #expect(correlation(values, other).correlation.low.isNaN)
  }

  @Test func estimatesAreQuantiles() {
    let estimate = Estimate(7, resamples: (0...1000).map(Double.init).reversed() + [.nan])
    #expect(estimate.low == 25 && estimate.high == 975)
    #expect(estimate.text(0) == "7 [25, 975]" && Estimate(7).text(1) == "7.0")
  }

  /// Gini by the mean absolute difference, numpy: |v_i − v_j| mean / (2 mean v).
  @Test func concentrationIsGini() {
    #expect(Concentration([2, -2, 2, 2]).gini == 0)
    #expect(Concentration([0, 0, -5, 0]).gini == 0.75 && Concentration([0, 0, -5, 0]).topPercent == 1)
    #expect(Concentration([0, 0]).gini.isNaN && Concentration([0, 0, -5, 0]).filled == 1)
    let values: [Float] = [
      0.0, 0.024, 1.476, 1.194, 0.69, 0.295, 1.389, 0.371, 0.023, 0.144, 0.359, 0.438, 0.023, 0.057, 0.009,
      0.046, 0.09, 0.485, 1.179, 1.755, 0.021, 2.156, 0.033, 0.444, 0.142, 1.435, 0.015, 0.475, 0.275, 0.118,
    ]
    #expect(abs(Concentration(values).gini - 0.6083129960644635) < 1e-6)
    #expect(abs(Concentration((1...200).map(Float.init)).topPercent - 399.0 / 20100) < 1e-9)
  }

  @Test func trainsTellWhoFiredWhen() {
    for seed in 1...8 as ClosedRange<UInt64> {
      var random = SeededRandom(seed: seed)
      let tokens = Int.random(in: 1...200, using: &random)
      var trains = SpikeTrains(neurons: 5, tokens: tokens)
      var expected = Array(repeating: Set<Int>(), count: 5)
      for _ in 0..<tokens {
        let (neuron, token) = (
          Int.random(in: 0..<5, using: &random), Int.random(in: 0..<tokens, using: &random)
        )
        trains.mark(neuron, at: token)
        expected[neuron].insert(token)
      }
      for neuron in 0..<5 {
        #expect(trains.times(neuron) == expected[neuron].sorted(), "seed \(seed)")
        let other = (neuron + 1) % 5
        #expect(
          trains.times(neuron, with: trains, other)
            == expected[neuron].intersection(expected[other]).sorted())
      }
    }
  }

  private func intervals(_ trains: [[Int]], _ streams: [Range<Int>]) -> WriteIntervals {
    WriteIntervals(
      "y", layer: 1, trains: trains.count, streams: streams, bootstraps: 20, seed: 1,
      workers: Workers(threads: 1)
    ) { trains[$0] }
  }

  @Test func intervalsEndWithTheirStream() {
    let own = intervals([[0, 3, 9, 10, 14], [], [4]], [0..<10, 10..<20])
    // 3 and 6 in the first stream, 4 in the second; from 9 to 10 another stream begins.
    #expect(own.seen == [0, 0, 0, 1, 1, 0, 1, 0, 0, 0] && own.total == 3)
    #expect(own.active == 2 && own.trains == 3)
    #expect(abs(own.byChance.reduce(0, +) - 3) < 1e-9)
    let two = intervals([[0, 1, 5, 9]], [0..<3, 3..<12])
    #expect(two.seen[1] == 1 && two.seen[4] == 1 && two.total == 2)
  }

  @Test func chanceIsToldFromOrder() {
    var random = SeededRandom(seed: 3)
    let streams = [0..<2000]
    let chance = intervals(
      (0..<60).map { _ in (0..<2000).filter { _ in random.uniform() < 0.05 } }, streams)
    #expect(chance.distance < 0.02 && abs(chance.burstiness - 1) < 0.1 && abs(chance.longIntervals - 1) < 0.3)
    let clocks = intervals(
      (0..<60).map { start in Array(stride(from: start % 20, to: 2000, by: 20)) }, streams)
    #expect(clocks.distance > 0.3 && clocks.burstiness == 0 && clocks.longIntervals == 0)
    // Bursts of four, far apart.
    let bursts = intervals(
      (0..<60).map { _ in
        (0..<25).flatMap { burst in
          let start = burst * 80 + Int.random(in: 0..<76, using: &random)
          return (start..<start + 4).map { $0 }
        }
      }, streams)
    #expect(bursts.burstiness > 8)
    #if Topology
      #expect(chance.judged == 60 && chance.powerLaw == 0 && chance.geometric > 50)
      #expect(chance.seenTail != nil && chance.chanceTail != nil)
    #endif
  }

  @Test func drawingFollowsTheHistogram() {
    var random = SeededRandom(seed: 9)
    let drawn = WriteIntervals.draw(4000, from: [0, 3000, 0, 1000, 0], &random)
    #expect(Set(drawn) == [1, 3] && abs(Double(drawn.count { $0 == 1 }) / 4000 - 0.75) < 0.03)
    #expect(WriteIntervals.draw(5, from: [0, 0], &random).isEmpty)
  }

  @Test func clocksAreDealtOutByTheirFrequency() {
    let buckets = ClockBuckets([0.1, 0.1, 0.01, 0.01, 0.1, 0.1, 0, 0], buckets: 2)
    #expect(buckets.bucketOf == [0, 0, 1, 1, 0, 0, 1, 1] && buckets.sizes == [4, 4])
    #expect(abs(buckets.periods[0].slowest - 10) < 1e-6 && buckets.periods[1].slowest == .infinity)
    #expect(ClockBuckets([1, 1, 1], buckets: 9).sizes == [1, 1, 1])
  }

  @Test func halfLivesAreThoseOfTheDamping() {
    #expect(PlasticMemory.halfLife(0.5) == 1 && PlasticMemory.halfLife(1) == 0)
    #expect(PlasticMemory.halfLife(0) == .infinity)
    #expect(abs(PlasticMemory.halfLife(0.01) - 68.96756393652842) < 1e-4)
    let memory = PlasticMemory(damping: [0, 0.5, 0.75], layers: 1)
    #expect(memory.halfLife(quantile: 0.5) == 1 && memory.halfLife(quantile: 1) == .infinity)
  }

  // MARK: Surprise

  /// 2000 tokens of four bytes in 20 segments; `activity` says how many of 1000 neurons fire at a byte so surprising.
  private func trace(seed: UInt64, _ activity: (Int, Double, inout SeededRandom) -> Double) -> ActivityTrace {
    var random = SeededRandom(seed: seed)
    let tokens = (0..<2000).map { _ in Int.random(in: 0..<4, using: &random) }
    // A byte's own surprise differs from byte to byte.
    let surprise = tokens.enumerated().map { $0 == 0 ? .nan : Double($1) + random.uniform() }
    // Nothing foretold the first one.
    let counts = zip(tokens, surprise).map {
      Int32(1000 * activity($0, $1.isNaN ? Double($0) : $1, &random))
    }
    let sizes = Hyperparameters(neurons: 1000, synapticDimension: 4, heads: 1, layers: 1, vocabulary: 4)
    let series = ActivitySeriesKey.Quantity.allCases.map {
      ActivitySeriesKey(quantity: $0, layer: 1, bucket: nil)
    }
    return ActivityTrace(
      sizes: sizes, streams: [.init(name: "made", tokens: 0..<2000)], tokens: tokens, surprise: surprise,
      buckets: ClockBuckets([Float](repeating: 0.1, count: 1000), buckets: 1),
      counts: Dictionary(uniqueKeysWithValues: series.map { ($0, counts) }), trains: [:],
      memory: PlasticMemory(damping: [0], layers: 1))
  }

  private func report(_ trace: ActivityTrace) throws -> SurpriseReport {
    var request = ActivityRequest()
    (request.segment, request.leftOut, request.resamples, request.buckets) = (100, 0, 200, 1)
    return try SurpriseReport(trace, request)
  }

  /// A byte's level alone: all of the effect is gone inside bytes, and p is small no more often than it says.
  @Test func whichByteItIsExplainsNothingInsideBytes() throws {
    var small = 0
    for seed in 1...40 as ClosedRange<UInt64> {
      let report = try report(
        trace(seed: seed) { byte, _, random in 0.1 * Double(byte) + 0.1 * random.uniform() })
      #expect(report.tokens == 1999 && report.inBytes == 1999 && report.segments == 20)
      let row = report.rows[0]
      #expect(row.overall.correlation.value > 0.8 && row.overall.p < 0.01, "seed \(seed)")
      #expect(abs(row.withinBytes.correlation.value) < 0.1, "seed \(seed)")
      if row.withinBytes.p < 0.05 { small += 1 }
    }
    #expect(small <= 7)
  }

  @Test func surpriseIsFoundInsideBytes() throws {
    for seed in 1...5 as ClosedRange<UInt64> {
      // Bytes of a large surprise fire less, and inside a byte surprise makes neurons fire.
      let report = try report(
        trace(seed: seed) { byte, surprise, random in
          0.5 - 0.1 * Double(byte) + 0.05 * (surprise - Double(byte)) + 0.02 * random.uniform()
        })
      let row = report.rows[0]
      #expect(row.overall.correlation.value < -0.5)
      #expect(row.withinBytes.correlation.low > 0.8 && row.withinBytes.p < 0.01, "seed \(seed)")
      #expect(row.withinPairs.correlation.low > 0.8 && row.withinPairs.count > 1900)
      #expect(row.ratio.low > 1.02)
      let (first, last) = (try #require(report.bins.first), try #require(report.bins.last))
      #expect(first.active[0] > last.active[0])
      #expect(report.bins.reduce(0) { $0 + $1.tokens } == 1999)
      let mean = report.bins.reduce(0) { $0 + $1.adjusted[0] * Double($1.tokens) } / 1999
      #expect(abs(mean - row.active.value) < 1e-12)
    }
  }

  @Test func tooFewTokensAreRefused() {
    let made = trace(seed: 1) { _, _, _ in 0.5 }
    var request = ActivityRequest()
    (request.segment, request.leftOut) = (4000, 0)
    #expect(throws: ActivityStudyError.tooShort(tokens: 2000, needed: 8000)) {
      try SurpriseReport(made, request)
    }
  }
}
