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
    plastic.reset()
    logits = [Scalar](repeating: 0, count: graph.tokenCount)
  }

  public func stateArrays() -> [String: StateArray] { plastic.stateArrays() }
  public func restoration(of state: SavedState) throws -> () -> Void { try plastic.restoration(of: state) }

  public func attentionState(layer: Int, at position: Int) -> Matrix<Scalar> {
    plastic.attentionState(layer: layer, at: position, workers: workers)
  }

  public func plasticWeights(
    layer: Int, at moment: PlasticMoment, synapses: [PlasticSynapse]?
  ) -> [Scalar] {
    plastic.weights(layer: layer, at: moment, synapses: synapses)
  }

  func forEachPlasticWeight(layer: Int, at position: Int, _ body: (Int, NeuronIndex, Scalar) -> Void) {
    plastic.forEachWeight(layer: layer, at: position, body)
  }

  public func replacePlasticWeight(
    layer: Int, of synapse: PlasticSynapse, at position: Int, _ change: (Scalar) -> Scalar
  ) {
    plastic.replace(synapse, layer: layer, at: position, change)
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
