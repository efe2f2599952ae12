import HatchlingModel
import HatchlingNumerics

/// Builds a circuit graph by hand, particle by particle and synapse by synapse.
///
/// ```swift
/// var builder = CircuitBuilder<Double>(headSizes: [3], hubs: 2, tokens: 2, layers: 1, variant: .released)
/// try builder.connect(.x, from: .hub(0), to: .neuron(1), .excitatory, weight: 0.5)
/// let graph = try builder.build()
/// ```
/// All plastic synapses exist until they are removed; no other synapse does until it is connected.
public struct CircuitBuilder<Scalar: NetworkScalar>: Sendable {
  private var graph: CircuitGraph<Scalar>

  public init(headSizes: [Int], hubs: Int, tokens: Int, layers: Int, variant: Variant) {
    let neurons = NeuronPopulation(headSizes: headSizes)
    func empty(_ rows: Int, _ columns: Int) -> Projection<Scalar> {
      Projection(dense: Matrix(rows: rows, columns: columns))
    }
    graph = CircuitGraph(
      layers: layers, variant: variant, neurons: neurons, embedding: empty(tokens, hubs),
      drivesX: empty(neurons.count, hubs), drivesY: empty(neurons.count, hubs),
      encoder: empty(neurons.count, hubs), readout: empty(hubs, tokens),
      plastic: PlasticProjection(neurons: neurons.count, hubs: hubs))
  }

  /// Adds one fixed synapse, or gives an existing one another weight. - Throws: ``GraphError`` when the ends do not fit the kind.
  public mutating func connect(
    _ kind: SynapseKind, from presynaptic: Particle, to postsynaptic: Particle, _ sign: Sign, weight: Scalar
  ) throws(GraphError) {
    guard weight >= 0 else {
      throw .brokenRule(rule: "weights are not negative", detail: "\(weight); use an inhibitory synapse")
    }
    try graph.setSignedWeight(
      sign == .excitatory ? weight : -weight, of: kind, from: presynaptic, to: postsynaptic)
  }

  /// Removes one plastic synapse.
  public mutating func removePlastic(from hub: HubIndex, to neuron: NeuronIndex) throws(GraphError) {
    try graph.remove(.plastic, from: .hub(hub), to: .neuron(neuron))
  }

  /// Makes two neurons of one head a rotating pair; see ``NeuronPopulation/pair(_:_:frequency:)``.
  public mutating func pair(_ first: NeuronIndex, _ second: NeuronIndex, frequency: Float) throws(GraphError)
  {
    for neuron in [first, second] where neuron.index >= graph.neuronCount || neuron.index < 0 {
      throw .noSuchParticle("n\(neuron.index)", kind: SynapseKind.partner.rawValue)
    }
    graph.neurons.pair(first, second, frequency: frequency)
  }

  /// What each plastic weight of the neuron loses per token, 0 … 1.
  public mutating func setDamping(_ damping: Float, of neuron: NeuronIndex) throws(GraphError) {
    guard (0..<graph.neuronCount).contains(neuron.index) else {
      throw .noSuchParticle("n\(neuron.index)", kind: "damping")
    }
    graph.neurons.damping[neuron.index] = damping
  }

  /// The finished graph. - Throws: ``GraphError/brokenRule(rule:detail:)``.
  public func build() throws(GraphError) -> CircuitGraph<Scalar> {
    try graph.validate()
    return graph
  }
}
