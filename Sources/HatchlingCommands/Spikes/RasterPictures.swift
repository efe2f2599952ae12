import Foundation
import HatchlingDynamics
import HatchlingPictures

/// The pictures of a raster: one token magnified, the text from afar, intervals beside chance.
struct RasterPictures {
  private let report: RasterReport
  // Colours that the colour-blind tell apart (Okabe and Ito).
  private static let (excites, inhibits, grey) = ("#D55E00", "#0072B2", "#666666")
  /// Between layers, in sub-steps and in neurons.
  private static let (gapInTime, gapInSpace) = (4.0, 0.06)

  init(_ report: RasterReport) { self.report = report }

  /// Draws all; returns what to tell the user.
  func draw(into folder: String) throws -> [String] {
    try ([token, text] + ["sub-steps", "tokens"].compactMap(intervals)).draw(into: folder)
  }

  /// The layers that are shown.
  private var layers: [Int] { report.request.layer.map { [$0] } ?? Array(1...report.layers) }

  /// What a column of the magnified token is: a phase of a layer, or what the readout hears.
  private struct Column {
    let slot: PhaseSlot
    let layer: Int
    let start: Double
    var end: Double { start + Double(slot.substeps) }
    var middle: Double { (start + end) / 2 }
    /// x̃ as the field writes it.
    var label: String {
      switch slot.quantity {
      case .rotated: "x̃"
      case .heard: "a"
      default: slot.name
      }
    }
  }

  private var columns: [Column] {
    var (columns, start): ([Column], Double) = ([], 0)
    func add(_ slot: PhaseSlot, _ layer: Int) {
      columns.append(Column(slot: slot, layer: layer, start: start))
      start += Double(slot.substeps)
    }
    for layer in layers {
      for slot in report.slots where slot.place == .layer { add(slot, layer) }
      start += Self.gapInTime
    }
    if report.request.layer == nil {
      for slot in report.slots where slot.place == .readout { add(slot, 0) }
    }
    return columns
  }

  // MARK: One token

  /// Sub-steps to the right, phase after phase; neurons upwards by head or community. Populations of another size are stretched over the same height.
  private var token: Picture {
    var picture = Picture("token")
    let (columns, n) = (columns, Double(report.neurons))
    for (name, isInhibitory) in [("excitatory", false), ("inhibitory", true)] {
      var rows: [[Double]] = []
      for tick in report.ticks where tick.isInhibitory == isInhibitory {
        guard
          let column = columns.first(where: { $0.layer == tick.layer && $0.slot.quantity == tick.quantity })
        else { continue }
        let heads = column.slot.quantity.isPerHead ? report.heads : 1
        let place = report.groups.place(
          of: tick.entry, tick.quantity, width: column.slot.entries / max(1, heads))
        let height = (Double(place) + 0.5) * n / Double(column.slot.entries)
        rows.append([column.start + Double(tick.substep) + 0.08, height, 0.84])
      }
      picture.tables.append(.init(name, columns: ["substep", "particle", "length"], rows: rows))
    }
    let after = report.glyphs[max(0, report.magnified - 24)..<report.magnified].joined()
    let shown = report.glyphs[report.magnified]
    picture.commands = [
      "set title \(Picture.quoted("token \(report.magnified), '\(shown)' after '\(after)': \(grouped(report.ticks.count)) spikes, \(report.code)\(report.groups.areCommunities ? ", by community" : "")")) offset 0, 1.8"
    ]
    picture.commands +=
      groupTics + ["set yrange [0:\(n)]", "set xrange [-0.5:\((columns.last?.end ?? 1) + 0.5)]"]
    picture.commands += borders(of: columns)
    picture.commands += [
      "unset xtics", "set xlabel 'sub-steps, phase after phase' offset 0, 0.2", "set border 0",
      "set key outside bottom center horizontal Left reverse samplen 1.5 width 2",
      "set tmargin 5.2", "set bmargin 4.4",
      "plot "
        + [("excitatory", Self.excites), ("inhibitory", Self.inhibits)].map { name, colour in
          "\(picture.reference(to: name)) using 1:2:3:(0) with vectors nohead linewidth \(tickWidth) linecolor rgb '\(colour)' title '\(name) spike'"
        }.joined(separator: ", \\\n  "),
    ]
    return picture
  }

