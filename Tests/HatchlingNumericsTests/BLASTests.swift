import CKernels
import HatchlingNumerics
import TestSupport
import Testing

/// Products hold to plain loops, and the core that multiplies is as good as the processor allows.
@Suite struct BLASTests {
  /// Small whole numbers, so that every order of summation is exact.
  private func numbers<Scalar: NetworkScalar>(_ count: Int, _ random: inout SeededRandom) -> [Scalar] {
    (0..<count).map { _ in Scalar(Int.random(in: -4...4, using: &random)) }
  }

  private func transposed<Scalar>(_ matrix: [Scalar], rows: Int, columns: Int) -> [Scalar] {
    (0..<columns).flatMap { column in (0..<rows).map { matrix[$0 * columns + column] } }
  }

  private func holdsToPlainLoops<Scalar: NetworkScalar>(_: Scalar.Type, m: Int, n: Int, k: Int, seed: UInt64)
  {
    var random = SeededRandom(seed: seed)
    let (a, b): ([Scalar], [Scalar]) = (numbers(m * k, &random), numbers(k * n, &random))
    var right = [Scalar](repeating: 0, count: m * n)
    for row in 0..<m {
      for column in 0..<n {
        for inner in 0..<k { right[row * n + column] += a[row * k + inner] * b[inner * n + column] }
      }
    }
    let (at, bt) = (transposed(a, rows: m, columns: k), transposed(b, rows: k, columns: n))
    for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
      var c = [Scalar](repeating: .nan, count: m * n)
      BLAS.multiply(
        ta ? at : a, transposed: ta, by: tb ? bt : b, transposedB: tb, into: &c, m: m, n: n, k: k)
      #expect(c == right, "\(Scalar.self) \(m)×\(n)×\(k), transposed \(ta) \(tb), seed \(seed)")
    }
    var y = [Scalar](repeating: .nan, count: m)
    BLAS.multiply(at, transposed: true, rows: k, columns: m, by: Array(bt.prefix(k)), into: &y)
    #expect(y == (0..<m).map { right[$0 * n] }, "\(Scalar.self) vector, seed \(seed)")
  }

  @Test(arguments: [(1, 1, 1), (3, 5, 7), (17, 33, 65), (130, 67, 129)])
  func productsHoldToPlainLoops(_ m: Int, _ n: Int, _ k: Int) {
    let seed = UInt64.random(in: 1...9999)
    holdsToPlainLoops(Float.self, m: m, n: n, k: k, seed: seed)
    holdsToPlainLoops(Double.self, m: m, n: n, k: k, seed: seed)
  }

  private func better(_ core: String, _ v3: Bool, _ v4: Bool) -> String? {
    hatchling_blas_better(core, v3, v4).map { String(cString: $0) }
  }

  @Test func aCoreIsReplacedOnlyByWhatTheProcessorCanRun() {
    #expect(better("Prescott", true, true) == "SkylakeX" && better("Zen", true, true) == "SkylakeX")
    #expect(better("Prescott", true, false) == "Haswell" && better("Sandybridge", true, false) == "Haswell")
    for core in ["Prescott", "Haswell", "Zen", "SkylakeX"] { #expect(better(core, false, false) == nil) }
    for core in ["Haswell", "Zen"] { #expect(better(core, true, false) == nil) }
    // As good, or younger than our list.
    for core in ["SkylakeX", "Cooperlake", "SapphireRapids", "SomethingNew"] {
      #expect(better(core, true, true) == nil)
    }
  }

  @Test func whatIsUsedWasCheckedAndIsNotPoorByItself() {
    #expect(hatchling_blas_chosen().usable)
    let core = BLAS.core
    #expect(core.library.hasPrefix("OpenBLAS ") && !core.name.isEmpty)
    if core.chosenBy == .features { #expect(core.name != core.found && core.refused == nil) }
    // Only a user, or a library without the better core, may leave it poor.
    #expect(
      core.better == nil || core.chosenBy == .coreType || core.chosenBy == .forced || core.refused != nil)
  }
}
