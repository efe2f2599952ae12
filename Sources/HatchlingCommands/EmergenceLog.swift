#if Topology
  import Foundation
  import HatchlingCheckpoint
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
  public struct EmergenceLog {
    /// Names of columns; fractions, counts and exponents.
    public static let columns = [
      "step", "active_x", "active_y", "edges", "threshold", "modularity", "modularity_uniform", "alpha_in",
      "x_min_in", "alpha_out", "x_min_out", "max_in", "max_out",
    ]

    public let path: String
    private var rows: [[Double]]

    /// - Parameter step: rows up to this step of an interrupted run are kept.
    /// - Throws: `CheckpointError` for a file that cannot be written, or one there that is no such log.
    public init(path: String, resumingAfter step: Int) throws {
      self.path = path
      rows = []
      if TrainingLog.isThere(path) {
        let file = try MappedFile(path: path)
        let text = withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }
        let lines = text.split(separator: "\n").map {
          $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        guard lines.first == Self.columns else {
          throw CheckpointError.unsupported(
            path: path, what: "it is not a topology log of hatchling train; name another file")
        }
        rows = lines.dropFirst().map { $0.map { Double($0) ?? .nan } }
          .filter { $0.count == Self.columns.count && $0[0] <= Double(step) }
      }
      try write()
    }

    /// Adds the network as it is now. Cost: a pass over all n² entries in blocks, and igraph on some 6 n edges.
    public mutating func append(
      step: Int, _ weights: Weights<Float>, activeX: Double, activeY: Double, workers: Workers
    ) throws {
      let sizes = weights.hyperparameters
      let wanted = Int((Double(sizes.neurons) * TopologyRequest.edgesPerNeuron).rounded())
      let matrix = try FactoredMatrix(.x, of: weights, centred: true, head: nil)
      let edges = try matrix.select(.strongest(wanted), sign: .excitatory, workers: workers).edges
      let graph = NeuronGraph(
        edges, nodes: matrix.targets, neuronsPerHead: sizes.neuronsPerHead, sign: .excitatory)
      let (into, out) = (graph.inDegrees, graph.outDegrees)
      // A tail of a few nodes has an exponent, but it says nothing.
      let (inFit, outFit) = (
        PowerLawFit(into).flatMap { $0.hasEnoughNodes ? $0 : nil },
        PowerLawFit(out).flatMap { $0.hasEnoughNodes ? $0 : nil }
      )
      let modularity = try UndirectedGraph(graph).communities(.louvain, seed: 1)?.modularity
      let uniform = try Baseline.uniform(nodes: graph.nodeCount, edges: graph.edgeCount, seed: 1)
        .communities(seed: 1)?.modularity
      rows.append([
        Double(step), activeX, activeY, Double(graph.edgeCount), graph.threshold.map(Double.init) ?? .nan,
        modularity ?? .nan, uniform ?? .nan, inFit?.exponent ?? .nan,
        inFit.map { Double($0.minimum) } ?? .nan,
        outFit?.exponent ?? .nan, outFit.map { Double($0.minimum) } ?? .nan, Double(into.max() ?? 0),
        Double(out.max() ?? 0),
      ])
      try write()
    }

    private func write() throws {
      let whole: Set<String> = ["step", "edges", "x_min_in", "x_min_out", "max_in", "max_out"]
      let lines = rows.map { row in
        zip(Self.columns, row).map { name, value in
          value.isFinite ? String(format: whole.contains(name) ? "%.0f" : "%.6g", value) : ""
        }.joined(separator: ",")
      }
      let file = try AtomicFile(path: path)
      try file.write(([Self.columns.joined(separator: ",")] + lines).map { $0 + "\n" }.joined())
      try file.commit()
    }

    /// `NAME.svg` and `NAME.png` beside the log; says where, or why not. Nil before the first row.
    public func draw() throws -> String? {
      guard !rows.isEmpty else { return nil }
      let url = URL(fileURLWithPath: path)
      var picture = Picture(url.deletingPathExtension().lastPathComponent)
      picture.tables = [.init(columns: Self.columns, rows: rows)]
      let data = picture.reference()
      func plot(_ column: Int, _ color: String, _ title: String, _ more: String = "") -> String {
        "\(data) using 1:\(column) \(more) with linespoints linewidth 2 pointtype 7 pointsize 0.5 linecolor rgb '\(color)' title '\(title)'"
      }
      // gnuplot refuses an axis without a single number.
      func isKnown(_ name: String) -> Bool {
        guard let column = Self.columns.firstIndex(of: name) else { return false }
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
      let folder = url.deletingLastPathComponent().path
      switch try picture.draw(into: folder) {
      case .drawn: return "how structure appeared: \(folder)/\(picture.name).svg and .png"
      case .gnuplotMissing: return "no picture of the structure: gnuplot is not installed"
      case .failed(let reason): return "no picture of the structure: gnuplot says: \(reason)"
      }
    }
  }
#else
  import HatchlingModel
  import HatchlingNumerics

  /// Needs the package trait Topology, which this build lacks.
  public struct EmergenceLog {
    init(path: String, resumingAfter step: Int) throws {
      throw TopologyMissing.emergence
    }

    public mutating func append(
      step: Int, _ weights: Weights<Float>, activeX: Double, activeY: Double, workers: Workers
    ) throws {}

    public func draw() throws -> String? { nil }
  }
#endif
