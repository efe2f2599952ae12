import Foundation
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingTraining

/// Fifty updates from the same weights and batches as the public PyTorch code, in float.
@Suite struct PublicLossCurveTests {
  @Test func theLossFollowsThePublicCode() throws {
    let fixture = try PublicFixture("curve")
    let text = try fixture.integers("text")
    let starts = try fixture.integers("starts")
    let (losses, norms) = (try fixture.doubles("loss"), try fixture.doubles("gradient_norm"))
    let rates = try fixture.doubles("learning_rate")
    let (batch, block) = (try fixture.shape("starts")[1], 128)
    try #require(losses.count == 50 && starts.count == 50 * batch && rates.count == 50)
    var weights = try PublicFixture.weights("curve-model")
    let workers = Workers(threads: 2)
    let pass = TrainingPass<Float>(
      weights.hyperparameters, PassShape(batch: batch, block: block, chunk: 64), workers: workers)
    var gradients = Gradients<Float>(weights.hyperparameters)
    var optimiser = AdamW<Float>(shapesOf: weights.trained)
    var (lossDifference, normDifference) = (0.0, 0.0)
    for step in 0..<losses.count {
      var input = TrainingBatch(tokens: [], targets: [], positions: [Int](repeating: 0, count: batch))
      for start in starts[step * batch..<(step + 1) * batch] {
        input.tokens += text[start..<start + block]
        input.targets += text[start + 1..<start + block + 1]
      }
      let result = pass.forward(weights, input)
      pass.gradients(weights, input, into: &gradients)
      let norm = AdamW.norm(gradients.weights)
      // Written so that a NaN stays.
      lossDifference = max(absoluteDifference([result.loss], [losses[step]]), lossDifference)
      normDifference = max(absoluteDifference([norm], [norms[step]]), normDifference)
      var parameters = weights.trained
      optimiser.update(
        &parameters, gradients.weights, rate: rates[step], weightDecay: 0.1, scale: min(1, 1 / norm),
        decays: [Bool](repeating: true, count: 5), workers)
      weights.trained = parameters
    }
    // Bytes that never come have no gradient: their embedding only decays.
    let decay = Float(pow(1 - 1e-3 * 0.1, 50))
    let before = try PublicFixture.weights("curve-model").embedding
    let unused = (0..<256).filter { !text.contains($0) }
    #expect(unused.count > 100)
    let (decayed, kept) = (
      unused.flatMap { token in (0..<32).map { weights.embedding[token, $0] } },
      unused.flatMap { token in (0..<32).map { before[token, $0] * decay } }
    )
    #expect(relativeDifference(decayed, kept) <= 1e-5)
    #expect(lossDifference <= 1e-3, "\(lossDifference)")
    #expect(normDifference <= 1e-2, "\(normDifference)")
    // The weights after the last update, which the last loss does not see.
    let final = try PublicFixture.weights("curve-final")
    for (ours, theirs) in try paired(weights.trained, final.trained) {
      // A weight whose gradient is all rounding moves by the rate all the same, up or down: together they must agree, not one by one.
      let squares = zip(ours.elements, theirs.elements).reduce(into: (0.0, 0.0)) { sums, pair in
        sums.0 += Double(pair.0 - pair.1) * Double(pair.0 - pair.1)
        sums.1 += Double(pair.1) * Double(pair.1)
      }
      let difference = (squares.0 / squares.1).squareRoot()
      #expect(difference <= 3e-3, "\(difference)")
    }
  }
}
