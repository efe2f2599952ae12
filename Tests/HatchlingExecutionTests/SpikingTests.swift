import HatchlingCompiler
import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

@testable import HatchlingExecution

/// Networks on spikes against the exact ones.
@Suite struct SpikingTests {
  private static func weights(_ seed: Int, _ variant: Variant) -> Weights<Double> {
    var weights = Weights.random(
      .random(seed: UInt64(seed), variant: variant), seed: UInt64(seed), rotates: seed % 4 != 1,
      damping: seed % 2 == 0)
    // Without LN, random activity grows with every token: keep it small.
    if !variant.normalises { weights.encoder = weights.encoder.map { $0 * 0.01 } }
    return weights.converted(to: Double.self)
  }

  /// Where every value is one message that carries it, everything is the exact network: values, messages, updates, σ.
  @Test(arguments: Variant.allCases, 0..<8)
  func gradedSpikesAreTheExactNetwork(variant: Variant, seed: Int) throws {
    let weights = Self.weights(seed, variant)
    let workers = Workers(threads: 1 + seed % 2)
    var graph = try Compiler(centres: seed % 3 == 0 && variant.normalises).circuit(from: weights).graph
    if seed % 4 == 3 {
      try graph.remove(.plastic, from: .hub(1), to: .neuron(1))
      try graph.remove(.y, from: .hub(2), to: .neuron(1))
      try graph.remove(.x, from: .hub(0), to: .neuron(0))
    }
    try Self.compare(
      Run(spiking: graph, .graded, workers: workers), CircuitEngine(graph, workers: workers), seed)
  }

  @Test(arguments: Variant.allCases, 0..<6)
  func gradedSpikesAreTheExactDirectNetwork(variant: Variant, seed: Int) throws {
    let options = [
      DirectOptions(), DirectOptions(kept: .strongest(60)), DirectOptions(kept: .strongest(400)),
    ][
      seed % 3]
    let graph = try Compiler().direct(
      from: Self.weights(seed, variant), options: options, workers: Workers(threads: 1)
    ).graph
    let workers = Workers(threads: 1 + seed % 2)
    try Self.compare(
      Run(spiking: graph, .graded, workers: workers), DirectEngine(graph, workers: workers), seed)
  }

