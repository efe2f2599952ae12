import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// What the tensors hold, for probes and saved states.
extension TensorExecutor {
  public var identity: StateIdentity {
    StateIdentity(
      model: fingerprint, engine: "tensor", form: "none", precision: Scalar.precisionName,
      variant: hyperparameters.variant)
  }

  /// Of all neurons, wherever they are: where ranks share them out, all look at the same.
  public func values(of quantity: Quantity, channel: Channel, entries: [Int]?) -> [Scalar]? {
    guard let spread = exchange?.neurons else { return valuesHere(of: quantity, channel, entries) }
    return spread.values(of: quantity, channel, entries) { valuesHere(of: quantity, channel, $0) }
  }

  private func valuesHere(of quantity: Quantity, _ channel: Channel, _ entries: [Int]?) -> [Scalar]? {
    if channel != .net { return channels(of: quantity, channel, entries) }
    if quantity == .logits { return entries?.map { logits[$0] } ?? logits }
    return held.values(of: quantity, entries)
  }

  public func firstNonFinite() -> Quantity? {
    guard let exchange else { return held.firstNonFinite() }
    return exchange.spoilt.first { held.firstNonFinite() }
  }

  /// What the neurons that are here hold that is not finite.
  var spoilt: Spoilt {
    var spoilt: Spoilt = []
    if !Scalar.areFinite(driveX.base, driveX.count) { spoilt.insert(.driveX) }
    if schedule.variant.accumulatesActivity, !Scalar.areFinite(x.base, x.count) { spoilt.insert(.x) }
    if !Scalar.areFinite(driveY.base, driveY.count) { spoilt.insert(.driveY) }
    return spoilt
  }

  /// The positive and the negative part of a dense product. Nil for quantities that are none.
  private func channels(of quantity: Quantity, _ channel: Channel, _ entries: [Int]?) -> [Scalar]? {
    let (d, perHead) = (hyperparameters.synapticDimension, hyperparameters.neuronsPerHead)
    let first = weights.part?.neurons.lowerBound ?? 0
    let product: (Int) -> [Scalar]
    switch quantity {
    case .driveX: product = { [self] in zip($0, weights.decoderX, v.base) }
    case .driveY:
      product = { [self] in
        x.base[$0] > 0 ? zip($0, weights.decoderY, heard.base + (first + $0) / perHead * d) : []
      }
    case .encoded:
      product = { [self] hub in
        (0..<hyperparameters.neurons).map { weights.encoder.row($0)[hub] * y.base[$0] }
      }
    default: return nil
    }
    return (entries ?? Array(0..<(quantity.population == .neurons ? x.count : d))).map { entry in
      product(entry).reduce(0) { sum, term in
        (term > 0) == (channel == .excitation) ? sum + term.magnitude : sum
      }
    }
  }

  private func zip(_ row: Int, _ matrix: Matrix<Scalar>, _ values: UnsafePointer<Scalar>) -> [Scalar] {
    (0..<matrix.columns).map { matrix.row(row)[$0] * values[$0] }
  }

  /// Of all neurons, wherever they are: where ranks share them out, all look at the same.
  public func plasticWeights(
    layer: Int, at moment: PlasticMoment, synapses: [PlasticSynapse]?
  ) -> [Scalar] {
    let rho = attention[layer - 1]
    func here(_ synapses: [PlasticSynapse]?) -> [Scalar] {
      synapses?.map { rho[$0.postsynaptic, $0.presynaptic] } ?? rho.elements
    }
    return exchange?.neurons.plasticWeights(of: synapses, hubs: rho.columns, here: here) ?? here(synapses)
  }

  public func hasPlasticSynapse(_ synapse: PlasticSynapse) -> Bool {
    func isHere(_ neuron: Int) -> Bool {
      weights.plasticSynapses.map { $0[neuron, synapse.presynaptic] != 0 } ?? true
    }
    if let exchange { return exchange.hasPlasticSynapse(synapse, of: hyperparameters, isHere) }
    return (0..<hyperparameters.neurons).contains(synapse.postsynaptic)
      && (0..<hyperparameters.synapticDimension).contains(synapse.presynaptic)
      && isHere(synapse.postsynaptic)
  }

  public func replacePlasticWeight(
    layer: Int, of synapse: PlasticSynapse, at position: Int, _ change: (Scalar) -> Scalar
  ) {
    let place = exchange.map { $0.neurons.place(of: synapse.postsynaptic) } ?? synapse.postsynaptic
    guard let neuron = place else { return }
    let weight = attention[layer - 1][neuron, synapse.presynaptic]
    attention[layer - 1][neuron, synapse.presynaptic] = change(weight)
  }

  /// Of the neurons that are here.
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
