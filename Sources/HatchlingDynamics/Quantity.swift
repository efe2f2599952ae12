import HatchlingModel

/// A population of particles, as far as a schedule tells them apart.
public enum Population: String, Sendable, Hashable, CaseIterable {
  /// The V token neurons, of which one fires per token.
  case tokens
  /// The n neurons.
  case neurons
  /// The d hubs, the paper's sparse synaptic layer.
  case hubs
  /// Neurons and, after them, token neurons: the nodes of the direct form.
  case nodes
  /// The V readouts.
  case readouts
  /// Hubs that carry what pruning cut from G_x and from G_y.
  case remainderX = "remainder hubs of x"
  case remainderY = "remainder hubs of y"
  /// Normaliser nodes: LN(emb), one per head for LN(a_h), LN(E y), and LN(v + ·) where the field has a residual.
  case normalisers
}

/// A number that every particle of a population holds while a token passes.
public enum Quantity: String, Sendable, Hashable, CaseIterable {
  /// 1 on the token neuron that fires.
  case token = "1_k"
  /// The field v of the hubs; in the direct form F z.
  case v
  /// The trace z ≥ 0 of the nodes of the direct form: the residual stream.
  case z
  /// What reaches a neuron in round 4l + 3, before x.
  case driveX = "drive of x"
  /// x ≥ 0.
  case x
  /// X̃ = R_t X, signed.
  case rotated = "x̃"
  /// a_h, one row per head, before its LayerNorm; in the direct form F A_h.
  case a
  /// A_h, one row per head, on the nodes of the direct form.
  case attention = "A"
  /// LN(a_h), one row per head: what neurons hear in round 4l + 2.
  case heard = "heard a"
  /// What reaches a neuron in round 4l + 2, before the gate.
  case driveY = "drive of y"
  /// y ≥ 0.
  case y
  /// What y sends to the hubs: E y; in the direct form F y.
  case encoded = "E y"
  /// y / g(y): what the trace gains.
  case update = "y/g(y)"
  /// What hubs carry of the synapses that pruning cut, one row per head for y.
  case remainderX = "cut of x"
  case remainderY = "cut of y"
  /// The predictions.
  case logits
  /// What normalisers answered: LN(emb), every head's LN(a_h), LN(E y), LN(v + ·).
  case gains

  /// Whether each head has a row of its own.
  public var isPerHead: Bool { [.a, .attention, .heard, .remainderY].contains(self) }

  /// Who holds it.
  public var population: Population {
    switch self {
    case .token: .tokens
    case .v, .a, .heard, .encoded: .hubs
    case .z, .attention, .update: .nodes
    case .driveX, .x, .rotated, .driveY, .y: .neurons
    case .remainderX: .remainderX
    case .remainderY: .remainderY
    case .logits: .readouts
    case .gains: .normalisers
    }
  }
}

extension Quantity {
  /// How many entries it has in a network, rows of heads included; `remainders` are the hubs that carry what pruning cut.
  package func count(in sizes: Hyperparameters, remainders: (x: Int, y: Int) = (0, 0)) -> Int {
    let each =
      switch population {
      case .tokens, .readouts: sizes.vocabulary
      case .neurons: sizes.neurons
      case .hubs: sizes.synapticDimension
      case .nodes: sizes.neurons + sizes.vocabulary
      case .remainderX: remainders.x
      case .remainderY: remainders.y
      case .normalisers: sizes.heads + (sizes.variant.accumulatesActivity ? 2 : 3)
      }
    return isPerHead ? each * sizes.heads : each
  }
}

/// The fixed synapses between two populations.
public enum Connection: String, Sendable, Hashable, CaseIterable {
  /// Token neuron → hub: emb.
  case embedding = "emb"
  /// Circuit: hub → neuron, D_x. Direct: node → neuron, G_x.
  case x = "G_x"
  /// Circuit: hub → neuron, D_y. Direct: node → neuron, G_y.
  case y = "G_y"
  /// Neuron → hub: E.
  case encoder = "E"
  /// Node → hub, for gains and readout in the direct form: F.
  case field = "F"
  /// Hub → readout: W_out.
  case readout = "W_out"
  /// Node → readout in the direct form without hubs: R.
  case traceReadout = "R"
  /// Node → remainder hub → neuron: what pruning cut from G_x and G_y.
  case toRemainderX = "cut of G_x, in"
  case fromRemainderX = "cut of G_x, out"
  case toRemainderY = "cut of G_y, in"
  case fromRemainderY = "cut of G_y, out"
}
