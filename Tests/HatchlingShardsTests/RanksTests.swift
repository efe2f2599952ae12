import Foundation
import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics
import HatchlingShards
import TestSupport
import Testing

/// What ranks agree about before they read.
@Suite(.timeLimit(.minutes(2))) struct RanksTests {
  private enum Failed: Error { case here(Int) }

  @Test func whatOneRankCannotDoFailsOnAllWithItsName() {
    let messages = ThreadRank.run(4) { ranks in
      message { try ranks.together { if ranks.rank > 1 { throw Failed.here(ranks.rank) } } }
    }
    #expect(messages == Array(repeating: "rank 2: here(2)", count: 4))
  }

  @Test func whatAllCannotDoIsThrownAsItIs() {
    let messages = ThreadRank.run(3) { ranks in message { try ranks.together { throw Failed.here(0) } } }
    #expect(messages == Array(repeating: "here(0)", count: 3))
    #expect(ThreadRank.run(3) { ranks in (try? ranks.together { ranks.rank }) ?? -1 } == [0, 1, 2])
  }

  @Test func numbersAreAddedAndBytesPassedOn() {
    for ranks in 1...13 {
      let sums = [ranks * (ranks - 1) / 2, ranks]
      for way in ExchangeWay.allCases {
        let found = ThreadRank.run(ranks, way: way) { $0.sum([$0.rank, 1]) }
        #expect(found == Array(repeating: sums, count: ranks), "\(ranks) ranks, \(way)")
      }
    }
    #expect(
      ThreadRank.run(3) { $0.broadcast($0.rank == 1 ? [7, 8] : [], from: 1) } == [[7, 8], [7, 8], [7, 8]])
  }

  /// Every rank loads its rows, and together they know whose state they may take.
  @Test(arguments: [1, 3, 7])
  func aFileIsLoadedRowByRow(ranks: Int) throws {
    let sizes = Hyperparameters(
      neurons: 6 * 50, synapticDimension: 7, heads: 3, layers: 2, vocabulary: 11, variant: .released)
    var weights = Weights.random(sizes, seed: 4, damping: true)
    var mask = Matrix<UInt8>(rows: 300, columns: 7, repeatElement(1, count: 2100))
    mask[120, 3] = 0
    weights.plasticSynapses = mask
    let path = NSTemporaryDirectory() + "ranks-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    for type in [ElementType.f32, .bf16] {
      try weights.save(to: path, as: type)
      let whole = try Model.load(path: path)
      let fingerprints = ThreadRank.run(ranks) { ranks in
        guard let model = try? Model.load(path: path, only: ranks.choice) else { return "" }
        let expected = whole.weights.part(of: ranks.rank, ranks: ranks.size)
        let loaded = model.weights
        #expect(loaded.part == expected.part && loaded.hyperparameters == sizes)
        #expect(loaded.decoderX.elements == expected.decoderX.elements)
        #expect(loaded.decoderY.elements == expected.decoderY.elements)
        #expect(loaded.encoder.elements == expected.encoder.elements)
        #expect(loaded.damping == expected.damping)
        #expect(loaded.plasticSynapses?.elements == expected.plasticSynapses?.elements)
        return loaded.fingerprint(among: ranks)
      }
      #expect(fingerprints == Array(repeating: whole.fingerprint, count: ranks))
    }
  }
}

private func message(_ work: () throws -> Void) -> String {
  do {
    try work()
    return "nothing"
  } catch { return "\(error)" }
}
