import HatchlingNumerics

// The report as a person reads it.
extension ActivityReport {
  public var lines: [String] {
    let head = [
      "model \(model); \(grouped(trace.tokens.count)) tokens in \(grouped(trace.streams.count)) streams, \(grouped(surprise.tokens)) of them compared, in \(grouped(surprise.segments)) segments",
      "loss \(surprise.loss.text(4)) nats",
    ]
    return [head, surpriseLines, bucketLines, episodeLines, intervalLines, memoryLines, sigmaLines].flatMap {
      $0
    }
  }

  private var surpriseLines: [String] {
    func p(_ value: Double) -> String { value.isFinite ? decimal(value, 3) : "–" }
    let header =
      "            active   ρ with surprise                  p   same byte                       p   same two bytes         surprising / expected"
    return [
      "",
      "activity and surprise: Spearman's ρ over all \(grouped(surprise.tokens)) tokens, inside equal bytes (\(grouped(surprise.inBytes))) and equal pairs of bytes (\(grouped(surprise.inPairs)))",
      header,
    ]
      + surprise.rows.filter { $0.key.bucket == nil }.map { row in
        padded("\(row.key.quantity), layer \(row.key.layer)", 11, right: false)
          + padded(percent(row.active.value), 7) + "   "
          + padded(row.overall.correlation.text(3), 25, right: false) + padded(p(row.overall.p), 6) + "   "
          + padded(row.withinBytes.correlation.text(3), 25, right: false) + padded(p(row.withinBytes.p), 6)
          + "   " + padded(row.withinPairs.correlation.text(3), 25, right: false) + row.ratio.text(3)
      }
  }

  private var bucketLines: [String] {
    let buckets = trace.buckets
    guard buckets.sizes.count > 1 else { return [] }
    func rows(of key: ActivitySeriesKey) -> [SurpriseRow] {
      buckets.sizes.indices.compactMap { bucket in
        surprise.rows.first {
          $0.key.quantity == key.quantity && $0.key.layer == key.layer && $0.key.bucket == bucket
        }
      }
    }
    func period(_ value: Double) -> String {
      value.isFinite ? value < 100 ? decimal(value, 1) : grouped(Int(value)) : "still"
    }
    return [
      "",
      "by clock, tokens per turn: active, and ρ inside equal bytes",
      padded("", 11)
        + buckets.periods.map { padded("\(period($0.fastest))–\(period($0.slowest))", 16) }.joined(),
    ]
      + trace.wholeSeries.map { key in
        padded("\(key.quantity), layer \(key.layer)", 11, right: false)
          + rows(of: key).map {
            padded("\(percent($0.active.value)) \(decimal($0.withinBytes.correlation.value, 2))", 16)
          }.joined()
      }
  }

  private var episodeLines: [String] {
    guard let episodes else { return [] }
    return [
      "",
      "the memorising task, \(grouped(episodes.episodes)) episodes of \(episodes.task.period) letters: loss, and active x and y by layer",
    ]
      + episodes.showings.map { row in
        padded(MemorisingTask.name(ofShowing: row.number), 11, right: false) + padded(decimal(row.loss, 3), 8)
          + row.active.map { padded(percent($0), 9) }.joined()
      }
      + ["loss at the first showing less that at later ones: \(episodes.lossDrop.text(3)) nats"]
      + zip(episodes.series, episodes.ratios).map {
        "\($0.quantity), layer \($0.layer): first showing / later ones \($1.text(3))"
      }
  }

  private var intervalLines: [String] {
    [
      "",
      "from one event to the next, beside the same events dealt out anew: how far the distributions are apart, one token / by chance, long ones / by chance; tails; single trains",
    ]
      + intervals.map { own in
        func law(_ test: WriteIntervals.TailTest?) -> String {
          test.map {
            "α \(decimal($0.alpha, 2)) from \($0.minimum), p \(decimal($0.p ?? .nan, 2)), \(decimal($0.versusLogNormal ?? .nan, 1)) / \(decimal($0.versusExponential ?? .nan, 1)): \($0.verdict)"
          } ?? "–"
        }
        return padded("\(own.what), layer \(own.layer)", 18, right: false) + padded(grouped(own.total), 11)
          + padded(decimal(own.distance, 3), 7) + padded(decimal(own.burstiness, 2), 7)
          + padded(decimal(own.longIntervals, 2), 7)
          + "   \(law(own.seenTail)); by chance \(law(own.chanceTail)); geometric \(own.geometric), power law \(own.powerLaw) of \(own.judged)"
      }
  }

  private var memoryLines: [String] {
    let memory = trace.memory
    func tokens(_ value: Double) -> String {
      value.isFinite ? value < 100 ? decimal(value, 1) : grouped(Int(value)) : "never"
    }
    let quantiles = [0.05, 0.25, 0.5, 0.75, 0.95].map { tokens(memory.halfLife(quantile: $0)) }
    let never = Double(memory.damping.count { $0 == 0 }) / Double(memory.damping.count)
    var lines = [
      "",
      "half-life of plastic weights by damping, tokens, 5, 25, 50, 75 and 95 % of neurons: \(quantiles.joined(separator: ", ")); without damping \(percent(never))",
      "overlap of \(memory.name) with what it was, by layer (what damping alone would leave)",
    ]
    lines += memory.rows.map { row in
      padded("\(grouped(row.since)) tokens later", 20, right: false)
        + zip(row.overlap, row.damped).map { padded("\(decimal($0, 3)) (\(decimal($1, 3)))", 17) }.joined()
    }
    lines.append(
      "half of \(memory.name) is left after, by layer: "
        + (0..<memory.layers).map { memory.measuredHalfLife(layer: $0).map(tokens) ?? "longer" }.joined(
          separator: ", "))
    lines.append(
      "|\(memory.name)| after the first stream, by layer: Gini "
        + memory.concentration.map { decimal($0.gini, 3) }.joined(separator: ", ") + "; the largest 1 % have "
        + memory.concentration.map { percent($0.topPercent) }.joined(separator: ", "))
    return lines
  }

  private var sigmaLines: [String] {
    guard !sigma.isEmpty else { return [] }
    let head = [
      "",
      "σ between neurons of layer \(sigma[0].layer): Gini of |σ|, what the largest 1 % have, positive; degrees of the strongest \(grouped(sigma[0].edges)) entries",
    ]
    return head
      + sigma.map { row in
        let positive = Double(row.positive) / Double(row.concentration.count)
        let degrees = row.degrees.map {
          "   in ≤ \(grouped($0.largestIn)), \($0.inLaw); out ≤ \(grouped($0.largestOut)), \($0.outLaw)"
        }
        return padded("\(grouped(row.tokens)) tokens", 15, right: false)
          + padded(decimal(row.concentration.gini, 3), 7) + padded(percent(row.concentration.topPercent), 9)
          + padded(percent(positive), 9) + (degrees ?? "")
      }
  }
}
