import HatchlingModel
import HatchlingNumerics

/// A network in direct form (Eq. 6, Observation 4): synapses between neurons, made exact with LayerNorms.
///
/// Its *nodes* are the n neurons and, after them, the V token neurons: node i is neuron i, node n + k is token k. A node holds a
/// non-negative trace z, the residual stream. Fixed synapses: G_xᵉ, G_xⁱ (trace → x) and G_yᵉ, G_yⁱ (attention → y), each pair stored
/// as one signed projection whose sign is the channel. Plastic synapses carry σ_l. The d hubs only take part in gains and in the
/// readout, through F, and where a pruned graph asks them to carry what was cut.
public struct DirectGraph<Scalar: NetworkScalar>: Sendable {
  /// L, how many times a token passes through the synapses.
  public var layers: Int
  public var variant: Variant
  public var neurons: NeuronPopulation
  /// V.
  public var tokenCount: Int

  /// Fᵀ, `(n + V, d)`, row = node: what a node adds to the hubs, for gains and readout.
  public var field: Matrix<Scalar>
  /// W_out, `(d, V)`, row = hub.
  public var readout: Matrix<Scalar>
  /// G_xᵀ, `(n + V, n)`, row = presynaptic node: outgoing lists, for nodes whose trace is not zero.
  public var drivesX: Projection<Scalar>
  /// G_y, `(n, n + V)`, row = postsynaptic neuron: incoming lists, for neurons that listen.
  public var drivesY: Projection<Scalar>
  /// G_s: which synapses carry σ.
  public var plastic: PlasticEdges
  /// What was cut from G_x and G_y, carried by hubs; nil where nothing carries it.
  public var remainderX: HubRemainder<Scalar>?
  public var remainderY: HubRemainder<Scalar>?

  /// Identifies the weights that the graph came from; a saved state is refused by any other graph.
  public var fingerprint = ""
  /// How the graph was compiled (pruning and repairs), in a fixed spelling; empty for the exact graph. Part of a saved state's identity.
  public var compilation = ""

  public init(
    layers: Int, variant: Variant, neurons: NeuronPopulation, tokenCount: Int, field: Matrix<Scalar>,
    readout: Matrix<Scalar>, drivesX: Projection<Scalar>, drivesY: Projection<Scalar>,
    plastic: PlasticEdges = .complete
  ) {
    self.layers = layers
    self.variant = variant
    self.neurons = neurons
    self.tokenCount = tokenCount
    self.field = field
    self.readout = readout
    self.drivesX = drivesX
    self.drivesY = drivesY
    self.plastic = plastic
  }

  /// n.
  public var neuronCount: Int { neurons.count }
  /// n + V.
  public var nodeCount: Int { neurons.count + tokenCount }
  /// d.
  public var hubCount: Int { field.columns }
  /// H.
  public var headCount: Int { neurons.heads.count }

  /// The sizes in the model's terms.
  public var hyperparameters: Hyperparameters {
    Hyperparameters(
      neurons: neuronCount, synapticDimension: hubCount, heads: headCount, layers: layers,
      vocabulary: tokenCount, variant: variant)
  }

  /// The particle that is node `index`.
  public func particle(_ index: Int) -> Particle {
    index < neuronCount ? .neuron(NeuronIndex(index)) : .token(TokenIndex(index - neuronCount))
  }

  /// The node of a neuron or token; nil for other particles and ones that do not exist.
  public func node(_ particle: Particle) -> Int? {
    switch particle {
    case .neuron(let neuron): neuron.index < neuronCount ? neuron.index : nil
    case .token(let token): token.index < tokenCount ? neuronCount + token.index : nil
    case .hub, .readout: nil
    }
  }
}

/// Which synapses of a direct graph carry a plastic weight σ_l(i, j), one per layer.
public enum PlasticEdges: Equatable, Sendable {
  /// Every node i to every neuron j.
  case complete
  /// A list per postsynaptic neuron; G_s ⊆ G_x where the compiler made it.
  case lists(EdgeLists)

