import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// Saving and restoring.
extension CircuitExecutor {
  public var identity: StateIdentity {
    let marks = [
      graph.isCentred ? "centred" : nil, defersWrites ? "deferred" : nil,
      graph.drivesX.reducedFormat?.rawValue,
    ]
    return StateIdentity(
      model: graph.fingerprint, engine: "graph", form: "circuit", precision: Scalar.precisionName,
      variant: graph.variant, options: marks.compactMap(\.self).joined(separator: "+"))
  }

  public func reset() {
    for layer in plastic.indices { plastic[layer].clear() }
    logits = [Scalar](repeating: 0, count: graph.tokenCount)
  }

  /// `plastic.l` (n, d) and `stamps.l` (1, n) as they are, `history.l` (n, 16) and `fields.l` (16, d), which are not written yet:
  /// a weight is plastic + history · fields, each term damped by its age.
  public func stateArrays() -> [String: StateArray] {
    var arrays: [String: StateArray] = [:]
    for (index, layer) in plastic.enumerated() {
      arrays["plastic.\(index + 1)"] = .make(layer.weights)
      if let stamps = layer.stamps { arrays["stamps.\(index + 1)"] = .int(stamps) }
      if let history = layer.history { arrays["history.\(index + 1)"] = .make(history) }
      if let fields = layer.fields { arrays["fields.\(index + 1)"] = .make(fields) }
    }
    return arrays
  }

  public func restoration(of state: SavedState) throws -> () -> Void {
    let (n, d, slots) = (graph.neuronCount, graph.hubCount, Scalar.slots)
    var layers: [PlasticLayer<Scalar>] = []
    for (index, empty) in Self.emptyLayers(graph, damped: isDamped, defers: defersWrites).enumerated() {
      var layer = empty
      layer.weights = try state.matrix("plastic.\(index + 1)", rows: n, columns: d)
      if layer.history != nil {
        layer.history = try state.matrix("history.\(index + 1)", rows: n, columns: slots)
        layer.fields = try state.matrix("fields.\(index + 1)", rows: slots, columns: d)
      }
      if layer.stamps != nil { layer.stamps = try state.stamps(layer: index + 1, neurons: n) }
      layers.append(layer)
    }
    return { self.plastic = layers }
  }

  /// Of the neurons that are here.
  public func attentionState(layer: Int, at position: Int) -> Matrix<Scalar> {
    plastic[layer - 1].settled(at: PlasticMoment(position: position), damping)
  }

  /// Of all neurons, wherever they are: where ranks share them out, all look at the same.
  public func plasticWeights(
    layer: Int, at moment: PlasticMoment, synapses: [PlasticSynapse]?
  ) -> [Scalar] {
    guard let spread = exchange?.neurons else {
      return weightsHere(layer: layer, at: moment, synapses: synapses)
    }
    return spread.plasticWeights(of: synapses, hubs: graph.hubCount) {
      weightsHere(layer: layer, at: moment, synapses: $0)
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func weightsHere(
    layer: Int, at moment: PlasticMoment, synapses: [PlasticSynapse]?
  ) -> [Scalar] {
    guard let synapses else { return plastic[layer - 1].settled(at: moment, damping).elements }
    return synapses.map {
      plastic[layer - 1].weight(
        from: HubIndex($0.presynaptic), to: NeuronIndex($0.postsynaptic), at: moment, damping)
    }
  }

  public func replacePlasticWeight(
    layer: Int, of synapse: PlasticSynapse, at position: Int, _ change: (Scalar) -> Scalar
  ) {
    let place = exchange.map { $0.neurons.place(of: synapse.postsynaptic) } ?? synapse.postsynaptic
    guard let neuron = place.map({ NeuronIndex($0) }) else { return }
    plastic[layer - 1].settle(neuron, at: position, damping)
    let weight = plastic[layer - 1].weights[neuron.index, synapse.presynaptic]
    plastic[layer - 1].weights[neuron.index, synapse.presynaptic] = change(weight)
  }
}

extension SavedState {
  /// When the plastic weights of each neuron were last settled, `(1, n)`. - Throws: `StateError`.
  func stamps(layer: Int, neurons: Int) throws(StateError) -> Matrix<Int64> {
    let stamps = try integers("stamps.\(layer)", rows: 1, columns: neurons)
    if let neuron = (0..<neurons).first(where: { !(0...position).contains(Int(stamps.pointer[$0])) }) {
      throw .impossibleStamp(layer: layer, neuron: neuron, position: position)
    }
    return stamps
  }
}

extension Run {
  /// Goes on from where tensors stand that have read a text many tokens at a time: ρ of every layer `(n, d)` as ``attentionState(layer:)``
  /// gives it, the prediction `(V)`, and the number of tokens read. Equal to stepping the text up to rounding, not to the bit.
  public func adopt<Number: NetworkScalar>(attention: [Matrix<Number>], logits: [Number], position: Int)
  where Engine == CircuitExecutor<Number> {
    executor.adopt(attention: attention, position: position)
    adopt(position: position, logits: logits)
  }

  /// The Hebbian weight of one synapse as stored (co-rotating frame), with everything that is pending. `layer` counts from 1. Nil when
  /// there is no such synapse.
  public func plasticWeight<Number: NetworkScalar>(
    layer: Int, from hub: HubIndex, to neuron: NeuronIndex
  ) -> Number? where Engine == CircuitExecutor<Number> {
    plasticWeight(layer: layer, PlasticSynapse(from: hub.index, to: neuron.index))
  }

  /// Multiplies the weight of one plastic synapse. - Throws: `GraphError.noSuchSynapse`.
  public func scalePlasticWeight<Number: NetworkScalar>(
    layer: Int, from hub: HubIndex, to neuron: NeuronIndex, by factor: Number
  ) throws(GraphError) where Engine == CircuitExecutor<Number> {
    let synapse = PlasticSynapse(from: hub.index, to: neuron.index)
    guard replacePlasticWeight(layer: layer, of: synapse, { $0 * factor }) else {
      throw .noSuchSynapse(kind: "plastic", presynaptic: "h\(hub.index)", postsynaptic: "n\(neuron.index)")
    }
  }
}

extension CircuitExecutor {
  func adopt(attention: [Matrix<Scalar>], position: Int) {
    precondition(
      attention.count == graph.layers
        && attention.allSatisfy { $0.rows == graph.neuronCount && $0.columns == graph.hubCount },
      "the state belongs to a network of other sizes")
    var layers = Self.emptyLayers(graph, damped: isDamped, defers: defersWrites)
    for layer in layers.indices {
      layers[layer].weights = attention[layer]
      layers[layer].stamps?.mutablePointer().update(repeating: Int64(position), count: graph.neuronCount)
    }
    plastic = layers
  }
}
