import HatchlingCompiler
import HatchlingDynamics
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingTraining

/// The direct graph in training: its losses are the engine's, its hand-derived gradients are central differences, in double.
@Suite struct DirectGradientTests {
  struct Configuration: CustomStringConvertible, Sendable {
    var seed: UInt64
    var variant = Variant.released
    var rotates = true
    var damps = false
    var keeps = false
    var prunesTokens = false
    var dropout = 0.0
    var gains = Gains.hubs
    /// Whether streams come with a state that a block before has left; every other case has one stream that begins anew.
    var carries = false

    var description: String {
      "seed \(seed), \(variant), gains \(gains), rotates \(rotates), damps \(damps), σ on kept edges \(keeps), prunes tokens \(prunesTokens), dropout \(dropout), carries \(carries)"
    }
  }

  static let configurations: [Configuration] = {
    var all: [Configuration] = []
    var seed: UInt64 = 1
    for variant in Variant.allCases {
      for (rotates, damps) in [(true, false), (true, true), (false, true), (false, false)] {
        for (keeps, prunesTokens, dropout) in [
          (false, false, 0.0), (true, false, 0.0), (false, true, 0.2), (true, false, 0.3),
        ] {
          all.append(
            Configuration(
              seed: seed, variant: variant, rotates: rotates, damps: damps, keeps: keeps,
              prunesTokens: prunesTokens, dropout: dropout))
          seed += 1
        }
      }
    }
    return all
  }()

  /// σ on kept edges, some without hubs, with a state from a block before.
  static let carrying = (configurations + withoutHubs).filter { $0.keeps }.map { configuration in
    var carrying = configuration
    carrying.carries = true
    return carrying
  }

  /// The same without hubs.
  static let withoutHubs = configurations.map { configuration in
    var local = configuration
    local.gains = .local
    return local
  }

  /// A pruned graph of random weights, and a block of tokens for two streams.
  struct Case {
    var weights: DirectWeights<Double>
    let graph: DirectGraph<Double>
    let block: Int
    let batch: TrainingBatch
    /// What the streams read before, and what that left.
    let earlier: TrainingBatch
    private(set) var states: DirectStates<Double>?
    let dropout: Dropout?

    init(_ c: Configuration) throws {
      var random = SeededRandom(seed: c.seed &* 983)
      let heads = Int.random(in: 1...3, using: &random)
      let sizes = Hyperparameters(
        neurons: heads * 2 * Int.random(in: 3...6, using: &random),
        synapticDimension: Int.random(in: 4...9, using: &random), heads: heads,
        layers: Int.random(in: 1...4, using: &random), vocabulary: 6, variant: c.variant)
      var single = Weights<Float>.random(sizes, seed: c.seed, rotates: c.rotates)
      if c.damps {
        single.damping = (0..<sizes.neurons).map { _ in Float(Int.random(in: 1...40, using: &random)) / 64 }
      }
      var weights = single.converted(to: Double.self)
      if c.variant == .normfree { weights.trained = weights.trained.map { $0.map { $0 * 0.7 } } }
      let possible = sizes.neurons * sizes.neurons
      let options = DirectOptions(
        kept: .strongest(Int.random(in: possible / 3...possible * 2 / 3, using: &random)),
        prunesTokens: c.prunesTokens, plastic: c.keeps ? .kept : .complete)
      graph = try Compiler().direct(from: weights, options: options).graph
      self.weights = try DirectWeights(graph)
      block = Int.random(in: 7...19, using: &random)
      let rows = 2 * block
      func read(_ seed: UInt64, _ positions: [Int]) -> TrainingBatch {
        TrainingBatch(
          tokens: randomTokens(rows, vocabulary: 6, seed: seed),
          targets: randomTokens(rows, vocabulary: 6, seed: seed + 1000), positions: positions)
      }
      earlier = read(c.seed + 5000, [0, 0])
      batch = read(c.seed, c.carries ? [block, c.seed % 2 == 0 ? block : 0] : [0, 0])
      if c.gains == .local { self.weights = Self.withoutHubs(self.weights, batch, &random) }
      dropout = c.dropout > 0 ? Dropout(rate: c.dropout, seed: c.seed, step: 3) : nil
      states = c.carries ? DirectStates(self.weights, batch: 2) : nil
      if let states {
        _ = pass(self.weights, threads: 1, dropsOut: false).forward(self.weights, earlier, states: states)
        states.turn()
      }
    }

