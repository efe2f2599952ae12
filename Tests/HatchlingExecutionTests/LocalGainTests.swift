import HatchlingDynamics
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

/// Graphs without hubs: normalisers hear the particles that they normalise.
@Suite struct LocalGainTests {
  private func graph(_ variant: Variant, _ plasticity: RandomPlasticity, _ seed: UInt64) -> DirectGraph<
    Double
  > {
    DirectGraph<Float>.random(
      seed: seed, variant: variant, plasticity: plasticity, damping: seed % 2 == 0, hasHubs: false
    ).converted(to: Double.self)
  }

  @Test(arguments: Variant.allCases, RandomPlasticity.allCases)
  func engineAndInterpreterAgreeOnValuesAndCounts(variant: Variant, plasticity: RandomPlasticity) throws {
    for seed in 0..<10 as Range<UInt64> {
      let graph = graph(variant, plasticity, seed)
      let engine = try DirectEngine(graph, workers: Workers(threads: 1 + Int(seed) % 3))
      let interpreter = try Run.interpreting(graph, rules: DragonRules<Double>.self)
      #expect(engine.schedule == interpreter.schedule && !engine.schedule.hasHubs)
      for token in randomTokens(20, vocabulary: graph.tokenCount, seed: seed) {
        let (activity, layers) = try engine.stepRecording(token)
        let (expected, plain) = try interpreter.stepRecording(token)
        #expect(activity == expected, "counts, seed \(seed), token \(engine.position)")
        for (layer, other) in try paired(layers, plain) {
          #expect(relativeDifference(layer.x, other.x) <= 1e-10, "x, seed \(seed)")
          #expect(relativeDifference(layer.a, other.a) <= 1e-10, "A, seed \(seed)")
          #expect(relativeDifference(layer.y, other.y) <= 1e-10, "y, seed \(seed)")
          #expect(relativeDifference(layer.v, other.v) <= 1e-10, "z, seed \(seed)")
        }
        #expect(relativeDifference(engine.logits, interpreter.logits) <= 1e-10, "logits, seed \(seed)")
      }
      for layer in 1...graph.layers {
        let (ours, theirs) = (engine.attentionState(layer: layer), interpreter.attentionState(layer: layer))
        #expect(relativeDifference(ours.elements, theirs.elements) <= 1e-10, "σ, seed \(seed)")
      }
    }
  }

  /// One neuron, one token neuron, one head: with pencil and paper.
  @Test func aTokenWithPencilAndPaper() throws {
    var graph = DirectGraph<Double>(
      layers: 1, variant: .released, neurons: NeuronPopulation(headSizes: [1]), tokenCount: 1,
      field: Matrix(rows: 2, columns: 0), readout: Matrix(rows: 2, columns: 1, [3, 5]),
      drivesX: Projection(dense: Matrix(rows: 2, columns: 1, [0, 2])),
      drivesY: Projection(dense: Matrix(rows: 1, columns: 2, [0, 1])), localGains: [1, 2, 3, 4])
    let engine = try DirectEngine(graph, workers: Workers(threads: 1))
    func gain(_ kappa: Double, _ squares: Double, _ count: Double) -> Double {
      1 / (kappa * kappa * squares / count + 1e-5).squareRoot()
    }
    // The first token reads nothing: y = 0, and the trace stays on the token neuron.
    let first = gain(1, 1, 2)
    let kept = first * gain(4, first * first, 2)
    try engine.step(0)
    #expect(absoluteDifference(engine.logits, [5 * kept]) <= 1e-12)
    // The second reads σ = z x of the token neuron: x = 2 z, A = z x², y = A g(A) x.
    let x = 2 * first
    let attention = first * x * x
    let y = attention * gain(2, attention * attention, 1) * x
    let update = y * gain(3, y * y, 2)
    let outer = gain(4, first * first + update * update, 2)
    try engine.step(0)
    #expect(absoluteDifference(engine.logits, [(3 * update + 5 * first) * outer]) <= 1e-12)
    #expect(absoluteDifference(engine.traces(), [update * outer, first * outer]) <= 1e-12)
    graph.localGains = [1, 2, 3]
    #expect(throws: GraphError.self) { try graph.validate() }
    graph.localGains = [1, 2, 3, .nan]
    #expect(throws: GraphError.self) { try graph.validate() }
    graph.localGains = nil
    #expect(throws: GraphError.self) { try graph.validate() }
  }

  @Test func statesGoOnAndSpikesAreRefused() throws {
    for variant in Variant.allCases {
      let graph = graph(variant, .complete, 5)
      let (engine, other) = (try DirectEngine(graph), try DirectEngine(graph))
      let tokens = randomTokens(30, vocabulary: graph.tokenCount, seed: 4)
      for token in tokens.prefix(14) { try engine.step(token) }
      try other.restore(engine.save())
      for token in tokens.dropFirst(14) {
        try engine.step(token)
        try other.step(token)
        #expect(engine.logits == other.logits)
      }
      #expect(throws: SpikingError.withoutHubs) { try SpikingEngine(spiking: graph, .graded) }
      #expect(throws: ProbeError.self) {
        try engine.attach(Probe(.quantity(.v, channel: .net, entries: nil), after: .end(.gate))) { _ in }
      }
    }
  }
}
