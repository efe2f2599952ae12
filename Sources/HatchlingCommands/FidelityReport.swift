import Foundation
import HatchlingCheckpoint
import HatchlingEquivalence
import HatchlingGraph
import HatchlingNumerics
import HatchlingPictures

/// What one graph costs against the unpruned network; losses in nats per token.
public struct FidelityRow: Encodable, Sendable {
  public let series: String
  /// As asked for; nil for the unpruned network.
  public let edges: Int?
  /// Neuron → neuron and token → neuron synapses of G_x, of G_y and of G_s that there are. Nil for a circuit.
  public let edgesX: Int?
  public let edgesY: Int?
  public let tokenEdgesX: Int?
  public let tokenEdgesY: Int?
  public let plasticSynapses: Int?
  public let loss: Double?
  public let lossLower: Double?
  public let lossUpper: Double?
  public let top1Agreement: Double
  public let meanKL: Double?
  public let messagesPerToken: Double
  public let updatesPerToken: Double
  public let broadcastsPerToken: Double
  public let activeX: Double
  public let activeY: Double

  init<Scalar>(
    series: String, edges: Int?, graph: DirectGraph<Scalar>?, _ measure: Fidelity<Scalar>.Measure,
    interval: (lower: Double, upper: Double)
  ) {
    self.series = series
    self.edges = edges
    edgesX = graph?.count(of: .x)
    edgesY = graph?.count(of: .y)
    tokenEdgesX = graph?.count(of: .tokenX)
    tokenEdgesY = graph?.count(of: .tokenY)
    plasticSynapses = graph.map { $0.plastic.count(neurons: $0.neuronCount, in: 0..<$0.nodeCount) }
    loss = finite(measure.loss)
    lossLower = finite(interval.lower)
    lossUpper = finite(interval.upper)
    top1Agreement = measure.top1Agreement
    meanKL = finite(measure.meanKL)
    messagesPerToken = measure.messages
    updatesPerToken = measure.updates
    broadcastsPerToken = measure.broadcasts
    activeX = measure.activeX
    activeY = measure.activeY
  }

  /// The head of the table.
  public static let header =
    "what                              edges     loss     95 % interval      top-1       KL   messages / token   x, y active"

  /// The row of the table.
  public var line: String {
    let interval = "\(decimal(lossLower ?? .nan)) – \(decimal(lossUpper ?? .nan))"
    let active = "\(decimal(activeX * 100, 1)), \(decimal(activeY * 100, 1)) %"
    return padded(series, 24, right: false) + padded(edges.map(grouped) ?? "all", 15)
      + padded(decimal(loss ?? .nan), 9) + padded(interval, 18)
      + padded("\(decimal(top1Agreement * 100, 1)) %", 11)
      + padded(decimal(meanKL ?? .nan), 9) + padded(grouped(Int(messagesPerToken)), 19) + padded(active, 15)
  }

  /// Names of the columns of ``csv``.
  public static let csvHeader =
    "series,edges,edges_x,edges_y,token_edges_x,token_edges_y,plastic_synapses,loss,loss_lower,loss_upper,top1_agreement,mean_kl,messages_per_token,updates_per_token,broadcasts_per_token,active_x,active_y"

  /// The row of `fidelity.csv`.
  public var csv: String {
    let counts = [edges, edgesX, edgesY, tokenEdgesX, tokenEdgesY, plasticSynapses].map {
      $0.map(String.init) ?? ""
    }
    let numbers: [Double?] = [
      loss, lossLower, lossUpper, top1Agreement, meanKL, messagesPerToken, updatesPerToken,
      broadcastsPerToken,
      activeX, activeY,
    ]
    return ([series] + counts + numbers.map { $0.map { "\($0)" } ?? "" }).joined(separator: ",")
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

  /// Whether the unpruned graph has the tensors' loss.
  public var reproducesTensors: Bool {
    guard let loss = rows.first?.loss else { return false }
    return abs(loss - tensorLoss) <= 1e-6
  }

  /// What stands above the rows.
  public var opening: [String] {
    [
      "\(grouped(segments * segment)) tokens in \(segments) segments of \(segment); tensors: \(decimal(tensorLoss, 6)) nats",
      FidelityRow.header,
    ]
  }

  /// What stands below the rows.
  public var closing: [String] {
    guard let loss = rows.first?.loss else { return ["the unpruned network has no finite loss"] }
    let difference = String(format: "%.1e", abs(loss - tensorLoss))
    return [
      reproducesTensors
        ? "the unpruned graph reproduces the loss of the tensors: difference \(difference) nats"
        : "the unpruned graph does NOT reproduce the loss of the tensors: difference \(difference) nats"
    ]
  }

  /// Writes `fidelity.csv` and the picture into a folder that exists; returns what to tell the user. - Throws: `CheckpointError`.
  public func write(into folder: String, modelName: String) throws -> String {
    let file = try AtomicFile(path: "\(folder)/fidelity.csv")
    try file.write(FidelityRow.csvHeader + "\n")
    for row in rows { try file.write(row.csv + "\n") }
    try file.commit()
    switch try picture(URL(fileURLWithPath: modelName).lastPathComponent).draw(into: folder) {
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
          rows: points.map {
            [Double($0.edges ?? 0), $0.loss ?? .nan, $0.lossLower ?? .nan, $0.lossUpper ?? .nan]
          }))
      let style =
        "pointtype \([7, 5, 9, 11, 13, 4, 6][index % 7]) pointsize 0.8 linewidth 1.5 linecolor rgb '\(colours[index % colours.count])'"
      plots.append(
        "\(picture.reference(to: "\(index + 1)")) using 1:2:3:4 with yerrorlines \(style) title \(Picture.quoted(series))"
      )
    }
    let unpruned = rows.first?.loss ?? .nan
    let counts = Set(rows.compactMap(\.edges).filter { $0 > 0 }).sorted()
    plots.append("\(unpruned) with lines dashtype 2 linewidth 2 linecolor rgb '#666666' title 'unpruned'")
    let title = Picture.quoted(
      "\(name): what pruning costs (\(grouped(segments * segment)) held-out tokens)")
    picture.commands = [
      "set title \(title)",
      "set logscale x",
      "set xtics (\(counts.map { "'\(grouped($0))' \($0)" }.joined(separator: ", "))) rotate by -30",
      "set xrange [\(0.8 * Double(counts.first ?? 1)):\(1.25 * Double(counts.last ?? 10))]",
      "set xlabel 'edges kept of G_x and of G_y, each'", "set ylabel 'loss (nats per byte, 95 % interval)'",
      "set key top right", "set grid xtics ytics linetype 1 linewidth 1 linecolor rgb '#dddddd'",
      "plot " + plots.joined(separator: ", \\\n  "),
    ]
    return picture
  }
}
