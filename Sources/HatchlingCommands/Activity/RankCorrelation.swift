import HatchlingNumerics

/// Values as mid-ranks inside strata, centred and in units of the stratum's size, so that a stratum's level says nothing and every value counts
/// alike: (rank − (m + 1) / 2) / m, between −½ and ½. With one stratum their correlation is Spearman's ρ.
struct StratifiedRanks {
  /// 0 for what belongs to no stratum.
  let values: [Double]

  /// - Parameter strata: the places of every stratum.
  /// - Precondition: no value is NaN. Cost: a sort.
  init(_ values: some RandomAccessCollection<Double>, strata: [[Int]]) {
    let all = Array(values)
    var result = [Double](repeating: 0, count: all.count)
    for stratum in strata {
      let order = stratum.sorted { all[$0] < all[$1] }
      let size = Double(order.count)
      var start = 0
      while start < order.count {
        var end = start
        while end < order.count && all[order[end]] == all[order[start]] { end += 1 }
        let rank = (Double(start + end + 1) / 2 - (size + 1) / 2) / size
        for place in order[start..<end] { result[place] = rank }
        start = end
      }
    }
    self.values = result
  }
}

/// A number with what a bootstrap leaves open: the 2.5 % and the 97.5 % quantile of its resamples. NaN where there is none.
struct Estimate: Sendable, Equatable {
  var value: Double
  var low = Double.nan
  var high = Double.nan

  /// - Parameter resamples: in any order; those that are not finite are left out.
  init(_ value: Double, resamples: [Double] = []) {
    self.value = value
    let sorted = resamples.filter(\.isFinite).sorted()
    guard !sorted.isEmpty else { return }
    func quantile(_ share: Double) -> Double {
      let place = share * Double(sorted.count - 1)
      let (below, rest) = (Int(place), place - place.rounded(.down))
      return sorted[below] + rest * (sorted[min(below + 1, sorted.count - 1)] - sorted[below])
    }
    (low, high) = (quantile(0.025), quantile(0.975))
  }

  var json: JSONObject { ["value": value, "low": low, "high": high] }
  /// `0.12 [0.10, 0.14]`.
  func text(_ places: Int) -> String {
    low.isFinite
      ? "\(decimal(value, places)) [\(decimal(low, places)), \(decimal(high, places))]"
      : decimal(value, places)
  }
}

/// Sums of something over segments, of which a bootstrap draws as many as there are, with replacement.
struct SegmentSums {
  /// `(segments, columns)`.
  private(set) var sums: [[Double]]
  let columns: Int

  init(segments: Int, columns: Int) {
    sums = Array(repeating: [Double](repeating: 0, count: columns), count: segments)
    self.columns = columns
  }

  mutating func add(_ values: [Double], to segment: Int) {
    for column in 0..<columns { sums[segment][column] += values[column] }
  }

  /// A function of the sums over all segments, and over every resample. The same draws for the same seed.
  func estimate(resamples: Int, seed: UInt64, _ function: ([Double]) -> Double) -> Estimate {
    func total(_ segments: some Sequence<Int>) -> [Double] {
      segments.reduce(into: [Double](repeating: 0, count: columns)) { total, segment in
        for column in 0..<columns { total[column] += sums[segment][column] }
      }
    }
    let value = function(total(sums.indices))
    guard sums.count > 1 else { return Estimate(value) }
    var random = SeededRandom(seed: seed)
    return Estimate(
      value,
      resamples: (0..<resamples).map { _ in
        function(total(sums.indices.map { _ in Int.random(in: 0..<sums.count, using: &random) }))
      })
  }
}

/// How two quantities of the same tokens go together.
struct RankCorrelation: Sendable {
  /// Between the ranks; the interval from a bootstrap over segments, ranks taken once.
  let correlation: Estimate
  /// The share of permutations inside strata (this one included) with a correlation at least as far from 0; NaN without permutations, and where one
  /// of the two never varies.
  let p: Double
  /// Tokens in strata.
  let count: Int

  /// - Parameters:
  ///   - segments: of every place its segment, `0 ..< segmentCount`.
  ///   - permutations: 0 for none.
  init(
    _ first: StratifiedRanks, _ second: StratifiedRanks, strata: [[Int]], segments: [Int], segmentCount: Int,
    resamples: Int, permutations: Int, seed: UInt64
  ) {
    let places = strata.flatMap(\.self)
    count = places.count
    var sums = SegmentSums(segments: segmentCount, columns: 6)
    for place in places {
      let (a, b) = (first.values[place], second.values[place])
      sums.add([1, a, b, a * a, b * b, a * b], to: segments[place])
    }
    correlation = sums.estimate(resamples: resamples, seed: seed, Self.pearson)
    p =
      correlation.value.isFinite
      ? Self.permuted(first, second, strata: strata, permutations: permutations, seed: seed) : .nan
  }

  /// Pearson's r from the sums 1, a, b, a², b², ab.
  private static func pearson(_ s: [Double]) -> Double {
    let (a, b) = (s[3] - s[1] * s[1] / s[0], s[4] - s[2] * s[2] / s[0])
    return (s[5] - s[1] * s[2] / s[0]) / (a * b).squareRoot()
  }

  private static func permuted(
    _ first: StratifiedRanks, _ second: StratifiedRanks, strata: [[Int]], permutations: Int, seed: UInt64
  ) -> Double {
    guard permutations > 0, !strata.isEmpty else { return .nan }
    // Ranks of a stratum add up to 0 and keep their squares, so only the products change.
    var pairs = strata.map { stratum in (stratum.map { first.values[$0] }, stratum.map { second.values[$0] })
    }
    func product() -> Double {
      pairs.reduce(0) { $0 + zip($1.0, $1.1).reduce(0) { $0 + $1.0 * $1.1 } }
    }
    let observed = abs(product()) * (1 - 1e-12)
    var random = SeededRandom(seed: seed &+ 1)
    var asFar = 1
    for _ in 0..<permutations {
      for index in pairs.indices { pairs[index].1.shuffle(using: &random) }
      if abs(product()) >= observed { asFar += 1 }
    }
    return Double(asFar) / Double(permutations + 1)
  }
}