    /// Calibrated, and then none of κ where it was.
    static func withoutHubs(
      _ weights: DirectWeights<Double>, _ batch: TrainingBatch, _ random: inout SeededRandom
    ) -> DirectWeights<Double> {
      var local = weights.withLocalGains(
        calibratedOn: batch.tokens.map { UInt8($0) }, workers: Workers(threads: 1))
      local.logGains = local.logGains.map { $0.map { $0 + random.normal() * 0.2 } }
      return local
    }

    func run(_ weights: DirectWeights<Double>, threads: Int = 1) -> (
      DirectPass<Double>, HatchlingTraining.PassResult
    ) {
      let pass = pass(weights, threads: threads, dropsOut: dropout != nil)
      return (pass, pass.forward(weights, batch, states: states, dropout: dropout))
    }

    private func pass(
      _ weights: DirectWeights<Double>, threads: Int, dropsOut: Bool
    ) -> DirectPass<Double> {
      let pass = DirectPass(
        weights, batch: 2, block: block, dropsOut: dropsOut, carries: states != nil,
        workers: Workers(threads: threads))
      // Networks as small as these are all in one band, unless bands are narrow.
      for stream in pass.streams { stream.band = 1 + weights.sizes.neurons / 3 }
      return pass
    }

    /// As in ``GradientTests``: four points; nil when a probe crosses a threshold.
    func centralDifference(
      from reference: HatchlingTraining.PassResult, step: Double,
      _ shift: (inout DirectWeights<Double>, Double) -> Void
    ) -> Double? {
      var losses: [Double] = []
      for multiple in [1.0, -1, 2, -2] {
        var weights = self.weights
        shift(&weights, multiple * step)
        let result = run(weights).1
        guard result.activeX + result.activeY == reference.activeX + reference.activeY else { return nil }
        losses.append(result.loss)
      }
      return (8 * (losses[0] - losses[1]) - (losses[2] - losses[3])) / (12 * step)
    }
  }

