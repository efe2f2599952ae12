import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Saving, restoring and looking at plastic synapses.
extension DirectEngine {
  /// What a state of this engine belongs to.
  public var identity: StateIdentity {
    StateIdentity(
      model: graph.fingerprint, engine: "graph", form: "direct", precision: Scalar.precisionName,
      variant: graph.variant, options: graph.compilation)
  }

  public func save() -> SavedState {
    var arrays: [String: StateArray] = [:]
    for layer in 1...graph.layers {
      arrays.merge(plastic[layer - 1].save(layer: layer)) { $1 }
      if !stamps.isEmpty { arrays["stamps.\(layer)"] = .int(stamps[layer - 1]) }
    }
    arrays["logits"] = .make(Matrix(rows: 1, columns: logits.count, logits))
    return SavedState(identity: identity, position: position, arrays: arrays)
  }

  public func restore(_ state: SavedState) throws {
    try state.identity.check(against: identity)
    let n = graph.neuronCount
    var times: [Matrix<Int64>] = []
    for layer in 1...graph.layers where !stamps.isEmpty {
      let written = try state.integers("stamps.\(layer)", rows: 1, columns: n)
      if let neuron = (0..<n).first(where: { !(0...state.position).contains(Int(written.pointer[$0])) }) {
        throw StateError.impossibleStamp(layer: layer, neuron: neuron, position: state.position)
      }
      times.append(written)
    }
    let saved: Matrix<Scalar> = try state.matrix("logits", rows: 1, columns: graph.tokenCount)
    let restorations = try (1...graph.layers).map { try plastic[$0 - 1].restoration(from: state, layer: $0) }
    for restoration in restorations { restoration() }
    stamps = times
    logits = saved.elements
    position = state.position
  }

  /// F σ: what the circuit stores as ρ. Cost: 2 d operations per plastic weight that was written.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func attentionState(layer: Int) -> Matrix<Scalar> {
    let (n, d) = (graph.neuronCount, graph.hubCount)
    var rho = Matrix<Scalar>(rows: n, columns: d)
    let rows = rho.mutablePointer()
    plastic[layer - 1].addThroughHubs(graph.field, into: rows, workers: workers)
    guard let damping else { return rho }
    for neuron in 0..<n {
      let keep = pending(damping, layer, neuron)
      for hub in 0..<d { rows[neuron * d + hub] = Rules.forget(rows[neuron * d + hub], keep: keep) }
    }
    return rho
  }

  /// What damping has still to take from a neuron's stored weights.
  private func pending(_ damping: Damping<Scalar>, _ layer: Int, _ neuron: Int) -> Scalar {
    damping.kept(by: neuron, after: position - Int(stamps[layer - 1].pointer[neuron]))
  }

  /// The Hebbian weight σ_l(i, j) of one synapse as stored (co-rotating frame), damping settled. `layer` counts from 1. Nil when there is
  /// no such synapse.
  public func plasticWeight(layer: Int, from presynaptic: Particle, to neuron: NeuronIndex) -> Scalar? {
    guard (1...graph.layers).contains(layer), let node = graph.node(presynaptic),
      let stored = plastic[layer - 1].weight(node: node, neuron: neuron.index)
    else { return nil }
    guard let damping else { return stored }
    return Rules.forget(stored, keep: pending(damping, layer, neuron.index))
  }

  /// Calls `body(node, neuron, weight)` for every plastic weight of a layer (from 1) that was ever written, damping settled, neuron by
  /// neuron. Nodes count neurons first, then tokens.
  public func forEachPlasticWeight(layer: Int, _ body: (Int, NeuronIndex, Scalar) -> Void) {
    plastic[layer - 1].forEachWeight { node, neuron, stored in
      let weight = damping.map { Rules.forget(stored, keep: pending($0, layer, neuron)) } ?? stored
      body(node, NeuronIndex(neuron), weight)
    }
  }

  /// Multiplies the weight of one plastic synapse. - Throws: `GraphError.noSuchSynapse`.
  public func scalePlasticWeight(
    layer: Int, from presynaptic: Particle, to neuron: NeuronIndex, by factor: Scalar
  ) throws(GraphError) {
    guard (1...graph.layers).contains(layer), let node = graph.node(presynaptic),
      let stored = plastic[layer - 1].weight(node: node, neuron: neuron.index),
      plastic[layer - 1].setWeight(stored * factor, node: node, neuron: neuron.index)
    else {
      throw .noSuchSynapse(
        kind: "plastic", presynaptic: presynaptic.name, postsynaptic: "n\(neuron.index)")
    }
  }
}
