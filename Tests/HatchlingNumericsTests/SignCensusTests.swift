import HatchlingNumerics
import TestSupport
import Testing

/// One pass counts signs and finds what is not finite, whatever the numbers, their count and the number of threads.
@Suite struct SignCensusTests {
  private static let oddities: [Double] = [
    0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .greatestFiniteMagnitude,
    -.greatestFiniteMagnitude,
    1, -1, 1e-40, -1e-40,
  ]

  /// The same, number by number.
  private func plain<Scalar: NetworkScalar>(_ values: [Scalar]) -> SignCensus {
    var census = SignCensus()
    census.positive = values.count { $0 > 0 }
    census.negative = values.count { $0 < 0 }
    census.isFinite = values.allSatisfy(\.isFinite)
    return census
  }

  private func census<Scalar: NetworkScalar>(_ values: [Scalar], threads: Int) -> SignCensus {
    values.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return SignCensus() }
      return SignCensus(of: base, count: buffer.count, workers: Workers(threads: threads))
    }
  }

  private func check<Scalar: NetworkScalar>(_: Scalar.Type, seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var (finite, infinite) = (0, 0)
    defer { takeBestKernels() }
    for count in [1, 7, 15, 16, 17, 33, 4097, 70_001] {
      let values = (0..<count).map { _ -> Scalar in
        let pick = Int(random.uniform() * 20)
        return pick < Self.oddities.count ? Scalar(Self.oddities[pick]) : Scalar(random.uniform() - 0.5)
      }
      let expected = plain(values)
      for set in instructionSets {
        use(set)
        #expect(census(values, threads: 1) == expected, "seed \(seed), \(count) numbers, \(set)")
      }
      if expected.isFinite { finite += 1 } else { infinite += 1 }
    }
    // The largest double is no finite float, so floats get infinities in passing.
    #expect(
      Scalar.self == Float.self ? finite > 0 && infinite > 0 : finite > 0 && infinite == 0, "seed \(seed)")
  }

  @Test(arguments: 0..<5)
  func countsAreThoseOfPlainComparisons(seed: Int) {
    check(Double.self, seed: UInt64(seed))
    check(Float.self, seed: UInt64(seed))
  }

  @Test func threadsDoNotChangeIt() {
    var random = SeededRandom(seed: 3)
    let values = (0..<1_000_003).map { _ in Float(random.uniform() - 0.3) }
    let expected = plain(values)
    for threads in 1...3 { #expect(census(values, threads: threads) == expected) }
    #expect(expected.positive > 0 && expected.negative > 0)
  }

  @Test(arguments: [Float.infinity, -.infinity, .nan, -.nan, .signalingNaN])
  func oneBadNumberIsFoundWhereverItIs(bad: Float) {
    for count in [1, 16, 19, 64] {
      for place in 0..<count {
        var values = [Float](repeating: 0.5, count: count)
        #expect(census(values, threads: 1).isFinite)
        values[place] = bad
        #expect(!census(values, threads: 1).isFinite, "\(bad) at \(place) of \(count)")
        #expect(
          !census(values.map(Double.init), threads: 1).isFinite, "\(bad) at \(place) of \(count), double")
      }
    }
  }
}
