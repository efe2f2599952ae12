import HatchlingModel
import HatchlingNumerics

/// A network as one token finds it, in double: its weights, and its plastic weights before the token is read. Nothing in it changes, so a
/// token can be read again and again.
///
/// A layer reads ρ before it writes, so within one token ρ is a constant, and a token is a function of weights and ρ alone.
public struct TokenNetwork: Sendable {
  public let weights: Weights<Double>
  /// ρ of each layer, `(n, d)`, in the co-rotating frame, damping settled.
  public let plastic: [Matrix<Double>]
  /// Of the token.
  public let position: Int
  /// Of the neurons of a head, `(N)`.
  let cosines, sines: [Double]
  let rotates: Bool

  var sizes: Hyperparameters { weights.hyperparameters }

  /// - Parameter engine: has read everything before the token; it is not changed. Cost: a copy of its plastic weights.
  public init(_ weights: Weights<Double>, before engine: any SteppingEngine<Double>) {
    precondition(weights.hyperparameters == engine.hyperparameters, "the engine of another network")
    self.weights = weights
    plastic = (1...engine.hyperparameters.layers).map { engine.attentionState(layer: $0) }
    position = engine.position
    let count = weights.hyperparameters.neuronsPerHead
    let phases = Phases(frequencies: weights.frequencies)
    var (cosines, sines) = ([Double](repeating: 1, count: count), [Double](repeating: 0, count: count))
    if phases.rotates { phases.fill(cosines: &cosines, sines: &sines, at: position) }
    (self.cosines, self.sines, rotates) = (cosines, sines, phases.rotates)
  }

  func head(of neuron: Int) -> Int { neuron / sizes.neuronsPerHead }

  /// Reads a token. Cost: four dense products of `(n, d)` per layer.
  public func read(_ token: Int) -> TokenTrace {
    var field = Array(
      UnsafeBufferPointer(start: weights.embedding.row(token), count: sizes.synapticDimension))
    let gain = normalise(&field)
    return goOn(TokenTrace(token: token, start: field, gain: gain), scaling: [], by: 1)
  }

  /// Reads the same token again, while what these carriers pass on is multiplied by a factor: 0 cuts and silences.
  public func read(again trace: TokenTrace, scaling carriers: [Carrier], by factor: Double = 0) -> TokenTrace
  {
    var trace = trace
    let first = carriers.map(\.layer).min() ?? 1
    trace.layers.removeLast(max(0, trace.layers.count - (first - 1)))
    return goOn(trace, scaling: carriers, by: factor)
  }

  private func goOn(_ trace: TokenTrace, scaling carriers: [Carrier], by factor: Double) -> TokenTrace {
    var trace = trace
    for layer in trace.layers.count..<sizes.layers {
      trace.layers.append(
        run(layer + 1, after: trace, carriers.filter { $0.layer == layer + 1 }, lacking: 1 - factor))
    }
    trace.logits = [Double](repeating: 0, count: sizes.vocabulary)
    BLAS.multiply(
      weights.readout.pointer, transposed: true, rows: sizes.synapticDimension, columns: sizes.vocabulary,
      by: trace.layers[sizes.layers - 1].field, into: &trace.logits)
    return trace
  }

  /// One layer. - Parameter lack: the part of what carriers pass on that does not arrive.
  private func run(_ number: Int, after trace: TokenTrace, _ carriers: [Carrier], lacking lack: Double)
    -> LayerTrace
  {
    var layer = LayerTrace(sizes, hearing: trace.layers.last?.field ?? trace.start)
    hear(&layer, carriers, lack)
    for neuron in layer.x.indices {
      let before = sizes.variant.accumulatesActivity ? trace.layers.last?.x[neuron] ?? 0 : 0
      layer.x[neuron] = before + max(0, layer.driveX[neuron])
    }
    for case .neuron(let one) in carriers { layer.x[one.neuron] *= 1 - lack }
    layer.rotated = rotated(layer.x)
    attend(&layer, plastic[number - 1], carriers, lack)
    listen(&layer, carriers, lack)
    encode(&layer, carriers, lack)
    return layer
  }

