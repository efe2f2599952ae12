import HatchlingCompiler
import HatchlingDynamics
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

/// The fast engine against the plain interpreter of the same rules.
@Suite struct InterpreterTests {
  /// A random graph with some synapses of every kind cut, so that both layouts and silent hubs occur.
  static func graph(_ variant: Variant, _ seed: UInt64, keeping fraction: Double) throws -> CircuitGraph<
    Double
  > {
    let sizes = Hyperparameters.random(seed: seed, variant: variant)
    let weights = Weights.random(sizes, seed: seed, rotates: seed % 3 != 0, damping: seed % 2 == 0)
    var graph = try Compiler().circuit(from: weights.converted(to: Double.self)).graph
    var random = SeededRandom(seed: seed)
    var cut: [Synapse<Double>] = []
    graph.forEachSynapse(of: [.embedding, .x, .y, .encoder, .readout, .plastic]) {
      if random.uniform() > fraction { cut.append($0) }
    }
    for synapse in cut { try graph.remove(synapse.kind, from: synapse.presynaptic, to: synapse.postsynaptic) }
    return LayOutPass.run(graph)
  }

  /// The largest difference, relative to the largest number where that exceeds 1: norm-free networks grow without end.
  private func scaledDifference(_ a: [Double], _ b: [Double]) -> Double {
    absoluteDifference(a, b) / b.reduce(1) { max($0, abs($1)) }
  }

  @Test(arguments: Variant.allCases, 0..<8)
  func engineAndInterpreterAgreeOnValuesAndCounts(variant: Variant, seed: Int) throws {
    for fraction in [1, 0.8, 0.15] {
      let graph = try Self.graph(variant, UInt64(seed), keeping: fraction)
      let engine = try CircuitEngine(
        graph, workers: Workers(threads: 1), options: CircuitEngineOptions(defersWrites: seed % 2 == 0))
      let interpreter = try Run.interpreting(graph, rules: DragonRules<Double>.self)
      for token in randomTokens(12, vocabulary: graph.tokenCount, seed: UInt64(seed)) {
        let (activity, layers) = try engine.stepRecording(token)
        let (expected, plainLayers) = try interpreter.stepRecording(token)
        #expect(activity == expected, "counts, seed \(seed), fraction \(fraction), token \(engine.position)")
        for (layer, other) in try paired(layers, plainLayers) {
          #expect(scaledDifference(layer.x, other.x) <= 1e-9, "x, seed \(seed), fraction \(fraction)")
          #expect(
            scaledDifference(layer.a, other.a) <= 1e-9, "a, seed \(seed), fraction \(fraction)")
          #expect(
            scaledDifference(layer.y, other.y) <= 1e-9, "y, seed \(seed), fraction \(fraction)")
          #expect(scaledDifference(layer.v, other.v) <= 1e-9, "v, seed \(seed), fraction \(fraction)")
        }
        #expect(scaledDifference(engine.logits, interpreter.logits) <= 1e-9, "logits, seed \(seed)")
      }
      for layer in 1...graph.layers {
        let expected = interpreter.attentionState(layer: layer).elements
        let difference = scaledDifference(engine.attentionState(layer: layer).elements, expected)
        #expect(difference <= 1e-9, "ρ, seed \(seed), fraction \(fraction)")
      }
    }
  }

  @Test func anotherRuleCanBeTried() throws {
    /// Oja-like: the weight also decays with the square of the postsynaptic activity.
    enum OjaRules: LocalRules {
      typealias Dragon = DragonRules<Double>
      static func deliver(_ sent: Double, over synapse: SynapseView<Double>) -> Channels<Double> {
        Dragon.deliver(sent, over: synapse)
      }
      static func compete(_ sums: Channels<Double>) -> Double { Dragon.compete(sums) }
      static func read(_ activity: Double, over weight: Double) -> Double {
        Dragon.read(activity, over: weight)
      }
      static func reweight(_ weight: Double, presynaptic: Double, postsynaptic: Double) -> Double {
        weight + postsynaptic * (presynaptic - 0.1 * postsynaptic * weight)
      }
      static func forget(_ weight: Double, keep: Double) -> Double { weight * keep }
      static func activateY(drive: Double, x: Double) -> Double { Dragon.activateY(drive: drive, x: x) }
      static func activateX(drive: Double, previous: Double) -> Double {
        Dragon.activateX(drive: drive, previous: previous)
      }
      static func rotate(own: Double, partner: Double, edge: Sign, clock: ClockView<Double>) -> Double {
        Dragon.rotate(own: own, partner: partner, edge: edge, clock: clock)
      }
      static func normalise(_ value: Double, _ answer: Broadcast<Double>) -> Double {
        Dragon.normalise(value, answer)
      }
    }
    let graph = try Self.graph(.released, 5, keeping: 1)
    let dragon = try Run.interpreting(graph, rules: DragonRules<Double>.self)
    let oja = try Run.interpreting(graph, rules: OjaRules.self)
    for token in randomTokens(8, vocabulary: graph.tokenCount, seed: 5) {
      try dragon.step(token)
      try oja.step(token)
    }
    #expect(oja.logits.allSatisfy { $0.isFinite })
    #expect(absoluteDifference(oja.logits, dragon.logits) > 1e-6)
  }
}
