import HatchlingCompiler
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

/// The unpruned direct form against the tensor form: every quantity, F σ = ρ, in double to 1e-10.
@Suite struct DirectAgreementTests {
  @Test(arguments: Variant.allCases, 0..<16)
  func directFormAndTensorsAgree(variant: Variant, seed: Int) throws {
    let sizes = Hyperparameters.random(seed: UInt64(seed), variant: variant)
    var weights = Weights.random(sizes, seed: UInt64(seed), rotates: seed % 4 != 1, damping: seed % 2 == 0)
    // Without LN, random activity grows with every token: keep it small.
    if !variant.normalises { weights.encoder = weights.encoder.map { $0 * 0.01 } }
    try compare(weights, tokens: 40, threads: 1 + seed % 3, seed: seed)
  }

  /// RoPE, damping, both, neither; more nodes than a panel of plastic weights has columns.
  @Test(arguments: Variant.allCases, 0..<4)
  func directFormAndTensorsAgreeOverManyTokens(variant: Variant, evolution: Int) throws {
    let sizes = Hyperparameters(
      neurons: 150, synapticDimension: 12, heads: 3, layers: 3, vocabulary: 70, variant: variant)
    var weights = Weights.random(sizes, seed: 21, rotates: evolution & 1 == 0, damping: evolution & 2 == 0)
    if !variant.normalises { weights.encoder = weights.encoder.map { $0 * 0.01 } }
    try compare(weights, tokens: 100, threads: 2, seed: 21)
  }

  private func compare(_ floats: Weights<Float>, tokens count: Int, threads: Int, seed: Int) throws {
    let weights = floats.converted(to: Double.self)
    let sizes = weights.hyperparameters
    let engine = try DirectEngine(
      Compiler().direct(from: weights, workers: Workers(threads: 1)).graph,
      workers: Workers(threads: threads))
    let tensor = TensorEngine(weights, workers: Workers(threads: 1))
    var (compared, isSilent) = (0, true)
    for token in randomTokens(count, vocabulary: sizes.vocabulary, seed: UInt64(seed)) {
      let (activity, layers) = try engine.stepRecording(token)
      let (expectedActivity, expected) = try tensor.stepRecording(token)
      #expect(activity.activeX == expectedActivity.activeX && activity.activeY == expectedActivity.activeY)
      for (layer, other) in try paired(layers, expected) {
        let place = "seed \(seed), token \(tensor.position - 1)"
        #expect(relativeDifference(layer.x, other.x) <= 1e-10, "x, \(place)")
        #expect(relativeDifference(layer.a, other.a) <= 1e-10, "F A, \(place)")
        #expect(relativeDifference(layer.y, other.y) <= 1e-10, "y, \(place)")
        #expect(relativeDifference(layer.v, other.v) <= 1e-10, "F z, \(place)")
        compared += 1
      }
      #expect(engine.traces().allSatisfy { $0 >= 0 }, "a trace is never negative, seed \(seed)")
      #expect(relativeDifference(engine.logits, tensor.logits) <= 1e-10, "logits, seed \(seed)")
      isSilent = isSilent && tensor.logits.allSatisfy { $0 == 0 }
    }
    for layer in 1...sizes.layers {
      let (ours, theirs) = (engine.attentionState(layer: layer), tensor.attentionState(layer: layer))
      let difference = relativeDifference(ours.elements, theirs.elements)
      #expect(difference <= 1e-10, "F σ = ρ of layer \(layer), seed \(seed)")
    }
    #expect(compared == count * sizes.layers)
    #expect(!isSilent, "nothing was ever predicted, seed \(seed)")
  }

  /// F z is v for the trace itself, not only for what the engine carries along.
  @Test func theTraceGivesTheFieldBack() throws {
    let weights = Weights.random(.random(seed: 3), seed: 3).converted(to: Double.self)
    let engine = try DirectEngine(Compiler().direct(from: weights).graph, workers: Workers(threads: 1))
    for token in randomTokens(9, vocabulary: weights.hyperparameters.vocabulary, seed: 3) {
      let v = try #require(try engine.stepRecording(token).layers.last?.v)
      let traces = engine.traces()
      let found = (0..<engine.graph.hubCount).map { hub in
        traces.indices.reduce(0) { $0 + engine.graph.field[$1, hub] * traces[$1] }
      }
      #expect(relativeDifference(found, v) <= 1e-12)
    }
  }

  @Test(.enabled(if: sharedData != nil, "needs the reference checkpoints"))
  func agreesOnTheReferenceCheckpoint() throws {
    let file = try #require(sharedData).appendingPathComponent("reference-shakespeare.safetensors")
    let weights = try Model.load(path: file.path).weights.converted(to: Double.self)
    let engine = try DirectEngine(Compiler().direct(from: weights).graph, workers: Workers(threads: 2))
    let tensor = TensorEngine(weights, workers: Workers(threads: 2))
    for token in "To be, or not to be: that is".utf8 {
      let layers = try engine.stepRecording(Int(token)).layers
      let expected = try tensor.stepRecording(Int(token)).layers
      for (layer, other) in try paired(layers, expected) {
        #expect(relativeDifference(layer.x, other.x) <= 1e-10)
        #expect(relativeDifference(layer.a, other.a) <= 1e-10)
        #expect(relativeDifference(layer.y, other.y) <= 1e-10)
        #expect(relativeDifference(layer.v, other.v) <= 1e-10)
      }
      #expect(relativeDifference(engine.logits, tensor.logits) <= 1e-10)
    }
    for layer in 1...4 {
      let (ours, theirs) = (engine.attentionState(layer: layer), tensor.attentionState(layer: layer))
      #expect(relativeDifference(ours.elements, theirs.elements) <= 1e-10, "F σ = ρ of layer \(layer)")
    }
  }

  /// Against float64 values of the public code with exact phases, to 1e-9, and its float32 values, to 2e-4.
  @Test(.enabled(if: sharedData != nil, "needs the reference checkpoints"))
  func matchesTheGoldenValues() throws {
    let data = try #require(sharedData)
    let weights = try Model.load(
      path: data.appendingPathComponent("reference-shakespeare.safetensors").path
    ).weights
    let golden = try NumpyArchive.read(
      data.appendingPathComponent("golden/shakespeare-1024-float64.npz"), ["tokens", "logits"])
    let tokens = try #require(golden["tokens"]).view.integers.map(Int.init)
    let logits = try #require(golden["logits"]).view.doubles
    let one = Workers(threads: 1)
    let double = try DirectEngine(
      Compiler().direct(from: weights.converted(to: Double.self), workers: one).graph, workers: one)
    let float = try DirectEngine(Compiler().direct(from: weights, workers: one).graph, workers: one)
    for (position, token) in tokens.prefix(64).enumerated() {
      let expected = Array(logits[position * 256..<(position + 1) * 256])
      try double.step(token)
      try float.step(token)
      #expect(absoluteDifference(double.logits, expected) <= 1e-9, "double, token \(position)")
      #expect(absoluteDifference(float.logits, expected) <= 2e-4, "float, token \(position)")
    }
  }
}
