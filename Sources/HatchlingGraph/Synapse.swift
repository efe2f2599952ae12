import HatchlingModel

public typealias Sign = HatchlingModel.Sign

/// The kinds of synapses of the circuit form.
public enum SynapseKind: String, CaseIterable, Sendable {
  /// Token neuron → hub: emb.
  case embedding
  /// Hub → neuron, drives x: D_x.
  case x
  /// Hub → neuron, drives y: D_y.
  case y
  /// Neuron → hub: E.
  case encoder
  /// Hub → readout: W_out.
  case readout
  /// Hub → neuron, learns while text goes by: ρ.
  case plastic
  /// Neuron ↔ neuron: the two members of a rotating pair.
  case partner
}

/// One synapse: what a walk over a graph yields.
public struct Synapse<Scalar: Sendable & Equatable>: Equatable, Sendable {
  public let kind: SynapseKind
  public let presynaptic: Particle
  public let postsynaptic: Particle
  public let sign: Sign
  /// At least 0. Nil for a plastic synapse, whose weight is state, and for a partner edge, whose weight is the neuron's clock.
  public let weight: Scalar?

  public init(
    kind: SynapseKind, from presynaptic: Particle, to postsynaptic: Particle, sign: Sign, weight: Scalar?
  ) {
    self.kind = kind
    self.presynaptic = presynaptic
    self.postsynaptic = postsynaptic
    self.sign = sign
    self.weight = weight
  }
}
