import Foundation
import HatchlingCompiler
import HatchlingEquivalence
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

/// σ from the traces of the direct form against ρ of the tensor form: F σ = ρ.
@Suite struct SynapticStateTests {
  /// F σ, `(targets, d)`: what the hubs hear of σ.
  private func image(_ sigma: FactoredMatrix<Float>, _ weights: Weights<Float>) throws -> Matrix<Double> {
    let normalises = weights.hyperparameters.variant.normalises
    let centred = normalises ? try CentrePass.run(weights) : weights
    let (n, d) = (weights.hyperparameters.neurons, weights.hyperparameters.synapticDimension)
    var result = Matrix<Double>(rows: n, columns: d)
    for target in 0..<n {
      for source in sigma.sources {
        var entry = 0.0
        for token in 0..<sigma.rank {
          entry += Double(sigma.left[target, token]) * Double(sigma.right[source, token])
        }
        guard entry != 0 else { continue }
        let row = source < n ? centred.encoder.row(source) : centred.embedding.row(source - n)
        for hub in 0..<d { result[target, hub] += Double(row[hub]) * entry }
      }
    }
    return result
  }

  /// Without norms a field may cancel to little, so float32 leaves more of an error there.
  @Test(arguments: Variant.allCases) func timesFIsRho(_ variant: Variant) throws {
    for seed in UInt64(1)...6 {
      var sizes = Hyperparameters.random(seed: seed, variant: variant)
      // Without norms random activity grows with every layer, beyond float32 in the fourth.
      sizes.layers = variant.normalises ? max(2, sizes.layers) : 2
      let weights = Weights.random(sizes, seed: seed, damping: seed % 2 == 0)
      let tokens = randomTokens(9, vocabulary: sizes.vocabulary, seed: seed)
      let engine = TensorEngine(weights, workers: Workers(threads: 1))
      for token in tokens { try engine.step(token) }
      let layers = Array(1...sizes.layers)
      let tolerance = variant.normalises ? 2e-5 : 3e-4
      let state = try SynapticState(
        reading: tokens, weights: weights, layers: Set(layers), workers: Workers(threads: 1))
      for layer in layers {
        let rho = engine.attentionState(layer: layer)
        let stored = state.factored(layers: [layer], frame: .stored, includingTokens: true)
        let difference = relativeDifference(try image(stored, weights).elements, rho.elements)
        #expect(difference < tolerance, "seed \(seed), layer \(layer)")
        let current = state.factored(layers: [layer], frame: .current, includingTokens: true)
        let turned = turned(rho, weights, at: tokens.count - 1).elements
        let again = relativeDifference(try image(current, weights).elements, turned)
        #expect(again < tolerance, "seed \(seed), layer \(layer), current")
      }
    }
  }

  /// ρ R_t from the definition; row i of the matrix is column i of ρ.
  private func turned(_ rho: Matrix<Float>, _ weights: Weights<Float>, at time: Int) -> Matrix<Double> {
    var result = rho.map { Double($0) }
    let perHead = weights.hyperparameters.neuronsPerHead
    func angle(_ neuron: Int) -> Double {
      let turns = Double(time) * Double(weights.frequencies[neuron % perHead])
      return 2 * Double.pi * (turns - turns.rounded(.down))
    }
    for u in stride(from: 0, to: rho.rows, by: 2) {
      let w = u + 1
      for hub in 0..<rho.columns {
        let (a, b) = (Double(rho[u, hub]), Double(rho[w, hub]))
        result[u, hub] = a * cos(angle(u)) + b * sin(angle(w))
        result[w, hub] = b * cos(angle(w)) - a * sin(angle(u))
      }
    }
    return result
  }

  /// In layer 1 only token neurons have a trace; several layers add up; one head is a part of all.
  @Test func layersAddUpAndHeadsArePartsOfTheWhole() throws {
    let sizes = Hyperparameters(
      neurons: 24, synapticDimension: 7, heads: 2, layers: 3, vocabulary: 11)
    let weights = Weights.random(sizes, seed: 4)
    let tokens = randomTokens(8, vocabulary: 11, seed: 4)
    let state = try SynapticState(
      reading: tokens, weights: weights, layers: [1, 2, 3], workers: Workers(threads: 2))
    func entries(_ layers: [Int], head: Int? = nil) throws -> [String: Float] {
      let edges = try state.factored(layers: layers, frame: .current, head: head)
        .select(.atLeast(0), sign: .both, workers: Workers(threads: 1)).edges
      return Dictionary(
        uniqueKeysWithValues: (0..<edges.count).map {
          ("\(edges.sources[$0]) \(edges.targets[$0])", edges.weights[$0])
        })
    }
    #expect(try entries([1]).isEmpty)
    let (two, three, both) = (try entries([2]), try entries([3]), try entries([2, 3]))
    #expect(two.count > 50 && three.count > 50)
    for (pair, weight) in both {
      #expect(abs(weight - (two[pair] ?? 0) - (three[pair] ?? 0)) < 1e-4)
    }
    let part = try entries([3], head: 1)
    let inside = three.filter { edge, _ in edge.split(separator: " ").allSatisfy { (Int($0) ?? 0) >= 12 } }
    #expect(!part.isEmpty && Set(part.keys) == Set(inside.keys))
  }
}
