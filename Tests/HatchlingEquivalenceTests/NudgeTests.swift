import HatchlingCompiler
import HatchlingDynamics
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

@testable import HatchlingEquivalence

/// The check can fail: a nudged synapse is found where it first matters.
@Suite struct NudgeTests {
  private func weights(_ seed: Int) -> Weights<Double> {
    let sizes = Hyperparameters(neurons: 24, synapticDimension: 8, heads: 2, layers: 3, vocabulary: 7)
    return Weights.random(sizes, seed: UInt64(seed)).converted(to: Double.self)
  }

  private func verify(
    _ weights: Weights<Double>, _ graph: CircuitGraph<Double>, tokens: [Int],
    afterToken: (CircuitEngine<Double>, Int) throws -> Void = { _, _ in }
  ) throws -> EquivalenceReport {
    let engine = try CircuitEngine(graph, workers: Workers(threads: 1))
    var check = Equivalence(graph: engine, tensors: TensorEngine(weights, workers: Workers(threads: 1)))
    try check.run(over: tokens) { try afterToken(engine, $0 - 1) }
    return check.report
  }

  @Test(arguments: 0..<5)
  func nothingNudgedAgrees(seed: Int) throws {
    let weights = weights(seed)
    let report = try verify(
      weights, Compiler().circuit(from: weights).graph,
      tokens: randomTokens(30, vocabulary: 7, seed: UInt64(seed)))
    #expect(report.agree && report.firstDivergence == nil && report.tokens == 30)
    #expect(report.differences.allSatisfy { $0.comparisons >= 30 })
  }

  @Test(arguments: 0..<5)
  func aSynapseThatDrivesXIsFoundAtItsNeuron(seed: Int) throws {
    let weights = weights(seed)
    let tokens = randomTokens(30, vocabulary: 7, seed: UInt64(seed))
    let reference = TensorEngine(weights, workers: Workers(threads: 1))
    // The first neuron that fires at token 0, layer 1 differs there at once.
    let neuron = try #require(try reference.stepRecording(tokens[0]).layers[0].x.firstIndex { $0 > 0 })
    var graph = try Compiler().circuit(from: weights).graph
    try graph.scale(.x, from: .hub(1), to: .neuron(NeuronIndex(neuron)), by: 1.1)
    let found = try #require(try verify(weights, graph, tokens: tokens).firstDivergence)
    #expect(found == Divergence(token: 0, layer: 1, round: -1, quantity: .x, index: neuron))
  }

  @Test(arguments: 0..<5)
  func aSynapseToAHubIsFoundInTheField(seed: Int) throws {
    let weights = weights(seed)
    let tokens = randomTokens(30, vocabulary: 7, seed: UInt64(seed))
    let reference = TensorEngine(weights, workers: Workers(threads: 1))
    var place: (token: Int, layer: Int, neuron: Int)?
    for (position, token) in tokens.enumerated() where place == nil {
      for (layer, quantities) in try reference.stepRecording(token).layers.enumerated() where place == nil {
        if let neuron = quantities.y.firstIndex(where: { $0 > 0 }) { place = (position, layer, neuron) }
      }
    }
    let first = try #require(place)
    var graph = try Compiler().circuit(from: weights).graph
    try graph.scale(.encoder, from: .neuron(NeuronIndex(first.neuron)), to: .hub(2), by: 1.1)
    let found = try #require(try verify(weights, graph, tokens: tokens).firstDivergence)
    #expect(found.token == first.token && found.layer == first.layer + 1 && found.quantity == .v)
    #expect(found.round == 4 * first.layer + 2)
  }

  @Test(arguments: 0..<5)
  func aPlasticSynapseIsFoundAtTheNextRead(seed: Int) throws {
    let weights = weights(seed)
    let tokens = randomTokens(30, vocabulary: 7, seed: UInt64(seed))
    let reference = TensorEngine(weights, workers: Workers(threads: 1))
    let x = try tokens.map { try reference.stepRecording($0).layers[1].x }
    // A neuron whose pair fired at token 4, so its weights are not zero, and fires next at `reads`.
    let neuron = try #require((0..<24).first { x[4][$0] > 0 })
    let reads = try #require((5..<30).first { x[$0][neuron] > 0 || x[$0][neuron ^ 1] > 0 })
    let report = try verify(weights, Compiler().circuit(from: weights).graph, tokens: tokens) {
      engine, token in
      if token == 4 { try engine.scalePlasticWeight(layer: 2, from: 3, to: NeuronIndex(neuron), by: 1.1) }
    }
    let found = try #require(report.firstDivergence)
    // ρ itself differs at the token where a is first read.
    #expect(found.token <= reads && found.layer == 2)
    #expect(found.quantity == (found.token == reads ? .a : .rho))
  }

  @Test func notANumberEndsTheComparison() throws {
    let weights = weights(1)
    var graph = try Compiler().circuit(from: weights).graph
    try graph.setSignedWeight(.greatestFiniteMagnitude, of: .readout, from: .hub(0), to: .readout(0))
    try graph.setSignedWeight(-.greatestFiniteMagnitude, of: .readout, from: .hub(1), to: .readout(0))
    let error = #expect(throws: NotFiniteError.self) { try verify(weights, graph, tokens: [1, 2, 3]) }
    #expect(error?.quantity == .logits && error?.position == 0)
  }
}
