import HatchlingShards

extension ExchangeConstants {
  /// Measures exchanges of several sizes, in which every rank gives as many bytes, and fits steps · latency + bytes received / bandwidth to the
  /// first quartiles, each by its ratio: what waits longer waits for other programs. All ranks call it together, and all get the same; nil for one rank alone.
  ///
  /// - Parameter sizes: bytes that a rank gives.
  public static func measured(
    among ranks: Ranks, sizes: [Int], repeats: Int
  ) -> ExchangeConstants? {
    guard ranks.size > 1 else { return nil }
    // As many as the busiest rank hears.
    let messages =
      ranks.way == .gather
      ? ranks.size - 1 : RankMeetings.of(0, among: ranks.size).count { !$0.heard.isEmpty }
    let points = sizes.map { size in
      let times = ranks.timedExchanges(of: size, count: repeats).sorted()
      let slowest = ranks.gather(times.isEmpty ? 0 : times[times.count / 4]).max() ?? 0
      return (received: Double(size * messages), seconds: slowest)
    }
    return fitted(to: points, steps: ranks.way.steps(ranks.size))
  }

  /// The line through some points with the least sum of squares of relative deviations.
  static func fitted(to points: [(received: Double, seconds: Double)], steps: Int) -> ExchangeConstants? {
    let usable = points.filter { $0.seconds > 0 }
    guard let most = usable.max(by: { $0.received < $1.received }), steps > 0 else { return nil }
    // Of 1/t, x/t, x²/t² and so on: what a + b x = t asks for, divided by t.
    var (s, sx, sxx, st, sxt) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for (x, t) in usable {
      let weight = 1 / (t * t)
      s += weight
      sx += weight * x
      sxx += weight * x * x
      st += weight * t
      sxt += weight * x * t
    }
    let determinant = s * sxx - sx * sx
    var slope = determinant > 0 ? (s * sxt - sx * st) / determinant : 0
    // Where larger exchanges are not slower, none was large enough: the largest says what there is at least.
    if slope <= 0 { slope = most.seconds / max(1, most.received) }
    let start = max(0, (st - slope * sx) / s)
    return ExchangeConstants(latency: start / Double(steps), bandwidth: 1 / slope)
  }
}
