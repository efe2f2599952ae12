import Foundation
import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics
import Testing

/// State dicts that PyTorch wrote, in every wrapping and number type; `Fixtures/make.py` makes them.
@Suite struct LayoutTests {
  private let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  @Test(arguments: ["plain", "wrapped", "bfloat16", "float16", "strided"])
  func numbersLandWhereTheyBelong(name: String) throws {
    let model = try Model.load(path: fixtures.appendingPathComponent(name + ".pt").path, layers: 3)
    let weights = model.weights
    #expect(
      weights.hyperparameters
        == Hyperparameters(neurons: 12, synapticDimension: 4, heads: 2, layers: 3, vocabulary: 5))
    for head in 0..<2 {
      for neuron in 0..<6 {
        for hub in 0..<4 {
          let place = Float((head * 4 + hub) * 6 + neuron)
          #expect(weights.decoderX[head * 6 + neuron, hub] == place / 64)
          #expect(weights.decoderY[head * 6 + neuron, hub] == (50 + place) / 64)
          #expect(
            weights.encoder[head * 6 + neuron, hub] == (100 + Float((head * 6 + neuron) * 4 + hub)) / 64)
        }
      }
    }
    for token in 0..<5 {
      for hub in 0..<4 {
        #expect(weights.embedding[token, hub] == (150 + Float(token * 4 + hub)) / 64)
        #expect(weights.readout[hub, token] == (170 + Float(hub * 5 + token)) / 64)
      }
    }
    #expect(weights.frequencies == [0.5, 0.25, 0.5, 0.25, 0.125, 0.375])
  }

  @Test func aMissingNumberOfLayersIsAnErrorNeverAGuess() {
    #expect(throws: ModelError.self) {
      try Model.load(path: fixtures.appendingPathComponent("plain.pt").path)
    }
  }
}
