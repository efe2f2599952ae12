import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// Which plastic synapses are looked at.
public enum SynapseChoice: Sendable {
  /// These.
  case listed([LayerSynapse])
  /// All that end at one of these neurons.
  case into([Int])
  /// The strongest, by |σ| now, over all layers; of equals the first.
  case strongest(Int)
  /// All that a predicate of synapse and weight now holds for.
  case matching(@Sendable (LayerSynapse, Double) -> Bool)

  /// Whether the answer depends on the plastic state: then something should have been read before.
  public var dependsOnState: Bool {
    switch self {
    case .listed, .into: false
    case .strongest, .matching: true
    }
  }

  /// The synapses, ascending, as of now, of the given layers or all.
  ///
  /// Cost by strength or predicate: one look at every plastic weight; memory for one neuron's, or in the circuit one layer's.
  /// - Throws: ``ActivityError``.
  public func synapses<Scalar: NetworkScalar>(
    of engine: any WatchableEngine<Scalar>, layers: Set<Int>? = nil
  ) throws(ActivityError) -> [LayerSynapse] {
    let layers = layers?.sorted() ?? Array(1...engine.schedule.layers)
    switch self {
    case .listed(let synapses): return synapses.sorted()
    case .into(let neurons):
      for neuron in neurons where !(0..<engine.hyperparameters.neurons).contains(neuron) {
        throw .noSuchNeuron(neuron, neurons: engine.hyperparameters.neurons)
      }
      let (count, limit) = (
        neurons.count * engine.plasticSources * layers.count, Recorder<Scalar>.mostSynapses
      )
      guard count <= limit else { throw .tooManySynapses(count, limit: limit) }
      return layers.flatMap { layer in
        neurons.sorted().flatMap { neuron in
          Self.synapses(into: neuron, of: engine).map { LayerSynapse(layer: layer, $0) }
        }
      }
    case .strongest(let count):
      guard (1...Recorder<Scalar>.mostSynapses).contains(count) else {
        throw .outOfRange(
          .strongest, value: "\(count)", allowed: "1 to \(Recorder<Scalar>.mostSynapses) synapses")
      }
      var best: [(synapse: LayerSynapse, strength: Scalar)] = []
      func cut() {
        best.sort { ($1.strength, $0.synapse) < ($0.strength, $1.synapse) }
        best.removeLast(max(0, best.count - count))
      }
      var least: Scalar = 0
      Self.forEach(of: engine, layers) { synapse, weight in
        guard weight.magnitude > least else { return }
        best.append((synapse, weight.magnitude))
        guard best.count >= 2 * count + 1024 else { return }
        cut()
        least = best[count - 1].strength
      }
      cut()
      return best.map(\.synapse).sorted()
    case .matching(let predicate):
      var found: [LayerSynapse] = []
      Self.forEach(of: engine, layers) { if predicate($0, Double($1)) { found.append($0) } }
      return found
    }
  }

  private static func synapses<Scalar>(
    into neuron: Int, of engine: any WatchableEngine<Scalar>
  ) -> [PlasticSynapse] {
    (0..<engine.plasticSources).map { PlasticSynapse(from: $0, to: neuron) }.filter(engine.hasPlasticSynapse)
  }

  /// Every plastic synapse with its weight, in ascending order.
  package static func forEach<Scalar: NetworkScalar>(
    of engine: any WatchableEngine<Scalar>, _ layers: [Int], _ body: (LayerSynapse, Scalar) -> Void
  ) {
    let (neurons, sources) = (engine.hyperparameters.neurons, engine.plasticSources)
    for layer in layers {
      let all = engine.schedule.form == .circuit ? engine.plasticWeights(layer: layer, of: nil) : nil
      for neuron in 0..<neurons {
        let synapses = synapses(into: neuron, of: engine)
        let weights = all == nil ? engine.plasticWeights(layer: layer, of: synapses) : []
        for (place, synapse) in synapses.enumerated() {
          body(
            LayerSynapse(layer: layer, synapse),
            all.map { $0[neuron * sources + synapse.presynaptic] } ?? weights[place])
        }
      }
    }
  }
}
