import HatchlingNumerics

/// Active fractions against the surprise of the token that is read, for one series.
struct SurpriseRow: Sendable {
  let key: ActivitySeriesKey
  /// Mean active fraction, over the tokens that are compared.
  let active: Estimate
  /// Spearman's ρ over all tokens.
  let overall: RankCorrelation
  /// Inside tokens of the same byte: which byte it is cannot explain it.
  let withinBytes: RankCorrelation
  /// Inside tokens of the same byte after the same byte.
  let withinPairs: RankCorrelation
  /// Mean active fraction at the more surprising half of the tokens of every byte, over that at the less surprising half.
  let ratio: Estimate
}

/// Activity against surprise: §6.4's claim that a surprised network fires more.
struct SurpriseReport: Sendable {
  /// Activity in a bin of surprise; every bin has as many tokens, but for what does not divide.
  struct Bin: Sendable {
    let surprise: Double
    let tokens: Int
    /// Mean active fraction of the series of ``SurpriseReport/binned``.
    let active: [Double]
    /// The same with every byte's own mean taken out and the mean of all put in.
    let adjusted: [Double]
  }

  let tokens: Int
  let segments: Int
  /// Mean loss in nats of the tokens that are compared.
  let loss: Estimate
  /// Tokens in strata of one byte, and of two.
  let inBytes: Int
  let inPairs: Int
  /// x and y of all layers first, then of every group of clocks.
  let rows: [SurpriseRow]
  let binned: [ActivitySeriesKey]
  let bins: [Bin]

  /// A stratum has at least so many tokens.
  static var smallestStratum: Int { 10 }
  private static var binCount: Int { 12 }

  /// - Throws: ``ActivityStudyError/tooShort(tokens:needed:)``.
  init(_ trace: ActivityTrace, _ request: ActivityRequest) throws(ActivityStudyError) {
    let sample = ComparedTokens(trace, request)
    guard sample.places.count >= 2 * Self.smallestStratum, sample.segmentCount >= 2 else {
      throw .tooShort(
        tokens: trace.tokens.count,
        needed: 2 * request.segment + (request.startsAnew ? 0 : request.leftOut))
    }
    (tokens, segments) = (sample.places.count, sample.segmentCount)
    let surprise = sample.places.map { trace.surprise[$0] }
    let everything = [Array(surprise.indices)]
    let bytes = sample.strata { [trace.tokens[$0]] }
    let pairs = sample.strata { [trace.tokens[$0 - 1], trace.tokens[$0]] }
    (inBytes, inPairs) = (bytes.reduce(0) { $0 + $1.count }, pairs.reduce(0) { $0 + $1.count })
    var losses = SegmentSums(segments: sample.segmentCount, columns: 2)
    for (place, value) in surprise.enumerated() { losses.add([1, value], to: sample.segments[place]) }
    loss = losses.estimate(resamples: request.resamples, seed: request.seed) { $0[1] / $0[0] }
    let levels = [everything, bytes, pairs].map { ($0, StratifiedRanks(surprise, strata: $0)) }

    func row(_ key: ActivitySeriesKey) -> SurpriseRow {
      let counts = trace.counts[key] ?? []
      let values = sample.places.map { Double(counts[$0]) / Double(trace.neurons(key)) }
      let correlations = levels.map { strata, ranks in
        RankCorrelation(
          StratifiedRanks(values, strata: strata), ranks, strata: strata, segments: sample.segments,
          segmentCount: sample.segmentCount, resamples: request.resamples,
          permutations: key.bucket == nil ? request.resamples : 0, seed: request.seed)
      }
      let (active, ratio) = Self.means(values, levels[1].1, sample, request)
      return SurpriseRow(
        key: key, active: active, overall: correlations[0], withinBytes: correlations[1],
        withinPairs: correlations[2], ratio: ratio)
    }
    let whole = trace.wholeSeries
    let groups = trace.buckets.sizes.indices.flatMap { bucket in
      whole.map { ActivitySeriesKey(quantity: $0.quantity, layer: $0.layer, bucket: bucket) }
    }
    rows = (whole + (trace.buckets.sizes.count > 1 ? groups : [])).map(row)
    binned = whole
    bins = Self.bins(trace, sample, surprise, whole)
  }

