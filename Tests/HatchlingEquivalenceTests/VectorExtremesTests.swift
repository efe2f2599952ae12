import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingEquivalence

/// Vectors that are compared in parts differ as they do whole.
@Suite struct VectorExtremesTests {
  private func joined(_ a: [Float], _ b: [Float], at cuts: [Int]) -> VectorDifference {
    let ends = cuts + [b.count]
    let parts = zip([0] + cuts, ends).map { from, to in
      a[from..<to].withContiguousStorageIfAvailable { a in
        b[from..<to].withContiguousStorageIfAvailable { VectorExtremes(a, $0) }
      }
    }
    return VectorDifference(VectorExtremes(joining: parts.compactMap { $0 ?? nil }))
  }

  private func whole(_ a: [Float], _ b: [Float]) -> VectorDifference {
    a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { VectorDifference(a, $0) } }
  }

  @Test(arguments: 0..<200) func partsJoinToTheWhole(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    let count = Int.random(in: 1...40, using: &random)
    let b = (0..<count).map { _ in Float(random.normal()) }
    var a = b.map { $0 + Float(random.normal() * 1e-3) }
    // The largest difference twice, and numbers that are none.
    if seed % 3 == 0, let last = a.indices.last { (a[0], a[last]) = (b[0] + 9, b[last] + 9) }
    if seed % 5 == 0 { a[Int.random(in: 0..<count, using: &random)] = .nan }
    if seed % 7 == 0 { a[Int.random(in: 0..<count, using: &random)] = .infinity }
    let cuts = (0..<4).map { _ in Int.random(in: 0...count, using: &random) }.sorted()
    #expect(joined(a, b, at: cuts) == whole(a, b), "seed \(seed)")
    #expect(whole(a, b).relative.isFinite == a.allSatisfy(\.isFinite), "seed \(seed)")
  }

  @Test func nothingAndSilenceOnOneSideAreDivergences() {
    #expect(VectorDifference(VectorExtremes(joining: [])).relative == .infinity)
    #expect(joined([0, 0], [0, 0], at: [1]).relative == 0)
    #expect(joined([0, 0], [0, 1], at: [1]).relative == .infinity)
    #expect(joined([0, 1], [0, 0], at: [1]).relative == .infinity)
    // Silent in one part alone is no divergence.
    #expect(joined([0, 1], [1e-9, 1], at: [1]).relative < 1e-8)
  }
}
