import Foundation
import HatchlingModel
import HatchlingNumerics
import HatchlingShards
import TestSupport
import Testing

@testable import HatchlingTraining

/// Training whose batch is cut into shares that ranks take: weights, losses, validation and checkpoints do not depend on how many ranks there are.
@Suite(.timeLimit(.minutes(10))) struct RankTrainingTests {
  /// A small network, its text and how it is trained.
  struct Case: Sendable {
    let sizes: Hyperparameters
    let text: [UInt8]
    var options = TrainingOptions()
    var place: String { "seed \(options.seed), \(sizes), \(options)" }

    init(_ seed: UInt64, batch: Int? = nil, shares: Int? = nil) {
      var random = SeededRandom(seed: seed &* 31 &+ 5)
      let heads = Int.random(in: 1...3, using: &random)
      sizes = Hyperparameters(
        neurons: 2 * heads * Int.random(in: 2...20, using: &random),
        synapticDimension: Int.random(in: 4...12, using: &random), heads: heads,
        layers: Int.random(in: 1...3, using: &random), vocabulary: 32,
        variant: Variant.allCases[Int(seed % 3)])
      text = (0..<Int.random(in: 200...500, using: &random)).map { _ in
        UInt8.random(in: 0..<32, using: &random)
      }
      let batch = batch ?? [1, 2, 3, 4, 6, 8, 12, 7].randomElement(using: &random) ?? 1
      let divisors = (1...batch).filter { batch % $0 == 0 }
      options.batch = batch
      options.shares = shares ?? (seed % 2 == 0 ? batch : divisors.randomElement(using: &random))
      options.block = Int.random(in: 3...20, using: &random)
      options.chunk = Int.random(in: 2...9, using: &random)
      (options.steps, options.warmup, options.seed, options.learningRate) = (20, 2, seed, 3e-3)
      options.damping = [.learned, .none, .fixed(0.1)].randomElement(using: &random) ?? .learned
      options.carry = seed % 4 != 3
      options.passage = seed % 3 == 0 ? 30 : 0
      options.dropout = [0, 0.2].randomElement(using: &random) ?? 0
      options.detach = seed % 5 == 4
    }

    func trainer<Scalar: NetworkScalar>(_: Scalar.Type, _ ranks: Ranks? = nil, threads: Int = 1) throws
      -> Trainer<Scalar>
    {
      var weights = Weights<Float>.random(sizes, seed: options.seed)
      if !sizes.variant.normalises { weights.trained = weights.trained.map { $0.map { $0 * 0.5 } } }
      return try Trainer(
        weights.converted(to: Scalar.self), text: text, options: options, ranks: ranks,
        workers: Workers(threads: threads))
    }
  }

  /// What a run leaves.
  struct Trace: Sendable {
    var weights: [UInt64] = []
    var reports: [[UInt64]] = []
    var checkpoint: [UInt8] = []
    var failure = ""

    /// Updates and validates; a checkpoint in the end.
    mutating func go<Scalar: NetworkScalar>(_ trainer: Trainer<Scalar>, updates: Int, _ path: String) throws {
      for _ in 0..<updates {
        let report = try trainer.update()
        reports.append(
          ([report.loss, report.gradientNorm] + report.activeX + report.activeY).map(\.bitPattern))
      }
      let validation = try trainer.validate(trainer.text, atMost: 150)
      reports.append([validation?.loss.bitPattern ?? 0, UInt64(validation?.bytes ?? 0)])
      weights = trainer.weights.trained.flatMap { $0.elements.map { Double($0).bitPattern } }
      weights += (trainer.weights.damping ?? []).map { Double($0).bitPattern }
      try trainer.saveCheckpoint(to: path, progress: TrainingProgress(), best: trainer.weights)
      checkpoint = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// What is not the same; too much to print.
    func difference(from other: Trace) -> [String] {
      var difference = failure == other.failure ? [] : [failure]
      if weights != other.weights { difference.append("weights") }
      if reports != other.reports { difference.append("reports") }
      if checkpoint != other.checkpoint { difference.append("checkpoint") }
      return difference
    }

    static func of(_ work: (inout Trace) throws -> Void) -> Trace {
      var trace = Trace()
      do { try work(&trace) } catch { trace.failure = "\(error)" }
      return trace
    }
  }

  private static func inFolder(_ work: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "rank-training-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try work(folder)
  }

  @Test(arguments: 0..<24 as Range<UInt64>)
  func everyNumberOfRanksGivesTheBitsOfOneProcess(seed: UInt64) throws {
    try compare(Case(seed), Float.self)
    try compare(Case(seed &+ 1000), Double.self)
  }

  private func compare<Scalar: NetworkScalar>(_ example: Case, _: Scalar.Type) throws {
    try Self.inFolder { folder in
      let alone = Trace.of {
        try $0.go(example.trainer(Scalar.self, threads: 2), updates: 4, "\(folder)/alone")
      }
      #expect(
        alone.failure.isEmpty && alone.weights.count > 100 && alone.reports.count == 5, "\(example.place)")
      #expect(!alone.reports.joined().contains(Double.nan.bitPattern), "\(example.place)")
      for (ranks, threads) in [(1, 1), (2, 1), (2, 2), (3, 1), (4, 2), (7, 1)] {
        let traces = ThreadRank.run(ranks) { ranks in
          Trace.of {
            let trainer = try example.trainer(Scalar.self, ranks, threads: threads)
            try $0.go(trainer, updates: 4, "\(folder)/ranks")
            // Whatever gradients were held at the same time lie there now.
            #expect(trainer.sums.spare.count == trainer.shares.mostGradients, "\(example.place)")
          }
        }
        #expect(traces.count == ranks)
        for (rank, trace) in traces.enumerated() {
          let difference = trace.difference(from: alone)
          #expect(
            difference.isEmpty,
            "\(example.place): rank \(rank) of \(ranks), \(threads) threads: \(difference)")
        }
      }
    }
  }

  /// Ranks that go on from what other ranks have written.
  @Test(arguments: 0..<10 as Range<UInt64>)
  func checkpointsPassBetweenNumbersOfRanks(seed: UInt64) throws {
    let example = Case(seed &+ 2000, batch: 6, shares: seed % 3 == 2 ? 3 : 6)
    try Self.inFolder { folder in
      let whole = Trace.of { try $0.go(example.trainer(Float.self), updates: 6, "\(folder)/whole") }
      #expect(whole.failure.isEmpty && !whole.weights.isEmpty, "\(example.place)")
      for (before, after) in [(3, 2), (2, 4), (4, nil), (nil, 3)] {
        let begin: @Sendable (Ranks?) -> Trace = { ranks in
          Trace.of { try $0.go(example.trainer(Float.self, ranks), updates: 3, "\(folder)/half") }
        }
        let goOn: @Sendable (Ranks?) -> Trace = { ranks in
          Trace.of {
            let (trainer, _) = try ranks.together {
              try Trainer<Float>.resume(from: "\(folder)/half", text: example.text, ranks: ranks)
            }
            try $0.go(trainer, updates: 3, "\(folder)/rest")
          }
        }
        let first = before.map { ThreadRank.run($0, begin) } ?? [begin(nil)]
        let second = after.map { ThreadRank.run($0, goOn) } ?? [goOn(nil)]
        let place = "\(example.place): \(before ?? 0) ranks, then \(after ?? 0)"
        let counts = [before ?? 1, after ?? 1]
        #expect([first.count, second.count] == counts, "\(place)")
        for trace in second {
          var expected = whole
          expected.reports.removeFirst(3)
          let difference = trace.difference(from: expected)
          #expect(difference.isEmpty, "\(place): \(difference)")
        }
      }
    }
  }

  /// The shares' mean is the gradient of the whole batch, the same neurons silenced.
  @Test(arguments: 0..<20 as Range<UInt64>)
  func sharesMakeNoOtherGradient(seed: UInt64) throws {
    var whole = Case(seed &+ 3000, batch: 6, shares: 1)
    (whole.options.dropout, whole.options.block) = (0.3, 16)
    var cut = whole
    cut.options.shares = seed % 2 == 0 ? 6 : 3
    let (one, several) = (try whole.trainer(Double.self), try cut.trainer(Double.self))
    let (first, second) = (one.firstGradient(), several.firstGradient())
    #expect(abs(first.0.loss - second.0.loss) <= 1e-12 * first.0.loss, "\(whole.place)")
    #expect(zip(first.0.activeY, second.0.activeY).allSatisfy { abs($0 - $1) < 1e-12 }, "\(whole.place)")
    for (a, b) in zip(first.1.all, second.1.all) {
      let largest = a.elements.map(abs).max() ?? 0
      let difference = zip(a.elements, b.elements).map { abs($0 - $1) }.max() ?? .nan
      #expect(difference <= 1e-12 * max(largest, 1e-3), "\(whole.place)")
    }
    #expect(first.1.decoderX.elements.contains { $0 != 0 }, "\(whole.place): nothing was compared")
  }

  /// Bytes as `docs/scale.md` counts them: of P gradient numbers every rank gets its part of everybody's and then the other parts' sums; and
  /// the results of all shares.
  @Test(arguments: [2, 4, 8]) func trafficIsWhatTheFormulaSays(ranks: Int) throws {
    let example = Case(4000, batch: 8, shares: 8)
    let sizes = example.sizes
    let (n, d, v) = (sizes.neurons, sizes.synapticDimension, sizes.vocabulary)
    let learned = example.options.damping == .learned ? n : 0
    let traffic = ThreadRank.run(ranks) { ranks -> RankTraffic? in
      guard let trainer = try? example.trainer(Float.self, ranks), (try? trainer.update()) != nil else {
        return nil
      }
      let before = ranks.traffic
      _ = try? trainer.update()
      return ranks.traffic - before
    }
    let numbers = 3 * n * d + 2 * v * d + learned
    let results = 8 * (1 + 2 * sizes.layers) * 8 * (ranks - 1) / ranks
    let gradients = 2 * 4 * Double(numbers) * Double(ranks - 1) / Double(ranks)
    for traffic in traffic {
      let received = Double(try #require(traffic).received - results)
      // Parts differ by a number or so in each array and piece.
      #expect(abs(received - gradients) <= Double(2 * 4 * 6 * ranks), "\(received), \(gradients)")
    }
  }

  /// What does not depend on the machine is decided together: ends, files, lengths.
  @Test func ranksEndTogether() throws {
    let example = Case(5000, batch: 4, shares: 4)
    try Self.inFolder { folder in
      func plan(_ name: String) -> TrainingRun.Plan {
        TrainingRun.Plan(modelPath: "\(folder)/\(name).safetensors", checkpointPath: "\(folder)/\(name)")
      }
      // One rank alone hears of an interrupt.
      let interrupted = ThreadRank.run(3) { [plan = plan("interrupted")] ranks -> (TrainingRun.End?, Int) in
        guard let trainer = try? example.trainer(Float.self, ranks) else { return (nil, 0) }
        let run = TrainingRun(trainer, validation: [], plan: plan)
        return (try? run.run(isInterrupted: { ranks.rank == 2 && trainer.step == 4 }), trainer.step)
      }
      #expect(interrupted.count == 3 && interrupted.allSatisfy { $0 == (.interrupted, 4) })
      let resumed = try Trainer<Float>.resume(from: "\(folder)/interrupted", text: example.text)
      #expect(resumed.trainer.step == 4)
      // One rank alone cannot go on.
      let failed = ThreadRank.run(3) { [plan = plan("failed")] ranks -> String in
        guard let trainer = try? example.trainer(Float.self, ranks) else { return "no trainer" }
        do {
          let run = TrainingRun(trainer, validation: [], plan: plan)
          _ = try run.run(onUpdate: { if ranks.rank == 1 && $0.step == 3 { throw TestError.broken } })
          return "finished"
        } catch { return "\(error) after \(trainer.step)" }
      }
      #expect(failed == Array(repeating: "rank 1: broken after 3", count: 3))
      // Everybody has a time of its own, and one number of steps comes of it.
      let timed = ThreadRank.run(3) { [timed = plan("timed")] ranks -> [Int] in
        guard let trainer = try? example.trainer(Float.self, ranks) else { return [] }
        trainer.plan(steps: 20_000)
        var plan = timed
        (plan.minutes, plan.validateEvery, plan.betweenCheckpoints) = (0.001, 1000, .zero)
        let run = TrainingRun(trainer, validation: [], plan: plan)
        _ = try? run.run(onUpdate: { _ in Thread.sleep(forTimeInterval: 1e-4 * Double(ranks.rank)) })
        return [trainer.options.steps, trainer.step]
      }
      #expect(Set(timed).count == 1 && timed[0].count == 2 && timed[0][0] < 20_000, "\(timed)")
    }
  }

  @Test func ranksThatWereToldDifferentThingsNotice() {
    let messages = ThreadRank.run(3) { ranks -> String in
      do {
        try ranks.checkSame("texts", ranks.rank == 1 ? "a" : "b")
        return "same"
      } catch { return "\(error)" }
    }
    #expect(messages.count == 3 && messages.allSatisfy { $0.hasPrefix("rank 1 has texts that differ") })
  }
}

private enum TestError: Error { case broken }

extension Trainer {
  /// What the first update would go by.
  fileprivate func firstGradient() -> (PassResult, Gradients<Scalar>) {
    let batch = streams.next(text, options) { states?.reset(stream: $0) }
    return passShares(
      of: batch, options.dropout > 0 ? Dropout(rate: options.dropout, seed: 9, step: 0) : nil)
  }
}
