import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

/// Token by token, in chunks, and in parallel: one network, three ways of running it.
@Suite struct ThreeFormsTests {
  private func weights(_ variant: Variant, _ seed: Int) -> Weights<Float> {
    .random(
      .random(seed: UInt64(seed), variant: variant), seed: UInt64(seed), rotates: seed % 4 != 1,
      damping: seed % 2 == 0)
  }

  /// `(T, V)`, from one step per token; the loops in ``PlainLoops`` are the oracle.
  private func stepped<Scalar>(_ engine: TensorEngine<Scalar>, _ tokens: [Int]) throws -> [Scalar] {
    try tokens.flatMap { token in
      try engine.step(token)
      return engine.logits
    }
  }

  @Test(arguments: Variant.allCases, 0..<12)
  func allFormsAgreeWithPlainLoopsInDouble(variant: Variant, seed: Int) throws {
    let weights = weights(variant, seed).converted(to: Double.self)
    let count = variant.normalises ? 50 : 12
    let tokens = randomTokens(count, vocabulary: weights.hyperparameters.vocabulary, seed: UInt64(seed))
    let expected = PlainLoops(weights).logits(tokens)
    let engine = TensorEngine(weights, workers: Workers(threads: 1 + seed % 3))
    #expect(relativeDifference(try stepped(engine, tokens), expected) <= 1e-10, "steps, seed \(seed)")
    #expect(
      relativeDifference(try engine.parallel(tokens).elements, expected) <= 1e-10, "parallel, seed \(seed)")
    for chunk in [1, 3, 16, 64] {
      let chunked = TensorEngine(weights, workers: Workers(threads: 2))
      let split = (seed * 5) % count
      let first = try chunked.read(Array(tokens[..<split]), chunk: chunk).elements
      let rest = try chunked.read(Array(tokens[split...]), chunk: chunk).elements
      #expect(relativeDifference(first + rest, expected) <= 1e-10, "chunks of \(chunk), seed \(seed)")
      #expect(chunked.position == engine.position)
      #expect(chunked.logits == Array((first + rest).suffix(chunked.logits.count)))
      for layer in 1...weights.hyperparameters.layers {
        #expect(
          relativeDifference(
            chunked.attentionState(layer: layer).elements, engine.attentionState(layer: layer).elements)
            <= 1e-10, "ρ of layer \(layer), chunks of \(chunk), seed \(seed)")
      }
    }
  }

  @Test(arguments: Variant.allCases, 0..<6)
  func allFormsAgreeInFloat(variant: Variant, seed: Int) throws {
    var weights = weights(variant, seed)
    // Without LN, random activity grows with every token until float overflows: keep it small.
    if !variant.normalises { weights.encoder = weights.encoder.map { $0 * 0.01 } }
    let count = variant.normalises ? 40 : 10
    let tokens = randomTokens(count, vocabulary: weights.hyperparameters.vocabulary, seed: UInt64(seed))
    let engine = TensorEngine(weights, workers: Workers(threads: 1))
    let expected = PlainLoops(weights.converted(to: Double.self)).logits(tokens)
    #expect(relativeDifference(try stepped(engine, tokens), expected) <= 1e-3, "steps, seed \(seed)")
    #expect(
      relativeDifference(try engine.parallel(tokens).elements, expected) <= 1e-3, "parallel, seed \(seed)")
    engine.reset()
    #expect(relativeDifference(try engine.read(tokens, chunk: 16).elements, expected) <= 1e-3, "seed \(seed)")
  }

  @Test(arguments: 0..<4)
  func bitsDoNotDependOnThreads(seed: Int) throws {
    let weights = Weights.random(
      Hyperparameters(neurons: 2 * 330, synapticDimension: 21, heads: 2, layers: 2, vocabulary: 11),
      seed: UInt64(seed), damping: seed % 2 == 0)
    let tokens = randomTokens(100, vocabulary: 11, seed: UInt64(seed))
    let runs = try [1, 2, 3].map { threads in
      let engine = TensorEngine(weights, workers: Workers(threads: threads))
      return try engine.read(tokens, chunk: 32).elements + engine.parallel(tokens).elements
        + engine.attentionState(layer: 2).elements
    }
    #expect(runs[0].contains { $0 != 0 })
    #expect(runs[0] == runs[1] && runs[1] == runs[2], "seed \(seed)")
  }

  @Test func dampingOfEverySizeNeitherOverflowsNorUnderflows() throws {
    var weights = Weights.random(
      Hyperparameters(neurons: 16, synapticDimension: 8, heads: 1, layers: 2, vocabulary: 7), seed: 5)
    weights.damping = (0..<16).map { [0, 1e-6, 0.01, 0.5, 0.9, 0.999, 0.999_999, 1][$0 / 2] }
    let tokens = randomTokens(300, vocabulary: 7, seed: 5)
    let wide = weights.converted(to: Double.self)
    let expected = PlainLoops(wide).logits(tokens)
    #expect(relativeDifference(try TensorEngine(wide).parallel(tokens).elements, expected) <= 1e-10)
    #expect(relativeDifference(try TensorEngine(wide).read(tokens, chunk: 128).elements, expected) <= 1e-10)
    #expect(relativeDifference(try TensorEngine(weights).parallel(tokens).elements, expected) <= 1e-3)
  }

  @Test func missingPlasticSynapsesAndForeignTokensAreErrors() throws {
    var weights = Weights.random(.random(seed: 3), seed: 3)
    let engine = TensorEngine(weights)
    let vocabulary = weights.hyperparameters.vocabulary
    #expect(throws: TokenError(token: vocabulary, vocabulary: vocabulary, position: 2)) {
      try engine.read([0, 1, vocabulary])
    }
    #expect(engine.position == 0)
    weights.plasticSynapses = Matrix(
      rows: weights.hyperparameters.neurons, columns: weights.hyperparameters.synapticDimension)
    #expect(throws: TensorError.missingPlasticSynapses) { try TensorEngine(weights).read([0]) }
  }
}
