import HatchlingCompiler
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

@testable import HatchlingEquivalence

/// What pruning costs, measured: against stepping by hand, and that a direct graph's nudged synapse is found.
@Suite struct FidelityTests {
  private let weights = Weights.random(
    Hyperparameters(neurons: 48, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 12), seed: 6
  ).converted(to: Double.self)
  private let text = randomTokens(200, vocabulary: 12, seed: 6)

  private func engine(_ options: DirectOptions) throws -> DirectEngine<Double> {
    try DirectEngine(
      Compiler().direct(from: weights, options: options, workers: Workers(threads: 1)).graph,
      workers: Workers(threads: 1))
  }

  @Test func theUnprunedGraphReproducesTheTensors() throws {
    let fidelity = try Fidelity(weights, tokens: text, segment: 32, workers: Workers(threads: 2))
    #expect(fidelity.starts == [0, 32, 64, 96, 128, 160] && fidelity.scored == 192)
    let measure = try fidelity.measure { try engine(DirectOptions()) }
    #expect(abs(measure.loss - fidelity.referenceLoss) <= 1e-10)
    #expect(measure.top1Agreement == 1 && abs(measure.meanKL) <= 1e-12)
    #expect(relativeDifference(measure.segmentLosses, fidelity.referenceLosses) <= 1e-10)
  }

  @Test func aPrunedGraphIsMeasuredAsSteppedByHand() throws {
    let options = DirectOptions(kept: .strongest(150))
    let fidelity = try Fidelity(weights, tokens: text, segment: 25, limit: 60, workers: Workers(threads: 3))
    #expect(fidelity.starts == [0, 50, 100])
    let measure = try fidelity.measure { try engine(options) }
    let (pruned, tensors) = (try engine(options), TensorEngine(weights, workers: Workers(threads: 1)))
    var (loss, divergence, agreements, messages) = (0.0, 0.0, 0, 0)
    for start in fidelity.starts {
      pruned.reset()
      tensors.reset()
      for place in start..<start + 25 {
        messages += try pruned.step(text[place]).messages
        try tensors.step(text[place])
        let (ours, theirs) = (Predictions(logits: pruned.logits), Predictions(logits: tensors.logits))
        loss += ours.loss(of: text[place + 1])
        divergence += theirs.divergence(from: ours)
        agreements += ours.mostLikely == theirs.mostLikely ? 1 : 0
      }
    }
    #expect(abs(measure.loss - loss / 75) <= 1e-12)
    #expect(abs(measure.meanKL - divergence / 75) <= 1e-10 && measure.meanKL > 1e-6)
    #expect(measure.top1Agreement == Double(agreements) / 75)
    #expect(measure.messages == Double(messages) / 75)
    let alone = try Fidelity(weights, tokens: text, segment: 25, limit: 60, workers: Workers(threads: 1))
      .measure { try engine(options) }
    #expect(alone.segmentLosses == measure.segmentLosses && alone.meanKL == measure.meanKL)
  }

  /// An engine as the reference: a graph beside itself, and the tensors beside a graph as the graph beside them.
  @Test func anyEngineCanBeTheReference() throws {
    let options = DirectOptions(kept: .strongest(150))
    let fidelity = try Fidelity(
      reference: engine(options), tokens: text, segment: 25, limit: 60, workers: Workers(threads: 2))
    #expect(fidelity.starts == [0, 50, 100])
    let same = try fidelity.measure { try engine(options) }
    #expect(same.segmentLosses == fidelity.referenceLosses && abs(same.meanKL) <= 1e-15)
    let measure = try fidelity.measure { TensorEngine(weights, workers: Workers(threads: 1)) }
    let tensors = TensorEngine(weights, workers: Workers(threads: 1))
    let pruned = try engine(options)
    var divergence = 0.0
    for start in fidelity.starts {
      pruned.reset()
      tensors.reset()
      for place in start..<start + 25 {
        try pruned.step(text[place])
        try tensors.step(text[place])
        divergence += Predictions(logits: pruned.logits).divergence(from: Predictions(logits: tensors.logits))
      }
    }
    #expect(abs(measure.meanKL - divergence / 75) <= 1e-10 && measure.meanKL > 1e-6)
  }

