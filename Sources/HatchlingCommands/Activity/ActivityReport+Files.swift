import HatchlingCheckpoint
import HatchlingNumerics

extension ActivityReport: Encodable {
  public func encode(to encoder: any Encoder) throws {
    var object: JSONObject = [
      "model": model, "tokens": trace.tokens.count, "streams": trace.streams.count,
      "compared_tokens": surprise.tokens, "segments": surprise.segments,
      "segment_tokens": request.segment, "left_out": request.leftOut, "starts_anew": request.startsAnew,
      "seed": request.seed, "loss": surprise.loss.json, "tokens_in_bytes": surprise.inBytes,
      "tokens_in_pairs": surprise.inPairs,
      "surprise": surprise.rows.map(json), "intervals": intervals.map(json),
    ]
    object.append(["memory": memoryJSON, "sigma": sigma.map(json), "episodes": episodes.map(json)])
    try object.encode(to: encoder)
  }

  private func json(_ row: SurpriseRow) -> JSONObject {
    func json(_ correlation: RankCorrelation) -> JSONObject {
      var object = correlation.correlation.json
      object.append(["p": correlation.p, "tokens": correlation.count])
      return object
    }
    return [
      "quantity": row.key.quantity.rawValue, "layer": row.key.layer, "bucket": row.key.bucket,
      "shortest_period": row.key.bucket.map { trace.buckets.periods[$0].fastest },
      "longest_period": row.key.bucket.map { trace.buckets.periods[$0].slowest },
      "active": row.active.json, "overall": json(row.overall), "same_byte": json(row.withinBytes),
      "same_two_bytes": json(row.withinPairs), "surprising_to_expected": row.ratio.json,
    ]
  }

  private func json(_ own: WriteIntervals) -> JSONObject {
    [
      "what": own.what, "layer": own.layer, "trains": own.trains, "active_trains": own.active,
      "intervals": own.total, "distance_to_chance": own.distance, "one_token_to_chance": own.burstiness,
      "long_to_chance": own.longIntervals, "tail": own.seenTail?.json, "tail_by_chance": own.chanceTail?.json,
      "judged_trains": own.judged, "geometric_trains": own.geometric, "power_law_trains": own.powerLaw,
    ]
  }

  private var memoryJSON: JSONObject {
    let memory = trace.memory
    return [
      "half_life_quantiles": [0.05, 0.25, 0.5, 0.75, 0.95].map { finite(memory.halfLife(quantile: $0)) },
      "undamped": Double(memory.damping.count { $0 == 0 }) / Double(memory.damping.count),
      "overlap": memory.rows.map {
        ["tokens": $0.since, "overlap": $0.overlap.map(finite), "damping_alone": $0.damped.map(finite)]
          as JSONObject
      },
      "measured_half_life": (0..<memory.layers).map { memory.measuredHalfLife(layer: $0) },
      "rho": memory.concentration.map(\.json),
    ]
  }

  private func json(_ row: SigmaRow) -> JSONObject {
    [
      "tokens": row.tokens, "layer": row.layer, "concentration": row.concentration.json,
      "positive": row.positive, "edges": row.edges, "degrees": row.degrees?.json,
    ]
  }

  private func json(_ report: EpisodeReport) -> JSONObject {
    func json(_ row: EpisodeReport.Row) -> JSONObject {
      ["number": row.number, "loss": row.loss, "active": row.active]
    }
    return [
      "episodes": report.episodes, "period": report.task.period, "warm_up": report.task.warmUp,
      "word": report.task.word, "showings": report.task.showings, "loss_drop": report.lossDrop.json,
      "by_place": report.places.map(json), "by_showing": report.showings.map(json),
      "first_to_later": zip(report.series, report.ratios).map { key, ratio -> JSONObject in
        var object: JSONObject = ["quantity": key.quantity.rawValue, "layer": key.layer]
        object.append(ratio.json)
        return object
      },
    ]
  }

  // MARK: Files

  /// The tables that are written, and ``ReportFolder``'s `summary.json`.
  public static let tables = [
    "tokens.csv", "surprise.csv", "bins.csv", "intervals.csv", "half-lives.csv", "episodes.csv",
  ]

