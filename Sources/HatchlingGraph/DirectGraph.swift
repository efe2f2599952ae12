import HatchlingModel
import HatchlingNumerics

/// A network in direct form (Eq. 6, Observation 4): synapses between neurons, made exact with LayerNorms.
///
/// Its *nodes* are the n neurons and, after them, the V token neurons: node i is neuron i, node n + k is token k. A node holds a
/// non-negative trace z, the residual stream. Fixed synapses: G_xᵉ, G_xⁱ (trace → x) and G_yᵉ, G_yⁱ (attention → y), each pair stored
/// as one signed projection whose sign is the channel. Plastic synapses carry σ_l. The d hubs only take part in gains and in the
/// readout, through F, and where a pruned graph asks them to carry what was cut. A graph with *local gains* has none: its normalisers
/// hear the particles that they normalise, and nodes reach readouts over synapses of their own.
public struct DirectGraph<Scalar: NetworkScalar>: Sendable {
  /// L, how many times a token passes through the synapses.
  public var layers: Int
  public var variant: Variant
  public var neurons: NeuronPopulation
  /// V.
  public var tokenCount: Int

  /// Fᵀ, `(n + V, d)`, row = node: what a node adds to the hubs, for gains and readout.
  public var field: Matrix<Scalar>
  /// W_out, `(d, V)`, row = hub; without hubs R, `(n + V, V)`, row = node.
  public var readout: Matrix<Scalar>
  /// κ of every normaliser where gains are local, g(w) = sqrt(κ² ‖w‖² / N + ε) over the N particles that it hears: of the embedding, of
  /// every head's attention, of the encoding and, where the trace has a residual, of that; none in a norm-free network. Nil where gains go
  /// through hubs.
  public var localGains: [Scalar]?
  /// G_xᵀ, `(n + V, n)`, row = presynaptic node: outgoing lists, for nodes whose trace is not zero.
  public var drivesX: Projection<Scalar>
  /// G_y, `(n, n + V)`, row = postsynaptic neuron: incoming lists, for neurons that listen.
  public var drivesY: Projection<Scalar>
  /// G_s: which synapses carry σ.
  public var plastic: PlasticEdges
  /// What was cut from G_x and G_y, carried by hubs; nil where nothing carries it.
  public var remainderX, remainderY: HubRemainder<Scalar>?

  /// Identifies the weights that the graph came from; a saved state is refused by any other graph.
  public var fingerprint = ""
  /// How the graph was compiled (pruning and repairs), in a fixed spelling; empty for the exact graph. Part of a saved state's identity.
  public var compilation = ""

  public init(
    layers: Int, variant: Variant, neurons: NeuronPopulation, tokenCount: Int, field: Matrix<Scalar>,
    readout: Matrix<Scalar>, drivesX: Projection<Scalar>, drivesY: Projection<Scalar>,
    plastic: PlasticEdges = .complete, localGains: [Scalar]? = nil
  ) {
    self.localGains = localGains
    (self.layers, self.variant, self.neurons) = (layers, variant, neurons)
    (self.tokenCount, self.field, self.readout) = (tokenCount, field, readout)
    (self.drivesX, self.drivesY, self.plastic) = (drivesX, drivesY, plastic)
  }

  /// n + V.
  public var nodeCount: Int { neurons.count + tokenCount }
  /// d; 0 where gains are local.
  public var hubCount: Int { field.columns }
  public var hasHubs: Bool { localGains == nil }
  /// The direct form folds the mean into F, always.
  public var isCentred: Bool { true }

  /// The particle that is node `index`.
  public func particle(_ index: Int) -> Particle {
    index < neuronCount ? .neuron(NeuronIndex(index)) : .token(TokenIndex(index - neuronCount))
  }

