import HatchlingCompiler
import HatchlingExecution
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
    let weights = Weights.random(sizes, seed: UInt64(seed), rotates: seed % 4 != 1, damping: seed % 2 == 0)
    try compare(
      weights, tokens: 40, centres: seed % 3 == 0 && variant.normalises, threads: 1 + seed % 3, seed: seed)
  }

  /// RoPE, damping, both, neither.
  @Test(arguments: Variant.allCases, 0..<4)
  func graphAndTensorsAgreeOverFiveHundredTwelveTokens(variant: Variant, evolution: Int) throws {
    let sizes = Hyperparameters(
      neurons: 48, synapticDimension: 12, heads: 2, layers: 3, vocabulary: 16, variant: variant)
    var weights = Weights.random(sizes, seed: 21, rotates: evolution & 1 == 0, damping: evolution & 2 == 0)
    // Without LN, random activity grows with every token: keep it small.
    if !variant.normalises { weights.encoder = weights.encoder.map { $0 * 0.01 } }
    try compare(weights, tokens: 512, centres: false, threads: 2, seed: 21)
  }

  /// Every quantity of every layer, at every token.
  private func compare(
    _ floats: Weights<Float>, tokens count: Int, centres: Bool, threads: Int, seed: Int
  ) throws {
    let weights = floats.converted(to: Double.self)
    let sizes = weights.hyperparameters
    let graph = try Compiler(centres: centres).circuit(from: weights).graph
    let engine = try CircuitEngine(
      graph, workers: Workers(threads: threads),
      options: CircuitEngineOptions(defersWrites: seed % 2 == 1))
    let tensor = TensorEngine(weights, workers: Workers(threads: 1))
    var (compared, isSilent) = (0, true)
    for token in randomTokens(count, vocabulary: sizes.vocabulary, seed: UInt64(seed)) {
      let (activity, layers) = try engine.stepRecording(token)
      let (expectedActivity, expected) = try tensor.stepRecording(token)
      #expect(activity.activeX == expectedActivity.activeX && activity.activeY == expectedActivity.activeY)
      for (layer, other) in try paired(layers, expected) {
        let place = "seed \(seed), token \(tensor.position - 1)"
        #expect(relativeDifference(layer.x, other.x) <= 1e-10, "x, \(place)")
        #expect(relativeDifference(layer.a, other.a) <= 1e-10, "a, \(place)")
        #expect(relativeDifference(layer.y, other.y) <= 1e-10, "y, \(place)")
        #expect(relativeDifference(layer.v, other.v) <= 1e-10, "v, \(place)")
        compared += 1
      }
      #expect(relativeDifference(engine.logits, tensor.logits) <= 1e-10, "logits, seed \(seed)")
      isSilent = isSilent && tensor.logits.allSatisfy { $0 == 0 }
    }
    for layer in 1...sizes.layers {
      #expect(
        relativeDifference(
          engine.attentionState(layer: layer).elements, tensor.attentionState(layer: layer).elements)
          <= 1e-10, "ρ of layer \(layer), seed \(seed)")
    }
    #expect(compared == count * sizes.layers)
    #expect(!isSilent, "nothing was ever predicted, seed \(seed)")
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
