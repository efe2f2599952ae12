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
}
