import Foundation
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import HatchlingTraining

/// Training steps against the public code: the same sizes, block, batch, dropout, clipping and optimiser, two threads each.
struct TrainingContest {
  let settings: Settings
  let path: String
  let block: Int
  let batch: Int
  /// Random weights instead of the trained ones: activity is then far from sparse.
  let fresh: Bool

  /// One unit is one token. Peers whose loss on 200 held-out bytes differs from ours are not timed.
  func contest(note: (String) -> Void) throws -> Contest {
    let label = "block \(block), batch \(batch), \(fresh ? "random" : "trained") weights"
    var contest = Contest(task: "training", size: label, unit: "token", reference: "public code, 2 threads")
    let workers = Workers(threads: 2)
    let model = try Model.load(path: path, workers: workers)
    var options = TrainingOptions()
    (options.block, options.batch, options.dropout) = (block, batch, 0.1)
    (options.steps, options.warmup) = (1_000_000, 0)
    if !fresh { (options.learningRate, options.finalLearningRate) = (1e-6, 1e-6) }
    let start = fresh ? Weights<Float>.untrained(model.hyperparameters, seed: 1) : model.weights
    let text = settings.text.map { UInt8(truncatingIfNeeded: $0) }
    let long = (0..<64).flatMap { _ in text }
    let trainer = try Trainer(start, text: long, options: options, workers: workers)
    let (updates, perUpdate) = (2, Double(block * batch))
    contest.contestants.append(
      Contestant(name: "hatchling, 2 threads", threads: 2) {
        try elapsed { for _ in 0..<updates { _ = try trainer.update() } } / (Double(updates) * perUpdate)
      })
    if let peer = peer(model, workers, long, note: note) {
      contest.contestants.append(
        Contestant(name: "public code, 2 threads", threads: 2) {
          try peer.seconds("train", ["updates": updates]) / (Double(updates) * perUpdate)
        })
    }
    return contest
  }

  private func peer(_ model: Model, _ workers: Workers, _ text: [UInt8], note: (String) -> Void) -> Peer? {
    do {
      let textPath = "\(settings.data)/training-text.txt"
      try Data(text).write(to: URL(fileURLWithPath: textPath))
      let arguments = [
        path, textPath, "--public-code", settings.publicCode, "--block", "\(block)", "--batch", "\(batch)",
      ]
      let peer = try Peer("public_training", arguments + (fresh ? ["--fresh"] : []), settings: settings)
      if !fresh && model.weights.damping == nil {
        let tokens = Array(settings.text.prefix(Workload.stepTokens))
        let ours = try loss(of: tokens, model, workers)
        let theirs = try peer.ask("check", ["tokens": tokens])["loss"] ?? .infinity
        guard abs(ours - theirs) < 1e-4 * ours else {
          throw Peer.Missing(reason: "its loss is \(theirs), ours \(ours); it is not timed")
        }
        note("\(peer.description); losses agree: \(Tables.decimal(ours, 5)) nats")
      } else {
        note(peer.description)
      }
      return peer
    } catch {
      note("training: no public code: \((error as? Peer.Missing)?.reason ?? "\(error)")")
      return nil
    }
  }

  private func loss(of tokens: [Int], _ model: Model, _ workers: Workers) throws -> Double {
    let engine = TensorEngine(model.weights, workers: workers)
    var sum = 0.0
    for (index, token) in tokens.enumerated() {
      if index > 0 { sum += Predictions(logits: engine.logits).loss(of: token) }
      try engine.step(token)
    }
    return sum / Double(tokens.count - 1)
  }
}
