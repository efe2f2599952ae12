import HatchlingModel

/// What one layer did at one token, in tensor units.
public struct LayerTrace: Sendable {
  /// v that the layer heard, `(d)`.
  public internal(set) var heardField: [Double]
  /// D_x v, `(n)`.
  public internal(set) var driveX: [Double]
  /// x and x̃, `(n)`.
  public internal(set) var x: [Double]
  public internal(set) var rotated: [Double]
  /// a_h before and after its LN, `(H, d)`, and the gains of the latter, `(H)`.
  public internal(set) var a: [Double]
  public internal(set) var heard: [Double]
  public internal(set) var attentionGains: [Double]
  /// D_y LN(a_h) of every neuron, whether its x listens or not, `(n)`.
  public internal(set) var driveY: [Double]
  /// `(n)`.
  public internal(set) var y: [Double]
  /// E y before its LN, `(d)`; LN(E y), and its gain.
  public internal(set) var encoded: [Double]
  public internal(set) var update: [Double]
  public internal(set) var encodingGain = 1.0
  /// v after the layer, `(d)`, and the gain of LN(v + ·); 1 where there is no such LN.
  public internal(set) var field: [Double]
  public internal(set) var fieldGain = 1.0

  init(_ sizes: Hyperparameters, hearing field: [Double]) {
    func zeros(_ count: Int) -> [Double] { [Double](repeating: 0, count: count) }
    let (n, d, heads) = (sizes.neurons, sizes.synapticDimension, sizes.heads)
    heardField = field
    (driveX, x, rotated, driveY, y) = (zeros(n), zeros(n), zeros(n), zeros(n), zeros(n))
    (a, heard, attentionGains) = (zeros(heads * d), zeros(heads * d), zeros(heads))
    (encoded, update, self.field) = (zeros(d), zeros(d), zeros(d))
  }
}

/// One token's way through a network, every quantity of every layer.
public struct TokenTrace: Sendable {
  public let token: Int
  /// LN(emb), `(d)`, and its gain.
  public let start: [Double]
  public let startGain: Double
  /// Layers 1 … L.
  public internal(set) var layers: [LayerTrace] = []
  /// The prediction after the token, `(V)`.
  public internal(set) var logits: [Double] = []

  init(token: Int, start: [Double], gain: Double) {
    (self.token, self.start, startGain) = (token, start, gain)
  }

  /// Neurons whose x or y is 0 in one of the two and not in the other, over all layers; not counting a neuron that is silenced.
  public func flips(against other: TokenTrace, besides carrier: Carrier? = nil) -> Int {
    var count = 0
    for (index, (one, two)) in zip(layers, other.layers).enumerated() {
      for neuron in one.x.indices
      where carrier != .neuron(LayerNeuron(layer: index + 1, neuron: neuron)) {
        count += (one.x[neuron] > 0) != (two.x[neuron] > 0) ? 1 : 0
        count += (one.y[neuron] > 0) != (two.y[neuron] > 0) ? 1 : 0
      }
    }
    return count
  }
}

/// What carries a prediction while one token is read: a synapse or a neuron, in one layer.
public enum Carrier: Sendable, Hashable {
  /// A plastic synapse: the neuron's x̃ times the weight reaches the hub.
  case plastic(LayerSynapse)
  /// A fixed synapse of D_x, D_y or E, in one of the layers that share it.
  case fixed(FixedSynapse)
  /// A neuron: its x, and so its x̃ and y. In Definition 4 later layers get nothing of this x either.
  case neuron(LayerNeuron)

  /// 1 … L.
  public var layer: Int {
    switch self {
    case .plastic(let synapse): synapse.layer
    case .fixed(let synapse): synapse.layer
    case .neuron(let neuron): neuron.layer
    }
  }

  /// `2:h3:n12`; `2:x:h3:n12`, `2:y:h3:n12`, `2:encoder:n12:h3`; `2:n12`.
  public var name: String {
    switch self {
    case .plastic(let one): "\(one.layer):h\(one.synapse.presynaptic):n\(one.synapse.postsynaptic)"
    case .fixed(let one):
      one.kind == .encoder
        ? "\(one.layer):encoder:n\(one.neuron):h\(one.hub)"
        : "\(one.layer):\(one.kind.rawValue):h\(one.hub):n\(one.neuron)"
    case .neuron(let one): "\(one.layer):n\(one.neuron)"
    }
  }
}

/// A synapse of the circuit that does not learn, while one layer is at work.
public struct FixedSynapse: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// D_x, hub → neuron.
    case x
    /// D_y, hub → neuron.
    case y
    /// E, neuron → hub.
    case encoder
  }

  /// 1 … L.
  public let layer: Int
  public let kind: Kind
  public let hub: Int
  public let neuron: Int
}
