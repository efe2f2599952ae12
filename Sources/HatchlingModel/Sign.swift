/// Which channel of the postsynaptic particle a synapse feeds. Weights themselves are never negative.
public enum Sign: String, Sendable, CaseIterable {
  case excitatory
  case inhibitory
}