  /// Writes tables and `summary.json` and draws pictures into a folder that is made if it is not there.
  /// - Returns: what to tell the user. - Throws: `CheckpointError`.
  public func write(into path: String) throws -> [String] {
    let folder = try ReportFolder(path)
    try folder.write(summary: self)
    try table(folder, "tokens.csv", header: tokenColumns) { place in
      guard place < trace.tokens.count else { return nil }
      let surprise = trace.surprise[place]
      return ["\(place)", "\(trace.tokens[place])", surprise.isFinite ? "\(surprise)" : ""]
        + trace.wholeSeries.map { "\(trace.counts[$0]?[place] ?? 0)" }
    }
    try table(folder, "surprise.csv", header: surpriseColumns) { place in
      place < surprise.rows.count ? columns(surprise.rows[place]) : nil
    }
    try table(folder, "bins.csv", header: binColumns) { place in
      guard place < surprise.bins.count else { return nil }
      let bin = surprise.bins[place]
      return ["\(bin.surprise)", "\(bin.tokens)"] + (bin.active + bin.adjusted).map { "\($0)" }
    }
    let counted = intervals.flatMap { own in
      own.seen.indices.dropFirst().filter { own.seen[$0] > 0 || own.byChance[$0] >= 1e-3 }.map { (own, $0) }
    }
    try table(folder, "intervals.csv", header: ["what", "layer", "interval", "count", "by_chance"]) { place in
      guard place < counted.count else { return nil }
      let (own, interval) = counted[place]
      return [
        own.what, "\(own.layer)", "\(interval)", "\(Int(own.seen[interval]))", "\(own.byChance[interval])",
      ]
    }
    try table(folder, "half-lives.csv", header: ["neuron", "damping", "half_life"]) { neuron in
      guard neuron < trace.memory.damping.count else { return nil }
      let u = trace.memory.damping[neuron]
      return ["\(neuron)", "\(u)", "\(PlasticMemory.halfLife(u))"]
    }
    try table(folder, "episodes.csv", header: ["place", "showing", "loss"] + seriesNames) { place in
      guard let episodes, place < episodes.places.count else { return nil }
      let row = episodes.places[place]
      return ["\(place)", "\(episodes.task.showing(at: place))", "\(row.loss)"] + row.active.map { "\($0)" }
    }
    let pictures = try ActivityPictures(self).all.draw(into: path)
    return ["written to \(path): summary.json, \(Self.tables.joined(separator: ", "))"] + pictures
  }

  private var seriesNames: [String] { trace.wholeSeries.map { "\($0.quantity)_\($0.layer)" } }
  private var tokenColumns: [String] { ["place", "token", "surprise"] + seriesNames }
  private var binColumns: [String] {
    ["surprise", "tokens"] + seriesNames + seriesNames.map { "\($0)_without_byte" }
  }

  private var surpriseColumns: [String] {
    ["quantity", "layer", "bucket", "shortest_period", "longest_period"]
      + ["active", "overall", "same_byte", "same_two_bytes", "surprising_to_expected"].flatMap {
        [$0, "\($0)_low", "\($0)_high"]
      } + ["overall_p", "same_byte_p", "same_two_bytes_p"]
  }

  private func columns(_ row: SurpriseRow) -> [String] {
    let period = row.key.bucket.map { trace.buckets.periods[$0] }
    let correlations = [row.overall, row.withinBytes, row.withinPairs]
    let estimates = [row.active] + correlations.map(\.correlation) + [row.ratio]
    func text(_ value: Double) -> String { value.isNaN ? "" : "\(value)" }
    return [
      row.key.quantity.rawValue, "\(row.key.layer)", row.key.bucket.map { "\($0)" } ?? "all",
      text(period?.fastest ?? .nan), text(period?.slowest ?? .nan),
    ] + estimates.flatMap { [text($0.value), text($0.low), text($0.high)] } + correlations.map { text($0.p) }
  }

  private func table(
    _ folder: ReportFolder, _ name: String, header: [String], row: (Int) -> [String]?
  ) throws {
    try AtomicFile.writeText(to: folder.file(name)) { text in
      text.append(header.joined(separator: ",") + "\n")
      var place = 0
      while let columns = row(place) {
        text.append(columns.joined(separator: ",") + "\n")
        place += 1
      }
    }
  }
}