  /// The mean, and the mean at surprising tokens over that at expected ones, surprise ranked inside bytes.
  private static func means(
    _ values: [Double], _ surprise: StratifiedRanks, _ sample: ComparedTokens, _ request: ActivityRequest
  ) -> (Estimate, Estimate) {
    var sums = SegmentSums(segments: sample.segmentCount, columns: 6)
    for (place, value) in values.enumerated() {
      let rank = surprise.values[place]
      let (high, low) = (rank > 0 ? 1.0 : 0, rank < 0 ? 1.0 : 0)
      sums.add([1, value, high, high * value, low, low * value], to: sample.segments[place])
    }
    let (count, seed) = (request.resamples, request.seed)
    return (
      sums.estimate(resamples: count, seed: seed) { $0[1] / $0[0] },
      sums.estimate(resamples: count, seed: seed) { $0[3] / $0[2] / ($0[5] / $0[4]) }
    )
  }

  private static func bins(
    _ trace: ActivityTrace, _ sample: ComparedTokens, _ surprise: [Double], _ series: [ActivitySeriesKey]
  ) -> [Bin] {
    let order = surprise.indices.sorted { (surprise[$0], $0) < (surprise[$1], $1) }
    let byByte = Dictionary(grouping: surprise.indices) { trace.tokens[sample.places[$0]] }
    let fractions = series.map { key in
      let counts = trace.counts[key] ?? []
      return sample.places.map { Double(counts[$0]) / Double(trace.neurons(key)) }
    }
    let adjusted = fractions.map { values in
      let mean = values.reduce(0, +) / Double(values.count)
      var result = values
      for places in byByte.values {
        let own = places.reduce(0) { $0 + values[$1] } / Double(places.count)
        for place in places { result[place] = values[place] - own + mean }
      }
      return result
    }
    return (0..<binCount).compactMap { bin in
      let own = order[bin * order.count / binCount..<(bin + 1) * order.count / binCount]
      guard !own.isEmpty else { return nil }
      func mean(_ values: [Double]) -> Double { own.reduce(0) { $0 + values[$1] } / Double(own.count) }
      return Bin(
        surprise: mean(surprise), tokens: own.count, active: fractions.map(mean), adjusted: adjusted.map(mean)
      )
    }
  }
}

/// The tokens of a trace that are compared, with the segment of each.
struct ComparedTokens: Sendable {
  /// Tokens of the trace, ascending.
  let places: [Int]
  /// Of every place its segment, `0 ..< segmentCount`.
  let segments: [Int]
  let segmentCount: Int

  /// Tokens with a surprise, but for the first ones of a stream; segments do not reach over the end of a stream.
  init(_ trace: ActivityTrace, _ request: ActivityRequest) {
    var (places, segments, count) = ([Int](), [Int](), 0)
    for stream in trace.streams {
      let kept = stream.tokens.dropFirst(max(1, request.leftOut)).filter { trace.surprise[$0].isFinite }
      for (index, place) in kept.enumerated() {
        places.append(place)
        segments.append(count + index / request.segment)
      }
      count += (kept.count + request.segment - 1) / request.segment
    }
    (self.places, self.segments, segmentCount) = (places, segments, count)
  }

  /// Groups of indices into ``places`` with equal keys; those that are large enough.
  func strata(_ key: (Int) -> [Int]) -> [[Int]] {
    Dictionary(grouping: places.indices) { key(places[$0]) }
      .filter { $0.value.count >= SurpriseReport.smallestStratum }.values
      .sorted { $0[0] < $1[0] }
  }
}
