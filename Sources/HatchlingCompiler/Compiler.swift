import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Weights → graph: a short list of named passes, each of which can be read and tested on its own.
public struct Compiler: Sendable {
  /// Whether to run *centre*.
  public var centres: Bool

  public init(centres: Bool = false) { self.centres = centres }

  /// Compiles the circuit form: (*centre*,) *split*, *lay out*; the graph is checked against its specification on entry and exit
  /// of *lay out*.
  ///
  /// Without *centre* the graph shares the weights' storage and ``Decompiler`` gives them back bit for bit.
  /// - Throws: ``CompilerError`` or `GraphError` when the weights do not fit together. Cost: one pass over the weights, shared
  ///   among `workers`; two more with *centre*.
  public func circuit<Scalar: NetworkScalar>(
    from weights: Weights<Scalar>, fingerprint: String = "", workers: Workers? = nil
  ) throws -> (graph: CircuitGraph<Scalar>, reports: [PassReport]) {
    var reports: [PassReport] = []
    let clock = ContinuousClock()
    var weights = weights
    var edges: Int?
    if centres {
      let start = clock.now
      let before = Compiler.edgeCount(weights, workers)
      weights = try CentrePass.run(weights)
      let after = Compiler.edgeCount(weights, workers)
      reports.append(
        PassReport(
          pass: "centre", edgesIn: before, edgesOut: after, seconds: (clock.now - start).inSeconds,
          note: "LayerNorm's mean folded into E and the embedding"))
      edges = after
    }
    var start = clock.now
    var graph = try SplitPass.run(weights)
    graph.isCentred = centres
    graph.fingerprint = fingerprint
    graph.takeCensus(workers: workers)
    let signs = Compiler.signCounts(graph)
    reports.append(
      PassReport(
        pass: "split", edgesIn: edges ?? signs.excitatory + signs.inhibitory,
        edgesOut: signs.excitatory + signs.inhibitory,
        seconds: (clock.now - start).inSeconds,
        note: "\(signs.excitatory) excitatory, \(signs.inhibitory) inhibitory, \(graph.plastic.count) plastic"
      ))

    start = clock.now
    try graph.validate()
    graph = LayOutPass.run(graph)
    try graph.validate()
    reports.append(
      PassReport(
        pass: "lay out", edgesIn: signs.excitatory + signs.inhibitory, edgesOut: Compiler.edgeCount(graph),
        seconds: (clock.now - start).inSeconds, note: Compiler.layoutNote(graph)))
    return (graph, reports)
  }

  private static func edgeCount<Scalar>(_ weights: Weights<Scalar>, _ workers: Workers?) -> Int {
    [weights.embedding, weights.decoderX, weights.decoderY, weights.encoder, weights.readout]
      .reduce(0) { $0 + SignCensus(of: $1.pointer, count: $1.count, workers: workers).nonZero }
  }

  private static func edgeCount<Scalar>(_ graph: CircuitGraph<Scalar>) -> Int {
    let counts = signCounts(graph)
    return counts.excitatory + counts.inhibitory
  }

  private static func signCounts<Scalar>(
    _ graph: CircuitGraph<Scalar>
  ) -> (excitatory: Int, inhibitory: Int) {
    [graph.embedding, graph.drivesX, graph.drivesY, graph.encoder, graph.readout].reduce((0, 0)) {
      let counts = $1.counts
      return ($0.0 + counts.excitatory, $0.1 + counts.inhibitory)
    }
  }

  private static func layoutNote<Scalar>(_ graph: CircuitGraph<Scalar>) -> String {
    let projections = [
      ("embedding", graph.embedding), ("x", graph.drivesX), ("y", graph.drivesY), ("encoder", graph.encoder),
      ("readout", graph.readout),
    ]
    let lists = projections.filter { if case .sparse = $0.1.storage { true } else { false } }.map(\.0)
    return lists.isEmpty ? "dense blocks" : "lists for \(lists.joined(separator: ", ")), else dense blocks"
  }
}
