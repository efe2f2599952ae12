import HatchlingCompiler
import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingExecution

/// Trains of single values, and a network on spikes that was worked out on paper.
@Suite struct SpikeCodeTests {
  private struct Spike: Equatable {
    let substep: Int
    let particle: Int
    let weight: Double
  }

  /// The spikes of a quantity in the order in which they travel.
  private func spikes(_ train: SpikeTrain<Double>) -> [Spike] {
    (0..<train.substeps).flatMap { substep in
      train.blocks.indices.flatMap { block in
        train.spikes(block, at: substep).map {
          Spike(
            substep: substep, particle: Int(train.particles[block].base[$0]),
            weight: train.weights[block].base[$0])
        }
      }
    }
  }

  private func fire(_ values: [Double], _ code: SpikeCode, scale: Double, _ model: IntegrateAndFire = .init())
    -> SpikeTrain<Double>
  {
    let train = SpikeTrain<Double>(rows: [[0..<values.count]], width: values.count, code: code)
    let scales = [Double](repeating: scale, count: values.count)
    train.fire(values, scales: scales, model, chance: 7, workers: Workers(threads: 1))
    return train
  }

  /// ⅔: 5/8 of the scale is 1 − ½ + ⅛; 0.3 is ¼ + 1/16 rounded to halves of the last; half of the last weight is silence's end.
  @Test func fewSpikesAreSignedDigits() throws {
    let train = fire([5, -5, 2.4, 0.4, 0.5, 0, 20], try .few(3, 4), scale: 8)
    #expect(
      spikes(train) == [
        Spike(substep: 0, particle: 6, weight: 8),
        Spike(substep: 1, particle: 0, weight: 4), Spike(substep: 1, particle: 1, weight: -4),
        Spike(substep: 1, particle: 6, weight: 4),
        Spike(substep: 2, particle: 2, weight: 2), Spike(substep: 2, particle: 6, weight: 2),
        Spike(substep: 3, particle: 0, weight: 1), Spike(substep: 3, particle: 1, weight: -1),
        Spike(substep: 3, particle: 4, weight: 1),
      ])
    #expect((0..<7).map { train.sent.base[$0] } == [5, -5, 2, 0, 1, 0, 14])
    #expect(train.saturated == 1 && train.spikeCount == 9)
    // 7: 8 − 1. Three spikes are too few for 8 − 2 − ½ … of 5.3: 4 + 1 + ¼ is 5¼.
    #expect(spikes(fire([7], try .few(3, 4), scale: 8)).map(\.weight) == [8, -1])
    #expect(spikes(fire([5.3], try .few(3, 8), scale: 8)).map(\.weight) == [4, 1, 0.25])
  }

  /// The neuron that integrates and fires under another name, which no kernel knows.
  private struct Twin: NeuronModel {
    let name = "twin"
    func advance<Scalar: NetworkScalar>(
      _ cell: inout SpikingCell<Scalar>, input: Scalar, threshold: Scalar, weight: Scalar
    ) -> Scalar {
      IntegrateAndFire().advance(&cell, input: input, threshold: threshold, weight: weight)
    }
  }

  /// The kernel of the standard neuron fires what every neuron by itself fires, sub-step by sub-step: the same bits.
  @Test(arguments: [
    "few:3:10", "few:1:1", "few:40:60", "few:2:33", "binary:1", "binary:8", "binary:60", "rate:1", "rate:9",
    "rate:32", "rate:100",
  ])
  func theKernelIsTheNeuron(code: String) throws {
    try Self.compareKernel(SpikeCode(named: code), Float.self)
    try Self.compareKernel(SpikeCode(named: code), Double.self)
  }

  private static func compareKernel<Scalar: NetworkScalar>(_ code: SpikeCode, _: Scalar.Type) throws {
    var compared = 0
    for seed in 0..<20 {
      var random = SeededRandom(seed: UInt64(seed))
      let rows = Int.random(in: 1...2, using: &random)
      let width = Int.random(in: 1...150, using: &random)
      let size = Int.random(in: 1...70, using: &random)
      let cut = stride(from: 0, to: width, by: size).map { $0..<min(width, $0 + size) }
      let scales = (0..<rows * width).map { _ in Scalar(0.1 + 3 * random.uniform()) }
      let values = scales.map { scale -> Scalar in
        switch Int.random(in: 0..<6, using: &random) {
        case 0: 0
        case 1: scale * Scalar(Int.random(in: -8...8, using: &random)) / 4
        case 2: scale * Scalar(random.normal()) * Scalar(code.substeps.last?.threshold ?? 0)
        default: scale * Scalar(random.normal()) / 2
        }
      }
      func fire(_ model: some NeuronModel) -> SpikeTrain<Scalar> {
        let train = SpikeTrain<Scalar>(
          rows: (0..<rows).map { row in
            cut.map { $0.lowerBound + row * width..<$0.upperBound + row * width }
          }, width: width, code: code)
        // Twice: nothing of the phase before is left.
        train.fire(
          values.map { -2 * $0 }, scales: scales, model, chance: 0, workers: Workers(threads: 1))
        train.fire(values, scales: scales, model, chance: 0, workers: Workers(threads: 1))
        return train
      }
      let (kernel, plain) = (fire(IntegrateAndFire()), fire(Twin()))
      #expect((0..<values.count).allSatisfy { kernel.sent.base[$0] == plain.sent.base[$0] }, "seed \(seed)")
      #expect(kernel.saturated == plain.saturated && kernel.isFinite && plain.isFinite, "seed \(seed)")
      for block in kernel.blocks.indices {
        for substep in 0..<code.substeps.count {
          #expect(kernel.spikes(block, at: substep) == plain.spikes(block, at: substep), "seed \(seed)")
        }
        for spike in 0..<plain.count(block) {
          #expect(kernel.particles[block].base[spike] == plain.particles[block].base[spike])
          #expect(kernel.weights[block].base[spike] == plain.weights[block].base[spike])
          compared += 1
        }
      }
      for wrong in [Scalar.nan, .infinity, -.infinity] {
        var broken = values
        broken[width / 2] = wrong
        kernel.fire(broken, scales: scales, IntegrateAndFire(), chance: 0, workers: Workers(threads: 1))
        #expect(!kernel.isFinite)
      }
    }
    #expect(compared > 200)
  }

  @Test func ratesAreEvenAndRounded() throws {
    // 0.3 · 10 = 3 spikes of 0.1, after 0.05 has flowed in and then every third or fourth sub-step.
    let train = fire([0.3, -0.04, 0.06, 2], try .rate(10), scale: 1)
    let own = spikes(train).filter { $0.particle == 0 }
    #expect(own.map(\.substep) == [1, 4, 8] || own.map(\.substep) == [1, 5, 8])
    #expect((0..<4).map { (train.sent.base[$0] * 10).rounded() } == [3, 0, 1, 10])
    #expect(train.saturated == 1)
  }

  /// Against plain arithmetic, on random values.
  @Test(arguments: 0..<8) func codesSayTheNearestNumber(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let values = (0..<200).map { _ in random.normal() * Double([0.01, 0.3, 1][seed % 3]) }
    let scale = 0.5 + random.uniform()
    func said(_ code: SpikeCode) -> [Double] {
      let train = fire(values, code, scale: scale)
      return (0..<values.count).map { train.sent.base[$0] }
    }
    for (value, rate) in try paired(values, said(.rate(13))) {
      let expected = min(13, (value.magnitude / scale * 13).rounded()) / 13 * scale
      #expect(abs(rate.magnitude - expected) <= 1e-12, "seed \(seed), \(value)")
    }
    for (value, binary) in try paired(values, said(.binary(9))) {
      let expected = min(511, (value.magnitude / scale * 256).rounded()) / 256 * scale
      #expect(abs(binary.magnitude - expected) <= 1e-12 && binary * value >= 0, "seed \(seed), \(value)")
    }
    for (value, few) in try paired(values, said(.few(12, 12))) {
      var (rest, total) = (value / scale, 0.0)
      for step in 0..<12 {
        let weight = 1 / Double(1 << step)
        guard rest.magnitude >= weight * (step == 11 ? 0.5 : 2.0 / 3) else { continue }
        total += rest > 0 ? weight : -weight
        rest -= rest > 0 ? weight : -weight
      }
      #expect(abs(few - total * scale) <= 1e-12, "seed \(seed), \(value)")
      if value.magnitude < 1.3 * scale { #expect(abs(few - value) <= scale / 2048 * 1.01) }
    }
  }

  /// The mean over many draws is the value, the variance that of K independent ones.
  @Test func chanceIsUnbiased() throws {
    let values = [Double](repeating: 0.3, count: 4000) + [Double](repeating: -0.7, count: 4000)
    let train = fire(values, try .stochastic(8), scale: 1)
    let (first, second) = (
      (0..<4000).map { train.sent.base[$0] }, (4000..<8000).map { train.sent.base[$0] }
    )
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    func variance(_ values: [Double]) -> Double {
      mean(values.map { ($0 - mean(values)) * ($0 - mean(values)) })
    }
    let expected = 0.21 / 8
    let fiveErrors = 5 * (expected / 4000).squareRoot()
    #expect(abs(mean(first) - 0.3) < fiveErrors && abs(mean(second) + 0.7) < fiveErrors)
    for spread in [variance(first), variance(second)] { #expect(abs(spread / expected - 1) < 0.15) }
    // Every sub-step draws anew, and another phase draws otherwise.
    #expect((0..<8).allSatisfy { abs(Double(train.spikes(0, at: $0).count) - 4000) < 5 * 41 })
    let again = SpikeTrain<Double>(rows: [[0..<8000]], width: 8000, code: try .stochastic(8))
    again.fire(
      values, scales: [Double](repeating: 1, count: 8000), IntegrateAndFire(), chance: 8,
      workers: Workers(threads: 1))
    #expect((0..<8000).contains { again.sent.base[$0] != train.sent.base[$0] })
  }

  @Test func neuronsThatRestAndLeakFireLess() throws {
    let code = try SpikeCode.rate(12)
    func count(_ model: IntegrateAndFire) -> Int { fire([0.9], code, scale: 1, model).spikeCount }
    #expect(count(IntegrateAndFire()) == 11)
    #expect(count(IntegrateAndFire(refractory: 1)) == 6)
    #expect(count(IntegrateAndFire(refractory: 3)) == 3)
    // What flows in at a sub-step is lost to the leak before it reaches half a spike.
    func small(_ model: IntegrateAndFire) -> Int { fire([0.2], code, scale: 1, model).spikeCount }
    #expect(small(IntegrateAndFire()) == 2)
    #expect(small(IntegrateAndFire(leak: 0.5)) == 0)
  }

  /// The network of ``PencilAndPaperTests`` on two sub-steps of binary digits: weights s and s/2. Scales: v 1, before the readout 4; x and x̃ 2; heard a
  /// and y 2.
  static func engineOnPaper() throws -> Run<SpikingExecutor<CircuitGraph<Double>>> {
    func each(_ count: Int, _ scale: Double) -> [Double] { .init(repeating: scale / 0.8, count: count) }
    let scales = SpikeScales(
      model: "", form: .circuit, tokens: 16,
      largest: [
        .v: [each(2, 1), each(2, 4)], .x: [each(3, 2), each(3, 2)], .rotated: [each(3, 2), each(3, 2)],
        .heard: [each(2, 2), each(2, 2)], .y: [each(3, 2), each(3, 2)],
      ])
    var options = SpikingOptions(try .binary(2))
    options.granularity = .layer
    return try Run(
      spiking: PencilAndPaperTests.network(), options, scales: scales, workers: Workers(threads: 1))
  }

  @Test func givesTheSpikesWorkedOutOnPaper() throws {
    let engine = try Self.engineOnPaper()
    func train(_ quantity: Quantity) throws -> [Spike] {
      spikes(try #require(engine.executor.trains[quantity]))
    }
    // Token 0: v = (1, 0): h0 fires at once. x = (1, 0, 1), half of the scale: n0 and n2 fire at the second sub-step. Nothing is stored.
    let first = try engine.step(0)
    #expect(try train(.v).isEmpty)  // Said once more for the readout: E y is 0.
    #expect(
      try train(.x) == [Spike(substep: 1, particle: 0, weight: 1), Spike(substep: 1, particle: 2, weight: 1)])
    #expect(try train(.rotated) == train(.x))
    #expect(try train(.heard).isEmpty)
    #expect(try train(.y).isEmpty)
    #expect(first.activeX == [2] && first.activeY == [0])
    // Events: 1 token → hub; h0 → n0, n2; two spikes of x̃ over two plastic synapses each. Hebb: h0's trace at n0 and n2.
    #expect(first.messages == 1 + 2 + 4 && first.updates == 2)
    // Spikes: the token's, v's, two of x, two of x̃.
    #expect(first.spikes == 1 + 1 + 2 + 2)
    #expect(engine.plasticWeights(layer: 1, of: nil) == [1, 0, 0, 0, 1, 0])
    // Token 0 again: a = (2, 0): h0 says 2 at once. n0 hears 2 and fired 1: y = 2, at once; n2 hears h1 only. E y = (0, 4): v = 4, at once.
    let second = try engine.step(0)
    #expect(try train(.heard) == [Spike(substep: 0, particle: 0, weight: 2)])
    #expect(try train(.y) == [Spike(substep: 0, particle: 0, weight: 2)])
    #expect(try train(.v) == [Spike(substep: 0, particle: 1, weight: 4)])
    #expect(engine.logits == [-4, 4])
    #expect(second.messages == 1 + 2 + 4 + 1 + 1 + 2 && second.updates == 2 && second.spikes == 6 + 1 + 1 + 1)
    #expect(engine.plasticWeights(layer: 1, of: nil) == [2, 0, 0, 0, 2, 0])
    // A third time a = (4, 0), but 2 + 1 is all that can be said at this scale: n0 hears 3, y = 3, E y = (0, 6) is said as 4 + 2.
    try engine.step(0)
    #expect(
      try train(.heard) == [
        Spike(substep: 0, particle: 0, weight: 2), Spike(substep: 1, particle: 0, weight: 1),
      ])
    #expect(engine.logits == [-6, 6])
    #expect(engine.executor.counts.saturated == [.heard: 1])
    #expect(engine.executor.counts.events(over: .fixed(.y)) == 1 + 2)
    #expect(engine.executor.counts.events(over: .read) == 12)
  }

  @Test func namesAndLimits() throws {
    let options = try SpikingOptions(named: "few:3:10,v=few:4:12,y=rate:32")
    #expect(try options.code(of: .v) == .few(4, 12))
    #expect(try options.code(of: .x) == .few(3, 10))
    #expect(options.name == "few:3:10, v=few:4:12, y=rate:32")
    for (text, part) in [
      ("few:3", "no code"), ("few:0:4", "0 spikes"), ("few:5:4", "5 spikes"), ("few:1:0", "0 sub-steps"),
      ("few:3:1000000", "1 to 60"), ("rate:0", "0 sub-steps"), ("rate:1000000", "1 to 4096"),
      ("rate:x", "no code"),
      ("binary:99", "1 to 60"), ("stochastic:-1", "-1 sub-steps"), ("", "no code"), ("v=rate:3", "no code"),
      ("rate:3,q=rate:4", "'q'"), ("rate:3,rate:4", "two codes"), ("rate:3,v=rate:4,v=rate:5", "two codes"),
      ("rate:99999999999999999999", "no code"),
    ] {
      #expect(throws: SpikeCodeError.self, "\(text)") { try SpikingOptions(named: text) }
      do { _ = try SpikingOptions(named: text) } catch {
        #expect("\(error)".contains(part), "\(text): \(error)")
      }
    }
  }
}
