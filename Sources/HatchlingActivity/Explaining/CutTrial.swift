import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics
import Synchronization

/// A carrier that was really cut while the token was read, and only then.
public struct CutTrial: Sendable {
  public let carrier: Carrier
  /// What the logit would lose, by gradient × value and by ``CutPrediction``.
  public let gradient: Double
  public let predicted: Double
  /// What it lost.
  public let measured: Double
  /// Other neurons that fired with the carrier and not without it, or the other way round, over all layers: x and y apart.
  public let flips: Int
}

/// How well predictions tell what cuts do.
public struct CutFit: Sendable {
  public let count: Int
  /// 1 − Σ (measured − predicted)² / Σ (measured − mean)²; nil where nothing varies.
  public let rSquared: Double?
  /// The same of gradient × value.
  public let rSquaredOfGradient: Double?
  /// The same of those cuts that made no neuron fire or fall silent, and how many these are.
  public let rSquaredWithoutFlips: Double?
  public let withoutFlips: Int
  /// Of measured over predicted, through the origin.
  public let slope: Double?
  /// The root of the mean square of what was measured.
  public let size: Double

  public init(_ trials: [CutTrial]) {
    let steady = trials.filter { $0.flips == 0 }
    (count, withoutFlips) = (trials.count, steady.count)
    rSquared = Self.rSquared(trials) { $0.predicted }
    rSquaredOfGradient = Self.rSquared(trials) { $0.gradient }
    rSquaredWithoutFlips = Self.rSquared(steady) { $0.predicted }
    let squares = trials.reduce(0) { $0 + $1.predicted * $1.predicted }
    slope = squares > 0 ? trials.reduce(0) { $0 + $1.predicted * $1.measured } / squares : nil
    size =
      (trials.reduce(0) { $0 + $1.measured * $1.measured } / Double(max(1, trials.count))).squareRoot()
  }

  private static func rSquared(_ trials: [CutTrial], _ prediction: (CutTrial) -> Double) -> Double? {
    let mean = trials.reduce(0) { $0 + $1.measured } / Double(max(1, trials.count))
    let spread = trials.reduce(0) { $0 + ($1.measured - mean) * ($1.measured - mean) }
    let missed = trials.reduce(0) {
      $0 + ($1.measured - prediction($1)) * ($1.measured - prediction($1))
    }
    return spread > 0 ? 1 - missed / spread : nil
  }
}

/// Cuts for real: reads the token again from the plastic weights before it, each time without one carrier.
public struct Cuts: Sendable {
  private let network: TokenNetwork
  private let trace: TokenTrace
  private let logit: ExplainedLogit
  private let workers: Workers

  public init(_ network: TokenNetwork, _ trace: TokenTrace, _ logit: ExplainedLogit, workers: Workers) {
    (self.network, self.trace, self.logit, self.workers) = (network, trace, logit, workers)
  }

  /// Cuts every carrier by itself. Cost: the token once per carrier, from the carrier's layer on.
  ///
  /// - Parameter progress: called with the number done.
  public func trials(of shares: [CarrierShare], progress: @Sendable (Int) -> Void = { _ in }) -> [CutTrial] {
    let found = Mutex<(trials: [CutTrial?], done: Int)>(([CutTrial?](repeating: nil, count: shares.count), 0))
    let untouched = logit.value(of: trace.logits)
    workers.run(blocks: shares.count) { index in
      let share = shares[index]
      let without = network.read(again: trace, scaling: [share.carrier])
      let trial = CutTrial(
        carrier: share.carrier, gradient: share.gradient, predicted: share.share,
        measured: untouched - logit.value(of: without.logits),
        flips: without.flips(against: trace, besides: share.carrier))
      let done = found.withLock {
        $0.trials[index] = trial
        $0.done += 1
        return $0.done
      }
      progress(done)
    }
    return found.withLock { $0.trials.compactMap { $0 } }
  }

  /// What the logit loses when all of them are cut at once.
  public func loss(withoutAll carriers: [Carrier]) -> Double {
    logit.value(of: trace.logits) - logit.value(of: network.read(again: trace, scaling: carriers).logits)
  }
}

/// The same in an engine: back to the state before the token, the plastic weight 0, and one step.
public struct EngineCuts {
  private let engine: any WatchableEngine<Double>
  private let state: SavedState
  private let token: Int
  private let logit: ExplainedLogit
  private let untouched: Double

  /// - Parameters: `engine` is at the token, and is afterwards wherever the last cut left it.
  /// - Throws: as `step`.
  public init(_ engine: any WatchableEngine<Double>, _ token: Int, _ logit: ExplainedLogit) throws {
    (self.engine, self.token, self.logit) = (engine, token, logit)
    state = engine.save()
    try engine.step(token)
    untouched = logit.value(of: engine.logits)
  }

  /// What the logit loses without these plastic synapses. Cost: the state once more, and a step. - Throws: as `restore` and `step`.
  public func loss(without synapses: [LayerSynapse]) throws -> Double {
    try engine.restore(state)
    for one in synapses { engine.replacePlasticWeight(layer: one.layer, of: one.synapse) { _ in 0 } }
    try engine.step(token)
    return untouched - logit.value(of: engine.logits)
  }
}
