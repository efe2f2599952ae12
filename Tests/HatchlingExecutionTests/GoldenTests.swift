import Foundation
import HatchlingCheckpoint
import HatchlingCompiler
import HatchlingExecution
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
    ["graph", "graph, screened and deferred", "tensor"])
  func matchesThePublicCodeForTwoHundredFiftySixTokens(_ reference: Reference, engine: String) throws {
    let data = try #require(sharedData)
    let weights = try weights(reference)
    let golden = try CheckpointFile.open(
      data.appendingPathComponent("golden/\(reference.name)-256.safetensors").path)
    let stepper = try makeStepper(engine, weights)
    let tokens = try #require(golden.tensors["tokens"]).integers.map(Int.init)
    let logits = try #require(golden.tensors["logits"]).floats
    let losses = try #require(golden.tensors["loss_per_token"]).floats
    #expect(tokens.count == 256)
    let vocabulary = weights.hyperparameters.vocabulary
    let quantities = golden.tensors.filter { $0.key.hasPrefix("layer") }.mapValues(\.floats)
    for (position, token) in tokens.enumerated() {
      if position > 0 {
        let loss = Predictions(logits: stepper.logits).loss(of: token)
        #expect(abs(loss - Double(losses[position - 1])) <= 2e-4, "loss of token \(position)")
      }
      let layers = try stepper.stepRecording(token).layers
      let expected = Array(logits[position * vocabulary..<(position + 1) * vocabulary])
      #expect(absoluteDifference(stepper.logits, expected) <= 2e-4, "logits after token \(position)")
      guard position < 48 else { continue }
      try #require(layers.count == reference.layers)
      for (index, layer) in layers.enumerated() {
        for (name, values) in [("x", layer.x), ("a", layer.a), ("y", layer.y), ("v", layer.v)] {
          let all = try #require(quantities["layer\(index + 1).\(name)"])
          let row = Array(all[position * values.count..<(position + 1) * values.count])
          #expect(
            relativeDifference(values, row) <= 2e-4, "\(name) of layer \(index + 1) at token \(position)")
        }
      }
    }
  }

  /// Exact phases, float64: 1e-9 in double, 2e-4 in float, and what the state weighs in the end.
  @Test(
    .enabled(if: sharedData != nil, "needs the reference checkpoints"), arguments: references,
    ["graph", "graph, screened and deferred", "tensor"])
  func matchesTheFloat64ValuesForAThousandTokens(_ reference: Reference, engine: String) throws {
    let weights = try weights(reference)
    let golden = try thousandTokens(reference)
    let double = try makeStepper(engine, weights.converted(to: Double.self))
    try compare(double, golden, tolerance: 1e-9)
    let norms = try #require(golden["rho_norm"]).view.doubles
    let sizes = weights.hyperparameters
    #expect(norms.count == sizes.layers * sizes.heads)
    for layer in 0..<sizes.layers {
      let state = double.attentionState(layer: layer + 1).elements
      let perHead = state.count / sizes.heads
      let found = (0..<sizes.heads).map { head in
        state[head * perHead..<(head + 1) * perHead].reduce(0) { $0 + $1 * $1 }.squareRoot()
      }
      let expected = Array(norms[layer * sizes.heads..<(layer + 1) * sizes.heads])
      #expect(relativeDifference(found, expected) <= 1e-9, "norm of ρ, layer \(layer + 1)")
    }
    try compare(try makeStepper(engine, weights), golden, tolerance: 2e-4)
  }

  /// The chunked and the parallel form against the same values.
  @Test(.enabled(if: sharedData != nil, "needs the reference checkpoints"), arguments: references)
  func chunksAndParallelFormMatchTheFloat64Values(_ reference: Reference) throws {
    let weights = try weights(reference)
    let golden = try thousandTokens(reference)
    let tokens = try #require(golden["tokens"]).view.integers.map(Int.init)
    let expected = try #require(golden["logits"]).view.doubles
    let engine = TensorEngine(weights.converted(to: Double.self))
    #expect(absoluteDifference(try engine.read(tokens).elements, expected) <= 1e-9)
    #expect(absoluteDifference(try engine.parallel(tokens).elements, expected) <= 1e-9)
    #expect(absoluteDifference(try TensorEngine(weights).read(tokens).elements, expected) <= 2e-4)
  }

  private func weights(_ reference: Reference) throws -> Weights<Float> {
    let file = try #require(sharedData).appendingPathComponent(reference.file)
    return try Model.load(path: file.path, layers: reference.layers).weights
  }

  /// `tokens` (1024), `logits` (1024, V), `rho_norm` (L, H), in float64.
  private func thousandTokens(_ reference: Reference) throws -> [String: NumpyArray] {
    let file = "golden/\(reference.name)-1024-float64.npz"
    return try NumpyArchive.read(
      try #require(sharedData).appendingPathComponent(file), ["tokens", "logits", "rho_norm"])
  }

  private func compare<Scalar: NetworkScalar>(
    _ stepper: any SteppingEngine<Scalar>, _ golden: [String: NumpyArray], tolerance: Double
  ) throws {
    let tokens = try #require(golden["tokens"]).view.integers.map(Int.init)
    let logits = try #require(golden["logits"]).view.doubles
    #expect(tokens.count == 1024)
    let vocabulary = stepper.hyperparameters.vocabulary
    for (position, token) in tokens.enumerated() {
      try stepper.step(token)
      let expected = Array(logits[position * vocabulary..<(position + 1) * vocabulary])
      #expect(absoluteDifference(stepper.logits, expected) <= tolerance, "logits after token \(position)")
    }
  }

  private func makeStepper<Scalar: NetworkScalar>(
    _ engine: String, _ weights: Weights<Scalar>
  ) throws -> any SteppingEngine<Scalar> {
    engine == "tensor"
      ? TensorEngine(weights, workers: Workers(threads: 2))
      : try CircuitEngine(
        Compiler().circuit(from: weights).graph, workers: Workers(threads: 2),
        options: engine == "graph, screened and deferred"
          ? CircuitEngineOptions(screens: true, defersWrites: true) : CircuitEngineOptions())
  }
}
