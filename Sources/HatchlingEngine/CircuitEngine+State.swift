import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Saving, restoring and looking at plastic synapses.
extension CircuitEngine {
  /// What a state of this engine belongs to.
  public var identity: StateIdentity {
    let marks = [
      graph.isCentred ? "centred" : nil, defersWrites ? "deferred" : nil,
      graph.drivesX.reducedFormat?.rawValue,
    ]
    return StateIdentity(
      model: graph.fingerprint, engine: "graph", form: "circuit", precision: Scalar.precisionName,
      variant: graph.variant, options: marks.compactMap(\.self).joined(separator: "+"))
  }

  /// `plastic.l` (n, d) and `stamps.l` (1, n) as they are, `history.l` (n, 16) and `fields.l` (16, d), which are not written yet:
  /// a weight is plastic + history · fields, each term damped by its age.
  public func save() -> SavedState {
    var arrays: [String: StateArray] = [:]
    for (index, layer) in plastic.enumerated() {
      arrays["plastic.\(index + 1)"] = .make(layer.weights)
      if let stamps = layer.stamps { arrays["stamps.\(index + 1)"] = .int(stamps) }
      if let history = layer.history { arrays["history.\(index + 1)"] = .make(history) }
      if let fields = layer.fields { arrays["fields.\(index + 1)"] = .make(fields) }
    }
    arrays["logits"] = .make(Matrix(rows: 1, columns: logits.count, logits))
    return SavedState(identity: identity, position: position, arrays: arrays)
  }

  public func restore(_ state: SavedState) throws {
    try state.identity.check(against: identity)
    let (n, d, slots) = (graph.neuronCount, graph.hubCount, Scalar.slots)
    var layers: [PlasticLayer<Scalar>] = []
    for (index, empty) in Self.emptyLayers(graph, defers: defersWrites).enumerated() {
      var layer = empty
      layer.weights = try state.matrix("plastic.\(index + 1)", rows: n, columns: d)
      if layer.history != nil {
        layer.history = try state.matrix("history.\(index + 1)", rows: n, columns: slots)
        layer.fields = try state.matrix("fields.\(index + 1)", rows: slots, columns: d)
      }
      if layer.stamps != nil {
        let stamps = try state.integers("stamps.\(index + 1)", rows: 1, columns: n)
        if let neuron = (0..<n).first(where: { !(0...state.position).contains(Int(stamps.pointer[$0])) }) {
          throw StateError.impossibleStamp(layer: index + 1, neuron: neuron, position: state.position)
        }
        layer.stamps = stamps
      }
      layers.append(layer)
    }
    logits = try state.matrix("logits", rows: 1, columns: graph.tokenCount).elements
    plastic = layers
    position = state.position
  }

  /// Goes on from where tensors stand that have read a text many tokens at a time: ρ of every layer `(n, d)` as ``attentionState(layer:)``
  /// gives it, the prediction `(V)`, and the number of tokens read. Equal to stepping the text up to rounding, not to the bit.
  public func adopt(attention: [Matrix<Scalar>], logits: [Scalar], position: Int) {
    precondition(
      attention.count == graph.layers && logits.count == graph.tokenCount
        && attention.allSatisfy { $0.rows == graph.neuronCount && $0.columns == graph.hubCount },
      "the state belongs to a network of other sizes")
    var layers = Self.emptyLayers(graph, defers: defersWrites)
    for layer in layers.indices {
      layers[layer].weights = attention[layer]
      layers[layer].stamps?.mutablePointer().update(repeating: Int64(position), count: graph.neuronCount)
    }
    plastic = layers
    self.logits = logits
    self.position = position
  }

  public func attentionState(layer: Int) -> Matrix<Scalar> {
    plastic[layer - 1].settled(at: position, damping)
  }

  /// The Hebbian weight of one synapse as stored (co-rotating frame), with everything that is pending. `layer` counts from 1. Nil when
  /// there is no such synapse.
  public func plasticWeight(layer: Int, from hub: HubIndex, to neuron: NeuronIndex) -> Scalar? {
    guard hasPlasticSynapse(layer, hub, neuron) else { return nil }
    return plastic[layer - 1].weight(from: hub, to: neuron, at: position, damping)
  }

  /// Multiplies the weight of one plastic synapse. - Throws: `GraphError.noSuchSynapse`.
  public func scalePlasticWeight(
    layer: Int, from hub: HubIndex, to neuron: NeuronIndex, by factor: Scalar
  ) throws(GraphError) {
    guard hasPlasticSynapse(layer, hub, neuron) else {
      throw .noSuchSynapse(kind: "plastic", presynaptic: "h\(hub.index)", postsynaptic: "n\(neuron.index)")
    }
    plastic[layer - 1].settle(neuron, at: position, damping)
    plastic[layer - 1].weights[neuron.index, hub.index] *= factor
  }

  private func hasPlasticSynapse(_ layer: Int, _ hub: HubIndex, _ neuron: NeuronIndex) -> Bool {
    (1...graph.layers).contains(layer) && (0..<graph.hubCount).contains(hub.index)
      && (0..<graph.neuronCount).contains(neuron.index) && graph.plastic.contains(hub, neuron)
  }
}
