import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// What the tensors hold, for probes and saved states.
extension TensorExecutor {
  public var identity: StateIdentity {
    StateIdentity(
      model: fingerprint, engine: "tensor", form: "none", precision: Scalar.precisionName,
      variant: hyperparameters.variant)
  }

  public func values(of quantity: Quantity, channel: Channel, entries: [Int]?) -> [Scalar]? {
    if channel != .net { return channels(of: quantity, channel, entries) }
    if quantity == .logits { return entries?.map { logits[$0] } ?? logits }
    return held.values(of: quantity, entries)
  }

  public func firstNonFinite() -> Quantity? { held.firstNonFinite() }

  /// The positive and the negative part of a dense product. Nil for quantities that are none.
  private func channels(of quantity: Quantity, _ channel: Channel, _ entries: [Int]?) -> [Scalar]? {
    let (d, perHead) = (hyperparameters.synapticDimension, hyperparameters.neuronsPerHead)
    let product: (Int) -> [Scalar]
    switch quantity {
    case .driveX: product = { [self] in zip($0, weights.decoderX, v.base) }
    case .driveY:
      product = { [self] in
        x.base[$0] > 0 ? zip($0, weights.decoderY, heard.base + $0 / perHead * d) : []
      }
    case .encoded:
      product = { [self] hub in
        (0..<hyperparameters.neurons).map { weights.encoder.row($0)[hub] * y.base[$0] }
      }
    default: return nil
    }
    return (entries ?? Array(0..<count(of: quantity))).map { entry in
      product(entry).reduce(0) { sum, term in
        (term > 0) == (channel == .excitation) ? sum + term.magnitude : sum
      }
    }
  }

  private func zip(_ row: Int, _ matrix: Matrix<Scalar>, _ values: UnsafePointer<Scalar>) -> [Scalar] {
    (0..<matrix.columns).map { matrix.row(row)[$0] * values[$0] }
  }

  public func plasticWeights(
    layer: Int, at moment: PlasticMoment, synapses: [PlasticSynapse]?
  ) -> [Scalar] {
    synapses?.map { attention[layer - 1][$0.postsynaptic, $0.presynaptic] } ?? attention[layer - 1].elements
  }

  public func hasPlasticSynapse(_ synapse: PlasticSynapse) -> Bool {
    let (neuron, hub) = (synapse.postsynaptic, synapse.presynaptic)
    return (0..<hyperparameters.neurons).contains(neuron)
      && (0..<hyperparameters.synapticDimension).contains(hub)
      && weights.plasticSynapses.map { $0[neuron, hub] != 0 } ?? true
  }

  public func replacePlasticWeight(
    layer: Int, of synapse: PlasticSynapse, at position: Int, _ change: (Scalar) -> Scalar
  ) {
    let weight = attention[layer - 1][synapse.postsynaptic, synapse.presynaptic]
    attention[layer - 1][synapse.postsynaptic, synapse.presynaptic] = change(weight)
  }

  public func attentionState(layer: Int, at position: Int) -> Matrix<Scalar> { attention[layer - 1] }

  public func stateArrays() -> [String: StateArray] {
    Dictionary(uniqueKeysWithValues: attention.enumerated().map { ("attention.\($0 + 1)", .make($1)) })
  }

  public func restoration(of state: SavedState) throws -> () -> Void {
    let restored: [Matrix<Scalar>] = try attention.enumerated().map {
      try state.matrix("attention.\($0 + 1)", rows: $1.rows, columns: $1.columns)
    }
    return { self.attention = restored }
  }
}
