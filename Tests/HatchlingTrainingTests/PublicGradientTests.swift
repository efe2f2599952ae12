import Foundation
import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics
import HatchlingTraining
import TestSupport
import Testing

/// Files that `Fixtures/make.py` wrote with the public PyTorch code.
struct PublicFixture {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")
  private let file: CheckpointFile

  init(_ name: String) throws { file = try CheckpointFile.open(Self.path(name)) }

  static func path(_ name: String) -> String { folder.appendingPathComponent(name + ".safetensors").path }

  static func weights(_ name: String) throws -> Weights<Float> { try Model.load(path: path(name)).weights }

  func doubles(_ key: String) throws -> [Double] { try #require(file.tensors[key]).doubles }
  func integers(_ key: String) throws -> [Int] { try #require(file.tensors[key]).integers.map { Int($0) } }
  func shape(_ key: String) throws -> [Int] { try #require(file.tensors[key]).shape }

  /// (H, d, N) as one row per neuron, (n, d).
  static func neuronRows(_ values: [Double], _ sizes: Hyperparameters) -> [Double] {
    let (d, perHead) = (sizes.synapticDimension, sizes.neuronsPerHead)
    return (0..<sizes.neurons * d).map { place in
      let (neuron, hub) = (place / d, place % d)
      return values[(neuron / perHead * d + hub) * perHead + neuron % perHead]
    }
  }
}

/// Gradients in double against PyTorch's autograd of the public code in float64, with exact phases on both sides.
@Suite struct PublicGradientTests {
  @Test(arguments: [1, 5, 8, 24, 64])
  func gradientsAreThoseOfThePublicCode(chunk: Int) throws {
    let fixture = try PublicFixture("gradients")
    let weights = try PublicFixture.weights("gradients-model").converted(to: Double.self)
    let sizes = weights.hyperparameters
    let shape = try fixture.shape("tokens")
    let batch = TrainingBatch(
      tokens: try fixture.integers("tokens"), targets: try fixture.integers("targets"),
      positions: [Int](repeating: 0, count: shape[0]))
    let pass = TrainingPass<Double>(
      sizes, PassShape(batch: shape[0], block: shape[1], chunk: chunk), workers: Workers(threads: 2))
    let result = pass.forward(weights, batch)
    #expect(relativeDifference([result.loss], try fixture.doubles("loss")) <= 1e-12)
    var gradients = Gradients<Double>(sizes)
    pass.gradients(weights, batch, into: &gradients)
    let pairs: [(String, Matrix<Double>, [Double])] = [
      (
        "encoder", gradients.decoderX,
        PublicFixture.neuronRows(try fixture.doubles("gradient.encoder"), sizes)
      ),
      (
        "encoder_v", gradients.decoderY,
        PublicFixture.neuronRows(try fixture.doubles("gradient.encoder_v"), sizes)
      ),
      ("decoder", gradients.encoder, try fixture.doubles("gradient.decoder")),
      ("embed.weight", gradients.embedding, try fixture.doubles("gradient.embed.weight")),
      ("lm_head", gradients.readout, try fixture.doubles("gradient.lm_head")),
    ]
    for (name, ours, theirs) in pairs {
      let difference = relativeDifference(
        Array(UnsafeBufferPointer(start: ours.pointer, count: ours.count)), theirs)
      #expect(difference <= 1e-10, "\(name): \(difference)")
    }
  }
}
