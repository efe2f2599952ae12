import HatchlingModel
import HatchlingNumerics

/// What an explained logit would lose without one carrier, foretold from one reading of the token and its gradient.
///
/// The change is followed exactly to the first normaliser, through it, and through the rectifier behind it; from there on to first order. Gradient ×
/// value alone misses neurons near their threshold, which a cut wakes or silences: the strongest synapses have hundreds of them
/// at the next gate.
public struct CutPrediction: Sendable {
  let network: TokenNetwork
  let trace: TokenTrace
  let gradient: TokenGradient

  public init(_ gradient: TokenGradient, at trace: TokenTrace, in network: TokenNetwork) {
    (self.gradient, self.trace, self.network) = (gradient, trace, network)
  }

  /// Cost: d products for every neuron of a head whose x is not 0; of D_y and E less.
  public func loss(without carrier: Carrier) -> Double {
    let (tape, slopes) = (trace.layers[carrier.layer - 1], gradient.layers[carrier.layer - 1])
    let (weights, d) = (network.weights, network.sizes.synapticDimension)
    switch carrier {
    case .plastic(let one):
      let (hub, neuron) = (one.synapse.presynaptic, one.synapse.postsynaptic)
      var lack = [Double](repeating: 0, count: d)
      lack[hub] = network.plastic[one.layer - 1][neuron, hub] * tape.rotated[neuron]
      return lossAtGates(one.layer, head: network.head(of: neuron), lacking: lack)
    case .neuron(let one):
      return loss(one.layer, ofX: one.neuron, becoming: 0)
    case .fixed(let one):
      let (hub, neuron) = (one.hub, one.neuron)
      switch one.kind {
      case .x:
        let drive = tape.driveX[neuron] - weights.decoderX[neuron, hub] * tape.heardField[hub]
        let lost = max(0, tape.driveX[neuron]) - max(0, drive)
        return loss(one.layer, ofX: neuron, becoming: tape.x[neuron] - lost)
      case .y:
        let heard = tape.heard[network.head(of: neuron) * d + hub]
        let drive = tape.driveY[neuron] - weights.decoderY[neuron, hub] * heard
        return slopes.y[neuron] * (tape.y[neuron] - max(0, drive) * tape.x[neuron])
      case .encoder:
        var encoded = tape.encoded
        encoded[hub] -= weights.encoder[neuron, hub] * tape.y[neuron]
        LayerNorm.apply(&encoded, count: d, if: network.sizes.variant.normalises)
        return (0..<d).reduce(0) { $0 + slopes.update[$1] * (tape.update[$1] - encoded[$1]) }
      }
    }
  }

  /// One neuron's x is another: its x̃ and its partner's reach a_h over ρ, and its own gate passes on less.
  private func loss(_ layer: Int, ofX neuron: Int, becoming x: Double) -> Double {
    let tape = trace.layers[layer - 1]
    let (d, rho) = (network.sizes.synapticDimension, network.plastic[layer - 1])
    let lost = tape.x[neuron] - x
    guard lost != 0 else { return 0 }
    var lack = [Double](repeating: 0, count: d)
    func add(_ other: Int, _ factor: Double) {
      let row = rho.row(other)
      for hub in 0..<d { lack[hub] += row[hub] * (factor * lost) }
    }
    if network.rotates {
      let (place, isEven) = (neuron % network.sizes.neuronsPerHead, neuron % 2 == 0)
      let partner = isEven ? neuron + 1 : neuron - 1
      add(neuron, network.cosines[place])
      add(partner, isEven ? network.sines[place + 1] : -network.sines[place - 1])
    } else {
      add(neuron, 1)
    }
    return lossAtGates(layer, head: network.head(of: neuron), lacking: lack, x: (neuron, x))
      + gradient.layers[layer - 1].laterX[neuron] * lost
  }

  /// a_h loses something, and perhaps a neuron has another x.
  private func lossAtGates(
    _ layer: Int, head: Int, lacking lack: [Double], x changed: (neuron: Int, x: Double)? = nil
  ) -> Double {
    let (tape, slopes) = (trace.layers[layer - 1], gradient.layers[layer - 1].y)
    let (d, perHead) = (network.sizes.synapticDimension, network.sizes.neuronsPerHead)
    var heard = (0..<d).map { tape.a[head * d + $0] - lack[$0] }
    LayerNorm.apply(&heard, count: d, if: network.sizes.variant.normalises)
    for hub in 0..<d { heard[hub] = tape.heard[head * d + hub] - heard[hub] }
    var loss = 0.0
    for neuron in head * perHead..<(head + 1) * perHead
    where slopes[neuron] != 0 && (tape.x[neuron] != 0 || neuron == changed?.neuron) {
      let row = network.weights.decoderY.row(neuron)
      var drive = tape.driveY[neuron]
      for hub in 0..<d { drive -= row[hub] * heard[hub] }
      let x = neuron == changed?.neuron ? changed?.x ?? 0 : tape.x[neuron]
      loss += slopes[neuron] * (tape.y[neuron] - max(0, drive) * x)
    }
    return loss
  }
}
