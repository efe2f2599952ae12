import HatchlingModel

public typealias Sign = HatchlingModel.Sign

/// The kinds of synapses. A form has some of them, see ``ParticleGraph/kinds``; in the direct form, edges out of token neurons are
/// kinds of their own.
public enum SynapseKind: String, Sendable {
  /// Token neuron → hub: emb.
  case embedding
  /// Drives x, hub → neuron: D_x; direct, neuron → neuron: G_x.
  case x
  /// Direct: token → neuron, drives x.
  case tokenX = "token_x"
  /// Drives y, hub → neuron: D_y; direct, neuron → neuron: G_y.
  case y
  /// Direct: token → neuron, drives y.
  case tokenY = "token_y"
  /// Neuron → hub: E.
  case encoder
  /// Hub → readout: W_out.
  case readout
  /// Learns while text goes by, hub → neuron: ρ; direct, neuron → neuron: σ.
  case plastic
  /// Direct: token → neuron, learns.
  case tokenPlastic = "token_plastic"
  /// Neuron ↔ neuron: the two members of a rotating pair.
  case partner

  /// Whether the graph holds a weight; those of plastic synapses are state, and a partner edge's is the neuron's clock.
  public var hasWeights: Bool { ![.plastic, .tokenPlastic, .partner].contains(self) }

  /// The same synapse from a token neuron instead of a neuron.
  var fromTokens: SynapseKind? {
    switch self {
    case .x: .tokenX
    case .y: .tokenY
    case .plastic: .tokenPlastic
    default: nil
    }
  }
}

/// One synapse: what a walk over a graph yields.
public struct Synapse<Scalar: Sendable & Equatable>: Equatable, Sendable {
  public let kind: SynapseKind
  public let presynaptic, postsynaptic: Particle
  public let sign: Sign
  /// At least 0. Nil for a plastic synapse, whose weight is state, and for a partner edge, whose weight is the neuron's clock.
  public let weight: Scalar?
}
