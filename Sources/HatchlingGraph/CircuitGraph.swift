import HatchlingModel
import HatchlingNumerics

/// A network in circuit form (Claims 3, 4): neurons, token neurons, hubs, readouts and normalisers, and every synapse
/// between them.
///
/// Made by the compiler from trained weights, or by hand with ``CircuitBuilder``; it can be walked, counted, edited, exported and
/// decompiled. An engine runs any graph that meets ``CircuitSpecification``.
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
    self.layers = layers
    self.variant = variant
    self.neurons = neurons
    self.embedding = embedding
    self.drivesX = drivesX
    self.drivesY = drivesY
    self.encoder = encoder
    self.readout = readout
    self.plastic = plastic
  }

  /// n.
  public var neuronCount: Int { neurons.count }
  /// d.
  public var hubCount: Int { embedding.columns }
  /// V.
  public var tokenCount: Int { embedding.rows }
  /// H.
  public var headCount: Int { neurons.heads.count }

  /// Counts all fixed synapses and checks their weights once; see ``Projection/takeCensus(workers:)``.
  public mutating func takeCensus(workers: Workers? = nil) {
    embedding.takeCensus(workers: workers)
    drivesX.takeCensus(workers: workers)
    drivesY.takeCensus(workers: workers)
    encoder.takeCensus(workers: workers)
    readout.takeCensus(workers: workers)
  }

  /// The sizes in the model's terms.
  public var hyperparameters: Hyperparameters {
    Hyperparameters(
      neurons: neuronCount, synapticDimension: hubCount, heads: headCount, layers: layers,
      vocabulary: tokenCount, variant: variant)
  }

  /// The normaliser nodes, used by every layer: H + 3, one less without a residual, none without norms.
  public var normalisers: [Normaliser] {
    guard variant.normalises else { return [] }
    let shared: [Normaliser] = [.embedding] + (0..<headCount).map { .attention(head: $0) } + [.encoding]
    return variant.accumulatesActivity ? shared : shared + [.residual]
  }
}
