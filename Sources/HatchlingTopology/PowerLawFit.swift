#if Topology
  import Foundation
  import HatchlingNumerics
  import Synchronization

  /// A discrete power law p(k) = k^−α / ζ(α, x_min), k ≥ x_min, fitted by maximum likelihood (Clauset, Shalizi, Newman 2009).
  ///
  /// α solves its likelihood equation to rounding; every degree but the largest is tried as x_min, and of equal distances the smallest one wins.
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
    /// - Parameter minimum: a given x_min, at least 1; by default the best one.
    /// - Returns: cost: a likelihood equation per distinct degree, milliseconds for thousands of nodes.
    public init?(_ degrees: [Int], minimum: Int? = nil) {
      let tails = DegreeTails(degrees, from: minimum)
      guard let best = tails.fit(closerThan: .infinity) else { return nil }
      self = best
    }

    init(exponent: Double, minimum: Int, distance: Double, tail: Int) {
      (self.exponent, self.minimum, self.distance, self.tail) = (exponent, minimum, distance, tail)
    }

    /// Whether the tail has nodes enough for the fit to say anything.
    public var hasEnoughNodes: Bool { tail >= Self.fewestToJudge }

    /// P(degree ≥ k) given degree ≥ x_min.
    public func ccdf(_ degree: Int) -> Double {
      let (degree, minimum) = (Double(degree), Double(minimum))
      return Foundation.exp(-exponent * Foundation.log1p((degree - minimum) / minimum))
        * HurwitzZeta(exponent, from: degree).value / HurwitzZeta(exponent, from: minimum).value
    }

    /// The fraction of `repeats` synthetic samples that lie at least as far from their own fits as the degrees from theirs: small means that
    /// the degrees do not follow a power law (Clauset and others rule it out below 0.1).
    ///
    /// A sample has as many positive degrees; each is drawn from the power law with the tail's probability, else from the degrees
    /// below x_min. Every sample is fitted anew, x_min included, until it is known on which side its distance lies.
    /// - Parameter progress: called by any thread with the number of samples done, in no order.
    /// - Returns: nil without repeats; the same for any number of threads. Cost: at most `repeats` fits.
    public func bootstrap(
      _ degrees: [Int], repeats: Int, seed: UInt64, workers: Workers,
      progress: @Sendable (Int) -> Void = { _ in }
    ) -> Double? {
      guard repeats > 0 else { return nil }
      let positive = degrees.filter { $0 > 0 }
      let below = positive.filter { $0 < minimum }
      let law = PowerLawSampler(self)
      let farther = Atomic(0)
      let done = Atomic(0)
      workers.run(blocks: repeats) { round in
        var random = SeededRandom(seed: seed, stream: round)
        let sample = positive.indices.map { _ in
          let index = Int.random(in: 0..<positive.count, using: &random)
          return index < below.count ? below[index] : law.draw(&random)
        }
        let tails = DegreeTails(sample)
        if tails.hasFit, tails.fit(closerThan: distance, first: true) == nil {
          farther.add(1, ordering: .relaxed)
        }
        progress(done.add(1, ordering: .relaxed).newValue)
      }
      return Double(farther.load(ordering: .relaxed)) / Double(repeats)
    }
  }

  /// Positive degrees, each distinct one once, in ascending order, with what is needed to fit a power law to those from any one on.
  struct DegreeTails {
    private let degrees: [Double]
    /// How many degrees are at least the i-th; one more entry, 0, at the end.
    private let sizes: [Double]
    /// Σ ln(k / the i-th degree) over the degrees k from the i-th on.
    private let excesses: [Double]
    /// The degrees that may be x_min.
    private let candidates: Range<Int>

    /// - Parameter minimum: the only x_min to try.
    init(_ degrees: [Int], from minimum: Int? = nil) {
      let sorted = degrees.filter { $0 >= max(1, minimum ?? 1) }.sorted()
      var starts = sorted.indices.filter { $0 == 0 || sorted[$0] != sorted[$0 - 1] }
      var distinct = starts.map { Double(sorted[$0]) }
      let hasFit = distinct.count > 1
      if let minimum, let first = distinct.first, first > Double(minimum) {
        distinct.insert(Double(max(1, minimum)), at: 0)
        starts.insert(0, at: 0)
      }
      let sizes = starts.map { Double(sorted.count - $0) } + [0]
      var excesses = [Double](repeating: 0, count: distinct.count)
      for index in distinct.indices.dropLast().reversed() {
        let gap = (distinct[index + 1] - distinct[index]) / distinct[index]
        excesses[index] = excesses[index + 1] + sizes[index + 1] * Foundation.log1p(gap)
      }
      (self.degrees, self.sizes, self.excesses) = (distinct, sizes, excesses)
      candidates = !hasFit ? 0..<0 : minimum == nil ? 0..<distinct.count - 1 : 0..<1
    }

    /// Whether there is anything to fit.
    var hasFit: Bool { !candidates.isEmpty }

    /// The fit from the x_min of the smallest distance; nil where none is smaller than `bound`.
    ///
    /// - Parameter first: take the first one that is closer; there may be better ones.
    func fit(closerThan bound: Double, first: Bool = false) -> PowerLawFit? {
      var best: PowerLawFit?
      for index in candidates {
        let exponent = exponent(from: index)
        guard let distance = distance(exponent, from: index, below: best?.distance ?? bound) else { continue }
        best = PowerLawFit(
          exponent: exponent, minimum: Int(degrees[index]), distance: distance, tail: Int(sizes[index]))
        if first { break }
      }
      return best
    }

    /// The likeliest α, at which the mean of ln(k / x_min) is the expected one, −Z'/Z.
    ///
    /// Newton's method on the logarithm of the expectation, which falls with α from ∞ to 0, inside a bracket: some five evaluations.
    private func exponent(from index: Int) -> Double {
      let (minimum, mean) = (degrees[index], excesses[index] / sizes[index])
      var (low, high) = (1.0, Double.infinity)
      // Clauset and others' Eq. 3.7.
      var exponent = 1 + 1 / (mean + Foundation.log(minimum / (minimum - 0.5)))
      for _ in 0..<200 {
        let zeta = HurwitzZeta(exponent, from: minimum)
        let expected = -zeta.slope / zeta.value
        let variance = zeta.curvature / zeta.value - expected * expected
        if expected > mean { low = exponent } else { high = exponent }
        let step = Foundation.log(expected / mean) * expected / variance
        if abs(step) <= 1e-13 * exponent { break }
        let next = exponent + step
        let isInside = next > low && next < high
        exponent = isInside ? next : high.isFinite ? (low + high) / 2 : 2 * exponent
      }
      return exponent
    }

    /// The largest difference between the two distribution functions, which is at a degree or just before one; nil when it is not below `bound`.
    private func distance(_ exponent: Double, from index: Int, below bound: Double) -> Double? {
      let (minimum, size) = (degrees[index], sizes[index])
      let norm = HurwitzZeta(exponent, from: minimum).value
      var largest = 0.0
      for place in index..<degrees.count {
        let degree = degrees[place]
        let mass = Foundation.exp(-exponent * Foundation.log1p((degree - minimum) / minimum)) / norm
        let ccdf = mass * HurwitzZeta(exponent, from: degree).value
        let before = abs(sizes[place] / size - ccdf)
        let after = abs(sizes[place + 1] / size - (ccdf - mass))
        largest = max(largest, before, after)
        guard largest < bound else { return nil }
      }
      return largest
    }
  }

  /// Draws from a fitted power law by inverting its distribution.
  struct PowerLawSampler {
    private let fit: PowerLawFit
    /// P(degree ≥ x_min + k) for the first few thousand degrees; larger ones are computed when they are met.
    private let table: [Double]
    /// Where a tail without a mean is cut off, so that degrees stay integers.
    private static let largest = 1 << 60

    init(_ fit: PowerLawFit) {
      self.fit = fit
      table = (0..<4096).map { fit.ccdf(fit.minimum + $0) }
    }

    /// The largest k with P(degree ≥ k) ≥ u, u uniform in (0, 1].
    func draw(_ random: inout SeededRandom) -> Int {
      let u = 1 - random.uniform()
      func isReached(_ k: Int) -> Bool { (k < table.count ? table[k] : fit.ccdf(fit.minimum + k)) >= u }
      var (low, high) = (0, 1)
      while high < Self.largest, isReached(high) { (low, high) = (high, 2 * high) }
      while high - low > 1 {
        let middle = (low + high) / 2
        if isReached(middle) { low = middle } else { high = middle }
      }
      return fit.minimum + low
    }
  }

  extension SeededRandom {
    /// One of many independent streams of the same seed.
    fileprivate init(seed: UInt64, stream: Int) {
      var random = SeededRandom(seed: seed &+ UInt64(stream) &* 0x9E37_79B9_7F4A_7C15)
      self.init(seed: random.next())
    }
  }
#endif
