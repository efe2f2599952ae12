import HatchlingNumerics

/// Which layer rule a network runs.
public enum Variant: String, CaseIterable, Codable, Sendable {
  /// The rule of the paper's Appendix E and of the public code: residual field, `x` anew in every layer.
  case released
  /// Definition 4, Eq. 8: `x` accumulates over layers, no residual in `d`.
  case definition4
  /// BDH-Normfree, Eq. 7: Definition 4 with LN the identity everywhere.
  case normfree

  /// Whether `x` accumulates over layers and the field has no residual (Eq. 8).
  public var accumulatesActivity: Bool { self != .released }
  /// Whether LN is the LayerNorm; otherwise it is the identity everywhere.
  public var normalises: Bool { self != .normfree }
  /// How many normalisers a network of `heads` heads has: of the embedding, of every head's attention, of the encoding and of the residual.
  public func normaliserCount(heads: Int) -> Int {
    normalises ? heads + (accumulatesActivity ? 2 : 3) : 0
  }
}

/// The sizes of a network. One set of weights serves all layers.
public struct Hyperparameters: Hashable, Codable, Sendable {
  /// n, all neurons of all heads.
  public var neurons: Int
  /// d, the synaptic dimension: number of hubs; 0 in a graph without any.
  public var synapticDimension: Int
  /// H; neuron `h · N + i` is neuron i of head h.
  public var heads: Int
  /// L, how many times a token passes through the weights.
  public var layers: Int
  /// V, the size of the token alphabet.
  public var vocabulary: Int
  public var variant: Variant

  /// N = n / H.
  public var neuronsPerHead: Int { neurons / heads }
  /// 3 n d + 2 V d.
  public var parameters: Int { 3 * neurons * synapticDimension + 2 * vocabulary * synapticDimension }
  /// L · n · d plastic weights.
  public var stateSize: Int { layers * neurons * synapticDimension }

  public init(
    neurons: Int, synapticDimension: Int, heads: Int, layers: Int, vocabulary: Int,
    variant: Variant = .released
  ) {
    (self.neurons, self.synapticDimension, self.heads) = (neurons, synapticDimension, heads)
    (self.layers, self.vocabulary, self.variant) = (layers, vocabulary, variant)
  }
}