  private static func compare<Graph: ExecutableGraph, Exact: Executor>(
    _ engine: SpikingEngine<Graph>, _ exact: Run<Exact>, _ seed: Int
  ) throws where Graph.Scalar == Double, Exact.Scalar == Double {
    var isSilent = true
    let sizes = engine.hyperparameters
    for token in randomTokens(30, vocabulary: sizes.vocabulary, seed: UInt64(seed)) {
      let (activity, layers) = try engine.stepRecording(token)
      let (expectedActivity, expected) = try exact.stepRecording(token)
      var numbers = activity
      numbers.spikes = 0
      #expect(numbers == expectedActivity, "seed \(seed)")
      #expect(activity.spikes > 0)
      for (layer, other) in try paired(layers, expected) {
        #expect(relativeDifference(layer.x, other.x) <= 1e-10, "x, seed \(seed)")
        #expect(relativeDifference(layer.a, other.a) <= 1e-10, "a, seed \(seed)")
        #expect(relativeDifference(layer.y, other.y) <= 1e-10, "y, seed \(seed)")
        #expect(relativeDifference(layer.v, other.v) <= 1e-10, "v, seed \(seed)")
      }
      #expect(relativeDifference(engine.logits, exact.logits) <= 1e-10, "logits, seed \(seed)")
      isSilent = isSilent && exact.logits.allSatisfy { $0 == 0 }
    }
    for layer in 1...sizes.layers {
      #expect(
        relativeDifference(
          engine.attentionState(layer: layer).elements, exact.attentionState(layer: layer).elements) <= 1e-10)
      #expect(
        relativeDifference(
          engine.plasticWeights(layer: layer, of: nil), exact.plasticWeights(layer: layer, of: nil)) <= 1e-10)
    }
    let counts = engine.executor.counts
    #expect(counts.tokens == 30 && counts.saturated.isEmpty && !isSilent)
  }

  /// The trained network of the public code: 24 bits say everything that float says, sub-step by sub-step.
  @Test func twentyFourBitsAreFloat() throws {
    let weights = try PublicCodeTests.Fixture("trained").weights
    let tokens = Array(try PublicCodeTests.Fixture("trained").tokens.prefix(48))
    let graph = try Compiler().circuit(from: weights).graph
    let scales = try SpikeScales.measured(graph, on: tokens)
    let engine = try Run(spiking: graph, SpikingOptions(.binary(24)), scales: scales)
    let exact = try CircuitEngine(graph)
    for token in tokens {
      let (_, layers) = try engine.stepRecording(token)
      let (_, expected) = try exact.stepRecording(token)
      for (layer, other) in try paired(layers, expected) {
        #expect(relativeDifference(layer.x, other.x) <= 1e-5)
        #expect(relativeDifference(layer.a, other.a) <= 1e-5)
        #expect(relativeDifference(layer.y, other.y) <= 1e-5)
        #expect(relativeDifference(layer.v, other.v) <= 1e-5)
      }
    }
    #expect(engine.executor.counts.saturated.isEmpty)
  }

  /// Every code comes closer with more sub-steps: a factor of 16 in K is at least 100 in KL for rates, 8 for chance; 4 bits are at least 100; two more
  /// spikes at least 30.
  @Test func everyCodeConverges() throws {
    let fixture = try PublicCodeTests.Fixture("trained")
    let graph = try Compiler().circuit(from: fixture.weights).graph
    let tokens = Array(fixture.tokens.prefix(128))
    let scales = try SpikeScales.measured(graph, on: tokens)
    let exact = try CircuitEngine(graph)
    var expected: [Predictions] = []
    for token in tokens {
      try exact.step(token)
      expected.append(Predictions(logits: exact.logits))
    }
    func divergence(_ code: SpikeCode) throws -> Double {
      let engine = try Run(spiking: graph, SpikingOptions(code), scales: scales)
      var sum = 0.0
      for (index, token) in tokens.enumerated() {
        try engine.step(token)
        sum += expected[index].divergence(from: Predictions(logits: engine.logits))
      }
      return sum / Double(tokens.count)
    }
    let rates = (try divergence(.rate(16)), try divergence(.rate(256)))
    #expect(rates.1 > 0 && rates.0 >= 100 * rates.1, "\(rates)")
    let drawn = (try divergence(.stochastic(32)), try divergence(.stochastic(512)))
    #expect(drawn.1 > 0 && drawn.0 >= 8 * drawn.1, "\(drawn)")
    let bits = (try divergence(.binary(6)), try divergence(.binary(10)))
    #expect(bits.1 > 0 && bits.0 >= 100 * bits.1, "\(bits)")
    let few = (try divergence(.few(2, 16)), try divergence(.few(4, 16)))
    #expect(few.1 > 0 && few.0 >= 30 * few.1, "\(few)")
  }

  private static let options: [SpikingOptions] = {
    let codes = ["few:3:10", "binary:7", "rate:9", "stochastic:12", "few:2:8,v=rate:20,y=binary:9"]
    var options = codes.compactMap { try? SpikingOptions(named: $0) }
    options[1].granularity = .particle
    options[2].neuron = IntegrateAndFire(leak: 0.01, refractory: 1)
    options[3].gainBits = 6
    options[4].spikesResidual = true
    return options
  }()

  /// The same bits for any number of threads; and a state that is saved in mid-text goes on to the same bits.
  @Test(arguments: 0..<5, [GraphForm.circuit, .direct])
  func threadsAndSavedStatesChangeNothing(index: Int, form: GraphForm) throws {
    let sizes = Hyperparameters(
      neurons: 300, synapticDimension: 20, heads: 2, layers: 2, vocabulary: 11)
    let weights = Weights.random(sizes, seed: 5, damping: index % 2 == 0)
    let tokens = randomTokens(40, vocabulary: 11, seed: 3)
    #expect(Self.options.count == 5)
    var options = Self.options[index]
    // z cannot be kept without F z.
    options.spikesResidual = options.spikesResidual && form == .circuit
    func make(_ threads: Int) throws -> any WatchableEngine<Float> {
      let workers = Workers(threads: threads)
      switch form {
      case .circuit:
        let graph = try Compiler().circuit(from: weights).graph
        return try Run(
          spiking: graph, options, scales: .measured(graph, on: tokens, workers: workers), workers: workers)
      case .direct:
        let graph = try Compiler().direct(
          from: weights, options: DirectOptions(kept: .strongest(20_000)), workers: workers
        ).graph
        return try Run(
          spiking: graph, options, scales: .measured(graph, on: tokens, workers: workers), workers: workers)
      }
    }
    let (one, two, resumed) = (try make(1), try make(2), try make(1))
    for (place, token) in tokens.enumerated() {
      if place == 17 { try resumed.restore(one.save()) }
      let activity = try one.step(token)
      #expect(try two.step(token) == activity)
      if place >= 17 { #expect(try resumed.step(token) == activity) }
      #expect(activity.spikes > 0 && two.logits == one.logits)
    }
    #expect(resumed.logits == one.logits && resumed.position == 40)
    #expect(one.logits.contains { $0 != 0 })
    for layer in 1...2 {
      let expected = one.attentionState(layer: layer).elements
      #expect(expected.contains { $0 != 0 })
      #expect(two.attentionState(layer: layer).elements == expected)
      #expect(resumed.attentionState(layer: layer).elements == expected)
    }
  }

  /// A neuron cut from the graph changes no spike outside its descendants within the token: in a layer those are itself, its partner, and what the
  /// hubs of its own head say to the neurons of that head.
  @Test func aNeuronReachesItsDescendantsAlone() throws {
    let sizes = Hyperparameters(
      neurons: 40, synapticDimension: 8, heads: 2, layers: 1, vocabulary: 5)
    let weights = Weights.random(sizes, seed: 8).converted(to: Double.self)
    let tokens = randomTokens(20, vocabulary: 5, seed: 8)
    let graph = try Compiler().circuit(from: weights).graph
    let options = SpikingOptions(try .few(3, 10))
    let scales = try SpikeScales.measured(graph, on: tokens)
    let whole = try Run(spiking: graph, options, scales: scales)
    for token in tokens.dropLast() { try whole.step(token) }
    let before = whole.save()
    let last = try #require(tokens.last)
    try whole.step(last)
    // One that fires now, in the first head.
    let cut = try #require((0..<20).first { whole.executor.trains[.x]?.sent.base[$0] != 0 })
    var silenced = weights
    for hub in 0..<8 { silenced.decoderX[cut, hub] = 0 }
    let lesioned = try Run(
      spiking: Compiler().circuit(from: silenced).graph, options, scales: scales)
    try lesioned.restore(before)
    try lesioned.step(last)
    func spikes(_ engine: SpikingEngine<CircuitGraph<Double>>, _ quantity: Quantity) throws -> [Double] {
      let sent = try #require(engine.executor.trains[quantity]?.sent)
      return (0..<sent.count).map { sent.base[$0] }
    }
    func changed(_ quantity: Quantity) throws -> [Int] {
      let (before, after) = (try spikes(whole, quantity), try spikes(lesioned, quantity))
      return before.indices.filter { before[$0] != after[$0] }
    }
    let (turned, heard, answered) = (try changed(.rotated), try changed(.heard), try changed(.y))
    #expect(try changed(.x) == [cut])
    #expect(!turned.isEmpty && Set(turned).isSubset(of: [cut, cut ^ 1]))
    #expect(!heard.isEmpty && heard.allSatisfy { $0 < 8 })
    #expect(!answered.isEmpty && answered.allSatisfy { $0 < 20 })
  }

  @Test func whatIsNotFiniteStopsTheRun() throws {
    let sizes = Hyperparameters(
      neurons: 16, synapticDimension: 4, heads: 1, layers: 2, vocabulary: 5, variant: .normfree)
    var weights = Weights.random(sizes, seed: 8)
    // Without LN, random activity grows with every token: scales stay near the embedding's.
    weights.encoder = weights.encoder.map { $0 * 0.01 }
    let scales = try SpikeScales.measured(
      Compiler().circuit(from: weights).graph, on: randomTokens(20, vocabulary: 5, seed: 1))
    // All hubs say as much as they can, and what arrives is beyond float.
    weights.decoderX = weights.decoderX.map { _ in 1e38 }
    weights.embedding = weights.embedding.map { _ in 5 }
    let graph = try Compiler().circuit(from: weights).graph
    for options in Self.options + [.graded] {
      let engine = try Run(spiking: graph, options, scales: scales)
      #expect(throws: NotFiniteError.self) {
        for token in 0..<5 { try engine.step(token) }
      }
    }
  }

  /// Another neuron is another type: here one that fires with the first channel alone.
  private struct Excitable: NeuronModel {
    let name = "excitable"
    func advance<Scalar: NetworkScalar>(
      _ cell: inout SpikingCell<Scalar>, input: Scalar, threshold: Scalar, weight: Scalar
    ) -> Scalar {
      cell.membrane += input
      guard cell.membrane >= threshold, cell.membrane > 0 else { return 0 }
      cell.membrane -= weight
      return 1
    }
  }

  @Test func anotherNeuronIsOneType() throws {
    let graph = try Compiler().circuit(from: Self.weights(1, .released)).graph
    let tokens = randomTokens(20, vocabulary: graph.tokenCount, seed: 1)
    var options = SpikingOptions(try .few(3, 10))
    options.neuron = Excitable()
    #expect(options != SpikingOptions(try .few(3, 10)) && options.name.contains("excitable"))
    let engine = try Run(spiking: graph, options, scales: .measured(graph, on: tokens))
    for token in tokens { try engine.step(token) }
    let said = try #require(engine.executor.trains[.v]?.sent)
    let values = (0..<said.count).map { said.base[$0] }
    #expect(values.contains { $0 > 0 } && !values.contains { $0 < 0 })
  }

  @Test func scalesOfOtherNetworksAndShortTextsAreRefused() throws {
    let graph = try Compiler().circuit(from: Self.weights(1, .released)).graph
    let code = SpikingOptions(try .few(3, 10))
    #expect(throws: SpikeScalesError.tooShort(tokens: 15, needed: 16)) {
      try SpikeScales.measured(graph, on: Array(repeating: 0, count: 15))
    }
    let scales = try SpikeScales.measured(graph, on: Array(repeating: 0, count: 16))
    let other = try Compiler().circuit(from: Self.weights(2, .released)).graph
    #expect(throws: SpikeScalesError.self) { try Run(spiking: other, code, scales: scales) }
    #expect(throws: SpikeScalesError.self) { try Run(spiking: graph, code) }
    let direct = try Compiler().direct(from: Self.weights(1, .released), workers: Workers(threads: 1)).graph
    #expect(throws: SpikeScalesError.otherForm("circuit")) { try Run(spiking: direct, code, scales: scales) }
    let hubs = try Compiler().direct(
      from: Self.weights(1, .released), options: DirectOptions(kept: .strongest(50), hubs: 2),
      workers: Workers(threads: 1)
    ).graph
    #expect(throws: SpikingError.remainder) { try Run(spiking: hubs, .graded) }
    var residual = SpikingOptions.graded
    residual.spikesResidual = true
    #expect(throws: SpikingError.residual) { try Run(spiking: direct, residual) }
  }
}
