import HatchlingNumerics
import TestSupport
import Testing

/// One number that is none is found wherever it stands, on every instruction set.
@Suite struct FiniteTests {
  private func check<Scalar: NetworkScalar>(_: Scalar.Type) {
    defer { takeBestKernels() }
    for set in instructionSets {
      use(set)
      for count in [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100] {
        let odd: [Scalar] = [
          -.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0, .greatestFiniteMagnitude, 3,
        ]
        var values = (0..<count).map { odd[$0 % odd.count] }
        #expect(Scalar.areFinite(values, count), "\(set), \(count)")
        for place in 0..<count {
          for wrong in [Scalar.nan, .infinity, -.infinity] {
            let kept = values[place]
            values[place] = wrong
            #expect(!Scalar.areFinite(values, count), "\(set), \(wrong) at \(place) of \(count)")
            // What lies behind the last number does not count.
            #expect(Scalar.areFinite(values, place), "\(set), the \(place) before \(wrong)")
            values[place] = kept
          }
        }
      }
    }
  }

  @Test func floatsAndDoubles() {
    check(Float.self)
    check(Double.self)
  }
}
