#if Topology
  import Foundation

  /// Z(s, a) = a^s ζ(s, a) = Σ_{k ≥ 0} (1 + k/a)^−s, s > 1, a ≥ 1, and its derivatives by s: Hurwitz's zeta function, scaled so that it is at least
  /// 1 and no exponent underflows. Euler and Maclaurin's formula; 13 digits or more.
  struct HurwitzZeta {
    private(set) var value = 0.0
    private(set) var slope = 0.0
    private(set) var curvature = 0.0

    /// B_2k / (2k)!, k = 1 … 8.
    private static let bernoulli: [Double] = [
      1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1_209_600, 1.0 / 47_900_160, -691.0 / 1_307_674_368_000,
      1.0 / 74_724_249_600, -3617.0 / 10_670_622_842_880_000,
    ]

    /// Cost: s + 10 − a powers, at least one and at most some fifty.
    init(_ s: Double, from a: Double) {
      // The remainder falls with ((s + 16) / 2π(a + k))², so the first terms are added one by one until a + k is large enough.
      var k = 0.0
      while a + k < s + 10 {
        let logarithm = Foundation.log1p(k / a)
        let power = Foundation.exp(-s * logarithm)
        add(power, rate: -logarithm)
        if power <= 1e-18 * -slope { return }
        k += 1
      }
      let (edge, logarithm, inverse) = (a + k, Foundation.log1p(k / a), 1 / (s - 1))
      let power = Foundation.exp(-s * logarithm)
      add(power * edge * inverse, rate: -logarithm - inverse, bend: inverse * inverse)
      add(power / 2, rate: -logarithm)
      var (term, rate, bend) = (s * power / edge, 1 / s - logarithm, -1 / (s * s))
      for (index, coefficient) in Self.bernoulli.enumerated() {
        add(coefficient * term, rate: rate, bend: bend)
        if term <= 1e-18 * -slope { return }
        let (first, second) = (s + Double(2 * index + 1), s + Double(2 * index + 2))
        term *= first * second / (edge * edge)
        rate += 1 / first + 1 / second
        bend -= 1 / (first * first) + 1 / (second * second)
      }
    }

    /// Adds a term whose logarithm has the first derivative `rate` and the second `bend`.
    private mutating func add(_ term: Double, rate: Double, bend: Double = 0) {
      value += term
      slope += term * rate
      curvature += term * (rate * rate + bend)
    }
  }
#endif
