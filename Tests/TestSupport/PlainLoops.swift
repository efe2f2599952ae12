import Foundation
import HatchlingModel
import HatchlingNumerics

/// The equations of the model as plain loops over an explicit past: no state, no blocks, no library. Slow, for small networks.
///
/// Damping and rotation are taken from their definitions: what token τ wrote counts (1 − u_i)^(t − τ) at token t.
public struct PlainLoops {
  private let weights: Weights<Double>
  private let sizes: Hyperparameters

  public init(_ weights: Weights<Double>) {
    self.weights = weights
    sizes = weights.hyperparameters
  }

  /// The prediction after each token, `(tokens, V)`.
  public func logits(_ tokens: [Int]) -> [Double] {
    var fields = tokens.map { token in
      normalise((0..<sizes.synapticDimension).map { weights.embedding[token, $0] })
    }
    var accumulated = tokens.map { _ in [Double](repeating: 0, count: sizes.neurons) }
    for _ in 0..<sizes.layers {
      for t in tokens.indices {
        for neuron in 0..<sizes.neurons {
          let drive = max(0, dot(fields[t]) { weights.decoderX[neuron, $0] })
          accumulated[t][neuron] = drive + (sizes.variant.accumulatesActivity ? accumulated[t][neuron] : 0)
        }
      }
      let rotated = tokens.indices.map { rotate(accumulated[$0], at: $0) }
      fields = tokens.indices.map { t in field(after: t, fields, accumulated[t], rotated) }
    }
    return fields.flatMap { field in
      (0..<sizes.vocabulary).map { token in dot(field) { weights.readout[$0, token] } }
    }
  }

  private func field(after t: Int, _ fields: [[Double]], _ x: [Double], _ rotated: [[Double]]) -> [Double] {
    var encoded = [Double](repeating: 0, count: sizes.synapticDimension)
    for head in 0..<sizes.heads {
      let neurons = head * sizes.neuronsPerHead..<(head + 1) * sizes.neuronsPerHead
      var heard = [Double](repeating: 0, count: sizes.synapticDimension)
      for past in 0..<t {
        var score = 0.0
        for neuron in neurons {
          let keep = 1 - Double(weights.damping?[neuron] ?? 0)
          score += rotated[past][neuron] * rotated[t][neuron] * Foundation.pow(keep, Double(t - past))
        }
        for hub in heard.indices { heard[hub] += fields[past][hub] * score }
      }
      heard = normalise(heard)
      for neuron in neurons {
        let y = max(0, dot(heard) { weights.decoderY[neuron, $0] }) * x[neuron]
        for hub in encoded.indices { encoded[hub] += weights.encoder[neuron, hub] * y }
      }
    }
    let update = normalise(encoded)
    return sizes.variant.accumulatesActivity ? update : normalise(zip(fields[t], update).map { $0 + $1 })
  }

  private func dot(_ field: [Double], _ weight: (Int) -> Double) -> Double {
    field.indices.reduce(0) { $0 + field[$1] * weight($1) }
  }

  private func rotate(_ x: [Double], at t: Int) -> [Double] {
    guard weights.frequencies.contains(where: { $0 != 0 }) else { return x }
    return x.indices.map { neuron in
      let turns = Double(t) * Double(weights.frequencies[neuron % sizes.neuronsPerHead])
      let angle = 2 * Double.pi * (turns - turns.rounded(.down))
      let partner = neuron % 2 == 0 ? -x[neuron + 1] : x[neuron - 1]
      return x[neuron] * Foundation.cos(angle) + partner * Foundation.sin(angle)
    }
  }

  private func normalise(_ values: [Double]) -> [Double] {
    guard sizes.variant.normalises else { return values }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    return values.map { ($0 - mean) / (variance + 1e-5).squareRoot() }
  }
}