  /// What a normaliser takes away may be added: a circuit whose neurons all excite says what it said.
  @Test func aCircuitOfExcitatoryNeuronsIsTheSame() throws {
    let graph = try Compiler().circuit(from: weights).graph
    guard case .circuit(let raised) = try DalePass(.shift).run(Stage.circuit(graph)).stage else {
      throw CompilerError.misplaced(pass: "dale", needs: "a circuit")
    }
    #expect(raised.encoder.counts.inhibitory == 0 && graph.encoder.counts.inhibitory > 100)
    let (before, after) = (
      try CircuitEngine(graph, workers: Workers(threads: 1)),
      try CircuitEngine(raised, workers: Workers(threads: 1))
    )
    for token in text.prefix(60) {
      try before.step(token)
      try after.step(token)
      #expect(relativeDifference(after.logits, before.logits) <= 1e-10)
    }
  }

  @Test func intervalsContainTheMeanAndRepeat() throws {
    let fidelity = try Fidelity(weights, tokens: text, segment: 16, workers: Workers(threads: 1))
    let measure = try fidelity.measure { try engine(DirectOptions(kept: .strongest(40))) }
    let interval = measure.interval(seed: 4)
    #expect(interval.lower < measure.loss && measure.loss < interval.upper)
    #expect(interval == measure.interval(seed: 4) && interval != measure.interval(seed: 5))
    let wide = measure.interval(level: 0.99, seed: 4)
    #expect(wide.lower <= interval.lower && interval.upper <= wide.upper)
  }

  @Test func textsThatAreTooShortAreRefused() {
    #expect(throws: FidelityError.tooShort(tokens: 32, segment: 32)) {
      try Fidelity(weights, tokens: Array(text.prefix(32)), segment: 32)
    }
    #expect(throws: FidelityError.self) { try Fidelity(weights, tokens: [], segment: 8) }
  }

  /// A nudged G_x is found at its neuron, in the layer where its source first speaks.
  @Test func aNudgedDirectSynapseIsFound() throws {
    let reference = TensorEngine(weights, workers: Workers(threads: 1))
    let neuron = try #require(try reference.stepRecording(text[0]).layers[0].x.firstIndex { $0 > 0 })
    var graph = try Compiler().direct(from: weights).graph
    try graph.scale(.x, from: .token(TokenIndex(text[0])), to: .neuron(NeuronIndex(neuron)), by: 1.1)
    var check = Equivalence(
      graph: try DirectEngine(graph, workers: Workers(threads: 1)),
      tensors: TensorEngine(weights, workers: Workers(threads: 1)))
    try check.run(over: Array(text.prefix(10)))
    #expect(
      check.report.firstDivergence
        == Divergence(token: 0, layer: 1, round: -1, quantity: .x, index: neuron))
    var clean = Equivalence(
      graph: try engine(DirectOptions()), tensors: TensorEngine(weights, workers: Workers(threads: 1)))
    try clean.run(over: Array(text.prefix(10)))
    #expect(clean.report.agree)
  }

  @Test func aNudgedPlasticSynapseIsFoundInItsLayer() throws {
    let engine = try engine(DirectOptions())
    var check = Equivalence(graph: engine, tensors: TensorEngine(weights, workers: Workers(threads: 1)))
    var source: Int?
    try check.run(over: Array(text.prefix(30))) { done in
      guard done == 6 else { return }
      engine.forEachPlasticWeight(layer: 2) { node, neuron, weight in
        if source == nil && weight.magnitude > 0.01 && neuron == 0 { source = node }
      }
      let node = try #require(source)
      try engine.scalePlasticWeight(layer: 2, from: engine.graph.particle(node), to: 0, by: 1.5)
    }
    let found = try #require(check.report.firstDivergence)
    #expect(found.layer == 2 && found.token >= 6 && [.a, .rho].contains(found.quantity))
  }
}
