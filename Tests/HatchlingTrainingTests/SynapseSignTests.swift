import Foundation
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingTraining

/// Dale's law, per synapse and per neuron: signs stay while a graph learns, also when synapses come and go.
@Suite struct SynapseSignTests {
  static func trainer(
    _ rule: SignRule, _ rewiring: Rewiring?, threads: Int = 1, edges: Int = 300
  ) throws -> DirectTrainer<Float> {
    try DirectTrainer(
      try .untrained(DirectTrainerTests.sizes, edges: edges, keepsPlastic: false, seed: 5),
      text: DirectTrainerTests.text, options: DirectTrainerTests.options(), rewiring: rewiring, signs: rule,
      workers: Workers(threads: threads))
  }

  /// Weights of neuron → neuron synapses by (graph, target, source).
  static func synapses(_ weights: DirectWeights<Float>) -> [[Int]: Float] {
    var found: [[Int]: Float] = [:]
    for (graph, edges, values) in [
      (0, weights.edgesX, weights.weightsX), (1, weights.edgesY, weights.weightsY),
    ] {
      for target in 0..<edges.targetCount {
        for place in edges.offsets[target]..<edges.offsets[target + 1] {
          found[[graph, target, Int(edges.sources[place])]] = values.pointer[place]
        }
      }
    }
    return found
  }

  @Test func aSynapseKeepsItsSign() throws {
    let trainer = try Self.trainer(.synapse, nil)
    let (before, tokens) = (Self.synapses(trainer.weights), trainer.weights.tokensX)
    for _ in 0..<24 { _ = try trainer.update() }
    let after = Self.synapses(trainer.weights)
    #expect(after.count == 600 && Set(after.keys) == Set(before.keys))
    #expect(after.allSatisfy { $0.value.sign == before[$0.key]?.sign })
    #expect(after.values.contains(0), "no synapse came to the end of its sign: nothing was tried")
    #expect(after.values.filter { $0 > 0 }.count > 100 && after.values.filter { $0 < 0 }.count > 100)
    #expect(zip(trainer.weights.tokensX.elements, tokens.elements).allSatisfy { $0.sign == $1.sign })
    // Free signs do change in the same run.
    let free = try Self.trainer(.free, nil)
    for _ in 0..<24 { _ = try free.update() }
    #expect(Self.synapses(free.weights).contains { $0.value.sign != before[$0.key]?.sign })
  }

  @Test(arguments: [nil, Rewiring(.gradient, every: 3), Rewiring(.random, every: 4)])
  func allSynapsesOfANeuronHaveOneSign(_ rewiring: Rewiring?) throws {
    let trainer = try Self.trainer(.neuron, rewiring)
    let first = Self.synapses(trainer.weights)
    for _ in 0..<24 { _ = try trainer.update() }
    let last = Self.synapses(trainer.weights)
    var signs: [Int: FloatingPointSign] = [:]
    for synapses in [first, last] {
      for (key, weight) in synapses {
        let sender = signs[key[2]] ?? weight.sign
        #expect(weight.sign == sender, "neuron \(key[2])")
        signs[key[2]] = sender
      }
    }
    #expect(Set(signs.values).count == 2, "all neurons do the same: nothing was compared")
    #expect((Set(last.keys) == Set(first.keys)) == (rewiring == nil))
    // What is written obeys, too.
    let graph = trainer.weights.graph()
    for node in 0..<graph.neuronCount {
      graph.drivesX.forEachEntry(rows: node..<node + 1) { node, _, weight in
        #expect(weight.sign == signs[node])
      }
    }
  }

  /// The sign of most of what a neuron sends, by weight: 3 − 1 excites, and its −1 becomes 0.
  @Test func theLargerSumDecides() throws {
    var weights = try DirectWeights<Double>.untrained(
      Hyperparameters(neurons: 4, synapticDimension: 2, heads: 1, layers: 1, vocabulary: 2), edges: 3,
      keepsPlastic: false, seed: 1)
    weights.edgesX = EdgeLists(offsets: [0, 1, 2, 3, 3], sources: [2, 2, 0])
    weights.weightsX = Matrix(rows: 1, columns: 3, [-1, 1, -0.5])
    weights.edgesY = EdgeLists(offsets: [0, 1, 1, 2, 3], sources: [2, 0, 3])
    weights.weightsY = Matrix(rows: 1, columns: 3, [2, 0.25, -1])
    _ = SynapseSigns(.neuron, &weights)
    #expect(Array(weights.weightsX.elements) == [0, 1, -0.5])
    #expect(Array(weights.weightsY.elements) == [2, 0, -1])
    #expect(weights.weightsY.pointer[1].sign == .minus)
  }

  @Test(arguments: [SignRule.synapse, .neuron], [nil, Rewiring(.random, every: 4)])
  func interruptionAndThreadsChangeNoBit(_ rule: SignRule, _ rewiring: Rewiring?) throws {
    let whole = try Self.trainer(rule, rewiring)
    for _ in 0..<24 { _ = try whole.update() }
    let path = NSTemporaryDirectory() + "signs-\(UUID().uuidString).checkpoint"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let first = try Self.trainer(rule, rewiring, threads: 3)
    for _ in 0..<11 { _ = try first.update() }
    try first.saveCheckpoint(to: path)
    let (second, _) = try DirectTrainer<Float>.resume(from: path, text: DirectTrainerTests.text)
    #expect(second.signRule == rule)
    while second.step < 24 { _ = try second.update() }
    #expect(DirectTrainerTests.bits(second) == DirectTrainerTests.bits(whole))
  }

  /// Every neuron that sends nothing for a while takes up what it did before: signs are in the checkpoint, not only in weights.
  @Test func silentNeuronsKeepTheirSigns() throws {
    let trainer = try Self.trainer(.neuron, Rewiring(.random, every: 2, drop: 1), edges: 20)
    let senders = trainer.signs.senders
    for _ in 0..<6 { _ = try trainer.update() }
    let path = NSTemporaryDirectory() + "signs-\(UUID().uuidString).checkpoint"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try trainer.saveCheckpoint(to: path)
    let (resumed, _) = try DirectTrainer<Float>.resume(from: path, text: DirectTrainerTests.text)
    #expect(resumed.signs.senders == senders)
    #expect(Set(senders) == [1, -1])
  }
}
