import HatchlingPictures

/// The pictures of an activity report.
struct ActivityPictures {
  private let report: ActivityReport
  // Colours that the colour-blind tell apart (Okabe and Ito).
  private static let colours = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999", "#000000",
  ]

  init(_ report: ActivityReport) { self.report = report }

  var all: [Picture] {
    [surprise] + [clocks, intervals, episodes, overlap].compactMap(\.self)
  }

  private func colour(_ number: Int) -> String { Self.colours[number % Self.colours.count] }
  private var layers: [Int] { Array(1...report.sizes.layers) }

  /// Active y by surprise, raw and with every byte's own level taken out.
  private var surprise: Picture {
    var picture = Picture("surprise")
    let surprise = report.surprise
    let own = surprise.binned.indices.filter { surprise.binned[$0].quantity == .y }
    picture.tables = [
      .init(
        columns: ["surprise"] + own.flatMap { ["y_\(surprise.binned[$0].layer)", "without_byte"] },
        rows: surprise.bins.map { bin in
          [bin.surprise] + own.flatMap { [bin.active[$0] * 100, bin.adjusted[$0] * 100] }
        })
    ]
    let file = picture.reference()
    let plots = own.enumerated().flatMap { number, place in
      let layer = surprise.binned[place].layer
      return [
        "\(file) using 1:\(2 * number + 2) with linespoints pointtype 7 pointsize 0.6 linecolor rgb '\(colour(number))' title 'layer \(layer)'",
        "\(file) using 1:\(2 * number + 3) with lines dashtype 2 linecolor rgb '\(colour(number))' title '\(number == own.count - 1 ? "each byte at the mean" : "")'",
      ]
    }
    picture.commands = [
      "set title \(Picture.quoted("active y against surprise, \(report.model)"))",
      "set logscale x", "set xlabel 'surprise (nats)'", "set ylabel 'active y (%)' offset 1",
      "set yrange [0:*]", "set key outside right samplen 2", "set grid linecolor rgb '#dddddd'",
      "plot " + plots.joined(separator: ", \\\n  "),
    ]
    return picture
  }

  /// Active y, and its correlation with surprise inside equal bytes, by clock.
  private var clocks: Picture? {
    let buckets = report.trace.buckets
    guard buckets.sizes.count > 1, buckets.periods.allSatisfy({ $0.slowest.isFinite }) else { return nil }
    var picture = Picture("clocks")
    var plots: [[String]] = [[], []]
    for layer in layers {
      let rows = report.surprise.rows.filter {
        $0.key.quantity == .y && $0.key.layer == layer && $0.key.bucket != nil
      }
      picture.tables.append(
        .init(
          "layer-\(layer)", columns: ["period", "active", "correlation", "low", "high"],
          rows: rows.map { row in
            let period = buckets.periods[row.key.bucket ?? 0]
            let rho = row.withinBytes.correlation
            return [
              (period.fastest * period.slowest).squareRoot(), row.active.value * 100, rho.value, rho.low,
              rho.high,
            ]
          }))
      let (file, colour) = (picture.reference(to: "layer-\(layer)"), colour(layer - 1))
      plots[0].append(
        "\(file) using 1:2 with linespoints pointtype 7 pointsize 0.6 linecolor rgb '\(colour)' title 'layer \(layer)'"
      )
      plots[1].append(
        "\(file) using 1:3:4:5 with yerrorlines pointtype 7 pointsize 0.5 linecolor rgb '\(colour)' notitle")
    }
    picture.commands = [
      "set multiplot layout 2, 1", "set logscale x", "set grid linecolor rgb '#dddddd'",
      "set key outside right samplen 2 width 2", "set rmargin 16", "set lmargin 9",
      "set title \(Picture.quoted("by the neurons' clocks, \(report.model)"))",
      "set ylabel 'active y (%)' offset 1",
      "set yrange [0:*]", "plot " + plots[0].joined(separator: ", \\\n  "), "unset title",
      "set xlabel 'tokens per turn'", "set ylabel 'ρ, same byte' offset 1", "set yrange [*:*]",
      "plot " + plots[1].joined(separator: ", \\\n  "), "unset multiplot",
    ]
    return picture
  }

  /// Intervals, seen as points and by chance as lines.
  private var intervals: Picture? {
    let own = report.intervals.filter { $0.total > 0 && $0.layer == report.sizes.middleLayer }
    guard !own.isEmpty else { return nil }
    var (picture, plots) = (Picture("intervals"), [String]())
    for (number, one) in own.enumerated() {
      let total = Double(one.total)
      picture.tables.append(
        .init(
          one.what, columns: ["interval", "share", "by_chance"],
          rows: one.seen.indices.dropFirst().map {
            [
              Double($0), one.seen[$0] > 0 ? one.seen[$0] / total : .nan,
              one.byChance[$0] > 0 ? one.byChance[$0] / total : .nan,
            ]
          }))
      let (file, colour) = (picture.reference(to: one.what), colour(number))
      plots += [
        "\(file) using 1:2 with points pointtype 7 pointsize 0.4 linecolor rgb '\(colour)' title '\(one.what)'",
        "\(file) using 1:3 with lines dashtype 2 linewidth 1.2 linecolor rgb '\(colour)' title '\(number == own.count - 1 ? "by chance" : "")'",
      ]
    }
    let longest = own.map { $0.seen.lastIndex { $0 > 0 } ?? 1 }.max() ?? 1
    picture.commands = [
      "set title \(Picture.quoted("from one event to the next, layer \(report.sizes.middleLayer), \(report.model)"))",
      "set logscale xy", "set format y '%g'", "set xrange [0.9:\(longest + 1)]", "set yrange [1e-7:1]",
      "set xlabel 'interval (tokens)'", "set ylabel 'share of intervals' offset 1",
      "set key outside right samplen 2", "set grid linecolor rgb '#dddddd'",
      "plot " + plots.joined(separator: ", \\\n  "),
    ]
    return picture
  }

  /// Loss and active y by letter of the episode.
  private var episodes: Picture? {
    guard let episodes = report.episodes else { return nil }
    var picture = Picture("episodes")
    let own = episodes.series.indices.filter { episodes.series[$0].quantity == .y }
    picture.tables = [
      .init(
        columns: ["letter", "loss"] + own.map { "y_\(episodes.series[$0].layer)" },
        rows: episodes.places.map { row in
          [Double(row.number), row.loss] + own.map { row.active[$0] * 100 }
        })
    ]
    let file = picture.reference()
    let starts = stride(from: episodes.task.warmUp, through: episodes.task.period, by: episodes.task.word)
    picture.commands =
      starts.map {
        "set arrow from first \(Double($0) - 0.5), graph 0 to first \(Double($0) - 0.5), graph 1 nohead back linewidth 0.6 linecolor rgb '#bbbbbb'"
      } + [
        "set title \(Picture.quoted("warm-up, then \(episodes.task.showings) showings of a word, \(report.model)"))",
        "set xlabel 'letter of the episode'", "set ylabel 'active y (%)' offset 1", "set yrange [0:*]",
        "set y2label 'loss (nats)'", "set y2range [0:*]", "set y2tics", "set ytics nomirror",
        "set key outside bottom center horizontal samplen 2", "set xrange [-1:\(episodes.task.period)]",
        "plot "
          + (["\(file) using 1:2 axes x1y2 with lines dashtype 3 linecolor rgb '#000000' title 'loss'"]
          + own.enumerated().map { number, place in
            "\(file) using 1:\(number + 3) with lines linewidth 1.5 linecolor rgb '\(colour(number))' title 'layer \(episodes.series[place].layer)'"
          }).joined(separator: ", \\\n  "),
      ]
    return picture
  }

  /// What is left of ρ after some tokens.
  private var overlap: Picture? {
    let rows = report.trace.memory.rows
    guard rows.count > 1 else { return nil }
    var picture = Picture("overlap")
    picture.tables = [
      .init(
        columns: ["tokens"] + layers.flatMap { ["layer_\($0)", "damping_alone"] },
        rows: rows.map { row in
          [Double(row.since)] + zip(row.overlap, row.damped).flatMap { [$0, $1] }
        })
    ]
    let file = picture.reference()
    let plots = layers.indices.flatMap { layer in
      [
        "\(file) using 1:\(2 * layer + 2) with linespoints pointtype 7 pointsize 0.6 linecolor rgb '\(colour(layer))' title 'layer \(layer + 1)'",
        "\(file) using 1:\(2 * layer + 3) with lines dashtype 2 linecolor rgb '\(colour(layer))' title '\(layer == layers.count - 1 ? "damping alone" : "")'",
      ]
    }
    picture.commands = [
      "set title \(Picture.quoted("what is left of the plastic weights, \(report.model)"))", "set logscale x",
      "set xlabel 'tokens later'",
      "set ylabel 'overlap of \(report.trace.memory.name) with what it was' offset 1",
      "set key outside right samplen 2", "set grid linecolor rgb '#dddddd'",
      "plot " + plots.joined(separator: ", \\\n  "),
    ]
    return picture
  }
}
