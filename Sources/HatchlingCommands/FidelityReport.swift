import Foundation
import HatchlingCheckpoint
import HatchlingEquivalence
import HatchlingPictures

/// What one graph costs against the unpruned network; losses in nats per token.
public struct FidelityRow: Encodable, Sendable {
  public let series: String
  /// As asked for; nil for the unpruned network.
  public let edges: Int?
  /// Synapses that there are, neuron → neuron, token → neuron and plastic ones; nil for a circuit.
  var synapses: (x: Int, y: Int, tokenX: Int, tokenY: Int, plastic: Int)?
  public let measure: FidelityMeasure
  /// Of the loss, 95 %.
  let interval: (lower: Double, upper: Double)

  /// The columns of `fidelity.csv`; nil where there is nothing, or nothing finite.
  private var columns: KeyValuePairs<String, (any Encodable)?> {
    [
      "series": series, "edges": edges, "edges_x": synapses?.x, "edges_y": synapses?.y,
      "token_edges_x": synapses?.tokenX, "token_edges_y": synapses?.tokenY,
      "plastic_synapses": synapses?.plastic, "loss": finite(measure.loss),
      "loss_lower": finite(interval.lower), "loss_upper": finite(interval.upper),
      "top1_agreement": measure.top1Agreement, "mean_kl": finite(measure.meanKL),
      "messages_per_token": measure.messages, "updates_per_token": measure.updates,
      "broadcasts_per_token": measure.broadcasts, "active_x": measure.activeX, "active_y": measure.activeY,
    ]
  }

  public func encode(to encoder: any Encoder) throws {
    try JSONObject(omittingNil: columns).encode(to: encoder)
  }

  /// Names of the columns of ``csv``, and the row of `fidelity.csv`.
  var csvHeader: String { columns.map(\.key).joined(separator: ",") }
  var csv: String { columns.map { column in column.value.map { "\($0)" } ?? "" }.joined(separator: ",") }

  /// The head of the table.
  public static let header =
    "what                              edges     loss     95 % interval      top-1       KL   messages / token   x, y active"

  /// The row of the table.
  public var line: String {
    let interval = "\(decimal(interval.lower)) – \(decimal(interval.upper))"
    let active = "\(decimal(measure.activeX * 100, 1)), \(decimal(measure.activeY * 100, 1)) %"
    return padded(series, 24, right: false) + padded(edges.map(grouped) ?? "all", 15)
      + padded(decimal(measure.loss), 9) + padded(interval, 18)
      + padded("\(decimal(measure.top1Agreement * 100, 1)) %", 11) + padded(decimal(measure.meanKL), 9)
      + padded(grouped(Int(measure.messages)), 19) + padded(active, 15)
  }
}

/// All graphs of one study.
public struct FidelityReport: Sendable {
  /// How many, and tokens of each.
  public let segments: Int
  public let segment: Int
  /// Nats per token.
  public let tensorLoss: Double
  public internal(set) var rows: [FidelityRow] = []

  /// How far the loss of the unpruned graph is from the tensors'; nil where it is not finite.
  private var difference: Double? { rows.first.flatMap { finite(abs($0.measure.loss - tensorLoss)) } }

  /// Whether the unpruned graph has the tensors' loss.
  public var reproducesTensors: Bool { difference.map { $0 <= 1e-6 } ?? false }

  /// What stands above the rows.
  public var opening: [String] {
    [
      "\(grouped(segments * segment)) tokens in \(segments) segments of \(segment); tensors: \(decimal(tensorLoss, 6)) nats",
      FidelityRow.header,
    ]
  }

  /// What stands below the rows.
  public var closing: [String] {
    guard let difference else { return ["the unpruned network has no finite loss"] }
    let verb = reproducesTensors ? "reproduces" : "does NOT reproduce"
    let size = String(format: "%.1e", difference)
    return ["the unpruned graph \(verb) the loss of the tensors: difference \(size) nats"]
  }

  /// Writes `fidelity.csv` and the picture into a folder, made if it is not there; returns what to tell the user. - Throws: `CheckpointError`.
  public func write(into folder: String, modelName: String) throws -> String {
    try Folder.make(folder)
    try AtomicFile.writeText(to: "\(folder)/fidelity.csv") { text in
      for line in (rows.first.map { [$0.csvHeader] } ?? []) + rows.map(\.csv) { text.append(line + "\n") }
    }
    switch try picture(modelName.nameInPath.escaped).draw(into: folder) {
    case .drawn: return "written to \(folder): fidelity.csv, fidelity.svg, fidelity.png, fidelity.gp"
    case .gnuplotMissing:
      return
        "no picture: gnuplot is not installed; install gnuplot-nox and run gnuplot fidelity.gp in \(folder)"
    case .failed(let reason): return "no picture: gnuplot failed on fidelity.gp: \(reason)"
    }
  }

  /// Loss over edges, a curve with error bars per series, and the unpruned network as a line.
  private func picture(_ name: String) -> Picture {
    // Colours that the colour-blind tell apart (Okabe and Ito).
    let colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
    var picture = Picture("fidelity")
    var names: [String] = []
    for row in rows.dropFirst() where !names.contains(row.series) { names.append(row.series) }
    var plots: [String] = []
    for (index, series) in names.enumerated() {
      let points = rows.dropFirst().filter { $0.series == series && ($0.edges ?? 0) > 0 }
        .sorted { ($0.edges ?? 0) < ($1.edges ?? 0) }
      picture.tables.append(
        .init(
          "\(index + 1)", columns: ["edges", "loss", "lower", "upper"],
          rows: points.map { [Double($0.edges ?? 0), $0.measure.loss, $0.interval.lower, $0.interval.upper] })
      )
      let style =
        "pointtype \([7, 5, 9, 11, 13, 4, 6][index % 7]) pointsize 0.8 linewidth 1.5 linecolor rgb '\(colours[index % colours.count])'"
      plots.append(
        "\(picture.reference(to: "\(index + 1)")) using 1:2:3:4 with yerrorlines \(style) title \(Picture.quoted(series))"
      )
    }
    let unpruned = rows.first.flatMap { finite($0.measure.loss) } ?? .nan
    let counts = Set(rows.compactMap(\.edges).filter { $0 > 0 }).sorted()
    plots.append("\(unpruned) with lines dashtype 2 linewidth 2 linecolor rgb '#666666' title 'unpruned'")
    let title = Picture.quoted("\(name): what pruning costs (\(grouped(segments * segment)) held-out tokens)")
    picture.commands = [
      "set title \(title)",
      "set logscale x",
      "set xtics (\(counts.map { "'\(grouped($0))' \($0)" }.joined(separator: ", "))) rotate by -30",
      "set xrange [\(0.8 * Double(counts.first ?? 1)):\(1.25 * Double(counts.last ?? 10))]",
      "set xlabel 'edges kept of G_x and of G_y, each'", "set ylabel 'loss (nats per byte, 95 % interval)'",
      "set key above", "set grid xtics ytics linetype 1 linewidth 1 linecolor rgb '#dddddd'",
      "plot " + plots.joined(separator: ", \\\n  "),
    ]
    return picture
  }
}
