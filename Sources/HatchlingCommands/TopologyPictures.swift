#if Topology
  import Foundation
  import HatchlingCompiler
  import HatchlingGraph
  import HatchlingPictures
  import HatchlingTopology

  /// The pictures of `degrees`: degree distributions with their fits, the entries of the matrix, modularity beside the baselines.
  struct TopologyPictures {
    private let report: TopologyReport
    private let title: String
    // Colours that the colour-blind tell apart (Okabe and Ito).
    private static let (blue, orange, green, grey) = ("#0072B2", "#D55E00", "#009E73", "#666666")

    init(_ report: TopologyReport) {
      self.report = report
      title = report.title
    }

    /// Draws what there is to draw; returns what to tell the user.
    func draw(into folder: String) throws -> [String] {
      try [degrees, entries, modularity].compactMap { $0 }.draw(into: folder)
    }

    /// Log–log CCDF of in- and out-degree, and the fitted power laws.
    private var degrees: Picture? {
      let graph = report.graph
      guard graph.edgeCount > 0 else { return nil }
      var picture = Picture("degrees")
      var plots: [String] = []
      for (name, degrees, summary, colour, point) in [
        ("in", graph.inDegrees, report.inDegree, Self.blue, 7),
        ("out", graph.outDegrees, report.outDegree, Self.orange, 5),
      ] {
        let rows = DegreeDistribution(degrees).rows.filter { $0.degree > 0 }
        picture.tables.append(
          .init(name, columns: ["degree", "ccdf"], rows: rows.map { [Double($0.degree), $0.ccdf] }))
        plots.append(
          "\(picture.reference(to: name)) using 1:2 with points pointtype \(point) pointsize 0.5 linecolor rgb '\(colour)' title '\(name)-degree'"
        )
        guard let fit = summary.fit, let law = summary.powerLaw, let last = rows.last?.degree,
          let share = rows.first(where: { $0.degree >= fit.minimum })?.ccdf
        else { continue }
        let steps = (0...60).map { pow(Double(last) / Double(fit.minimum), Double($0) / 60) }
        let line = Set(steps.map { Int((Double(fit.minimum) * $0).rounded()) }).sorted()
        picture.tables.append(
          .init(
            name + "-fit", columns: ["degree", "ccdf"],
            rows: line.map { [Double($0), share * fit.ccdf($0)] }))
        let p =
          law.p.map {
            $0 == 0 ? ", p < \(decimal(1 / Double(law.bootstraps), 2))" : ", p = \(decimal($0, 2))"
          } ?? ""
        plots.append(
          "\(picture.reference(to: name + "-fit")) using 1:2 with lines linewidth 2 dashtype 2 linecolor rgb '\(colour)' title 'fit of \(name)-degree from \(fit.minimum): α = \(decimal(fit.exponent, 2))\(p)\(law.tail < PowerLawFit.fewestToJudge ? ", too few to judge" : "")'"
        )
      }
      let caption = Picture.quoted(
        "\(title): \(grouped(graph.edgeCount)) edges on \(grouped(graph.nodeCount)) neurons")
      picture.commands = [
        "set title \(caption)", "set logscale xy", "set format y '%g'",
        "set xlabel 'degree k (edges)'", "set ylabel 'fraction of neurons with degree ≥ k'",
        "set key bottom left Left reverse", "set grid linecolor rgb '#dddddd'",
        "set yrange [\(0.05 / Double(max(1, graph.nodeCount))):1.2]", "set rmargin 5",
        "plot " + plots.joined(separator: ", \\\n  "),
      ]
      return picture
    }

    /// How the entries are distributed, what of it is symmetric about zero and what is skew (Fig. 9a).
    private var entries: Picture? {
      guard let entries = report.entries, entries.count > 0 else { return nil }
      var picture = Picture("entries")
      let scale = 1 / (Double(entries.count) * entries.width)
      // The outermost bins hold everything beyond them as well: not a density, so they are left out and counted.
      let reach = entries.width * Double(entries.histogram.count / 2)
      let isWhole = entries.minimum >= -reach && entries.maximum <= reach
      let bins = isWhole ? entries.histogram.indices : 1..<entries.histogram.count - 1
      let beyond = entries.count - bins.reduce(0) { $0 + entries.histogram[$1] }
      picture.tables = [
        .init(
          columns: ["entry", "density", "symmetric", "skew"],
          rows: bins.map { bin in
            [
              entries.middle(bin), Double(entries.histogram[bin]) * scale,
              Double(entries.symmetricPart(bin)) * scale, Double(entries.skewPart(bin)) * scale,
            ]
          })
      ]
      let file = picture.reference()
      // A count of zero has no logarithm; NaN leaves a gap.
      func column(_ number: Int) -> String { "1:($\(number) > 0 ? $\(number) : NaN)" }
      let rest = beyond > 0 ? " but \(grouped(beyond)) beyond the axis" : ""
      let caption = Picture.quoted("\(title): all \(grouped(entries.count)) entries\(rest)")
      picture.commands = [
        "set title \(caption)", "set logscale y",
        "set format y '%.0e'", "set xlabel 'entry of the matrix (weight)'",
        "set ylabel 'density (per unit of weight)'", "set key top right",
        "set xrange [\(max(entries.minimum, -reach) - 5 * entries.width):\(min(entries.maximum, reach) + 5 * entries.width)]",
        "set grid linecolor rgb '#dddddd'",
      ]
      if let threshold = report.threshold {
        let side = report.request.sign == .inhibitory ? -threshold : threshold
        picture.commands += [
          "set arrow from \(side), graph 0 to \(side), graph 1 nohead linecolor rgb '\(Self.grey)' dashtype 3",
          "set label 'threshold' at \(side), graph 0.06 offset 0.5, 0 textcolor rgb '\(Self.grey)'",
        ]
      }
      picture.commands.append(
        """
        plot \(file) using \(column(2)) with lines linewidth 2 linecolor rgb '\(Self.blue)' title 'all entries', \\
          \(file) using \(column(3)) with lines linewidth 2 dashtype 2 linecolor rgb '\(Self.green)' title 'symmetric part', \\
          \(file) using \(column(4)) with points pointtype 7 pointsize 0.4 linecolor rgb '\(Self.orange)' title 'skew part'
        """)
      return picture
    }

    /// Louvain's modularity over the number of edges (Fig. 9b).
    private var modularity: Picture? {
      let rows = report.modularity.profile
      guard !rows.isEmpty else { return nil }
      var picture = Picture("modularity")
      picture.tables = [
        .init(
          columns: ["edges", "graph", "uniform", "product"],
          rows: rows.map { [Double($0.edges), $0.graph ?? .nan, $0.uniform ?? .nan, $0.product ?? .nan] })
      ]
      let file = picture.reference()
      let caption = Picture.quoted("\(title): communities at different thresholds")
      picture.commands = [
        "set title \(caption)", "set logscale x 10",
        "set xlabel 'number of edges kept (strongest first)'",
        "set ylabel 'Newman modularity (Louvain, best of 5)'", "set yrange [0:1]", "set key top right",
        "set rmargin 5", "set grid linecolor rgb '#dddddd'",
        """
        plot \(file) using 1:2 with linespoints linewidth 2 pointtype 7 pointsize 0.8 linecolor rgb '\(Self.blue)' title 'the network', \\
          \(file) using 1:4 with linespoints linewidth 2 pointtype 5 pointsize 0.7 dashtype 2 linecolor rgb '\(Self.green)' title 'product of two Gaussian matrices', \\
          \(file) using 1:3 with linespoints linewidth 2 pointtype 9 pointsize 0.9 dashtype 3 linecolor rgb '\(Self.grey)' title 'G(n, m)'
        """,
      ]
      return picture
    }
  }
#endif
