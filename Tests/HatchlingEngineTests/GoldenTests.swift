import Foundation
import HatchlingCheckpoint
import HatchlingCompiler
import HatchlingEngine
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

/// Both formulations against what the public PyTorch code computes; the files come with the reference checkpoints.
@Suite struct GoldenTests {
  struct Reference: Sendable, CustomTestStringConvertible {
    let name: String
    let file: String
    let layers: Int
    var testDescription: String { name }
  }

  static let references = [
    Reference(name: "shakespeare", file: "reference-shakespeare.safetensors", layers: 4),
    Reference(name: "europarl", file: "reference-europarl.pt", layers: 3),
  ]

  @Test(
    .enabled(if: sharedData != nil, "needs the reference checkpoints"), arguments: references,
    ["graph", "tensor"])
  func matchesThePublicCodeForTwoHundredFiftySixTokens(_ reference: Reference, engine: String) throws {
    let data = try #require(sharedData)
    let model = try Model.load(
      path: data.appendingPathComponent(reference.file).path, layers: reference.layers)
    let golden = try CheckpointFile.open(
      data.appendingPathComponent("golden/\(reference.name)-256.safetensors").path)
    let stepper = try makeStepper(engine, model.weights)
    let tokens = try #require(golden.tensors["tokens"]).integers.map(Int.init)
    let logits = try #require(golden.tensors["logits"]).floats
    let losses = try #require(golden.tensors["loss_per_token"]).floats
    #expect(tokens.count == 256)
    let vocabulary = model.hyperparameters.vocabulary
    for (position, token) in tokens.enumerated() {
      if position > 0 {
        let loss = Predictions(logits: stepper.logits).loss(of: token)
        #expect(abs(loss - Double(losses[position - 1])) <= 2e-4, "loss of token \(position)")
      }
      let layers = try stepper.stepRecording(token).layers
      let expected = Array(logits[position * vocabulary..<(position + 1) * vocabulary])
      #expect(absoluteDifference(stepper.logits, expected) <= 2e-4, "logits after token \(position)")
      guard position < 48 else { continue }
      for (index, layer) in layers.enumerated() {
        for (name, values) in [("x", layer.x), ("a", layer.a), ("y", layer.y), ("v", layer.v)] {
          let tensor = try #require(golden.tensors["layer\(index + 1).\(name)"])
          let row = Array(tensor.floats[position * values.count..<(position + 1) * values.count])
          #expect(
            relativeDifference(values, row) <= 2e-4, "\(name) of layer \(index + 1) at token \(position)")
        }
      }
    }
  }

  private func makeStepper(_ engine: String, _ weights: Weights<Float>) throws -> any SteppingEngine<Float> {
    engine == "tensor"
      ? TensorEngine(weights, workers: Workers(threads: 2))
      : try CircuitEngine(Compiler().circuit(from: weights).graph, workers: Workers(threads: 2))
  }
}
