import HatchlingModel
import HatchlingNumerics

/// How a sum of logits changes with every quantity of one token: the derivatives through all normalisers and rectifiers, backwards through the
/// layers, the plastic weights held as the token found them.
public struct TokenGradient: Sendable {
  /// Of one layer, in the shapes of ``LayerTrace``.
  public struct Layer: Sendable {
    /// ∂/∂(D_x v); 0 where x gained nothing.
    public internal(set) var driveX: [Double]
    /// ∂/∂x by every way: the gate, x̃, and in Definition 4 the x of later layers.
    public internal(set) var x: [Double]
    /// ∂/∂a_h, before LN.
    public internal(set) var a: [Double]
    /// ∂/∂(D_y LN(a_h)); 0 where y is 0.
    public internal(set) var driveY: [Double]
    public internal(set) var y: [Double]
    /// ∂/∂(E y), before LN, and ∂/∂LN(E y).
    public internal(set) var encoded: [Double]
    public internal(set) var update: [Double]
    /// The part of ∂/∂x by way of later layers: 0 where x does not accumulate.
    public internal(set) var laterX: [Double]
  }

  /// Layers 1 … L.
  public let layers: [Layer]
  /// ∂/∂emb of the token, before LN, `(d)`.
  public let embedding: [Double]

  /// - Parameter direction: ∂/∂v after the last layer, `(d)`: of logit b, column b of W_out.
  /// Cost: about that of reading the token twice.
  public init(of direction: [Double], at trace: TokenTrace, in network: TokenNetwork) {
    let variant = network.sizes.variant
    var (layers, field): ([Layer], [Double]) = ([], direction)
    // What later layers add to ∂/∂x where x accumulates.
    var later = [Double](repeating: 0, count: network.sizes.neurons)
    for number in (1...network.sizes.layers).reversed() {
      let tape = trace.layers[number - 1]
      if !variant.accumulatesActivity {
        Self.throughNorm(&field, tape.field, tape.fieldGain, variant)
      }
      let layer = Self.through(tape, number, field, later, network)
      if variant.accumulatesActivity {
        field = field.map { _ in 0 }
        later = layer.x
      }
      BLAS.multiply(
        network.weights.decoderX.pointer, transposed: true, rows: network.sizes.neurons,
        columns: network.sizes.synapticDimension, by: layer.driveX, into: &field, beta: 1)
      layers.append(layer)
    }
    Self.throughNorm(&field, trace.start, trace.startGain, variant)
    (self.layers, embedding) = (layers.reversed(), field)
  }

  /// One layer. - Parameters: `field` is ∂/∂LN(E y), `later` what of ∂/∂x comes from later layers.
  private static func through(
    _ tape: LayerTrace, _ number: Int, _ field: [Double], _ later: [Double], _ network: TokenNetwork
  ) -> Layer {
    let (weights, sizes) = (network.weights, network.sizes)
    let (n, d, perHead) = (sizes.neurons, sizes.synapticDimension, sizes.neuronsPerHead)
    var encoded = field
    throughNorm(&encoded, tape.update, tape.encodingGain, sizes.variant)
    var y = [Double](repeating: 0, count: n)
    BLAS.multiply(weights.encoder.pointer, rows: n, columns: d, by: encoded, into: &y)
    // y = (drive)₊ ⊙ x.
    let driveY = (0..<n).map { tape.driveY[$0] > 0 ? y[$0] * tape.x[$0] : 0 }
    let a = toAttention(driveY, tape, network)
    // x̃ reaches a over ρ.
    var rotated = [Double](repeating: 0, count: n)
    rotated.withUnsafeMutableBufferPointer { rotated in
      a.withUnsafeBufferPointer { a in
        guard let rotated = rotated.baseAddress, let a = a.baseAddress else { return }
        for head in 0..<sizes.heads {
          BLAS.multiply(
            network.plastic[number - 1].row(head * perHead), rows: perHead, columns: d, by: a + head * d,
            into: rotated + head * perHead)
        }
      }
    }
    var x = rotatedBack(rotated, network)
    for neuron in 0..<n { x[neuron] += y[neuron] * max(0, tape.driveY[neuron]) + later[neuron] }
    let driveX = (0..<n).map { tape.driveX[$0] > 0 ? x[$0] : 0 }
    return Layer(
      driveX: driveX, x: x, a: a, driveY: driveY, y: y, encoded: encoded, update: field, laterX: later)
  }

