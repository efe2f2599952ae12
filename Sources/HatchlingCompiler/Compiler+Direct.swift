import Foundation
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

extension Compiler {
  /// Compiles the direct form (Eq. 6 made exact): *centre*, *split*, *expand* or *prune*, *lay out*; the graph is checked against its
  /// specification on entry and exit of *lay out*.
  ///
  /// Norm-free networks have nothing to centre. ``centres`` is not asked: gains need F = P E'.
  /// - Parameter memory: bytes of the machine, of which the unpruned G_x and G_y may take half.
  /// - Throws: ``CompilerError`` or `GraphError`. Cost: one product of n (n + V) d for each of G_x, G_y.
  public func direct<Scalar: NetworkScalar>(
    from weights: Weights<Scalar>, options: DirectOptions = DirectOptions(), fingerprint: String = "",
    workers: Workers = Workers(), memory: Int = Int(ProcessInfo.processInfo.physicalMemory)
  ) throws -> (graph: DirectGraph<Scalar>, reports: [PassReport]) {
    let sizes = weights.hyperparameters
    try options.check(hubCount: sizes.synapticDimension)
    var log = PassLog()
    let circuitEdges = edgeCount(weights)
    var centred = weights
    if sizes.variant.normalises {
      centred = try log.run("centre", edgesIn: circuitEdges) {
        let centred = try CentrePass.run(weights)
        return (centred, edgeCount(centred), "LayerNorm's mean folded into E and the embedding")
      }
    }
    let neurons = try log.run("split", edgesIn: edgeCount(centred)) {
      let circuit = try SplitPass.run(centred)
      return (circuit.neurons, edgeCount(centred), "the sign of a weight is its synapse's channel")
    }
    let field = ExpandPass.field(centred)
    let possible = 2 * sizes.neurons * field.rows
    var graph: DirectGraph<Scalar>
    if options.isExact {
      let bytes = possible * MemoryLayout<Scalar>.size
      guard bytes <= memory / 2 else {
        throw CompilerError.expansionTooLarge(needed: bytes, limit: memory / 2)
      }
      graph = log.run("expand", edgesIn: edgeCount(centred)) {
        let graph = DirectGraph(
          layers: sizes.layers, variant: sizes.variant, neurons: neurons, tokenCount: sizes.vocabulary,
          field: field, readout: centred.readout,
          drivesX: Projection(dense: ExpandPass.run(field, centred.decoderX, workers: workers)),
          drivesY: Projection(dense: ExpandPass.run(centred.decoderY, field, workers: workers)))
        return (graph, graph.drivesX.count + graph.drivesY.count, "G_x = D_x F, G_y = D_y F")
      }
    } else {
      graph = try log.run("prune", edgesIn: possible) {
        try prune(centred, field, neurons, options, workers)
      }
    }
    graph.fingerprint = fingerprint
    graph.compilation = options.spelling
    try graph.validate()
    let laidOut = try log.run("lay out", edgesIn: graph.drivesX.count + graph.drivesY.count) {
      let result = LayOutPass.run(graph)
      try result.validate()
      return (result, result.drivesX.count + result.drivesY.count, layoutNote(result))
    }
    return (laidOut, log.reports)
  }

  /// *expand* and *prune* in one go: what is cut is never stored.
  private func prune<Scalar: NetworkScalar>(
    _ weights: Weights<Scalar>, _ field: Matrix<Scalar>, _ neurons: NeuronPopulation,
    _ options: DirectOptions, _ workers: Workers
  ) throws -> (DirectGraph<Scalar>, Int, String) {
    func pass(_ decoder: Matrix<Scalar>) throws -> PrunePass<Scalar>.Result {
      try PrunePass(
        decoder: decoder, field: field, neurons: neurons.count, options: options, workers: workers
      ).run()
    }
    let (x, y) = (try pass(weights.decoderX), try pass(weights.decoderY))
    let sizes = weights.hyperparameters
    var graph = DirectGraph(
      layers: sizes.layers, variant: sizes.variant, neurons: neurons, tokenCount: sizes.vocabulary,
      field: field, readout: weights.readout, drivesX: Projection(.sparse(x.incoming.transposing())),
      drivesY: Projection(.sparse(y.incoming)))
    let isComplete = options.plastic == .complete || x.edges.count == neurons.count * field.rows
    graph.plastic = isComplete ? .complete : .lists(x.edges)
    (graph.remainderX, graph.remainderY) = (x.remainder, y.remainder)
    let tokens = options.prunesTokens ? "" : ", all token → neuron synapses beside them"
    let bounds = "|G_x| ≥ \(text(x.threshold)), |G_y| ≥ \(text(y.threshold))"
    let note = "\(x.chosen) of G_x, \(y.chosen) of G_y kept (\(bounds))\(tokens)"
    return (graph, graph.drivesX.count + graph.drivesY.count, note)
  }

  private func text<Scalar: NetworkScalar>(_ threshold: Scalar?) -> String {
    threshold.map { String(format: "%.4g", Double($0)) } ?? "–"
  }

  private func edgeCount<Scalar>(_ weights: Weights<Scalar>) -> Int {
    [weights.embedding, weights.decoderX, weights.decoderY, weights.encoder, weights.readout]
      .reduce(0) { $0 + Projection(dense: $1).count }
  }

  private func layoutNote<Scalar>(_ graph: DirectGraph<Scalar>) -> String {
    func layout(_ projection: Projection<Scalar>) -> String {
      if case .sparse = projection.storage { "lists" } else { "a dense block" }
    }
    return "G_x \(layout(graph.drivesX)), G_y \(layout(graph.drivesY))"
  }
}

/// Runs passes and keeps what they did.
struct PassLog {
  private(set) var reports: [PassReport] = []

  /// `body` returns its result, the edges after it, and a note.
  mutating func run<Result>(
    _ pass: String, edgesIn: Int, _ body: () throws -> (Result, Int, String)
  ) rethrows -> Result {
    let start = ContinuousClock.now
    let (result, edgesOut, note) = try body()
    let duration = ContinuousClock.now - start
    reports.append(
      PassReport(pass: pass, edgesIn: edgesIn, edgesOut: edgesOut, seconds: duration.inSeconds, note: note))
    return result
  }
}
