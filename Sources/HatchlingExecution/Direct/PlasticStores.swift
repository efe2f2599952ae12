import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// σ of every layer of a direct graph, which lives from token to token: in one store or several for different nodes, and, with damping, the token at
/// which each neuron's weights were last settled.
final class PlasticStores<Scalar: NetworkScalar> {
  let graph: DirectGraph<Scalar>
  let stores: [[any DirectPlasticity<Scalar>]]
  /// `(1, n)` per layer; none without damping.
  var stamps: [Matrix<Int64>]
  private let table: DampingTable<Scalar>?
  let damping: Damping<Scalar>?

  init(_ graph: DirectGraph<Scalar>) {
    self.graph = graph
    table = graph.neurons.isDamped ? DampingTable(graph.neurons.damping) : nil
    damping = table?.damping
    stores = Self.stores(graph)
    stamps = Self.emptyStamps(graph)
  }

  /// σ of every layer, stored in the way that suits G_s. Where every token reaches every neuron, as in graphs that keep all token synapses,
  /// those of tokens lie in panels, a column for every token that was read: a text uses few, so that most of them are never written and
  /// cost nothing.
  private static func stores(_ graph: DirectGraph<Scalar>) -> [[any DirectPlasticity<Scalar>]] {
    let (n, m, layers) = (graph.neuronCount, graph.nodeCount, 0..<graph.layers)
    switch graph.plastic {
    case .complete:
      return layers.map { _ in [PlasticPanels(neurons: n, nodes: m, sources: 0..<m, name: "plastic")] }
    case .lists(let lists):
      let betweenNeurons = lists.withoutCompleteTokens(neurons: n, nodes: m)
      let shared = PlasticListLayout(betweenNeurons ?? lists)
      return layers.map { _ in
        let own = PlasticLists<Scalar>(shared, nodes: m)
        guard betweenNeurons != nil else { return [own] }
        return [own, PlasticPanels(neurons: n, nodes: m, sources: n..<m, name: "token_plastic")]
      }
    }
  }

  static func emptyStamps(_ graph: DirectGraph<Scalar>) -> [Matrix<Int64>] {
    graph.neurons.isDamped ? (0..<graph.layers).map { _ in Matrix(rows: 1, columns: graph.neuronCount) } : []
  }

  func reset() {
    for store in stores.joined() { store.reset() }
    stamps = Self.emptyStamps(graph)
  }

  func stateArrays() -> [String: StateArray] {
    var arrays: [String: StateArray] = [:]
    for layer in 1...graph.layers {
      for store in stores[layer - 1] { arrays.merge(store.save(layer: layer)) { $1 } }
      if !stamps.isEmpty { arrays["stamps.\(layer)"] = .int(stamps[layer - 1]) }
    }
    return arrays
  }

  func restoration(of state: SavedState) throws -> () -> Void {
    let times =
      stamps.isEmpty
      ? [] : try (1...graph.layers).map { try state.stamps(layer: $0, neurons: graph.neuronCount) }
    let restorations = try (1...graph.layers).flatMap { layer in
      try stores[layer - 1].map { try $0.restoration(from: state, layer: layer) }
    }
    return {
      for restoration in restorations { restoration() }
      self.stamps = times
    }
  }

  /// F σ: what the circuit stores as ρ. Cost: 2 d operations per plastic weight that was written.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func attentionState(layer: Int, at position: Int, workers: Workers) -> Matrix<Scalar> {
    let (n, d) = (graph.neuronCount, graph.hubCount)
    guard graph.hasHubs else {
      let sigma = weights(layer: layer, at: PlasticMoment(position: position), synapses: nil)
      return Matrix(rows: n, columns: graph.nodeCount, sigma)
    }
    var rho = Matrix<Scalar>(rows: n, columns: d)
    let rows = rho.mutablePointer()
    for store in stores[layer - 1] { store.addThroughHubs(graph.field, into: rows, workers: workers) }
    guard damping != nil else { return rho }
    for neuron in 0..<n {
      let keep = kept(layer, neuron, until: position)
      for hub in 0..<d {
        rows[neuron * d + hub] = DragonRules<Scalar>.forget(rows[neuron * d + hub], keep: keep)
      }
    }
    return rho
  }

  /// What damping leaves of a neuron's stored weights at a token.
  private func kept(_ layer: Int, _ neuron: Int, until position: Int) -> Scalar {
    damping?.kept(by: neuron, after: position - Int(stamps[layer - 1].pointer[neuron])) ?? 1
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func weights(
    layer: Int, at moment: PlasticMoment, synapses: [PlasticSynapse]?
  ) -> [Scalar] {
    if let synapses {
      return synapses.map { synapse in
        return DragonRules<Scalar>.forget(
          place(layer, synapse)?.pointee ?? 0, keep: kept(layer, synapse.postsynaptic, until: moment.asOf))
      }
    }
    var all = [Scalar](repeating: 0, count: graph.neuronCount * graph.nodeCount)
    forEachWeight(layer: layer, at: moment.asOf) { node, neuron, weight in
      all[neuron.index * graph.nodeCount + node] = weight
    }
    return all
  }

  func forEachWeight(layer: Int, at position: Int, _ body: (Int, NeuronIndex, Scalar) -> Void) {
    for store in stores[layer - 1] {
      store.forEachWeight { node, neuron, stored in
        body(
          node, NeuronIndex(neuron),
          DragonRules<Scalar>.forget(stored, keep: kept(layer, neuron, until: position)))
      }
    }
  }

  func replace(
    _ synapse: PlasticSynapse, layer: Int, at position: Int, _ change: (Scalar) -> Scalar
  ) {
    guard let place = place(layer, synapse, adding: true) else { return }
    // The stored weight is the one at the neuron's stamp.
    let keep = kept(layer, synapse.postsynaptic, until: position)
    let changed = change(DragonRules<Scalar>.forget(place.pointee, keep: keep))
    place.pointee = keep == 0 ? changed : changed / keep
  }

  /// Where a stored weight lies; nil where nothing was written yet, unless `adding`.
  private func place(
    _ layer: Int, _ synapse: PlasticSynapse, adding: Bool = false
  ) -> UnsafeMutablePointer<Scalar>? {
    for store in stores[layer - 1] {
      if let place = store.place(node: synapse.presynaptic, neuron: synapse.postsynaptic, adding: adding) {
        return place
      }
    }
    return nil
  }
}
