import HatchlingNumerics

/// The trained weights of a network, in the layout that every engine reads: one contiguous row of `d` numbers per
/// neuron. Storage is shared between copies and with the graph that is compiled from it, so a value costs nothing to pass.
public struct Weights<Scalar: NetworkScalar>: Sendable {
  public var hyperparameters: Hyperparameters
  /// D_x, `(n, d)`: row j holds the synapses from the hubs to neuron j that drive x.
  public var decoderX: Matrix<Scalar>
  /// D_y, `(n, d)`: row j holds the synapses from the hubs to neuron j that drive y.
  public var decoderY: Matrix<Scalar>
  /// Eᵀ, `(n, d)`: row i holds the synapses from neuron i to the hubs.
  public var encoder: Matrix<Scalar>
  /// emb, `(V, d)`.
  public var embedding: Matrix<Scalar>
  /// W_out, `(d, V)`.
  public var readout: Matrix<Scalar>
  /// f, `(N)`, turns per token of each neuron inside its head; all zero means no rotation.
  public var frequencies: [Float]
  /// u, `(n)`, 0 ≤ u ≤ 1: what a plastic weight of the neuron loses per token; nil means nothing.
  public var damping: [Float]?
  /// Which plastic synapses exist, `(n, d)`, 1 or 0; nil means all. Only decompiled graphs lack some.
  public var plasticSynapses: Matrix<UInt8>?
  /// Where only some neurons are here: which. Then rows of D_x, D_y, E, u and plastic synapses are theirs alone, and `hyperparameters` and
  /// `frequencies` those of the whole network.
  public var part: NeuronPart?

  public init(
    hyperparameters: Hyperparameters, decoderX: Matrix<Scalar>, decoderY: Matrix<Scalar>,
    encoder: Matrix<Scalar>, embedding: Matrix<Scalar>, readout: Matrix<Scalar>, frequencies: [Float],
    damping: [Float]? = nil, plasticSynapses: Matrix<UInt8>? = nil, part: NeuronPart? = nil
  ) {
    (self.hyperparameters, self.decoderX, self.decoderY) = (hyperparameters, decoderX, decoderY)
    (self.encoder, self.embedding, self.readout) = (encoder, embedding, readout)
    (self.frequencies, self.damping, self.plasticSynapses) = (frequencies, damping, plasticSynapses)
    self.part = part
  }

  /// The same weights in another precision. Widening is exact; the same precision shares storage.
  public func converted<Other: NetworkScalar>(to: Other.Type) -> Weights<Other> {
    if let same = self as? Weights<Other> { return same }
    return Weights<Other>(
      hyperparameters: hyperparameters, decoderX: decoderX.map { Other($0) },
      decoderY: decoderY.map { Other($0) }, encoder: encoder.map { Other($0) },
      embedding: embedding.map { Other($0) }, readout: readout.map { Other($0) }, frequencies: frequencies,
      damping: damping, plasticSynapses: plasticSynapses, part: part)
  }
}

extension Weights {
  /// What a machine has of them that keeps only these neurons. Cost: a copy of their rows.
  package func selecting(_ neurons: Range<Int>) -> Weights {
    var part = self
    part.part = NeuronPart(neurons, of: hyperparameters.neurons)
    part.decoderX = decoderX.selecting(neurons)
    part.decoderY = decoderY.selecting(neurons)
    part.encoder = encoder.selecting(neurons)
    part.damping = damping.map { Array($0[neurons]) }
    part.plasticSynapses = plasticSynapses?.selecting(neurons)
    return part
  }
}
