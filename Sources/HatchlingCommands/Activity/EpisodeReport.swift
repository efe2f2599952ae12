import HatchlingNumerics

/// Loss and activity in the memorising task, by place in the episode and by showing.
struct EpisodeReport: Sendable {
  /// Means over the same letters of all episodes.
  struct Row: Sendable {
    /// A place in the episode from 0, or a showing; see ``MemorisingTask/showing(at:)``.
    let number: Int
    let loss: Double
    /// Of the series of ``EpisodeReport/series``.
    let active: [Double]
  }

  let task: MemorisingTask
  let episodes: Int
  let series: [ActivitySeriesKey]
  let places: [Row]
  /// The warm-up, where there is one, and every showing.
  let showings: [Row]
  /// Activity at the first showing over that at all later ones, per series; the interval from a bootstrap over episodes.
  let ratios: [Estimate]
  /// Loss at the first showing less that at all later ones.
  let lossDrop: Estimate

  /// The first episode of a stream is left out unless it is all of it: nothing came before.
  /// - Throws: ``ActivityStudyError/noEpisodes(tokens:period:)``.
  init(_ trace: ActivityTrace, _ task: MemorisingTask, _ request: ActivityRequest) throws(ActivityStudyError)
  {
    let (period, series) = (task.period, trace.wholeSeries)
    let starts = trace.streams.flatMap { stream in
      let whole = stream.tokens.count / period
      return (whole > 1 ? 1..<whole : 0..<whole).map { stream.tokens.lowerBound + $0 * period }
    }
    guard starts.count >= 2 else { throw .noEpisodes(tokens: trace.tokens.count, period: period) }
    (self.task, self.series, episodes) = (task, series, starts.count)

    func row(_ number: Int, _ places: [Int]) -> Row {
      let tokens = starts.flatMap { start in places.map { start + $0 } }
      let losses = tokens.map { trace.surprise[$0] }.filter(\.isFinite)
      return Row(
        number: number, loss: losses.reduce(0, +) / Double(losses.count),
        active: series.map { trace.activeFraction($0, at: tokens) })
    }
    places = (0..<period).map { row($0, [$0]) }
    let byShowing = Dictionary(grouping: 0..<period, by: task.showing)
    showings = byShowing.sorted { $0.key < $1.key }.map { row($0.key, $0.value) }

    /// Means over the first and over later showings, episode by episode.
    func sums(_ value: (Int) -> Double) -> SegmentSums {
      var sums = SegmentSums(segments: starts.count, columns: 4)
      for (episode, start) in starts.enumerated() {
        for place in task.warmUp..<period {
          let (token, isFirst) = (start + place, task.showing(at: place) == 1)
          guard value(token).isFinite else { continue }
          sums.add(isFirst ? [1, value(token), 0, 0] : [0, 0, 1, value(token)], to: episode)
        }
      }
      return sums
    }
    ratios = series.map { key in
      let counts = trace.counts[key] ?? []
      return sums { Double(counts[$0]) }.estimate(resamples: request.resamples, seed: request.seed) {
        ($0[1] / $0[0]) / ($0[3] / $0[2])
      }
    }
    lossDrop = sums { trace.surprise[$0] }.estimate(resamples: request.resamples, seed: request.seed) {
      $0[1] / $0[0] - $0[3] / $0[2]
    }
  }
}