  /// From what reaches neurons in round 4l + 2 to a_h, `(H, d)`.
  private static func toAttention(_ driveY: [Double], _ tape: LayerTrace, _ network: TokenNetwork) -> [Double]
  {
    let (sizes, d) = (network.sizes, network.sizes.synapticDimension)
    var a = [Double](repeating: 0, count: sizes.heads * d)
    a.withUnsafeMutableBufferPointer { a in
      driveY.withUnsafeBufferPointer { driveY in
        tape.heard.withUnsafeBufferPointer { heard in
          guard let a = a.baseAddress, let driveY = driveY.baseAddress, let heard = heard.baseAddress
          else { return }
          for head in 0..<sizes.heads {
            let first = head * sizes.neuronsPerHead
            BLAS.multiply(
              network.weights.decoderY.row(first), transposed: true, rows: sizes.neuronsPerHead, columns: d,
              by: driveY + first, into: a + head * d)
            LayerNorm.backward(
              a + head * d, normalised: heard + head * d, gain: tape.attentionGains[head], count: d,
              if: sizes.variant.normalises)
          }
        }
      }
    }
    return a
  }

  /// The transpose of R_t.
  private static func rotatedBack(_ gradient: [Double], _ network: TokenNetwork) -> [Double] {
    guard network.rotates else { return gradient }
    var result = gradient
    let (cosines, sines, count) = (network.cosines, network.sines, network.sizes.neuronsPerHead)
    for even in stride(from: 0, to: gradient.count, by: 2) {
      let (u, w, place) = (gradient[even], gradient[even + 1], even % count)
      result[even] = u * cosines[place] + w * sines[place + 1]
      result[even + 1] = w * cosines[place + 1] - u * sines[place]
    }
    return result
  }

  private static func throughNorm(
    _ gradient: inout [Double], _ normalised: [Double], _ gain: Double, _ variant: Variant
  ) {
    LayerNorm.backward(
      &gradient, normalised: normalised, gain: gain, count: normalised.count, if: variant.normalises)
  }

  /// Gradient × value: what the sum of logits would lose, to first order, if a carrier passed nothing on.
  public func share(of carrier: Carrier, at trace: TokenTrace, in network: TokenNetwork) -> Double {
    let (layer, tape) = (layers[carrier.layer - 1], trace.layers[carrier.layer - 1])
    let (weights, d) = (network.weights, network.sizes.synapticDimension)
    switch carrier {
    case .plastic(let one):
      let (hub, neuron) = (one.synapse.presynaptic, one.synapse.postsynaptic)
      return layer.a[network.head(of: neuron) * d + hub]
        * (network.plastic[one.layer - 1][neuron, hub] * tape.rotated[neuron])
    case .fixed(let one):
      let (hub, neuron) = (one.hub, one.neuron)
      switch one.kind {
      case .x: return layer.driveX[neuron] * (weights.decoderX[neuron, hub] * tape.heardField[hub])
      case .y:
        return layer.driveY[neuron]
          * (weights.decoderY[neuron, hub] * tape.heard[network.head(of: neuron) * d + hub])
      case .encoder: return layer.encoded[hub] * (weights.encoder[neuron, hub] * tape.y[neuron])
      }
    case .neuron(let one): return layer.x[one.neuron] * tape.x[one.neuron]
    }
  }
}