  /// A tick is as thick as a neuron's share of the height, within reason.
  private var tickWidth: String { report.neurons > 400 ? "0.7" : "2" }

  /// Names and borders of phases and layers.
  private func borders(of columns: [Column]) -> [String] {
    var commands: [String] = []
    for (number, column) in columns.enumerated() {
      commands.append(
        "set label '\(column.label)' at first \(column.middle), graph 1.02 center textcolor rgb '\(Self.grey)'"
      )
      let continues = number > 0 && columns[number - 1].end == column.start
      if continues {
        commands.append(
          "set arrow from first \(column.start), graph 0 to first \(column.start), graph 1 nohead back linewidth 0.6 linecolor rgb '#cccccc'"
        )
      }
    }
    for layer in Set(columns.map(\.layer)).sorted() {
      let own = columns.filter { $0.layer == layer }
      guard let first = own.first, let last = own.last else { continue }
      commands += [
        "set label '\(layer == 0 ? "readout" : "layer \(layer)")' at first \((first.start + last.end) / 2), graph 1.065 center",
        "set object rectangle from first \(first.start), graph 0 to first \(last.end), graph 1 back fillstyle empty border linecolor rgb '#999999' linewidth 0.8",
      ]
    }
    return commands
  }

  /// Where groups of neurons end, in neurons from below, without the last.
  private var groupEnds: [Int] {
    var end = 0
    return report.groups.groups.dropLast().map { group in
      end += group.count
      return end
    }
  }

  /// Groups on the upward axis; those that are no higher than their name have none.
  private var groupTics: [String] {
    let starts = [0] + groupEnds
    let tics = zip(starts, report.groups.groups).filter { 40 * $1.count >= report.neurons }.map {
      "'\($1.name)' \(Double($0) + 0.5 * Double($1.count))"
    }
    let lines = groupEnds.map {
      "set arrow from graph 0, first \($0) to graph 1, first \($0) nohead back linewidth 0.6 linecolor rgb '#cccccc'"
    }
    return ["set ytics scale 0 (\(tics.joined(separator: ", ")))"] + lines
  }

  // MARK: A text

  /// Tokens to the right, each with its byte; neurons upwards, layer upon layer. A neuron that fires at several tokens in a row is one stroke.
  private var text: Picture {
    var picture = Picture("text")
    let shown = min(report.tokens.count, RasterReport.mostTokensInPicture)
    let height = 1 + Self.gapInSpace
    var runs: [[Double]] = []
    var open: [Int: (start: Int, end: Int)] = [:]
    func close(_ key: Int) {
      guard let run = open.removeValue(forKey: key) else { return }
      let (place, neuron) = (key / report.neurons, key % report.neurons)
      runs.append([
        Double(run.start) - 0.42,
        Double(place) * height + (Double(report.groups.place[neuron]) + 0.5) / Double(report.neurons),
        Double(run.end - run.start) + 0.84,
      ])
    }
    for seen in report.firing {
      guard let place = layers.firstIndex(of: seen.layer) else { continue }
      for neuron in seen.neurons {
        let key = place * report.neurons + Int(neuron)
        if let run = open[key], run.end != seen.token - 1 { close(key) }
        open[key] = (open[key]?.start ?? seen.token, seen.token)
      }
    }
    for key in open.keys.sorted() { close(key) }
    picture.tables = [.init(columns: ["token", "neuron", "length"], rows: runs)]
    let what = report.request.showsX ? "x" : "y"
    let count = report.firing.reduce(0) { $0 + $1.neurons.count }
    picture.commands = [
      "set title \(Picture.quoted("neurons whose \(what) fires: \(grouped(count)) in \(grouped(shown)) tokens, \(report.code)\(report.groups.areCommunities ? ", by community" : "")"))",
      "set xrange [-0.7:\(Double(shown) - 0.3)]",
      "set yrange [-0.01:\(Double(layers.count) * height - Self.gapInSpace + 0.01)]",
      "set border 0", "unset key", "set xlabel 'token' offset 0, 0.3",
    ]
    picture.commands += byteTics(shown)
    var names: [String] = []
    for (place, layer) in layers.enumerated() {
      let bottom = Double(place) * height
      names.append("'layer \(layer)' \(bottom + 0.5)")
      for end in [0] + groupEnds + [report.neurons] {
        let y = bottom + Double(end) / Double(report.neurons)
        let isEdge = end == 0 || end == report.neurons
        picture.commands.append(
          "set arrow from graph 0, first \(y) to graph 1, first \(y) nohead back linewidth 0.6 linecolor rgb '\(isEdge ? "#888888" : "#dddddd")'"
        )
      }
    }
    picture.commands += [
      "set ytics scale 0 (\(names.joined(separator: ", ")))",
      "plot \(picture.reference()) using 1:2:3:(0) with vectors nohead linewidth \(strokeWidth) linecolor rgb '\(Self.excites)'",
    ]
    return picture
  }

