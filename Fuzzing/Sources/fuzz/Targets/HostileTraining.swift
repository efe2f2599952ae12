import Foundation
import HatchlingModel
import HatchlingNumerics
import HatchlingTraining
import TestSupport

extension HostileFiles {
  // MARK: Training

  private static let trainingText = Array(repeating: Array("abcaabbcacb".utf8.map { $0 - 97 }), count: 20)
    .flatMap { $0 }

  static func resumeTraining(_ content: [UInt8]) throws {
    let scratch = try ScratchFile(content)
    _ = try TrainingProgress.settings(inCheckpoint: scratch.path)
    // A run takes the memory of its batch, which is no matter of the file's size: only small runs are gone on with here.
    struct Record: Decodable { let options: TrainingOptions, sizes: Hyperparameters }
    let state = try StateFile.read(scratch.path)
    if let record = try? JSONDecoder().decode(Record.self, from: Data(state.identity.options.utf8)) {
      let (options, sizes) = (record.options, record.sizes)
      let limits = [
        (options.batch, 4), (options.block, 64), (options.chunk, 64), (sizes.neurons, 64), (sizes.layers, 8),
        (sizes.synapticDimension, 64), (sizes.vocabulary, 256), (sizes.heads, 64),
      ]
      guard limits.allSatisfy({ $0.0 <= $0.1 }) else { return }
    }
    let trainer: any NetworkTrainer =
      try TrainingProgress.isDirect(checkpoint: scratch.path)
      ? DirectTrainer<Float>.resume(from: scratch.path, text: trainingText, workers: one).trainer
      : Trainer<Float>.resume(from: scratch.path, text: trainingText, workers: one).trainer
    let before = trainer.step
    _ = try trainer.update()
    try mustHold(trainer.step == before + 1, "one update more")
  }

  static func checkpointSeeds() throws -> [[UInt8]] { try weightSeeds() + synapseSeeds() }

  private static func weightSeeds() throws -> [[UInt8]] {
    try [DampingMode.none, .learned].enumerated().flatMap { index, damping in
      var options = TrainingOptions()
      (options.batch, options.block, options.chunk, options.steps) = (2, 8, 4, 9)
      (options.damping, options.carry, options.passage) = (damping, index == 1, 30)
      let sizes = Hyperparameters(
        neurons: 8, synapticDimension: 4, heads: 2, layers: 2, vocabulary: 3)
      let trainer = try Trainer(
        Weights.random(sizes, seed: 2), text: trainingText, options: options, workers: one)
      _ = try trainer.update()
      var progress = TrainingProgress()
      progress.settings = ["validation": "0.1"]
      let best = index == 1 ? trainer.weights : nil
      let file = try saved { try trainer.saveCheckpoint(to: $0, progress: progress, best: best) }
      return [file, FuzzTarget.unframed(file)]
    }
  }

  private static func synapseSeeds() throws -> [[UInt8]] {
    try [SignRule.free, .neuron].flatMap { signs in
      var options = TrainingOptions()
      (options.batch, options.block, options.steps, options.carry) = (2, 8, 9, false)
      (options.damping, options.dropout) = (signs == .free ? .none : .learned, 0)
      let sizes = Hyperparameters(neurons: 8, synapticDimension: 4, heads: 2, layers: 2, vocabulary: 3)
      let trainer = try DirectTrainer<Float>(
        .untrained(sizes, edges: 20, keepsPlastic: signs == .free, seed: 2), text: trainingText,
        options: options, rewiring: signs == .free ? nil : Rewiring(.gradient, every: 2), signs: signs,
        workers: one)
      for _ in 0..<3 { _ = try trainer.update() }
      let file = try saved { try trainer.saveCheckpoint(to: $0, best: trainer.weights) }
      return [file, FuzzTarget.unframed(file)]
    }
  }
}
