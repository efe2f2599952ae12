import Foundation
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Weights → graph: a short list of named passes, each of which can be read and tested on its own.
public struct Compiler: Sendable {
  /// Whether the circuit is centred.
  public var centres: Bool

  public init(centres: Bool = false) { self.centres = centres }

  /// Compiles the circuit form: (*centre*,) *split*, *lay out*.
  ///
  /// Without *centre* the graph shares the weights' storage and ``Decompiler`` gives them back bit for bit.
  /// - Parameter sum: for weights that are a part of a network's: adds up over all parts, which are compiled together.
  /// - Throws: ``CompilerError`` or `GraphError` when the weights do not fit together. Cost: one pass over the weights, shared
  ///   among `workers`; two more with *centre*.
  public func circuit<Scalar: NetworkScalar>(
    from weights: Weights<Scalar>, fingerprint: String = "", workers: Workers? = nil, sum: SumOverParts? = nil
  ) throws -> (graph: CircuitGraph<Scalar>, reports: [PassReport]) {
    let passes: [any CompilerPass] =
      (centres ? [CentrePass()] : [])
      + [SplitPass(isCentred: centres, fingerprint: fingerprint, workers: workers), LayOutPass(sum: sum)]
    let (stage, reports) = try Self.run(passes, on: weights, workers: workers)
    guard case .circuit(let graph) = stage else {
      throw CompilerError.misplaced(pass: "lay out", needs: "a circuit")
    }
    return (graph, reports)
  }

  /// Compiles the direct form (Eq. 6 made exact): *centre*, *split*, *expand* or *prune*, *lay out*.
  ///
  /// Norm-free networks have nothing to centre. ``centres`` is not asked: gains need F = P E'.
  /// - Parameter memory: bytes of the machine, of which the unpruned G_x and G_y may take half.
  /// - Throws: ``CompilerError`` or `GraphError`. Cost: one product of n (n + V) d for each of G_x, G_y.
  public func direct<Scalar: NetworkScalar>(
    from weights: Weights<Scalar>, options: DirectOptions = DirectOptions(), fingerprint: String = "",
    workers: Workers = Workers(), memory: Int = Int(ProcessInfo.processInfo.physicalMemory)
  ) throws -> (graph: DirectGraph<Scalar>, reports: [PassReport]) {
    guard weights.plasticSynapses == nil else { throw CompilerError.lacksPlasticSynapses }
    try options.check(hubCount: weights.hyperparameters.synapticDimension)
    let normalises = weights.hyperparameters.variant.normalises
    let passes: [any CompilerPass] =
      (normalises ? [CentrePass()] : [])
      + [
        SplitPass(isCentred: normalises, fingerprint: fingerprint, workers: workers),
        options.isExact
          ? ExpandPass(workers: workers, memory: memory) : PrunePass(options: options, workers: workers),
        LayOutPass(),
      ]
    let (stage, reports) = try Self.run(passes, on: weights, workers: workers)
    guard case .direct(let graph) = stage else {
      throw CompilerError.misplaced(pass: "lay out", needs: "a direct graph")
    }
    return (graph, reports)
  }

  /// Runs passes one after the other, counts edges and time, and checks every graph against its specification as soon as it is there:
  /// what a pass leaves is what the next one enters with.
  /// - Throws: what a pass throws, or `GraphError.brokenRule(rule:detail:)`.
  public static func run<Scalar: NetworkScalar>(
    _ passes: [any CompilerPass], on weights: Weights<Scalar>, workers: Workers? = nil
  ) throws -> (stage: Stage<Scalar>, reports: [PassReport]) {
    var stage = Stage.weights(weights)
    var reports: [PassReport] = []
    for pass in passes {
      let start = ContinuousClock.now
      var before = reports.last?.edgesOut
      if before == nil, pass.changesEdges { before = stage.countEdges(workers) }
      let (next, chosenFrom, note) = try pass.run(stage)
      stage = next
      let after = stage.countEdges(workers)
      try stage.validate()
      reports.append(
        PassReport(
          pass: pass.name, edgesIn: chosenFrom ?? before ?? after, edgesOut: after,
          seconds: (ContinuousClock.now - start).inSeconds, note: note))
    }
    return (stage, reports)
  }
}
