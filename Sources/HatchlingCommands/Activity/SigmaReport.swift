import HatchlingCompiler
import HatchlingEquivalence
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

#if Topology
  import HatchlingTopology
#endif

/// σ between neurons of one layer, after the first so many tokens of a text: how concentrated it is, and its degrees.
struct SigmaRow: Sendable {
  /// Degrees of the strongest positive entries, and their power-law fits.
  struct Degrees: Sendable {
    let largestIn, largestOut: Int
    let inLaw, outLaw: String

    var json: JSONObject {
      ["largest_in": largestIn, "largest_out": largestOut, "in_law": inLaw, "out_law": outLaw]
    }
  }

  let tokens: Int
  let layer: Int
  /// Of |σ|, all pairs of neurons, or those of every k-th postsynaptic one.
  let concentration: Concentration
  /// Entries above 0.
  let positive: Int
  /// How many of the strongest positive entries are edges: as many per neuron as in the paper's Fig. 10.
  let edges: Int
  /// Nil in a program without igraph.
  let degrees: Degrees?

  /// Entries that are sorted at most.
  static var mostEntries: Int { 1 << 22 }
}

/// σ while the text is read, from an empty state, in float32 by the tensors.
enum SigmaReport {
  /// - Returns: a row per position; none for a neuron graph, whose σ has lists of its own.
  /// - Throws: `TokenError`, `SynapticStateError` for texts that are too long. Cost: reading the first tokens once per position, and a product of n² entries.
  static func rows(
    of network: Network, reading tokens: [Int], _ request: ActivityRequest, workers: Workers,
    progress: WorkProgress
  ) throws -> [SigmaRow] {
    guard case .weights(let model) = network, model.weights.plasticSynapses == nil else { return [] }
    let weights = model.weights
    let layer = weights.hyperparameters.middleLayer
    let powers = (3...24).map { 1 << (2 * $0) }.filter { $0 < tokens.count } + [tokens.count]
    var rows: [SigmaRow] = []
    let positions = Set(request.positions ?? powers).filter { $0 <= tokens.count }.sorted()
    for position in positions {
      let state = try SynapticState(
        reading: Array(tokens.prefix(position)), weights: weights, layers: [layer], workers: workers,
        progress: { progress("σ: reading token", $0, position) })
      let matrix = state.factored(layers: [layer], frame: .current)
      let entries = sampled(matrix)
      rows.append(
        try row(
          matrix, Concentration(entries), positive: entries.count { $0 > 0 }, tokens: position, layer: layer,
          request, weights.hyperparameters, workers))
    }
    return rows
  }

  private static func row(
    _ matrix: FactoredMatrix<Float>, _ concentration: Concentration, positive: Int, tokens: Int, layer: Int,
    _ request: ActivityRequest, _ sizes: Hyperparameters, _ workers: Workers
  ) throws -> SigmaRow {
    let nodes = matrix.targets.count
    let wanted = min(Int((Double(nodes) * TopologyRequest.edgesPerNeuron).rounded()), nodes * nodes)
    let edges = try matrix.select(.strongest(wanted), sign: .excitatory, workers: workers).edges
    var degrees: SigmaRow.Degrees?
    #if Topology
      let graph = NeuronGraph(
        edges, nodes: matrix.targets, neuronsPerHead: sizes.neuronsPerHead, sign: .excitatory)
      func law(_ degrees: [Int]) -> (Int, String) {
        let report = DegreeReport(
          degrees, bootstraps: min(100, request.resamples), seed: request.seed, workers: workers)
        guard let law = report.powerLaw else { return (report.max, "nothing to fit") }
        return (
          report.max,
          "α \(decimal(law.alpha, 2)) from \(law.xMin) (\(law.tail) neurons), p \(decimal(law.p ?? .nan, 2)): \(law.verdict)"
        )
      }
      let (inward, outward) = (law(graph.inDegrees), law(graph.outDegrees))
      degrees = SigmaRow.Degrees(
        largestIn: inward.0, largestOut: outward.0, inLaw: inward.1, outLaw: outward.1)
    #endif
    return SigmaRow(
      tokens: tokens, layer: layer, concentration: concentration, positive: positive, edges: edges.count,
      degrees: degrees)
  }

  /// All entries, or those of every k-th target.
  private static func sampled(_ matrix: FactoredMatrix<Float>) -> [Float] {
    let (targets, sources) = (matrix.targets.count, matrix.sources.count)
    let stride = (targets * sources + SigmaRow.mostEntries - 1) / SigmaRow.mostEntries
    var entries: [Float] = []
    var row = [Float](repeating: 0, count: sources)
    for target in Swift.stride(from: 0, to: targets, by: max(1, stride)) {
      row.withUnsafeMutableBufferPointer { row in
        guard let base = row.baseAddress else { return }
        BLAS.multiply(
          matrix.right.row(matrix.sources.lowerBound), rows: sources, columns: matrix.rank,
          by: matrix.left.row(matrix.targets.lowerBound + target), into: base)
      }
      entries += row
    }
    return entries
  }
}
