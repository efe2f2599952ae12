import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// Which earlier tokens wrote what this one read from its plastic synapses.
///
/// a_h = Σ_τ v_τ ⟨x̃_τ Λ^(t−τ), x̃_t⟩_h, one term per earlier token, exactly. Times ∂/∂a_h a term is what the explained logit owes, to first
/// order, to the token's writes in that layer.
public struct TokenWriters: Sendable {
  /// The position of the first token that was read here.
  public let first: Int
  /// Of every token that was read here, by layer: what the logit owes to its writes.
  public let shares: [[Double]]
  /// Σ of the terms, `(H, d)` per layer: what reached the hubs, where everything was read here.
  public let sums: [[Double]]

  /// Reads the text before the token once more, from where it began.
  ///
  /// - Parameters:
  ///   - engine: at the beginning of `tokens`, which end before the explained token.
  ///   - afterToken: called with the number read.
  /// - Throws: `ProbeError`, and as `step`. Not for a network that lacks plastic synapses: its terms differ by neuron.
  /// Cost: the text, and L n products per token.
  public init(
    _ tokens: some Collection<Int>, on engine: any WatchableEngine<Double>, _ gradient: TokenGradient,
    at trace: TokenTrace, in network: TokenNetwork, afterToken: (Int) -> Void = { _ in }
  ) throws {
    precondition(engine.position + tokens.count == network.position, "the text of another token")
    precondition(network.weights.plasticSynapses == nil, "what a token wrote depends on the neuron")
    first = engine.position
    let reading = Reading(gradient, trace, network)
    let handles = [
      try engine.attach(Probe(.quantity(.v), after: .end(.drive))) {
        reading.field[$0.layer - 1] = $0.values
      },
      try engine.attach(Probe(.quantity(.rotated), after: .end(.drive))) {
        reading.add($0.values, layer: $0.layer, age: network.position - $0.position)
      },
    ]
    defer { for handle in handles { engine.detach(handle) } }
    for (count, token) in tokens.enumerated() {
      reading.shares.append([Double](repeating: 0, count: network.sizes.layers))
      try engine.step(token)
      afterToken(count + 1)
    }
    (shares, sums) = (reading.shares, reading.sums)
  }
}

/// The text while it is read again.
private final class Reading {
  /// v that every layer of the last token heard.
  var field: [[Double]]
  var shares: [[Double]] = []
  private(set) var sums: [[Double]]
  private let network: TokenNetwork
  private let trace: TokenTrace
  private let gradient: TokenGradient

  init(_ gradient: TokenGradient, _ trace: TokenTrace, _ network: TokenNetwork) {
    (self.gradient, self.trace, self.network) = (gradient, trace, network)
    field = Array(repeating: [], count: network.sizes.layers)
    sums = trace.layers.map { $0.a.map { _ in 0 } }
  }

  /// What a token wrote in one layer, v x̃ᵀ, as the explained token meets it.
  func add(_ rotated: [Double], layer: Int, age: Int) {
    let (d, perHead) = (network.sizes.synapticDimension, network.sizes.neuronsPerHead)
    let (read, damping) = (trace.layers[layer - 1].rotated, network.weights.damping)
    let (field, toHubs) = (field[layer - 1], gradient.layers[layer - 1].a)
    for head in 0..<network.sizes.heads {
      var met = 0.0
      for neuron in head * perHead..<(head + 1) * perHead where read[neuron] != 0 && rotated[neuron] != 0 {
        let product = rotated[neuron] * read[neuron]
        met += damping.map { product * .pow(1 - Double($0[neuron]), age) } ?? product
      }
      for hub in 0..<d {
        sums[layer - 1][head * d + hub] += met * field[hub]
        shares[shares.count - 1][layer - 1] += met * field[hub] * toHubs[head * d + hub]
      }
    }
  }
}
