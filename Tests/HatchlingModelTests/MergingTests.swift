import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

/// Models joined neuron by neuron (§7.1).
@Suite struct MergingTests {
  private func sizes(_ perHead: Int) -> Hyperparameters {
    Hyperparameters(neurons: 3 * perHead, synapticDimension: 8, heads: 3, layers: 2, vocabulary: 9)
  }

  @Test func neuronsStandHeadByHead() throws {
    var a = Weights.random(sizes(4), seed: 1)
    let b = Weights.random(sizes(6), seed: 2, damping: true)
    a.plasticSynapses = Matrix(rows: 12, columns: 8, (0..<96).map { $0 % 3 == 0 ? 1 : 0 })
    let merged = try Weights.merged([a, b])
    #expect(merged.hyperparameters == sizes(10))
    for head in 0..<3 {
      for neuron in 0..<10 {
        let (source, row) = neuron < 4 ? (a, head * 4 + neuron) : (b, head * 6 + neuron - 4)
        for hub in 0..<8 {
          #expect(merged.decoderX[head * 10 + neuron, hub] == source.decoderX[row, hub])
          #expect(merged.decoderY[head * 10 + neuron, hub] == source.decoderY[row, hub])
          #expect(merged.encoder[head * 10 + neuron, hub] == source.encoder[row, hub])
          let exists = source.plasticSynapses?[row, hub] ?? 1
          #expect(merged.plasticSynapses?[head * 10 + neuron, hub] == exists)
        }
        #expect(merged.damping?[head * 10 + neuron] == (source.damping?[row] ?? 0))
      }
    }
    #expect(merged.frequencies == a.frequencies + b.frequencies)
    #expect(merged.embedding[2, 3] == Float((Double(a.embedding[2, 3]) + Double(b.embedding[2, 3])) / 2))
    #expect(merged.readout[3, 2] == Float((Double(a.readout[3, 2]) + Double(b.readout[3, 2])) / 2))
  }

  @Test(arguments: 0..<6)
  func aModelMergedWithItselfIsItself(seed: Int) throws {
    var a = Weights.random(sizes(12), seed: UInt64(seed), damping: seed % 2 == 0)
    // Strong activity, against which LN's ε weighs nothing.
    a.decoderX = a.decoderX.map { $0 * 100 }
    a.encoder = a.encoder.map { $0 * 100 }
    let tokens = randomTokens(40, vocabulary: 9, seed: UInt64(seed))
    let twice = TensorEngine(try Weights.merged([a, a]).converted(to: Double.self))
    let expected = try TensorEngine(a.converted(to: Double.self)).read(tokens).elements
    #expect(relativeDifference(try twice.read(tokens).elements, expected) <= 1e-3, "seed \(seed)")
  }

  @Test func modelsOfAnotherShapeAreRefused() {
    var other = sizes(4)
    other.layers = 3
    #expect(
      throws: MergeError.mismatch(
        quantity: "L =", model: "model 2", value: "3", first: "model 1", expected: "2")
    ) {
      try Weights.merged([.random(sizes(4), seed: 1), .random(other, seed: 1)])
    }
    #expect(throws: MergeError.tooFew) { try Weights.merged([.random(sizes(4), seed: 1)]) }
  }
}