  /// Number of synapses, in one layer.
  public func count(neurons: Int, nodes: Int) -> Int {
    switch self {
    case .complete: neurons * nodes
    case .lists(let lists): lists.count
    }
  }

  /// Whether the synapse from `node` to `neuron` exists. Cost: O(log degree).
  public func contains(_ node: Int, _ neuron: NeuronIndex) -> Bool {
    switch self {
    case .complete: true
    case .lists(let lists): lists.position(target: neuron.index, source: node) != nil
    }
  }
}

/// Synapses without weights, as incoming lists.
///
/// Invariants: `offsets` has `targets + 1` ascending entries from 0 to `sources.count`; the sources of a target ascend strictly.
public struct EdgeLists: Equatable, Sendable {
  /// The sources of target t are `sources[offsets[t] ..< offsets[t + 1]]`.
  public var offsets: [Int]
  public var sources: [Int32]

  public var targetCount: Int { offsets.count - 1 }
  public var count: Int { sources.count }

  public init(offsets: [Int], sources: [Int32]) {
    self.offsets = offsets
    self.sources = sources
  }

  /// Position of an edge in `sources`, by binary search; nil where there is none.
  public func position(target: Int, source: Int) -> Int? {
    var (low, high) = (offsets[target], offsets[target + 1])
    while low < high {
      let middle = (low + high) / 2
      if Int(sources[middle]) < source { low = middle + 1 } else { high = middle }
    }
    return low < offsets[target + 1] && Int(sources[low]) == source ? low : nil
  }

  /// The lists without token neurons, where every token (nodes `neurons ..< nodes`) reaches every target; nil where one does not.
  public func withoutCompleteTokens(neurons: Int, nodes: Int) -> EdgeLists? {
    let tokens = nodes - neurons
    var rest = EdgeLists(offsets: [0], sources: [])
    for target in 0..<targetCount {
      let end = offsets[target + 1] - tokens
      // Sources ascend and lie below `nodes`: the last V are the tokens if they begin with the first one.
      guard end >= offsets[target], Int(sources[end]) == neurons else { return nil }
      rest.sources += sources[offsets[target]..<end]
      rest.offsets.append(rest.sources.count)
    }
    return rest
  }

  /// What is wrong with the lists, nil when the invariants hold.
  public func violation(sourceCount: Int) -> String? {
    guard offsets.first == 0, offsets.last == sources.count else { return "offsets do not cover the edges" }
    for target in 0..<targetCount {
      guard offsets[target] <= offsets[target + 1] else { return "offsets descend at neuron \(target)" }
      for position in offsets[target]..<offsets[target + 1] {
        guard sources[position] >= 0, Int(sources[position]) < sourceCount else {
          return "neuron \(target) names node \(sources[position]) of \(sourceCount)"
        }
        guard position == offsets[target] || sources[position - 1] < sources[position] else {
          return "sources of neuron \(target) do not ascend"
        }
      }
    }
    return nil
  }
}

/// What pruning cut, carried by R hubs of its own: node → hub → neuron, R (n + V) + R n synapses of rank R.
///
/// The kept synapses hold what the hubs do not carry, so that kept + hubs is the unpruned weight on every kept synapse and the best
/// approximation of rank R elsewhere; with R = d it is exact everywhere.
public struct HubRemainder<Scalar: NetworkScalar>: Sendable {
  /// `(n + V, R)`, row = node.
  public var encoder: Matrix<Scalar>
  /// `(n, R)`, row = neuron.
  public var decoder: Matrix<Scalar>

  public init(encoder: Matrix<Scalar>, decoder: Matrix<Scalar>) {
    self.encoder = encoder
    self.decoder = decoder
  }

  /// R.
  public var hubs: Int { encoder.columns }
}
