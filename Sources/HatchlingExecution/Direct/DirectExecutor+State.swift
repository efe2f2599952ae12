import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Saving, restoring and looking at plastic synapses.
extension DirectExecutor {
  public var identity: StateIdentity {
    StateIdentity(
      model: graph.fingerprint, engine: "graph", form: "direct", precision: Scalar.precisionName,
      variant: graph.variant, options: graph.compilation)
  }

  public func reset() {
    for store in plastic.joined() { store.reset() }
    stamps = Self.emptyStamps(graph)
    logits = [Scalar](repeating: 0, count: graph.tokenCount)
  }

  public func stateArrays() -> [String: StateArray] {
    var arrays: [String: StateArray] = [:]
    for layer in 1...graph.layers {
      for store in plastic[layer - 1] { arrays.merge(store.save(layer: layer)) { $1 } }
      if !stamps.isEmpty { arrays["stamps.\(layer)"] = .int(stamps[layer - 1]) }
    }
    return arrays
  }

  public func restoration(of state: SavedState) throws -> () -> Void {
    let times =
      stamps.isEmpty
      ? [] : try (1...graph.layers).map { try state.stamps(layer: $0, neurons: graph.neuronCount) }
    let restorations = try (1...graph.layers).flatMap { layer in
      try plastic[layer - 1].map { try $0.restoration(from: state, layer: layer) }
    }
    return {
      for restoration in restorations { restoration() }
      self.stamps = times
    }
  }

  /// F σ: what the circuit stores as ρ. Cost: 2 d operations per plastic weight that was written.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func attentionState(layer: Int, at position: Int) -> Matrix<Scalar> {
    let (n, d) = (graph.neuronCount, graph.hubCount)
    var rho = Matrix<Scalar>(rows: n, columns: d)
    let rows = rho.mutablePointer()
    for store in plastic[layer - 1] { store.addThroughHubs(graph.field, into: rows, workers: workers) }
    guard damping != nil else { return rho }
    for neuron in 0..<n {
      let keep = kept(layer, neuron, until: position)
      for hub in 0..<d { rows[neuron * d + hub] = Rules.forget(rows[neuron * d + hub], keep: keep) }
    }
    return rho
  }

  /// What damping leaves of a neuron's stored weights at a token.
  private func kept(_ layer: Int, _ neuron: Int, until position: Int) -> Scalar {
    damping?.kept(by: neuron, after: position - Int(stamps[layer - 1].pointer[neuron])) ?? 1
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func plasticWeights(
    layer: Int, at moment: PlasticMoment, synapses: [PlasticSynapse]?
  ) -> [Scalar] {
    if let synapses {
      return synapses.map { synapse in
        return Rules.forget(
          place(layer, synapse)?.pointee ?? 0, keep: kept(layer, synapse.postsynaptic, until: moment.asOf))
      }
    }
    var all = [Scalar](repeating: 0, count: graph.neuronCount * graph.nodeCount)
    forEachPlasticWeight(layer: layer, at: moment.asOf) { node, neuron, weight in
      all[neuron.index * graph.nodeCount + node] = weight
    }
    return all
  }

  func forEachPlasticWeight(layer: Int, at position: Int, _ body: (Int, NeuronIndex, Scalar) -> Void) {
    for store in plastic[layer - 1] {
      store.forEachWeight { node, neuron, stored in
        body(node, NeuronIndex(neuron), Rules.forget(stored, keep: kept(layer, neuron, until: position)))
      }
    }
  }

  public func replacePlasticWeight(
    layer: Int, of synapse: PlasticSynapse, at position: Int, _ change: (Scalar) -> Scalar
  ) {
    guard let place = place(layer, synapse, adding: true) else { return }
    // The stored weight is the one at the neuron's stamp.
    let keep = kept(layer, synapse.postsynaptic, until: position)
    let changed = change(Rules.forget(place.pointee, keep: keep))
    place.pointee = keep == 0 ? changed : changed / keep
  }

  /// Where a stored weight lies; nil where nothing was written yet, unless `adding`.
  private func place(
    _ layer: Int, _ synapse: PlasticSynapse, adding: Bool = false
  ) -> UnsafeMutablePointer<Scalar>? {
    for store in plastic[layer - 1] {
      if let place = store.place(node: synapse.presynaptic, neuron: synapse.postsynaptic, adding: adding) {
        return place
      }
    }
    return nil
  }
}

extension Run {
  /// The Hebbian weight σ_l(i, j) of one synapse as stored (co-rotating frame), damping settled. `layer` counts from 1. Nil when there is
  /// no such synapse.
  public func plasticWeight<Number: NetworkScalar>(
    layer: Int, from presynaptic: Particle, to neuron: NeuronIndex
  ) -> Number? where Engine == DirectExecutor<Number> {
    graph.node(presynaptic).flatMap {
      plasticWeight(layer: layer, PlasticSynapse(from: $0, to: neuron.index))
    }
  }

  /// Calls `body(node, neuron, weight)` for every plastic weight of a layer (from 1) that was ever written, damping settled, neuron by
  /// neuron. Nodes count neurons first, then tokens.
  public func forEachPlasticWeight<Number: NetworkScalar>(
    layer: Int, _ body: (Int, NeuronIndex, Number) -> Void
  ) where Engine == DirectExecutor<Number> {
    executor.forEachPlasticWeight(layer: layer, at: position, body)
  }

  /// The trace z of every node after the last token, `(n + V)`.
  public func traces<Number: NetworkScalar>() -> [Number] where Engine == DirectExecutor<Number> {
    executor.load(.z)
  }

  /// Multiplies the weight of one plastic synapse. - Throws: `GraphError.noSuchSynapse`.
  public func scalePlasticWeight<Number: NetworkScalar>(
    layer: Int, from presynaptic: Particle, to neuron: NeuronIndex, by factor: Number
  ) throws(GraphError) where Engine == DirectExecutor<Number> {
    guard let node = graph.node(presynaptic),
      replacePlasticWeight(
        layer: layer, of: PlasticSynapse(from: node, to: neuron.index), { $0 * factor })
    else {
      throw .noSuchSynapse(
        kind: "plastic", presynaptic: presynaptic.name, postsynaptic: "n\(neuron.index)")
    }
  }
}