  /// Neurons lie closer than pixels: thin strokes keep ink near the fraction that fires.
  private var strokeWidth: Double {
    max(0.3, min(1.4, 900 / Double(max(1, layers.count * report.neurons))))
  }

  /// Every byte where they have room, else numbers.
  private func byteTics(_ shown: Int) -> [String] {
    guard shown <= 120 else { return ["set xtics scale 0.5"] }
    let tics = (0..<shown).map { token in
      let glyph = [32: "", 10: "↵"][report.tokens[token]] ?? report.glyphs[token]
      return "\(Picture.quoted(glyph)) \(token)"
    }
    return ["set xtics scale 0 font ',\(shown > 80 ? 10 : 12)' (\(tics.joined(separator: ", ")))"]
  }

  // MARK: Intervals

  /// Seen as points, by chance as lines.
  private func intervals(in unit: String) -> Picture? {
    let own = report.intervals.filter { $0.unit == unit && $0.intervals.total > 0 }
    guard !own.isEmpty else { return nil }
    var picture = Picture("intervals-\(unit)")
    let colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
    var plots: [String] = []
    for (number, one) in own.enumerated() {
      let (total, expected) = (Double(one.intervals.total), one.intervals.expected)
      picture.tables.append(
        .init(
          one.quantity, columns: ["interval", "share", "by_chance"],
          rows: one.intervals.counts.indices.dropFirst().map {
            let (seen, chance) = (Double(one.intervals.counts[$0]) / total, expected[$0] / total)
            return [Double($0), seen > 0 ? seen : .nan, chance > 0 ? chance : .nan]
          }))
      let (file, colour) = (picture.reference(to: one.quantity), colours[number % colours.count])
      plots += [
        "\(file) using 1:2 with points pointtype 7 pointsize 0.6 linecolor rgb '\(colour)' title '\(one.quantity)'",
        "\(file) using 1:3 with lines dashtype 2 linewidth 1.2 linecolor rgb '\(colour)' title '\(number == own.count - 1 ? "by chance" : "")'",
      ]
    }
    picture.commands = [
      "set title \(Picture.quoted(unit == "tokens" ? "from a token at which a particle fires to the next one" : "from a spike of a particle to its next one in the phase"))",
      unit == "tokens" ? "set logscale xy" : "set logscale y",
      "set xrange [\(unit == "tokens" ? 0.9 : 0.5):\(own.map(\.intervals.longest).max() ?? 1).5]",
      "set format y '%g'",
      "set xlabel 'interval (\(unit))'", "set ylabel 'share of intervals' offset 1",
      "set key outside right samplen 2", "set grid linecolor rgb '#dddddd'",
      "set yrange [1e-5:1.2]", "plot " + plots.joined(separator: ", \\\n  "),
    ]
    return picture
  }
}

extension RasterReport {
  /// What stands for every token.
  var glyphs: [String] { WatchReport.glyphs(of: tokens) }
}
