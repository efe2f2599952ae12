import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import HatchlingTraining
import TestSupport
import Testing

/// The training pass computes what the tensor engine computes.
@Suite struct ForwardTests {
  static let seeds: [UInt64] = Array(1...36)

  /// Damping of 0, of 1 and everything between; chunks of every size.
  @Test(arguments: seeds)
  func lossEqualsTheTensorEngines(_ seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let variant = Variant.allCases[Int(seed) % 3]
    let sizes = Hyperparameters.random(seed: seed, variant: variant)
    let weights = Weights<Float>.random(
      sizes, seed: seed, rotates: seed % 2 == 0, damping: seed % 4 < 2
    ).converted(to: Double.self)
    let block = Int.random(in: 1...20, using: &random)
    let shape = PassShape(batch: 1, block: block, chunk: Int.random(in: 1...9, using: &random))
    let tokens = randomTokens(2 * block + 1, vocabulary: sizes.vocabulary, seed: seed)
    let pass = TrainingPass<Double>(sizes, shape, workers: Workers(threads: 2))
    let states = StreamStates<Double>(sizes, batch: 1)
    var losses: [Double] = []
    for half in 0..<2 {
      let range = half * block..<(half + 1) * block
      let batch = TrainingBatch(
        tokens: Array(tokens[range]), targets: Array(tokens[(half * block + 1)...].prefix(block)),
        positions: [half * block])
      _ = pass.forward(weights, batch, states: states)
      losses += Array(pass.losses)
    }
    let logits = try TensorEngine(weights, workers: Workers(threads: 1)).parallel(Array(tokens.dropLast()))
    let expected = (0..<2 * block).map { place in
      Predictions(logits: (0..<sizes.vocabulary).map { logits[place, $0] }).loss(of: tokens[place + 1])
    }
    #expect(relativeDifference(losses, expected) <= 1e-10, "seed \(seed), \(variant), \(shape)")
  }

  /// Gradients do not depend on how the block is cut into chunks, with and without keys as constants.
  @Test(arguments: seeds.prefix(24), [false, true])
  func gradientsAreTheSameForEveryChunk(_ seed: UInt64, detach: Bool) throws {
    let sizes = Hyperparameters.random(seed: seed, variant: Variant.allCases[Int(seed) % 3])
    let weights = Weights<Float>.random(
      sizes, seed: seed, rotates: seed % 2 == 0, damping: seed % 4 < 2
    ).converted(to: Double.self)
    func gradients(_ chunk: Int) -> Gradients<Double> {
      let shape = PassShape(batch: 2, block: 13, chunk: chunk)
      let pass = TrainingPass<Double>(sizes, shape, workers: Workers(threads: 1))
      let tokens = randomTokens(shape.rows + 1, vocabulary: sizes.vocabulary, seed: seed)
      let batch = TrainingBatch(
        tokens: Array(tokens.dropLast()), targets: Array(tokens.dropFirst()), positions: [0, 100])
      var gradients = Gradients<Double>(sizes)
      _ = pass.forward(weights, batch)
      pass.gradients(weights, batch, detach: detach, into: &gradients)
      return gradients
    }
    let whole = gradients(13)
    for chunk in [1, 3, 4] {
      let cut = gradients(chunk)
      for (ours, theirs) in try paired(cut.weights + [cut.damping], whole.weights + [whole.damping]) {
        // Where u is 1, the gradient of u is not defined and zero in both.
        #expect(
          relativeDifference(ours.elements, theirs.elements) <= 1e-8,
          "seed \(seed), chunk \(chunk), detach \(detach)")
      }
    }
  }
}
