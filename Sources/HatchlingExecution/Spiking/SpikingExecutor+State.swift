import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// What particles hold, for probes and for operations that are analog; and saved states.
extension SpikingExecutor: ParticleStore {
  /// Whether probes and results see what was said.
  func isSaid(_ quantity: Quantity) -> Bool {
    quantity != .v && quantity != .z && isFired.contains(quantity)
  }

  public func values(of quantity: Quantity, channel: Channel, entries: [Int]?) -> [Scalar]? {
    if channel != .net { return arrivals(of: quantity, channel: channel, entries: entries) }
    if quantity == .logits { return entries?.map { logits[$0] } ?? logits }
    guard isSaid(quantity), let sent = trains[quantity]?.sent else {
      return held.values(of: quantity, entries)
    }
    return entries.map { $0.map { sent.base[$0] } }
      ?? Array(UnsafeBufferPointer(start: sent.base, count: sent.count))
  }

  public func load(_ quantity: Quantity) -> [Scalar] {
    values(of: quantity, channel: .net, entries: nil) ?? []
  }

  public func store(_ values: [Scalar], _ quantity: Quantity, arrived: [Channels<Scalar>]?) {
    if quantity == .logits { logits = values }
    held.replace(quantity, by: values)
  }

  public func store(gain: Scalar, place: Int) { storage[.gains]?.base[place] = gain }

  /// A spike that is not finite is never sent, so that what fired is checked while it fires; sums are checked here.
  public func firstNonFinite() -> Quantity? { notFinite ?? held.firstNonFinite() }

  public var identity: StateIdentity {
    StateIdentity(
      model: graph.fingerprint, engine: "spiking", form: schedule.form.rawValue,
      precision: Scalar.precisionName, variant: schedule.variant,
      options: options.name + (scalesDigest.isEmpty ? "" : ", scales \(scalesDigest)"))
  }

  public func plasticWeights(
    layer: Int, at moment: PlasticMoment, synapses: [PlasticSynapse]?
  ) -> [Scalar] {
    synapses.map { $0.map { plasticity.weight($0, layer: layer, at: moment) } }
      ?? plasticity.weights(layer: layer, at: moment).elements
  }

  public func replacePlasticWeight(
    layer: Int, of synapse: PlasticSynapse, at position: Int, _ change: (Scalar) -> Scalar
  ) {
    plasticity.replace(synapse, layer: layer, at: position, change)
  }

  public func attentionState(layer: Int, at position: Int) -> Matrix<Scalar> {
    plasticity.attentionState(layer: layer, at: position)
  }

  public func reset() {
    plasticity.reset()
    logits = logits.map { _ in 0 }
  }

  public func stateArrays() -> [String: StateArray] { plasticity.stateArrays() }
  public func restoration(of state: SavedState) throws -> () -> Void { try plasticity.restoration(of: state) }
}

/// An engine that counts its spikes.
public protocol SpikeCounting: SteppingEngine {
  var spikeCounts: SpikeCounts { get }
}

/// An executor that does.
public protocol SpikeCounter: Executor {
  var counts: SpikeCounts { get }
}

extension SpikingExecutor: SpikeCounter {}
extension Run: SpikeCounting where Engine: SpikeCounter {
  public var spikeCounts: SpikeCounts { executor.counts }
}

// MARK: Calibration

extension SpikeScales {
  /// The fewest tokens that scales are found from.
  public static let fewestTokens = 16

  /// Reads a text exactly and notes the largest values.
  ///
  /// - Throws: ``SpikeScalesError/tooShort(tokens:needed:)``, `GraphError`, `TokenError`.
  public static func measured<Scalar: NetworkScalar>(
    _ graph: CircuitGraph<Scalar>, on tokens: [Int], workers: Workers = Workers(),
    afterToken: (Int) -> Void = { _ in }
  ) throws -> SpikeScales {
    try measured(try Run(spiking: graph, .graded, workers: workers), on: tokens, afterToken: afterToken)
  }

  static func measured<Graph: ExecutableGraph>(
    _ engine: SpikingEngine<Graph>, on tokens: [Int], afterToken: (Int) -> Void
  ) throws -> SpikeScales {
    guard tokens.count >= fewestTokens else {
      throw SpikeScalesError.tooShort(tokens: tokens.count, needed: fewestTokens)
    }
    engine.executor.findsLargest = true
    for (index, token) in tokens.enumerated() {
      try engine.step(token)
      afterToken(index + 1)
    }
    return SpikeScales(
      model: engine.graph.fingerprint, form: engine.schedule.form, tokens: tokens.count,
      largest: engine.executor.largest.filter { $0.key != .token })
  }
}
