import HatchlingModel
import HatchlingNumerics

/// What a listener hears in the field v, split exactly into who said it: the token and every neuron of every layer so far.
///
/// A normaliser answers with a mean and a gain; with its answers as they were, v is a sum. v_l = g (v_{l−1} + g' P E y_l), P the centring, so w·v_l
/// is one term per neuron and layer and one for the token. Nothing is approximated; what the sum does not say is how the answers
/// would change if a term were missing (``TokenGradient`` does).
public struct FieldSources: Sendable {
  /// Of LN(emb).
  public let token: Double
  /// Of the neurons of layers 1 … l, `(n)` each.
  public let neurons: [[Double]]

  public var layerTotals: [Double] { neurons.map { $0.reduce(0, +) } }
  public var total: Double { layerTotals.reduce(token, +) }

  /// - Parameters:
  ///   - direction: w, `(d)`, what the listener makes of v: of the logit of b column b of W_out, of x's drive a row of D_x.
  ///   - layer: v after this layer, 0 … L; 0 is LN(emb).
  public init(of direction: [Double], afterLayer layer: Int, at trace: TokenTrace, in network: TokenNetwork) {
    let (sizes, variant) = (network.sizes, network.sizes.variant)
    var (weight, neurons): ([Double], [[Double]]) = (direction, [])
    for tape in trace.layers[..<layer].reversed() {
      if !variant.accumulatesActivity { weight = Self.centred(weight, tape.fieldGain, variant) }
      let toHubs = Self.centred(weight, tape.encodingGain, variant)
      var heard = [Double](repeating: 0, count: sizes.neurons)
      BLAS.multiply(
        network.weights.encoder.pointer, rows: sizes.neurons, columns: sizes.synapticDimension, by: toHubs,
        into: &heard)
      neurons.append(zip(heard, tape.y).map { $0 * $1 })
      // Without a residual nothing of v goes on.
      if variant.accumulatesActivity { weight = weight.map { _ in 0 } }
    }
    let start = Self.centred(weight, trace.startGain, variant)
    let embedding = network.weights.embedding.row(trace.token)
    token = start.indices.reduce(0) { $0 + start[$1] * embedding[$1] }
    self.neurons = neurons.reversed()
  }

  /// w ↦ g P w: how w·LN(z) depends on z when the normaliser's gain is given.
  static func centred(_ weight: [Double], _ gain: Double, _ variant: Variant) -> [Double] {
    guard variant.normalises else { return weight }
    let mean = weight.reduce(0, +) / Double(weight.count)
    return weight.map { gain * ($0 - mean) }
  }
}

/// What drove one neuron in one layer, exactly: the normalisers' answers as they were.
public struct NeuronDrive: Sendable {
  public let neuron: LayerNeuron
  /// D_x v, split by who said v.
  public let x: FieldSources
  /// D_y LN(a_h), split by the plastic synapses of the neuron's head, `(N, d)`: row i belongs to neuron `first + i`.
  public let y: Matrix<Double>
  /// The first neuron of the head.
  public let first: Int

  /// Cost: N d products.
  public init(of neuron: LayerNeuron, at trace: TokenTrace, in network: TokenNetwork) {
    let (sizes, tape) = (network.sizes, trace.layers[neuron.layer - 1])
    let (d, count) = (sizes.synapticDimension, sizes.neuronsPerHead)
    self.neuron = neuron
    func row(_ matrix: Matrix<Double>) -> [Double] {
      Array(UnsafeBufferPointer(start: matrix.row(neuron.neuron), count: d))
    }
    x = FieldSources(
      of: row(network.weights.decoderX), afterLayer: neuron.layer - 1, at: trace, in: network)
    let head = network.head(of: neuron.neuron)
    first = head * count
    let weight = FieldSources.centred(
      row(network.weights.decoderY), tape.attentionGains[head], sizes.variant)
    var y = Matrix<Double>(rows: count, columns: d)
    let (terms, rho) = (y.mutablePointer(), network.plastic[neuron.layer - 1].row(first))
    for other in 0..<count where tape.rotated[first + other] != 0 {
      let sent = tape.rotated[first + other]
      for hub in 0..<d { terms[other * d + hub] = weight[hub] * (rho[other * d + hub] * sent) }
    }
    self.y = y
  }

  /// What each neuron of the head contributed to the drive of y over all its plastic synapses, `(N)`.
  public var yByNeuron: [Double] {
    (0..<y.rows).map { row in (0..<y.columns).reduce(0) { $0 + y[row, $1] } }
  }
}
