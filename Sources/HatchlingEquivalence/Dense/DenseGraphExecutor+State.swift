import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// What the dense graph holds, for whoever looks into it.
extension DenseGraphExecutor {
  public var identity: StateIdentity {
    StateIdentity(
      model: fingerprint, engine: "dense", form: "direct", precision: Scalar.precisionName,
      variant: schedule.variant, options: compilation)
  }

  public func values(of quantity: HatchlingDynamics.Quantity, channel: Channel, entries: [Int]?) -> [Scalar]?
  {
    guard channel == .net else { return nil }
    if quantity == .logits { return entries?.map { logits[$0] } ?? logits }
    return held.values(of: quantity, entries)
  }

  public func firstNonFinite() -> HatchlingDynamics.Quantity? { held.firstNonFinite() }

  public func plasticWeights(
    layer: Int, at moment: PlasticMoment, synapses: [PlasticSynapse]?
  ) -> [Scalar] {
    synapses?.map { sigma[layer - 1][$0.postsynaptic, $0.presynaptic] } ?? sigma[layer - 1].elements
  }

  public func hasPlasticSynapse(_ synapse: PlasticSynapse) -> Bool {
    (0..<neuronCount).contains(synapse.postsynaptic) && (0..<nodeCount).contains(synapse.presynaptic)
      && mask.map { $0[synapse.postsynaptic, synapse.presynaptic] != 0 } ?? true
  }

  public func replacePlasticWeight(
    layer: Int, of synapse: PlasticSynapse, at position: Int, _ change: (Scalar) -> Scalar
  ) {
    let weight = sigma[layer - 1][synapse.postsynaptic, synapse.presynaptic]
    sigma[layer - 1][synapse.postsynaptic, synapse.presynaptic] = change(weight)
  }

  /// F σ_l; σ_l itself without hubs.
  public func attentionState(layer: Int, at position: Int) -> Matrix<Scalar> {
    guard localGains == nil else { return sigma[layer - 1] }
    var rho = Matrix<Scalar>(rows: neuronCount, columns: hubCount)
    let rows = rho.mutablePointer()
    workers.run(blocks: (neuronCount + 255) / 256) { block in
      let first = block * 256
      BLAS.multiply(
        sigma[layer - 1].row(first), by: field.pointer, into: rows + first * hubCount,
        m: min(256, neuronCount - first), n: hubCount, k: nodeCount)
    }
    return rho
  }

  public func stateArrays() -> [String: StateArray] {
    Dictionary(uniqueKeysWithValues: sigma.enumerated().map { ("sigma.\($0 + 1)", .make($1)) })
  }

  public func restoration(of state: SavedState) throws -> () -> Void {
    let restored: [Matrix<Scalar>] = try sigma.enumerated().map {
      try state.matrix("sigma.\($0 + 1)", rows: $1.rows, columns: $1.columns)
    }
    return { self.sigma = restored }
  }
}
