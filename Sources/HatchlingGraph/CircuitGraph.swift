import HatchlingModel
import HatchlingNumerics

/// A network in circuit form (Claims 3, 4): neurons, token neurons, hubs, readouts and normalisers, and every synapse
/// between them.
///
/// Made by the compiler from trained weights, or by hand with ``CircuitBuilder``; it can be walked, counted, edited, exported and
/// decompiled. An engine runs any graph that meets its ``Specification``.
public struct CircuitGraph<Scalar: NetworkScalar>: Sendable {
  /// L, how many times a token passes through the synapses.
  public var layers: Int
  public var variant: Variant
  public var neurons: NeuronPopulation

  /// Token → hub, `(V, d)`, row = token: emb.
  public var embedding: Projection<Scalar>
  /// Hub → neuron, `(n, d)`, row = neuron: D_x.
  public var drivesX: Projection<Scalar>
  /// Hub → neuron, `(n, d)`, row = neuron: D_y.
  public var drivesY: Projection<Scalar>
  /// Neuron → hub, `(n, d)`, row = neuron: Eᵀ.
  public var encoder: Projection<Scalar>
  /// Hub → readout, `(d, V)`, row = hub: W_out.
  public var readout: Projection<Scalar>
  /// Hub → neuron, one weight per layer: ρ.
  public var plastic: PlasticProjection

  /// Whether the mean of LayerNorm is folded into the weights, so that normalisers answer with a gain alone.
  public var isCentred = false
  /// Identifies the weights that the graph came from; a saved state is refused by any other graph.
  public var fingerprint = ""

  public init(
    layers: Int, variant: Variant, neurons: NeuronPopulation, embedding: Projection<Scalar>,
    drivesX: Projection<Scalar>, drivesY: Projection<Scalar>, encoder: Projection<Scalar>,
    readout: Projection<Scalar>, plastic: PlasticProjection
  ) {
    (self.layers, self.variant, self.neurons) = (layers, variant, neurons)
    (self.embedding, self.drivesX, self.drivesY) = (embedding, drivesX, drivesY)
    (self.encoder, self.readout, self.plastic) = (encoder, readout, plastic)
  }

  /// d.
  public var hubCount: Int { embedding.columns }
  /// V.
  public var tokenCount: Int { embedding.rows }

  /// The sizes of the network that this graph is, or is a part of.
  public var wholeSizes: Hyperparameters {
    var sizes = hyperparameters
    sizes.neurons = neurons.part?.whole ?? neuronCount
    return sizes
  }

  /// The normaliser nodes, used by every layer: H + 3, one less without a residual, none without norms.
  public var normalisers: [Normaliser] {
    guard variant.normalises else { return [] }
    let shared: [Normaliser] = [.embedding] + (0..<headCount).map { .attention(head: $0) } + [.encoding]
    return variant.accumulatesActivity ? shared : shared + [.residual]
  }
}

extension CircuitGraph: ParticleGraph {
  public static var form: GraphForm { .circuit }

  public static var wirings: [Wiring<Self>] {
    [
      Wiring(.embedding, from: .token, to: .hub, \.embedding, rowsSend: true),
      Wiring(.x, from: .hub, to: .neuron, \.drivesX), Wiring(.y, from: .hub, to: .neuron, \.drivesY),
      Wiring(.encoder, from: .neuron, to: .hub, \.encoder, rowsSend: true),
      Wiring(.readout, from: .hub, to: .readout, \.readout, rowsSend: true),
      Wiring(.plastic, from: .hub, to: .neuron), Wiring(.partner, from: .neuron, to: .neuron),
    ]
  }

  public static var ownRules: [Specification<Self>.Rule] {
    [
      Specification.Rule(name: "every projection joins its two populations") { graph in
        let (plastic, n, d) = (graph.plastic, graph.neuronCount, graph.hubCount)
        return (plastic.neurons, plastic.hubs) == (n, d)
          ? nil : "plastic is \(plastic.neurons) × \(plastic.hubs), not \(n) × \(d)"
      }
    ]
  }

  public func numbers(of kind: ParticleKind) -> Range<Int> {
    switch kind {
    case .neuron: 0..<neuronCount
    case .hub: 0..<hubCount
    case .token, .readout: 0..<tokenCount
    }
  }

  public var fixedSynapses: [FixedSynapses<Scalar>] {
    let (n, d, v) = (neuronCount, hubCount, tokenCount)
    return [
      FixedSynapses(
        name: "embedding", noun: "an embedding synapse", projection: embedding, rows: v, columns: d),
      FixedSynapses(name: "x", noun: "an x synapse", projection: drivesX, rows: n, columns: d),
      FixedSynapses(name: "y", noun: "a y synapse", projection: drivesY, rows: n, columns: d),
      FixedSynapses(name: "encoder", noun: "an encoder synapse", projection: encoder, rows: n, columns: d),
      FixedSynapses(name: "readout", noun: "a readout synapse", projection: readout, rows: d, columns: v),
    ]
  }

  /// The same network with its neurons renumbered: neuron `order[j]` becomes neuron j. Neurons stay inside their heads.
  /// - Throws: ``GraphError`` when `order` is no permutation of every head.
  public func renumbered(_ order: [Int]) throws(GraphError) -> CircuitGraph {
    guard order.count == neuronCount, Set(order) == Set(0..<neuronCount) else {
      throw .brokenRule(
        rule: "renumbering", detail: "the order is not a permutation of the \(neuronCount) neurons")
    }
    for range in neurons.heads where !range.allSatisfy({ range.contains(order[$0]) }) {
      throw .brokenRule(rule: "renumbering", detail: "a neuron would leave its head \(range)")
    }
    var result = self
    result.drivesX = drivesX.permutingRows(order)
    result.drivesY = drivesY.permutingRows(order)
    result.encoder = encoder.permutingRows(order)
    result.plastic = plastic.renumbered(order)
    result.neurons = neurons.renumbered(order)
    return result
  }
}
