import HatchlingCompiler
import HatchlingEngine
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

/// The circuit against the tensor form on random networks.
@Suite struct AgreementTests {
  @Test(arguments: Variant.allCases, 0..<16)
  func graphAndTensorsAgreeInDouble(variant: Variant, seed: Int) throws {
    let sizes = Hyperparameters.random(seed: UInt64(seed), variant: variant)
    let centres = seed % 3 == 0 && variant.normalises
    let weights = Weights.random(sizes, seed: UInt64(seed), rotates: seed % 4 != 1, damping: seed % 2 == 0)
      .converted(to: Double.self)
    let graph = try Compiler(centres: centres).circuit(from: weights).graph
    let engine = try CircuitEngine(graph, workers: Workers(threads: 1 + seed % 3))
    let tensor = TensorEngine(weights, workers: Workers(threads: 1))
    var compared = 0
    for token in randomTokens(40, vocabulary: sizes.vocabulary, seed: UInt64(seed)) {
      let (activity, layers) = try engine.stepRecording(token)
      let (expectedActivity, expected) = try tensor.stepRecording(token)
      #expect(activity.activeX == expectedActivity.activeX && activity.activeY == expectedActivity.activeY)
      for (layer, other) in zip(layers, expected) {
        #expect(relativeDifference(layer.x, other.x) <= 1e-10, "x, seed \(seed)")
        #expect(relativeDifference(layer.a, other.a) <= 1e-10, "a, seed \(seed)")
        #expect(relativeDifference(layer.y, other.y) <= 1e-10, "y, seed \(seed)")
        #expect(relativeDifference(layer.v, other.v) <= 1e-10, "v, seed \(seed)")
        compared += 1
      }
      #expect(relativeDifference(engine.logits, tensor.logits) <= 1e-10, "logits, seed \(seed)")
    }
    for layer in 1...sizes.layers {
      #expect(
        relativeDifference(
          engine.attentionState(layer: layer).elements, tensor.attentionState(layer: layer).elements)
          <= 1e-10, "ρ of layer \(layer), seed \(seed)")
    }
    #expect(compared == 40 * sizes.layers)
  }

  /// 512 tokens with damping, so that norm-free activity stays finite too.
  @Test(arguments: Variant.allCases, [true, false])
  func graphAndTensorsAgreeOverFiveHundredTwelveTokens(variant: Variant, rotates: Bool) throws {
    let sizes = Hyperparameters(
      neurons: 48, synapticDimension: 12, heads: 2, layers: 3, vocabulary: 16, variant: variant)
    var weights = Weights.random(sizes, seed: 21, rotates: rotates, damping: true)
      .converted(to: Double.self)
    if !variant.normalises { weights.encoder = weights.encoder.map { $0 * 0.01 } }
    let engine = try CircuitEngine(Compiler().circuit(from: weights).graph, workers: Workers(threads: 2))
    let tensor = TensorEngine(weights, workers: Workers(threads: 1))
    for token in randomTokens(512, vocabulary: 16, seed: 21) {
      try engine.step(token)
      try tensor.step(token)
      #expect(relativeDifference(engine.logits, tensor.logits) <= 1e-10, "token \(tensor.position)")
    }
    #expect(tensor.position == 512 && tensor.logits.contains { $0 != 0 })
  }

  @Test func aStateWithImpossibleStampsIsRefused() throws {
    let weights = Weights.random(.random(seed: 4), seed: 4, damping: true)
    let engine = try CircuitEngine(Compiler().circuit(from: weights).graph)
    try engine.step(0)
    for stamp: Int64 in [-1, 2, .max] {
      var state = engine.save()
      var stamps = Matrix<Int64>(rows: 1, columns: weights.hyperparameters.neurons)
      stamps[0, 1] = stamp
      state.arrays["stamps.1"] = .int(stamps)
      #expect(throws: StateError.impossibleStamp(layer: 1, neuron: 1, position: 1)) {
        try engine.restore(state)
      }
    }
  }
}
