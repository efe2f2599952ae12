import HatchlingCompiler
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

/// Weights in 16 and 8 bits are rounded as promised, and computed from as they are stored.
@Suite struct ReducedWeightsTests {
  private func matrix(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix<Float> {
    var random = SeededRandom(seed: seed)
    return Matrix(
      rows: rows, columns: columns,
      (0..<rows * columns).map { index in
        index / columns % 5 == 4 ? 0 : Float(random.normal() * Double(1 + index / columns % 5 * 1000))
      })
  }

  @Test(arguments: ReducedFormat.allCases)
  func everyWeightIsTheNearestThatTheFormatHas(format: ReducedFormat) {
    let weights = matrix(20, 37, seed: 1)
    let reduced = ReducedRows(weights, format)
    for row in 0..<20 {
      let largest = (0..<37).reduce(Float(0)) { max($0, weights[row, $1].magnitude) }
      for column in 0..<37 {
        let (exact, found) = (weights[row, column], reduced[row, column])
        let allowed = format == .int8 ? largest / 254 * 1.0001 : exact.magnitude * 0x1p-8
        #expect((found - exact).magnitude <= allowed && found == reduced.dense[row, column])
      }
    }
    #expect(reduced.bytes * (format == .int8 ? 3 : 2) <= 4 * 20 * 37)
    let extremes = Matrix<Float>(
      rows: 2, columns: 2, [Float.greatestFiniteMagnitude, -1, .leastNonzeroMagnitude, 0])
    #expect(!ReducedRows(extremes, format).dense.elements.contains { !$0.isFinite })
  }

  /// Sums over reduced rows against the same sums over the rows widened first: bf16 to the last bit, int8 to rounding.
  @Test(arguments: ReducedFormat.allCases, [5, 16, 64, 100, 256])
  func sumsAreTakenOverTheStoredWeights(format: ReducedFormat, d: Int) {
    let n = 37
    let reduced = ReducedRows(matrix(n, d, seed: UInt64(d)), format)
    let dense = reduced.dense
    var random = SeededRandom(seed: 9)
    let v = (0..<d).map { _ in Float(random.normal()) }
    let list = (0..<Int32(n)).filter { _ in random.uniform() < 0.6 }
    let values = list.map { _ in Float(random.normal()) }
    var (found, expected) = ([Float](repeating: 0, count: n), [Float](repeating: 0, count: n))
    reduced.dot(0..<n, v, into: &found)
    Float.dotRows(dense.pointer, rows: n, v, d: d, into: &expected)
    #expect(format == .int8 ? relativeDifference(found, expected) <= 1e-5 : found == expected)
    let whole = found
    reduced.dot(list, count: list.count, v, into: &found)
    #expect(list.indices.allSatisfy { found[$0] == whole[Int(list[$0])] })
    var (sum, other) = (v, v)
    reduced.add(list, values, count: list.count, into: &sum)
    Float.addRows(dense.pointer, list, values, count: list.count, d: d, into: &other)
    #expect(format == .int8 ? relativeDifference(sum, other) <= 1e-5 : sum == other)
  }

  /// A whole network on reduced weights is the network of the rounded weights.
  @Test(arguments: ReducedFormat.allCases, [Variant.released, .definition4])
  func aReducedGraphIsTheNetworkOfTheRoundedWeights(format: ReducedFormat, variant: Variant) throws {
    let sizes = Hyperparameters(
      neurons: 2 * 130, synapticDimension: 48, heads: 2, layers: 3, vocabulary: 11, variant: variant)
    let weights = Weights.random(sizes, seed: 6, damping: true)
    let graph = ReducePass.run(try Compiler().circuit(from: weights).graph, to: format)
    try graph.validate()
    #expect(graph.drivesX.reducedFormat == format && graph.embedding.reducedFormat == nil)
    let rounded = try Decompiler.weights(of: graph)
    #expect(rounded.decoderX.elements != weights.decoderX.elements)
    let widened = try CircuitEngine(Compiler().circuit(from: rounded).graph, workers: Workers(threads: 1))
    let engines = try (1...2).map {
      try CircuitEngine(
        graph, workers: Workers(threads: $0), options: CircuitEngineOptions(screens: $0 == 1))
    }
    for token in randomTokens(30, vocabulary: 11, seed: 6) {
      let activity = try engines[0].step(token)
      #expect(try engines[1].step(token) == activity && engines[0].logits == engines[1].logits)
      try widened.step(token)
      #expect(
        format == .int8
          ? relativeDifference(engines[0].logits, widened.logits) <= 1e-3
          : engines[0].logits == widened.logits)
    }
    #expect(widened.logits.contains { $0 != 0 })
    #expect(throws: StateError.self) { try widened.restore(engines[0].save()) }
  }

  @Test func editingAReducedSynapseChangesThatSynapseOnly() throws {
    let weights = Weights.random(.random(seed: 2), seed: 2)
    var graph = ReducePass.run(try Compiler().circuit(from: weights).graph, to: .int8)
    let before = try Decompiler.weights(of: graph).decoderX
    try graph.scale(.x, from: .hub(1), to: .neuron(1), by: 3)
    let after = try Decompiler.weights(of: graph).decoderX
    for neuron in 0..<before.rows {
      for hub in 0..<before.columns {
        let factor: Float = (neuron, hub) == (1, 1) ? 3 : 1
        #expect(after[neuron, hub] == before[neuron, hub] * factor)
      }
    }
  }
}
