import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Saving, restoring and looking at plastic synapses.
extension CircuitEngine {
  /// What a state of this engine belongs to.
  public var identity: StateIdentity {
    StateIdentity(
      model: graph.fingerprint, engine: "graph", form: "circuit", precision: Scalar.precisionName,
      variant: graph.variant, options: graph.isCentred ? "centred" : "")
  }

  public func save() -> SavedState {
    var arrays: [String: StateArray] = [:]
    for layer in 0..<graph.layers {
      arrays["plastic.\(layer + 1)"] = .make(plasticWeights[layer])
      if !stamps.isEmpty { arrays["stamps.\(layer + 1)"] = .int(stamps[layer]) }
    }
    arrays["logits"] = .make(Matrix(rows: 1, columns: logits.count, logits))
    return SavedState(identity: identity, position: position, arrays: arrays)
  }

  public func restore(_ state: SavedState) throws {
    try state.identity.check(against: identity)
    let (n, d) = (graph.neuronCount, graph.hubCount)
    var weights: [Matrix<Scalar>] = []
    var times: [Matrix<Int64>] = []
    for layer in 0..<graph.layers {
      weights.append(try state.matrix("plastic.\(layer + 1)", rows: n, columns: d))
      guard !stamps.isEmpty else { continue }
      let written = try state.integers("stamps.\(layer + 1)", rows: 1, columns: n)
      if let neuron = (0..<n).first(where: { !(0...state.position).contains(Int(written.pointer[$0])) }) {
        throw StateError.impossibleStamp(layer: layer + 1, neuron: neuron, position: state.position)
      }
      times.append(written)
    }
    logits = try state.matrix("logits", rows: 1, columns: graph.tokenCount).elements
    plasticWeights = weights
    stamps = times
    position = state.position
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func attentionState(layer: Int) -> Matrix<Scalar> {
    var settled = plasticWeights[layer - 1]
    guard let damping else { return settled }
    let rows = settled.mutablePointer()
    for neuron in 0..<graph.neuronCount {
      let keep = damping.kept(by: neuron, after: position - Int(stamps[layer - 1].pointer[neuron]))
      for hub in 0..<graph.hubCount {
        rows[neuron * graph.hubCount + hub] = Rules.forget(rows[neuron * graph.hubCount + hub], keep: keep)
      }
    }
    return settled
  }

  /// The Hebbian weight of one synapse as stored (co-rotating frame), damping settled. `layer` counts from 1. Nil when there is no
  /// such synapse.
  public func plasticWeight(layer: Int, from hub: HubIndex, to neuron: NeuronIndex) -> Scalar? {
    guard hasPlasticSynapse(layer, hub, neuron) else { return nil }
    let stored = plasticWeights[layer - 1][neuron.index, hub.index]
    guard let damping else { return stored }
    let gap = position - Int(stamps[layer - 1].pointer[neuron.index])
    return Rules.forget(stored, keep: damping.kept(by: neuron.index, after: gap))
  }

  /// Multiplies the weight of one plastic synapse. - Throws: `GraphError.noSuchSynapse`.
  public func scalePlasticWeight(
    layer: Int, from hub: HubIndex, to neuron: NeuronIndex, by factor: Scalar
  ) throws(GraphError) {
    guard hasPlasticSynapse(layer, hub, neuron) else {
      throw .noSuchSynapse(kind: "plastic", presynaptic: "h\(hub.index)", postsynaptic: "n\(neuron.index)")
    }
    plasticWeights[layer - 1][neuron.index, hub.index] *= factor
  }

  private func hasPlasticSynapse(_ layer: Int, _ hub: HubIndex, _ neuron: NeuronIndex) -> Bool {
    (1...graph.layers).contains(layer) && (0..<graph.hubCount).contains(hub.index)
      && (0..<graph.neuronCount).contains(neuron.index) && graph.plastic.contains(hub, neuron)
  }
}