  @Test(arguments: configurations + withoutHubs + carrying)
  func gradientsAgreeWithCentralDifferences(_ configuration: Configuration) throws {
    let subject = try Case(configuration)
    let (pass, reference) = subject.run(subject.weights)
    #expect(reference.activeY.contains { $0 > 0 }, "nothing fires: nothing is tested")
    var gradients = DirectGradients(subject.weights)
    pass.gradients(subject.weights, into: &gradients)
    let step = configuration.variant.normalises ? 2e-6 : 1e-5
    let rounding = 2e-15 * reference.loss / step
    var random = SeededRandom(seed: configuration.seed)
    let masks = [nil, nil, subject.weights.tokenMaskX, subject.weights.tokenMaskY, nil, nil, nil]
    // F where there are no hubs, κ where there are no normalisers.
    let empty = configuration.gains == .hubs ? [] : configuration.variant.normalises ? [4] : [4, 6]
    #expect(gradients.all.indices.filter { gradients.all[$0].count == 0 } == empty)
    for (which, matrix) in gradients.all.enumerated() where matrix.count > 0 {
      let largest = matrix.elements.map(\.magnitude).max() ?? 0
      var (probes, smooth) = (0, 0)
      for _ in 0..<min(matrix.count, 20) {
        let index = Int.random(in: 0..<matrix.count, using: &random)
        if let mask = masks[which], mask.pointer[index] == 0 {
          #expect(matrix.pointer[index] == 0)
          continue
        }
        probes += 1
        let difference = subject.centralDifference(from: reference, step: step) { weights, shift in
          weights.trained[which][index / matrix.columns, index % matrix.columns] += shift
        }
        guard let difference else { continue }
        smooth += 1
        let gap = (matrix.pointer[index] - difference).magnitude
        #expect(
          gap <= 1e-6 * largest + rounding,
          "matrix \(which), entry \(index): \(matrix.pointer[index]) against \(difference)")
      }
      #expect(smooth > probes / 2, "matrix \(which): \(smooth) of \(probes) probes cross no threshold")
    }
  }

  @Test(arguments: (configurations + withoutHubs + carrying).filter { $0.damps })
  func gradientOfDampingAgreesWithCentralDifferences(_ configuration: Configuration) throws {
    let subject = try Case(configuration)
    let (pass, reference) = subject.run(subject.weights)
    var gradients = DirectGradients(subject.weights)
    pass.gradients(subject.weights, into: &gradients)
    let largest = gradients.damping.elements.map(\.magnitude).max() ?? 0
    var probes = 0
    for neuron in 0..<gradients.damping.count {
      // The step is exact in float32 beside multiples of 1/64.
      let step = 0x1p-16
      let difference = subject.centralDifference(from: reference, step: step) { weights, shift in
        weights.neurons.damping[neuron] += Float(shift)
      }
      guard let difference else { continue }
      probes += 1
      let gap = (gradients.damping.pointer[neuron] - difference).magnitude
      #expect(
        gap <= 2e-6 * largest + 1e-9,
        "u of \(neuron): \(gradients.damping.pointer[neuron]) against \(difference)")
    }
    #expect(probes > gradients.damping.count / 2)
  }

  /// The event-driven graph, token by token, has the losses that training had.
  @Test(arguments: (configurations + withoutHubs + carrying).filter { $0.dropout == 0 })
  func lossesAreThoseOfTheGraph(_ configuration: Configuration) throws {
    let subject = try Case(configuration)
    let (pass, _) = subject.run(subject.weights)
    let graph = subject.weights.graph()
    try graph.validate()
    #expect(graph.hasHubs == (configuration.gains == .hubs))
    for (index, stream) in pass.streams.enumerated() {
      let engine = try DirectEngine(graph, workers: Workers(threads: 1))
      if subject.batch.positions[index] > 0 {
        for token in 0..<subject.block {
          try engine.step(subject.earlier.tokens[index * subject.block + token])
        }
      }
      for token in 0..<subject.block {
        let place = index * subject.block + token
        try engine.step(subject.batch.tokens[place])
        let loss = Predictions(logits: engine.logits).loss(of: subject.batch.targets[place])
        let trained = stream.losses[token]
        let isClose = (loss - trained).magnitude <= 1e-10 * Swift.max(1, loss)
        #expect(isClose, "token \(token): \(trained) against \(loss)")
      }
    }
  }

  @Test func takingAGraphApartLosesNothing() throws {
    for configuration in Self.configurations {
      let subject = try Case(configuration)
      let graph = subject.weights.graph()
      #expect(graph.drivesX.dense.elements == subject.graph.drivesX.dense.elements)
      #expect(graph.drivesY.dense.elements == subject.graph.drivesY.dense.elements)
      #expect(graph.plastic == subject.graph.plastic)
    }
  }

  @Test func gradientsHaveTheSameBitsForAnyNumberOfThreads() throws {
    for configuration in Self.configurations + Self.withoutHubs + Self.carrying {
      let subject = try Case(configuration)
      func all(_ threads: Int) -> [[Double]] {
        let (pass, _) = subject.run(subject.weights, threads: threads)
        var gradients = DirectGradients(subject.weights)
        pass.gradients(subject.weights, into: &gradients)
        return (gradients.all + [gradients.damping]).map { Array($0.elements) }
      }
      #expect(all(1) == all(3), "\(configuration)")
    }
  }
}