  /// D_x v.
  private func hear(_ layer: inout LayerTrace, _ carriers: [Carrier], _ lack: Double) {
    BLAS.multiply(
      weights.decoderX.pointer, rows: sizes.neurons, columns: sizes.synapticDimension, by: layer.heardField,
      into: &layer.driveX)
    for case .fixed(let one) in carriers where one.kind == .x {
      layer.driveX[one.neuron] -= lack * weights.decoderX[one.neuron, one.hub] * layer.heardField[one.hub]
    }
  }

  /// R_t x.
  private func rotated(_ x: [Double]) -> [Double] {
    guard rotates else { return x }
    var result = x
    let count = sizes.neuronsPerHead
    for even in stride(from: 0, to: x.count, by: 2) {
      let place = even % count
      result[even] = x[even] * cosines[place] - x[even + 1] * sines[place]
      result[even + 1] = x[even + 1] * cosines[place + 1] + x[even] * sines[place + 1]
    }
    return result
  }

  /// a_h = ρ_h x̃, and LN(a_h).
  private func attend(
    _ layer: inout LayerTrace, _ rho: Matrix<Double>, _ carriers: [Carrier], _ lack: Double
  ) {
    let (d, perHead) = (sizes.synapticDimension, sizes.neuronsPerHead)
    var (a, gains) = (layer.a, layer.attentionGains)
    a.withUnsafeMutableBufferPointer { a in
      layer.rotated.withUnsafeBufferPointer { rotated in
        guard let a = a.baseAddress, let rotated = rotated.baseAddress else { return }
        for head in 0..<sizes.heads {
          BLAS.multiply(
            rho.row(head * perHead), transposed: true, rows: perHead, columns: d,
            by: rotated + head * perHead,
            into: a + head * d)
        }
      }
    }
    for case .plastic(let one) in carriers {
      let (hub, neuron) = (one.synapse.presynaptic, one.synapse.postsynaptic)
      a[head(of: neuron) * d + hub] -= lack * rho[neuron, hub] * layer.rotated[neuron]
    }
    layer.a = a
    a.withUnsafeMutableBufferPointer { a in
      guard let a = a.baseAddress else { return }
      for head in 0..<sizes.heads {
        gains[head] = LayerNorm.apply(a + head * d, count: d, if: sizes.variant.normalises)
      }
    }
    (layer.heard, layer.attentionGains) = (a, gains)
  }

  /// D_y LN(a_h), and y.
  private func listen(_ layer: inout LayerTrace, _ carriers: [Carrier], _ lack: Double) {
    let (d, perHead) = (sizes.synapticDimension, sizes.neuronsPerHead)
    var drive = layer.driveY
    drive.withUnsafeMutableBufferPointer { drive in
      layer.heard.withUnsafeBufferPointer { heard in
        guard let drive = drive.baseAddress, let heard = heard.baseAddress else { return }
        for head in 0..<sizes.heads {
          BLAS.multiply(
            weights.decoderY.row(head * perHead), rows: perHead, columns: d, by: heard + head * d,
            into: drive + head * perHead)
        }
      }
    }
    for case .fixed(let one) in carriers where one.kind == .y {
      let heard = layer.heard[head(of: one.neuron) * d + one.hub]
      drive[one.neuron] -= lack * weights.decoderY[one.neuron, one.hub] * heard
    }
    layer.driveY = drive
    for neuron in layer.y.indices { layer.y[neuron] = max(0, drive[neuron]) * layer.x[neuron] }
  }

  /// E y, LN(E y), and v after the layer.
  private func encode(_ layer: inout LayerTrace, _ carriers: [Carrier], _ lack: Double) {
    BLAS.multiply(
      weights.encoder.pointer, transposed: true, rows: sizes.neurons, columns: sizes.synapticDimension,
      by: layer.y, into: &layer.encoded)
    for case .fixed(let one) in carriers where one.kind == .encoder {
      layer.encoded[one.hub] -= lack * weights.encoder[one.neuron, one.hub] * layer.y[one.neuron]
    }
    layer.update = layer.encoded
    layer.encodingGain = normalise(&layer.update)
    layer.field = layer.update
    guard !sizes.variant.accumulatesActivity else { return }
    for hub in layer.field.indices { layer.field[hub] += layer.heardField[hub] }
    layer.fieldGain = normalise(&layer.field)
  }

  private func normalise(_ values: inout [Double]) -> Double {
    let count = values.count
    return LayerNorm.apply(&values, count: count, if: sizes.variant.normalises)
  }
}
