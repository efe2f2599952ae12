/// How a network is drawn as a graph.
public enum GraphForm: String, Sendable, Hashable, CaseIterable {
  /// Two hops through hubs (Claims 3, 4).
  case circuit
  /// Neuron to neuron, σ on the synapses (Eq. 6, Observation 4).
  case direct
}
