#if Topology
  internal import CIgraph
  import Foundation
  import HatchlingNumerics

  /// A discrete power law p(k) = k^−α / ζ(α, x_min), k ≥ x_min, fitted by maximum likelihood (Clauset, Shalizi, Newman 2009).
  public struct PowerLawFit: Sendable, Equatable {
    /// α.
    public let exponent: Double
    /// x_min, from which degree on the power law is meant to hold; the one with the smallest Kolmogorov–Smirnov distance.
    public let minimum: Int
    /// The Kolmogorov–Smirnov distance between the degrees from x_min on and the fit.
    public let distance: Double
    /// How many degrees are at least x_min.
    public let tail: Int

    /// Below this many nodes in the tail a fit says nothing.
    public static let fewestToJudge = 50

    /// Fits the positive ones among `degrees`; nil when fewer than two different positive degrees leave nothing to fit.
    ///
    /// - Parameter minimum: a given x_min; by default the best one.
    /// - Throws: ``IgraphError``. Cost: a likelihood maximisation per distinct degree, milliseconds for thousands of nodes.
    public init?(_ degrees: [Int], minimum: Int? = nil) throws {
      let values = degrees.filter { $0 > 0 && $0 >= minimum ?? 1 }.sorted().map(Double.init)
      guard let first = values.first, let last = values.last, first < last else { return nil }
      var result = igraph_plfit_result_t()
      let code = IgraphLibrary.alone {
        withIgraphVector(values) { igraph_power_law_fit($0, &result, minimum.map(Double.init) ?? -1, false) }
      }
      try IgraphLibrary.check(code, "igraph_power_law_fit")
      guard result.alpha.isFinite, result.alpha > 1, result.xmin >= 1 else { return nil }
      exponent = result.alpha
      self.minimum = Int(result.xmin)
      distance = result.D
      tail = values.count { $0 >= result.xmin }
    }

    /// Whether the tail has nodes enough for the fit to say anything.
    public var hasEnoughNodes: Bool { tail >= Self.fewestToJudge }

    /// P(degree ≥ k) given degree ≥ x_min.
    public func ccdf(_ degree: Int) -> Double {
      HurwitzZeta.value(exponent, Double(degree)) / HurwitzZeta.value(exponent, Double(minimum))
    }

    /// The fraction of `repeats` synthetic samples that lie farther from their own fits than the degrees from theirs: small means that the
    /// degrees do not follow a power law (Clauset and others rule it out below 0.1).
    ///
    /// A sample has as many positive degrees; each is drawn from the power law with the tail's probability, else from the degrees
    /// below x_min. Every sample is fitted anew, x_min included.
    /// - Throws: ``IgraphError``. Cost: `repeats` fits.
    public func bootstrap(
      _ degrees: [Int], repeats: Int, seed: UInt64, progress: (Int) -> Void = { _ in }
    ) throws -> Double? {
      guard repeats > 0 else { return nil }
      let positive = degrees.filter { $0 > 0 }
      let below = positive.filter { $0 < minimum }
      var random = SeededRandom(seed: seed)
      let law = PowerLawSampler(self)
      var farther = 0
      for round in 0..<repeats {
        let sample = positive.indices.map { _ in
          below.isEmpty || Int.random(in: 0..<positive.count, using: &random) >= below.count
            ? law.draw(&random) : below[Int.random(in: 0..<below.count, using: &random)]
        }
        if let fit = try PowerLawFit(sample), fit.distance >= distance { farther += 1 }
        progress(round + 1)
      }
      return Double(farther) / Double(repeats)
    }
  }

  /// Draws from a fitted power law by inverting its distribution.
  struct PowerLawSampler {
    private let fit: PowerLawFit
    /// P(degree ≥ x_min + k) for the first few thousand degrees; the rest is found by bisection.
    private let ccdf: [Double]
    private static let largest = 1 << 40

    init(_ fit: PowerLawFit) {
      self.fit = fit
      var (left, table) = (1.0, [1.0])
      let norm = HurwitzZeta.value(fit.exponent, Double(fit.minimum))
      for degree in fit.minimum..<fit.minimum + 4096 {
        left -= Foundation.pow(Double(degree), -fit.exponent) / norm
        table.append(max(0, left))
      }
      ccdf = table
    }

    /// The largest k with P(degree ≥ k) > u.
    func draw(_ random: inout SeededRandom) -> Int {
      let u = 1 - random.uniform()
      var (low, high) = (0, ccdf.count - 1)
      if ccdf[high] >= u, u > 0 {
        (low, high) = (high, 2 * high)
        while high < Self.largest, fit.ccdf(fit.minimum + high) >= u { (low, high) = (high, 2 * high) }
        while high - low > 1 {
          let middle = (low + high) / 2
          if fit.ccdf(fit.minimum + middle) >= u { low = middle } else { high = middle }
        }
      } else {
        while high - low > 1 {
          let middle = (low + high) / 2
          if ccdf[middle] >= u { low = middle } else { high = middle }
        }
      }
      return fit.minimum + low
    }
  }

  /// ζ(s, a) = Σ_{k ≥ 0} (a + k)^−s, s > 1, a ≥ 1, by Euler and Maclaurin's formula; 13 digits or more.
  enum HurwitzZeta {
    /// B_2k / (2k)!, k = 1 … 8.
    private static let bernoulli: [Double] = [
      1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1_209_600, 1.0 / 47_900_160, -691.0 / 1_307_674_368_000,
      1.0 / 74_724_249_600, -3617.0 / 10_670_622_842_880_000,
    ]

    static func value(_ s: Double, _ a: Double) -> Double {
      // The remainder falls with (s / 2π(a + n))², so large exponents need more terms of the plain sum.
      let n = max(10, s.rounded(.up))
      var sum = 0.0
      for k in 0..<Int(n) { sum += Foundation.pow(a + Double(k), -s) }
      let edge = a + n
      let power = Foundation.pow(edge, -s)
      sum += power * edge / (s - 1) + power / 2
      var term = s * power / edge
      for (index, coefficient) in bernoulli.enumerated() {
        sum += coefficient * term
        let k = Double(2 * index)
        term *= (s + k + 1) * (s + k + 2) / (edge * edge)
      }
      return sum
    }
  }
#endif
