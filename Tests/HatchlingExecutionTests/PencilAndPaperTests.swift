import HatchlingCompiler
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

/// A norm-free network of 3 neurons and 2 hubs whose numbers were worked out on paper.
///
/// Tokens: t0 → h0 (1), t1 → h1 (1). x: h0 → n0 (1), h1 → n1 (2), h0 → n2 (1) and h1 ⊣ n2 (1). y: h0 → n0 (1), h0 → n1 (3),
/// h1 → n2 (1). Encoder: n0 → h1 (2), n1 → h0 (1), n2 ⊣ h1 (1). Readout: h0 → o0 (1), h1 → o1 (1), h1 ⊣ o0 (1).
@Suite struct PencilAndPaperTests {
  static func network(layers: Int = 1) throws -> CircuitGraph<Double> {
    var builder = CircuitBuilder<Double>(
      headSizes: [3], hubs: 2, tokens: 2, layers: layers, variant: .normfree)
    try builder.connect(.embedding, from: .token(0), to: .hub(0), .excitatory, weight: 1)
    try builder.connect(.embedding, from: .token(1), to: .hub(1), .excitatory, weight: 1)
    try builder.connect(.x, from: .hub(0), to: .neuron(0), .excitatory, weight: 1)
    try builder.connect(.x, from: .hub(1), to: .neuron(1), .excitatory, weight: 2)
    try builder.connect(.x, from: .hub(0), to: .neuron(2), .excitatory, weight: 1)
    try builder.connect(.x, from: .hub(1), to: .neuron(2), .inhibitory, weight: 1)
    try builder.connect(.y, from: .hub(0), to: .neuron(0), .excitatory, weight: 1)
    try builder.connect(.y, from: .hub(0), to: .neuron(1), .excitatory, weight: 3)
    try builder.connect(.y, from: .hub(1), to: .neuron(2), .excitatory, weight: 1)
    try builder.connect(.encoder, from: .neuron(0), to: .hub(1), .excitatory, weight: 2)
    try builder.connect(.encoder, from: .neuron(1), to: .hub(0), .excitatory, weight: 1)
    try builder.connect(.encoder, from: .neuron(2), to: .hub(1), .inhibitory, weight: 1)
    try builder.connect(.readout, from: .hub(0), to: .readout(0), .excitatory, weight: 1)
    try builder.connect(.readout, from: .hub(1), to: .readout(1), .excitatory, weight: 1)
    try builder.connect(.readout, from: .hub(1), to: .readout(0), .inhibitory, weight: 1)
    return try builder.build()
  }

  @Test func givesTheLogitsWorkedOutOnPaper() throws {
    let engine = try CircuitEngine(try Self.network(), workers: Workers(threads: 1))
    // Token 0: v = (1, 0), x = (1, 0, 1). Nothing is stored, so a = 0 and y = 0. Then h0 → n0 and h0 → n2 become 1.
    let first = try engine.step(0)
    #expect(engine.logits == [0, 0])
    #expect(first.activeX == [2] && first.activeY == [0])
    // Messages: 1 token → hub, 2 + 0 to the neurons, 2 · 2 over plastic synapses, silent hubs send nothing on.
    #expect(first.messages == 1 + 2 + 4)
    #expect(first.updates == 2)
    #expect(engine.plasticWeight(layer: 1, from: 0, to: 0) == 1)
    #expect(engine.plasticWeight(layer: 1, from: 0, to: 2) == 1)
    #expect(engine.plasticWeight(layer: 1, from: 1, to: 0) == 0)
    // Token 0 again: a = ρ x = (2, 0). y = (2 · 1, –, 0), E y = (0, 4), logits (−4, 4).
    // Messages: 1, then 2, then 4, then one y synapse from h0 to each listener n0 (n2 hears h1 only), 1 from n0, 2 to the readouts.
    let second = try engine.step(0)
    #expect(engine.logits == [-4, 4])
    #expect(second.messages == 1 + 2 + 4 + 1 + 1 + 2)
    #expect(second.activeY == [1])
    // Token 1: v = (0, 1), x = (0, 2, (−1)₊ = 0), which nothing was stored for: a = 0; n1 then stores h1 with 2.
    try engine.step(1)
    #expect(engine.logits == [0, 0])
    #expect(engine.plasticWeight(layer: 1, from: 1, to: 1) == 2)
    // Token 1 again: a = (0, 4); n1 hears h0 only: silent.
    try engine.step(1)
    #expect(engine.logits == [0, 0])
  }

  @Test func decompilesToTheTensorsOnPaper() throws {
    let weights = try Decompiler.weights(of: Self.network(layers: 2))
    #expect(weights.decoderX.elements == [1, 0, 0, 2, 1, -1])
    #expect(weights.encoder.elements == [0, 2, 1, 0, 0, -1])
    #expect(weights.readout.elements == [1, 0, -1, 1])
    let engine = try CircuitEngine(try Self.network(layers: 2), workers: Workers(threads: 1))
    let tensors = TensorEngine(weights, workers: Workers(threads: 1))
    for token in [0, 0, 1, 0, 1, 1, 0] {
      try engine.step(token)
      try tensors.step(token)
      #expect(engine.logits == tensors.logits)
    }
  }
}