  /// The same graph without the synapses G_x into some neurons. Cost: a copy of G_x.
  public func deafening(_ neurons: Set<Int>) -> DirectGraph {
    var graph = self
    var heard = SparseRows<Scalar>(columnCount: neuronCount, offsets: [0], columns: [], weights: [])
    for node in 0..<nodeCount {
      drivesX.forEachEntry(rows: node..<node + 1) { _, neuron, weight in
        guard !neurons.contains(neuron) else { return }
        heard.columns.append(Int32(neuron))
        heard.weights.append(weight)
      }
      heard.offsets.append(heard.columns.count)
    }
    graph.drivesX = Projection(.sparse(heard)).laidOut
    return graph
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

extension DirectGraph: ParticleGraph {
  public static var form: GraphForm { .direct }

  public static var wirings: [Wiring<Self>] {
    [
      Wiring(.x, from: .neuron, to: .neuron, \.drivesX, rowsSend: true),
      Wiring(.tokenX, from: .token, to: .neuron, \.drivesX, rowsSend: true),
      Wiring(.y, from: .neuron, to: .neuron, \.drivesY),
      Wiring(.tokenY, from: .token, to: .neuron, \.drivesY),
      Wiring(.plastic, from: .neuron, to: .neuron), Wiring(.tokenPlastic, from: .token, to: .neuron),
      Wiring(.partner, from: .neuron, to: .neuron),
    ]
  }

  public static var ownRules: [Specification<Self>.Rule] {
    [
      Specification.Rule(name: "nodes have numbers of 32 bits") { graph in
        graph.nodeCount > Int(Int32.max) ? "\(graph.nodeCount) nodes; lists number at most 2³¹ − 1" : nil
      },
      Specification.Rule(name: "plastic synapses join nodes and neurons") { graph in
        guard case .lists(let lists) = graph.plastic else { return nil }
        guard lists.targetCount == graph.neuronCount else { return "lists for \(lists.targetCount) neurons" }
        return lists.violation(sourceCount: graph.nodeCount)
      },
      Specification.Rule(name: "local gains need no hubs") { graph in
        guard let gains = graph.localGains else { return nil }
        let count = graph.variant.normaliserCount(heads: graph.headCount)
        if graph.hubCount > 0 { return "\(graph.hubCount) hubs" }
        if graph.remainderX != nil || graph.remainderY != nil { return "hubs carry what was cut" }
        if gains.count != count { return "\(gains.count) gains for \(count) normalisers" }
        return gains.first { !($0.isFinite && $0 > 0) }.map { "a gain of \($0), not above 0" }
      },
    ]
  }

  public func numbers(of kind: ParticleKind) -> Range<Int> {
    switch kind {
    case .neuron: 0..<neuronCount
    case .token: neuronCount..<nodeCount
    case .hub: 0..<hubCount
    case .readout: 0..<tokenCount
    }
  }

  public var fixedSynapses: [FixedSynapses<Scalar>] {
    let (n, m, d) = (neuronCount, nodeCount, hubCount)
    var all = [
      FixedSynapses(
        name: "field", noun: "a synapse to a hub", projection: Projection(dense: field), rows: m, columns: d),
      FixedSynapses(
        name: "readout", noun: "a readout synapse", projection: Projection(dense: readout),
        rows: hasHubs ? d : m, columns: tokenCount),
      FixedSynapses(name: "x", noun: "an x synapse", projection: drivesX, rows: m, columns: n),
      FixedSynapses(name: "y", noun: "a y synapse", projection: drivesY, rows: n, columns: m),
    ]
    for (name, remainder) in [("x", remainderX), ("y", remainderY)] {
      guard let remainder else { continue }
      for (part, matrix, rows) in [("encoder", remainder.encoder, m), ("decoder", remainder.decoder, n)] {
        all.append(
          FixedSynapses(
            name: "\(part) of \(name)", noun: "a synapse of the remainder",
            projection: Projection(dense: matrix), rows: rows, columns: remainder.hubs))
      }
    }
    return all
  }
}

/// Which synapses of a direct graph carry a plastic weight σ_l(i, j), one per layer.
public enum PlasticEdges: Equatable, Sendable {
  /// Every node i to every neuron j.
  case complete
  /// A list per postsynaptic neuron; G_s ⊆ G_x where the compiler made it.
  case lists(EdgeLists)

  /// Whether the synapse from `node` to `neuron` exists. Cost: O(log degree).
  public func contains(_ node: Int, _ neuron: NeuronIndex) -> Bool {
    switch self {
    case .complete: true
    case .lists(let lists): lists.position(target: neuron.index, source: node) != nil
    }
  }
}

extension PlasticEdges: PlasticSynapses {
  public func contains(source: Int, neuron: Int) -> Bool { contains(source, NeuronIndex(neuron)) }

  public func forEachSource(of neuron: Int, in sources: Range<Int>, _ body: (Int) throws -> Void) rethrows {
    guard case .lists(let lists) = self else { return try sources.forEach(body) }
    for source in lists.sources[lists.offsets[neuron]..<lists.offsets[neuron + 1]]
    where sources.contains(Int(source)) { try body(Int(source)) }
  }

  public func count(neurons: Int, in sources: Range<Int>) -> Int {
    guard case .lists(let lists) = self else { return neurons * sources.count }
    return lists.sources.count { sources.contains(Int($0)) }
  }

  /// A complete graph becomes lists first: 4 bytes for every synapse.
  public mutating func remove(source: Int, neuron: Int, neurons: Int, sources: Int) {
    var lists: EdgeLists
    switch self {
    case .lists(let present): lists = present
    case .complete:
      let row = (0..<sources).map { Int32($0) }
      lists = EdgeLists(
        offsets: (0...neurons).map { $0 * sources },
        sources: Array(repeatElement(row, count: neurons).joined()))
    }
    self = .complete  // one reference to the lists: edit in place
    if let position = lists.position(target: neuron, source: source) {
      lists.remove(at: position, of: neuron)
    }
    self = .lists(lists)
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
    (self.encoder, self.decoder) = (encoder, decoder)
  }

  /// R.
  public var hubs: Int { encoder.columns }
}
