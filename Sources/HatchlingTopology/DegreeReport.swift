#if Topology
  import HatchlingNumerics

  /// What is said about one list of degrees: how they lie, the fitted power law, what speaks against it.
  public struct DegreeReport: Sendable, Encodable {
    public struct PowerLaw: Sendable, Encodable {
      public let alpha: Double
      public let xMin: Int
      public let ks: Double
      /// Nodes with a degree of at least x_min.
      public let tail: Int
      /// The bootstrap's answer; nil when it was not asked or the tail is too short.
      public internal(set) var p: Double?
      public internal(set) var bootstraps = 0
      /// Positive ratios speak for the power law.
      public internal(set) var versusLogNormal: LikelihoodComparison?
      public internal(set) var versusExponential: LikelihoodComparison?
      /// One line that a person can repeat.
      public internal(set) var verdict = "too few to judge"
    }

    public let mean: Double
    public let median: Double
    public let max: Int
    /// Nodes without such an edge; left out of the fit.
    public let zeros: Int
    /// nil when there are not two different positive degrees.
    public let powerLaw: PowerLaw?
    /// The fit itself, for pictures.
    public let fit: PowerLawFit?

    private enum CodingKeys: String, CodingKey { case mean, median, max, zeros, powerLaw }

    /// - Parameter progress: called by any thread with the number of bootstrap samples done.
    /// - Returns: the same for any number of threads. Cost: `bootstraps` + 1 fits.
    public init(
      _ degrees: [Int], bootstraps: Int, seed: UInt64, workers: Workers,
      progress: @Sendable (Int) -> Void = { _ in }
    ) {
      let sorted = degrees.sorted()
      mean = Double(sorted.reduce(0, +)) / Double(Swift.max(1, sorted.count))
      median = sorted.isEmpty ? 0 : Double(sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
      max = sorted.last ?? 0
      zeros = sorted.count { $0 == 0 }
      fit = PowerLawFit(degrees)
      powerLaw = fit.map { fit in
        var law = PowerLaw(alpha: fit.exponent, xMin: fit.minimum, ks: fit.distance, tail: fit.tail)
        guard fit.hasEnoughNodes else { return law }
        law.p = fit.bootstrap(degrees, repeats: bootstraps, seed: seed, workers: workers, progress: progress)
        law.bootstraps = bootstraps
        let others = Tail(degrees, from: fit.minimum).alternatives(to: fit)
        (law.versusLogNormal, law.versusExponential) = others
        law.verdict = Self.verdict(law.p, others.logNormal, others.exponential)
        return law
      }
    }

    /// Clauset and others' rules: p below 0.1 rules the power law out; a likelihood ratio counts when its own p is below 0.1.
    private static func verdict(
      _ p: Double?, _ logNormal: LikelihoodComparison, _ exponential: LikelihoodComparison
    ) -> String {
      func better(_ comparison: LikelihoodComparison) -> Bool {
        comparison.ratio < 0 && comparison.probability < 0.1
      }
      func worse(_ comparison: LikelihoodComparison) -> Bool {
        comparison.ratio > 0 && comparison.probability < 0.1
      }
      if let p, p < 0.1 { return "no power law (p < 0.1)" }
      if better(exponential) { return "an exponential fits better" }
      if better(logNormal) { return "a log-normal fits better" }
      if !worse(exponential) { return "a power law is possible, an exponential as well" }
      return worse(logNormal) ? "a power law fits best" : "a power law is possible, a log-normal as well"
    }
  }
#endif
