#if Topology
  import Foundation
  import HatchlingCompiler
  import HatchlingGraph
  import HatchlingModel
  import HatchlingNumerics
  import HatchlingPictures
  import HatchlingTopology

  /// How structure appears while a network learns: a row per validation, as CSV, and a picture.
  ///
  /// The graph is G_x of all heads, centred, its largest positive entries, as many per neuron as in the paper's Fig. 10. Modularity is
  /// Louvain's, best of five seeds, beside that of G(n, m) with as many edges; α is the exponent of a discrete power law fitted to the
  /// tail of the degrees where that has 50 neurons or more, which says nothing of whether a power law is a good fit (``TopologyReport`` does).
  struct EmergenceLog {
    /// Names of columns, and how their numbers are written: fractions, counts and exponents.
    private static let columns: [(name: String, format: String)] = [
      ("step", "%.0f"), ("active_x", "%.6g"), ("active_y", "%.6g"), ("edges", "%.0f"), ("threshold", "%.6g"),
      ("modularity", "%.6g"), ("modularity_uniform", "%.6g"), ("alpha_in", "%.6g"), ("x_min_in", "%.0f"),
      ("alpha_out", "%.6g"), ("x_min_out", "%.0f"), ("max_in", "%.0f"), ("max_out", "%.0f"),
    ]

    private let log: RunLog

    /// Begins or goes on; throws as `RunLog` does.
    init(path: String, resumingAfter step: Int) throws {
      log = try RunLog(
        path: path, header: Self.columns.map(\.name).joined(separator: ","), kind: "a topology log",
        resumingAfter: step)
    }

    /// Adds the network as it is now. Cost: a pass over all n² entries in blocks, and igraph on some 6 n edges.
    func append(_ line: TrainingLine, _ weights: Weights<Float>, workers: Workers) throws {
      let sizes = weights.hyperparameters
      let wanted = Int((Double(sizes.neurons) * TopologyRequest.edgesPerNeuron).rounded())
      let matrix = try FactoredMatrix(.x, of: weights, centred: true, head: nil)
      let edges = try matrix.select(.strongest(wanted), sign: .excitatory, workers: workers).edges
      let graph = NeuronGraph(
        edges, nodes: matrix.targets, neuronsPerHead: sizes.neuronsPerHead, sign: .excitatory)
      let degrees = [graph.inDegrees, graph.outDegrees]
      // A tail of a few nodes has an exponent, but it says nothing.
      let fits = degrees.map { PowerLawFit($0).flatMap { $0.hasEnoughNodes ? $0 : nil } }
      let modularity = try UndirectedGraph(graph).communities(.louvain, seed: 1)?.modularity
      let uniform = try Baseline.uniform(nodes: graph.nodeCount, edges: graph.edgeCount, seed: 1)
        .communities(seed: 1)?.modularity
      let values: [Double?] =
        [
          Double(line.step), line.activeX, line.activeY, Double(graph.edgeCount),
          graph.threshold.map(Double.init), modularity, uniform,
        ] + fits.flatMap { [$0?.exponent, $0.map { Double($0.minimum) }] }
        + degrees.map { Double($0.max() ?? 0) }
      let texts = zip(Self.columns, values).map { column, value in
        value.flatMap(finite).map { String(format: column.format, $0) } ?? ""
      }
      try log.append(texts.joined(separator: ","))
    }

    /// `NAME.svg` and `NAME.png` beside the log; says where, or why not. Nil before the first row.
    func draw() throws -> String? {
      let rows = try log.rows()
      guard !rows.isEmpty else { return nil }
      var picture = Picture(log.pictureName)
      picture.tables = [.init(columns: Self.columns.map(\.name), rows: rows)]
      let data = picture.reference()
      func plot(_ column: Int, _ color: String, _ title: String, _ more: String = "") -> String {
        "\(data) using 1:\(column) \(more) with linespoints linewidth 2 pointtype 7 pointsize 0.5 linecolor rgb '\(color)' title '\(title)'"
      }
      // gnuplot refuses an axis without a single number.
      func isKnown(_ name: String) -> Bool {
        guard let column = Self.columns.firstIndex(where: { $0.name == name }) else { return false }
        return rows.contains { $0[column].isFinite }
      }
      var plots = [plot(2, "#8aa9c9", "active x"), plot(3, "#1f5f99", "active y")]
      if isKnown("modularity") { plots.append(plot(6, "#c0392b", "modularity of G_x")) }
      if isKnown("modularity_uniform") { plots.append(plot(7, "#e6a59c", "modularity of G(n, m)")) }
      let exponents = [
        isKnown("alpha_in") ? plot(8, "#7f8c3d", "α of in-degrees (right)", "axes x1y2") : nil,
        isKnown("alpha_out") ? plot(10, "#b8c46a", "α of out-degrees (right)", "axes x1y2") : nil,
      ].compactMap { $0 }
      picture.commands = [
        "set xlabel 'step'", "set ylabel 'fraction, modularity'", "set yrange [0:1]", "set key outside below",
        "set grid",
      ]
      if !exponents.isEmpty {
        picture.commands += ["set y2label 'exponent of the tail'", "set ytics nomirror", "set y2tics"]
      }
      picture.commands.append("plot " + (plots + exponents).joined(separator: ", "))
      return try log.draw(picture, of: "the structure", done: "how structure appeared:")
    }
  }
#else
  import HatchlingModel
  import HatchlingNumerics

  /// Needs the package trait Topology, which this build lacks.
  struct EmergenceLog {
    init(path: String, resumingAfter step: Int) throws {
      throw TopologyMissing.emergence
    }

    func append(_ line: TrainingLine, _ weights: Weights<Float>, workers: Workers) throws {}

    func draw() throws -> String? { nil }
  }
#endif
