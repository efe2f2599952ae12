import Foundation
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingTraining

/// Graphs without hubs in training: where they begin, that they learn, and that nothing changes a bit.
@Suite struct LocalGainTests {
  typealias Gradients = DirectGradientTests

  /// A norm-free network has no gains: with R = F W_out it is the network that it was.
  @Test func aNormFreeNetworkStaysWhatItIs() throws {
    var compared = 0
    for configuration in Gradients.configurations where configuration.variant == .normfree {
      let subject = try Gradients.Case(configuration)
      let local = subject.weights.withLocalGains(calibratedOn: [1, 2, 3])
      #expect(local.gains == .local && local.field.count == 0 && local.logGains?.count == 0)
      let (before, after) = (subject.run(subject.weights), subject.run(local))
      for (stream, other) in try paired(before.0.streams, after.0.streams) {
        #expect(relativeDifference(other.losses, stream.losses) <= 1e-10, "\(configuration)")
        compared += 1
      }
    }
    #expect(compared > 0)
  }

  /// What the first layer hears is the same. What comes after has the gain of a pool, which in the mean is that through hubs.
  @Test func localGainsBeginAsThoseThroughHubs() throws {
    var compared = 0
    for configuration in Gradients.configurations where configuration.variant.normalises {
      guard configuration.dropout == 0 else { continue }
      let subject = try Gradients.Case(configuration)
      let tokens = subject.batch.tokens.prefix(subject.block) + [0]
      let local = subject.weights.withLocalGains(calibratedOn: tokens.map { UInt8($0) })
      let (before, after) = (subject.run(subject.weights).0.streams[0], subject.run(local).0.streams[0])
      func x(_ stream: DirectStream<Double>) -> [Double] {
        (0..<stream.n * stream.block).map { stream.tapes[0].x.base[$0] }
      }
      #expect(relativeDifference(x(after), x(before)) <= 1e-10, "\(configuration)")
      guard local.sizes.layers == 1 else { continue }
      for head in 0..<local.sizes.heads {
        let first = head * subject.block
        let ratios = (first..<first + subject.block).compactMap { place -> Double? in
          let (hubs, pool) = (before.tapes[0].heardGain.base[place], after.tapes[0].heardGain.base[place])
          let (heard, other) = (1 / (hubs * hubs) - 1e-5, 1 / (pool * pool) - 1e-5)
          return heard > 1e-7 && other > 1e-12 ? Double.log(heard / other) : nil
        }
        guard !ratios.isEmpty else { continue }
        let mean = ratios.reduce(0, +) / Double(ratios.count)
        #expect(mean.magnitude <= 1e-9, "\(configuration), head \(head): \(mean)")
        compared += 1
      }
    }
    #expect(compared > 0)
  }

  static let sizes = Hyperparameters(neurons: 48, synapticDimension: 0, heads: 2, layers: 3, vocabulary: 256)

  static func trainer(
    _ variant: Variant = .released, _ rewiring: Rewiring? = nil, keeps: Bool = false, threads: Int = 1,
    _ options: TrainingOptions = DirectTrainerTests.options()
  ) throws -> DirectTrainer<Float> {
    var sizes = Self.sizes
    sizes.variant = variant
    return try DirectTrainer(
      try .untrained(sizes, edges: 300, keepsPlastic: keeps, seed: 5), text: DirectTrainerTests.text,
      options: options, rewiring: rewiring, workers: Workers(threads: threads))
  }

  @Test(arguments: Variant.allCases, [false, true])
  func interruptionAndThreadsChangeNoBit(_ variant: Variant, keeps: Bool) throws {
    let rewiring = keeps ? Rewiring(.gradient, every: 3) : nil
    let whole = try Self.trainer(variant, rewiring, keeps: keeps)
    for _ in 0..<24 { _ = try whole.update() }
    let path = NSTemporaryDirectory() + "local-\(UUID().uuidString).checkpoint"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let first = try Self.trainer(variant, rewiring, keeps: keeps, threads: 3)
    for _ in 0..<11 { _ = try first.update() }
    first.keepAsBest()
    try first.saveCheckpoint(to: path, progress: TrainingProgress())
    let best = DirectTrainerTests.bits(first)
    let (second, _) = try DirectTrainer<Float>.resume(
      from: path, text: DirectTrainerTests.text, workers: Workers(threads: 2))
    #expect(second.weights.gains == .local && second.weights.trained.count == 7)
    #expect(second.best.map { $0.trained.map { $0.elements.map(\.bitPattern) } } == Array(best.prefix(7)))
    while second.step < 24 { _ = try second.update() }
    #expect(DirectTrainerTests.bits(second) == DirectTrainerTests.bits(whole))
    let beginning = try Self.trainer(variant, rewiring, keeps: keeps).weights
    let changed = zip(beginning.trained, whole.weights.trained).map { $0.elements != $1.elements }
    #expect(changed == [true, true, true, true, false, true, variant.normalises])
  }

  @Test func aNetworkLearns() throws {
    let trainer = try Self.trainer(.released, nil, DirectTrainerTests.options { $0.steps = 150 })
    let before = try #require(try trainer.validate(DirectTrainerTests.text)).loss
    while trainer.step < 150 { _ = try trainer.update() }
    let after = try #require(try trainer.validate(DirectTrainerTests.text)).loss
    #expect(after < before - 1.5, "from \(before) to \(after)")
    #expect(trainer.weights.trainedCount == 600 + 2 * 48 * 256 + (48 + 256) * 256 + 5)
    #expect(trainer.weights.graph().compilation.hasSuffix("gains=local"))
  }

  /// κ is no weight: nothing pulls it to 1.
  @Test func gainsDoNotDecay() throws {
    let options = DirectTrainerTests.options {
      ($0.learningRate, $0.weightDecay, $0.steps) = (1e-3, 900, 2)
      ($0.warmup, $0.finalLearningRate) = (0, 1e-3)
    }
    var weights = try DirectWeights<Float>.untrained(Self.sizes, edges: 300, keepsPlastic: false, seed: 5)
    weights.logGains = weights.logGains?.map { _ in 3 }
    let trainer = try DirectTrainer(weights, text: DirectTrainerTests.text, options: options)
    _ = try trainer.update()
    let gains = try #require(trainer.weights.logGains)
    #expect(gains.elements.allSatisfy { ($0 - 3).magnitude < 0.01 }, "\(gains.elements)")
    let shrunk = trainer.weights.readout.elements.map(\.magnitude).max() ?? .infinity
    #expect(shrunk < 0.3 * (weights.readout.elements.map(\.magnitude).max() ?? 0))
  }

  @Test func aDamagedCheckpointIsRefused() throws {
    let path = NSTemporaryDirectory() + "local-\(UUID().uuidString).checkpoint"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Self.trainer().saveCheckpoint(to: path, progress: TrainingProgress())
    let state = try StateFile.read(path)
    for change in ["log_gains", "readout"] {
      var arrays = state.arrays
      arrays[change] = nil
      try StateFile.write(
        SavedState(identity: state.identity, position: state.position, arrays: arrays), to: path)
      #expect(throws: StateError.self) {
        try DirectTrainer<Float>.resume(from: path, text: DirectTrainerTests.text)
      }
    }
  }
}
