#if Topology
  import Foundation

  /// Two distributions compared on the same tail by the likelihood ratio (Vuong 1989, as Clauset and others use it).
  public struct LikelihoodComparison: Sendable, Equatable, Encodable {
    /// Σ ln p(k) of the power law − that of the alternative; positive speaks for the power law.
    public let ratio: Double
    /// The ratio in units of its standard deviation.
    public let normalised: Double
    /// How probable a ratio at least as far from 0 is if both fit equally well.
    public let probability: Double

    private enum CodingKeys: String, CodingKey {
      case ratio, normalised
      case probability = "p"
    }
  }

  /// The degrees from x_min on, each distinct one once, and what other distributions make of them.
  public struct Tail: Sendable {
    let minimum: Int
    /// Distinct degrees and how often they occur.
    let degrees: [(degree: Double, count: Double)]
    let size: Double

    public init(_ degrees: [Int], from minimum: Int) {
      var counts: [Int: Int] = [:]
      for degree in degrees where degree >= minimum { counts[degree, default: 0] += 1 }
      self.minimum = minimum
      self.degrees = counts.sorted { $0.key < $1.key }.map { (Double($0.key), Double($0.value)) }
      size = self.degrees.reduce(0) { $0 + $1.count }
    }

    /// ln p(k) of the distinct degrees under a power law.
    func powerLaw(_ exponent: Double) -> [Double] {
      let norm = Foundation.log(HurwitzZeta(exponent, from: Double(minimum)).value)
      return degrees.map { -exponent * Foundation.log($0.degree / Double(minimum)) - norm }
    }

    /// ln p(k) under the discrete exponential p(k) ∝ e^{−λk}, whose likelihood is greatest at λ = ln(1 + 1 / (mean − x_min)).
    func exponential() -> [Double] {
      let mean = degrees.reduce(0) { $0 + $1.degree * $1.count } / size
      let rate = Foundation.log1p(1 / (mean - Double(minimum)))
      return degrees.map { Foundation.log1p(-Foundation.exp(-rate)) - rate * ($0.degree - Double(minimum)) }
    }

    /// ln p(k) under a log-normal rounded to whole numbers, p(k) ∝ Φ(ln(k + ½)) − Φ(ln(k − ½)), truncated at x_min − ½.
    func logNormal(mean: Double, deviation: Double) -> [Double] {
      func score(_ value: Double) -> Double {
        (Foundation.log(value) - mean) / (deviation * 2.0.squareRoot())
      }
      let norm = Foundation.erfc(score(Double(minimum) - 0.5)) / 2
      return degrees.map {
        let (low, high) = (score($0.degree - 0.5), score($0.degree + 0.5))
        // Differences of the small tail, whichever side it is on.
        let mass =
          low > 0
          ? Foundation.erfc(low) - Foundation.erfc(high) : Foundation.erfc(-high) - Foundation.erfc(-low)
        return Foundation.log(max(mass / 2, .leastNormalMagnitude))
          - Foundation.log(max(norm, .leastNormalMagnitude))
      }
    }

    /// The likeliest log-normal, by Nelder and Mead's search from the moments of ln k.
    func logNormalParameters() -> (mean: Double, deviation: Double) {
      let mean = degrees.reduce(0) { $0 + Foundation.log($1.degree) * $1.count } / size
      let variance =
        degrees.reduce(0) {
          let distance = Foundation.log($1.degree) - mean
          return $0 + distance * distance * $1.count
        } / size
      let best = Simplex.minimise(from: [mean, Foundation.log(max(variance.squareRoot(), 1e-3))]) { point in
        // Far from the data both the mass and its norm vanish and their quotient says nothing.
        guard abs(point[1]) < 6, point[0] > -1e3 else { return .infinity }
        let deviation = Foundation.exp(point[1])
        guard
          Foundation.erfc(
            (Foundation.log(Double(minimum) - 0.5) - point[0]) / (deviation * 2.0.squareRoot())) > 1e-280
        else { return .infinity }
        return -total(logNormal(mean: point[0], deviation: deviation))
      }
      return (best[0], Foundation.exp(best[1]))
    }

    func total(_ logarithms: [Double]) -> Double {
      zip(degrees, logarithms).reduce(0) { $0 + $1.0.count * $1.1 }
    }

    /// The power law against another distribution.
    func compare(_ law: [Double], with other: [Double]) -> LikelihoodComparison {
      let ratio = total(law) - total(other)
      let mean = ratio / size
      let variance =
        zip(degrees, zip(law, other)).reduce(0) {
          let distance = $1.1.0 - $1.1.1 - mean
          return $0 + $1.0.count * distance * distance
        } / size
      let deviation = (size * variance).squareRoot()
      guard deviation > 0 else { return LikelihoodComparison(ratio: ratio, normalised: 0, probability: 1) }
      return LikelihoodComparison(
        ratio: ratio, normalised: ratio / deviation,
        probability: Foundation.erfc(abs(ratio) / (2.0.squareRoot() * deviation)))
    }

    /// The fitted power law against the likeliest exponential alone.
    public func againstExponential(_ fit: PowerLawFit) -> LikelihoodComparison {
      compare(powerLaw(fit.exponent), with: exponential())
    }

    /// The fitted power law against the likeliest log-normal and the likeliest exponential.
    public func alternatives(
      to fit: PowerLawFit
    ) -> (logNormal: LikelihoodComparison, exponential: LikelihoodComparison) {
      let law = powerLaw(fit.exponent)
      let (mean, deviation) = logNormalParameters()
      return (
        compare(law, with: logNormal(mean: mean, deviation: deviation)), compare(law, with: exponential())
      )
    }
  }

  /// Nelder and Mead's downhill simplex, for likelihoods of two or three parameters.
  enum Simplex {
    static func minimise(from start: [Double], steps: Int = 2000, _ value: ([Double]) -> Double) -> [Double] {
      var points = [start]
      for axis in start.indices {
        var point = start
        point[axis] += max(0.1, 0.1 * abs(point[axis]))
        points.append(point)
      }
      var corners = points.map { (point: $0, value: value($0)) }
      func along(_ from: [Double], _ to: [Double], _ step: Double) -> (point: [Double], value: Double) {
        let point = zip(from, to).map { $0 + step * ($1 - $0) }
        return (point, value(point))
      }
      for _ in 0..<steps {
        corners.sort { $0.value < $1.value }
        let (best, worst) = (corners[0], corners[corners.count - 1])
        if abs(worst.value - best.value) <= 1e-12 * (abs(best.value) + 1e-12) { break }
        let rest = corners.dropLast()
        let centre = start.indices.map { axis in rest.reduce(0) { $0 + $1.point[axis] } / Double(rest.count) }
        let reflected = along(worst.point, centre, 2)
        var replacement: (point: [Double], value: Double)?
        if reflected.value < best.value {
          let expanded = along(worst.point, centre, 3)
          replacement = expanded.value < reflected.value ? expanded : reflected
        } else if reflected.value < corners[corners.count - 2].value {
          replacement = reflected
        } else {
          let contracted = along(worst.point, centre, reflected.value < worst.value ? 1.5 : 0.5)
          if contracted.value < min(reflected.value, worst.value) { replacement = contracted }
        }
        if let replacement {
          corners[corners.count - 1] = replacement
        } else {
          corners = corners.map { $0.value == best.value ? $0 : along(best.point, $0.point, 0.5) }
        }
      }
      return corners.min { $0.value < $1.value }?.point ?? start
    }
  }
#endif
