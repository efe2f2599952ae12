import HatchlingModel
import HatchlingNumerics
import HatchlingTraining
import TestSupport
import Testing

/// Hand-derived gradients against central differences, in double.
@Suite struct GradientTests {
  struct Configuration: CustomStringConvertible, Sendable {
    var seed: UInt64
    var variant = Variant.released
    var rotates = true
    var damps = false
    var chunk = 4
    var carries = false
    var dropout = 0.0
    var block = 11

    var description: String {
      "seed \(seed), \(variant), rotates \(rotates), damps \(damps), chunk \(chunk), carries \(carries), dropout \(dropout)"
    }
  }

  static let configurations: [Configuration] = {
    var all: [Configuration] = []
    var seed: UInt64 = 1
    for variant in Variant.allCases {
      for rotates in [true, false] {
        for damps in [true, false] {
          for (chunk, carries, dropout) in [
            (4, true, 0.0), (16, false, 0.3), (1, true, 0.2), (5, false, 0.0),
          ] {
            all.append(
              Configuration(
                seed: seed, variant: variant, rotates: rotates, damps: damps, chunk: chunk, carries: carries,
                dropout: dropout))
            seed += 1
          }
        }
      }
    }
    return all
  }()

  /// A small random network whose damping, where it has any, can be differentiated, and a block of tokens.
  struct Case {
    var weights: Weights<Double>
    let shape: PassShape
    let batch: TrainingBatch
    let before: TrainingBatch
    let dropout: Dropout?
    let carries: Bool

    init(_ c: Configuration) {
      var random = SeededRandom(seed: c.seed &* 101)
      let heads = Int.random(in: 1...3, using: &random)
      let sizes = Hyperparameters(
        neurons: heads * 2 * Int.random(in: 2...5, using: &random),
        synapticDimension: Int.random(in: 4...7, using: &random), heads: heads,
        layers: Int.random(in: 1...3, using: &random), vocabulary: 6, variant: c.variant)
      var single = Weights<Float>.random(sizes, seed: c.seed, rotates: c.rotates)
      if c.damps {
        single.damping = (0..<sizes.neurons).map { _ in Float(Int.random(in: 1...40, using: &random)) / 64 }
      }
      weights = single.converted(to: Double.self)
      if c.variant == .normfree {
        weights.trained = weights.trained.map { $0.map { $0 * 0.5 } }
      }
      shape = PassShape(batch: 2, block: c.block, chunk: c.chunk)
      let rows = shape.rows
      func batch(_ seed: UInt64, _ positions: [Int]) -> TrainingBatch {
        TrainingBatch(
          tokens: randomTokens(rows, vocabulary: 6, seed: seed),
          targets: randomTokens(rows, vocabulary: 6, seed: seed + 1000), positions: positions)
      }
      before = batch(c.seed + 7, [0, 0])
      self.batch = batch(c.seed, c.carries ? [c.block, c.block] : [0, 3])
      dropout = c.dropout > 0 ? Dropout(rate: c.dropout, seed: c.seed, step: 3) : nil
      carries = c.carries
    }

    /// Loss of the block; `given` holds ρ before it.
    func run(_ weights: Weights<Double>, threads: Int = 1) -> (TrainingPass<Double>, PassResult) {
      let pass = TrainingPass<Double>(weights.hyperparameters, shape, workers: Workers(threads: threads))
      let states = carries ? StreamStates<Double>(weights.hyperparameters, batch: shape.batch) : nil
      if let states {
        // ρ is what the network as it was given left: a constant of the block.
        _ = TrainingPass<Double>(weights.hyperparameters, shape, workers: Workers(threads: 1))
          .forward(self.weights, before, states: states)
      }
      return (pass, pass.forward(weights, batch, states: states, dropout: dropout))
    }

    /// (8 (f(h) − f(−h)) − (f(2h) − f(−2h))) / 12h; nil when a probe crosses a ReLU. LN bends too sharply for two points.
    func centralDifference(
      from reference: PassResult, step: Double, _ shift: (inout Weights<Double>, Double) -> Void
    ) -> Double? {
      var losses: [Double] = []
      for multiple in [1.0, -1, 2, -2] {
        var weights = self.weights
        shift(&weights, multiple * step)
        let result = run(weights).1
        guard pattern(result) == pattern(reference) else { return nil }
        losses.append(result.loss)
      }
      return (8 * (losses[0] - losses[1]) - (losses[2] - losses[3])) / (12 * step)
    }

    /// The pattern of who fires: probes that change it cross a ReLU.
    func pattern(_ result: PassResult) -> [Double] { result.activeX + result.activeY }
  }

  @Test(arguments: configurations)
  func gradientsAgreeWithCentralDifferences(_ configuration: Configuration) {
    let subject = Case(configuration)
    let (pass, reference) = subject.run(subject.weights)
    var gradients = Gradients<Double>(subject.weights.hyperparameters)
    pass.gradients(subject.weights, subject.batch, into: &gradients)
    let matrices = gradients.weights
    // LN bends sharply where its input is small; without it the loss is smooth and the step can be longer.
    let step = configuration.variant.normalises ? 2e-6 : 1e-4
    let rounding = 2e-15 * reference.loss / step
    var probes = 0
    for (which, matrix) in matrices.enumerated() {
      let largest = matrix.elements.map(\.magnitude).max() ?? 0
      for index in 0..<matrix.count {
        let difference = subject.centralDifference(from: reference, step: step) { weights, shift in
          weights.trained[which][index / matrix.columns, index % matrix.columns] += shift
        }
        guard let difference else { continue }
        probes += 1
        let gap = (matrix.pointer[index] - difference).magnitude
        #expect(
          gap <= 1e-6 * largest + rounding,
          "matrix \(which), entry \(index): \(matrix.pointer[index]) against \(difference)")
      }
    }
    #expect(probes > matrices.reduce(0) { $0 + $1.count } / 2)
  }

  @Test(arguments: configurations.filter { $0.damps })
  func gradientOfDampingAgreesWithCentralDifferences(_ configuration: Configuration) {
    let subject = Case(configuration)
    let (pass, reference) = subject.run(subject.weights)
    var gradients = Gradients<Double>(subject.weights.hyperparameters)
    pass.gradients(subject.weights, subject.batch, into: &gradients)
    let largest = gradients.damping.elements.map(\.magnitude).max() ?? 0
    var probes = 0
    for neuron in 0..<gradients.damping.count {
      // The step is exact in float32 beside multiples of 1/64.
      let difference = subject.centralDifference(from: reference, step: 0x1p-17) { weights, shift in
        weights.damping?[neuron] += Float(shift)
      }
      guard let difference else { continue }
      probes += 1
      let gap = (gradients.damping.pointer[neuron] - difference).magnitude
      #expect(
        gap <= 1e-6 * largest + 1e-10,
        "neuron \(neuron): \(gradients.damping.pointer[neuron]) against \(difference)")
    }
    #expect(probes > 0)
  }
}
