import Foundation
import HatchlingCompiler
import HatchlingEquivalence
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

/// Neuron graphs that come from no weights, against their own dense tensors; and those tensors against the tensors of weights.
@Suite struct DenseGraphTests {
  private let workers = Workers(threads: 2)

  /// What can be wrong: one thing each.
  private enum Fault: CaseIterable {
    case fixedX, fixedY, field, readout, damping, frequency, plastic
  }

  private func graph(
    _ seed: UInt64, _ variant: Variant, _ plasticity: RandomPlasticity, hasHubs: Bool = true
  ) -> DirectGraph<Double> {
    DirectGraph<Float>.random(
      seed: seed, variant: variant, plasticity: plasticity, damping: seed % 2 == 0, hasHubs: hasHubs
    )
    .converted(
      to: Double.self)
  }

  private func compare<Scalar: NetworkScalar>(
    _ graph: DirectGraph<Scalar>, with other: DirectGraph<Scalar>, _ seed: UInt64, tokens: Int = 70
  ) throws -> EquivalenceReport {
    var check = Equivalence(
      graph: try DirectEngine(graph, workers: workers),
      tensors: try DenseGraphEngine(dense: other, workers: workers))
    try check.run(over: randomTokens(tokens, vocabulary: graph.tokenCount, seed: seed))
    return check.report
  }

  @Test(arguments: Variant.allCases, RandomPlasticity.allCases)
  func theExecutorAgreesWithDenseTensors(variant: Variant, plasticity: RandomPlasticity) throws {
    for seed in 0..<14 as Range<UInt64> {
      let graph = graph(seed, variant, plasticity)
      let report = try compare(graph, with: graph, seed)
      #expect(
        report.agree, "seed \(seed): \(report.differences), \(String(describing: report.firstDivergence))")
      let single = try compare(
        graph.converted(to: Float.self), with: graph.converted(to: Float.self), seed, tokens: 30)
      #expect(single.meanKL < 1e-5, "seed \(seed)")
    }
  }

  @Test(arguments: Variant.allCases, RandomPlasticity.allCases)
  func withoutHubsTheExecutorAgreesWithDenseTensors(variant: Variant, plasticity: RandomPlasticity) throws {
    for seed in 0..<14 as Range<UInt64> {
      let graph = graph(seed, variant, plasticity, hasHubs: false)
      let report = try compare(graph, with: graph, seed)
      #expect(
        report.agree, "seed \(seed): \(report.differences), \(String(describing: report.firstDivergence))")
      #expect(report.name(of: .a) == "A" && report.name(of: .rho) == "sigma")
    }
  }

  /// Every κ counts, and every synapse to a readout.
  @Test func aWrongLocalGainIsSeen() throws {
    let graph = graph(7, .released, .complete, hasHubs: false)
    let gains = try #require(graph.localGains)
    for place in gains.indices {
      var other = graph
      other.localGains?[place] *= 1.01
      #expect(!(try compare(graph, with: other, 7)).agree, "κ of normaliser \(place)")
    }
    var other = graph
    for token in 0..<graph.tokenCount { other.readout[0, token] += 0.1 }
    #expect(!(try compare(graph, with: other, 7)).agree)
  }

  @Test(arguments: [Variant.released, .definition4])
  func floatAgreesToItsTolerance(variant: Variant) throws {
    for seed in 20..<26 as Range<UInt64> {
      let graph = graph(seed, variant, .asX).converted(to: Float.self)
      let report = try compare(graph, with: graph, seed, tokens: 12)
      let worst = report.differences.map(\.maxRelative).max() ?? .infinity
      #expect(worst <= 1e-4, "seed \(seed): \(worst)")
    }
  }

  /// A compiled graph that keeps everything has the tensors of its weights.
  @Test(arguments: Variant.allCases) func denseTensorsAreThoseOfTheWeights(variant: Variant) throws {
    for seed in 0..<6 as Range<UInt64> {
      let sizes = Hyperparameters.random(seed: seed, variant: variant)
      var weights = Weights.random(sizes, seed: seed, rotates: seed % 3 != 0, damping: seed % 2 == 0)
        .converted(to: Double.self)
      if !variant.normalises { weights.encoder = weights.encoder.map { $0 * 0.01 } }
      let graph = try Compiler().direct(from: weights, workers: workers).graph
      var check = Equivalence(
        graph: try DenseGraphEngine(dense: graph, workers: workers),
        tensors: TensorEngine(weights, workers: workers))
      try check.run(over: randomTokens(50, vocabulary: sizes.vocabulary, seed: seed))
      #expect(check.report.agree, "seed \(seed): \(String(describing: check.report.firstDivergence))")
    }
  }

  /// Whatever is different in one of the two, the comparison sees it.
  @Test(arguments: 0..<7) func oneBrokenThingIsSeen(number: Int) throws {
    let fault = Fault.allCases[number]
    // In some random graphs no neuron answers, and then not everything shows.
    let seen = try (0..<10 as Range<UInt64>).filter { seed in
      let graph = graph(2 * seed, .released, .lists)
      return try !compare(graph, with: broken(graph, fault), seed).agree
    }
    #expect(seen.count >= 3, "\(fault): only with seeds \(seen)")
  }

  private func broken(_ graph: DirectGraph<Double>, _ fault: Fault) -> DirectGraph<Double> {
    var other = graph
    switch fault {
    case .fixedX: other.drivesX = scaled(graph.drivesX)
    case .fixedY: other.drivesY = scaled(graph.drivesY)
    case .field: other.field[0, 0] += 0.01
    case .readout: other.readout[0, 0] += 0.01
    case .damping: other.neurons.damping = graph.neurons.damping.map { $0 * 0.99 }
    case .frequency: other.neurons.frequencies = graph.neurons.frequencies.map { $0 * 1.01 }
    case .plastic: other.plastic = .complete
    }
    return other
  }

  private func scaled(_ projection: Projection<Double>) -> Projection<Double> {
    Projection(dense: projection.dense.map { $0 * (1 + 1e-6) })
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let graph = graph(1, .released, .complete)
    #expect(throws: DenseGraphError.self) { _ = try DenseGraphEngine(dense: graph, memory: 1000) }
    var onHubs = graph
    onHubs.remainderX = HubRemainder(
      encoder: Matrix(rows: graph.nodeCount, columns: 1), decoder: Matrix(rows: graph.neuronCount, columns: 1)
    )
    #expect(throws: DenseGraphError.remainder) { _ = try DenseGraphEngine(dense: onHubs) }
  }

  @Test func aStateGoesOn() throws {
    let graph = graph(6, .definition4, .asX)
    let engine = try DenseGraphEngine(dense: graph)
    let tokens = randomTokens(20, vocabulary: graph.tokenCount, seed: 6)
    for token in tokens { try engine.step(token) }
    let saved = engine.save()
    let expected = try tokens.map { token in
      try engine.step(token)
      return engine.logits
    }
    let other = try DenseGraphEngine(dense: graph)
    try other.restore(saved)
    for (token, logits) in zip(tokens, expected) {
      try other.step(token)
      #expect(other.logits == logits)
    }
  }
}
