#if Topology
  import Foundation
  import HatchlingNumerics
  import Synchronization
  import Testing

  @testable import HatchlingTopology

  /// Against an exact fit by SciPy and mpmath, and powerlaw.Fit(values, discrete=True, estimate_discrete=False).
  @Suite struct PowerLawTests {
    @Test func zetaAndItsDerivativesEqualMpmaths() throws {
      let answers = try Answers.load().zeta
      #expect(answers.count == 24)
      for answer in answers {
        let (zeta, logarithm) = (HurwitzZeta(answer.s, from: answer.a), Foundation.log(answer.a))
        let scale = Foundation.pow(answer.a, -answer.s)
        let slope = zeta.slope - logarithm * zeta.value
        let curvature = zeta.curvature - logarithm * (2 * zeta.slope - logarithm * zeta.value)
        for (ours, theirs) in [
          (zeta.value, answer.value), (slope, answer.slope), (curvature, answer.curvature),
        ] {
          #expect(
            abs(ours * scale - theirs) <= 1e-12 * abs(theirs), "ζ(\(answer.s), \(answer.a)): \(ours * scale)")
        }
      }
    }

    /// 200 samples, α from 1.2 to 3.5 and x_min from 1 to 20, igraph's start value for none of them.
    @Test func fitsOfSyntheticLawsAreTheExactOnes() throws {
      let laws = try Answers.load().laws
      #expect(laws.count == 200)
      for law in laws {
        let degrees = law.degrees
        #expect(degrees.reduce(0, +) == law.check, "seed \(law.seed): another sample")
        let fit = try #require(PowerLawFit(degrees))
        #expect(fit.minimum == law.xMin && fit.tail == law.tail, "seed \(law.seed): \(fit)")
        #expect(abs(fit.exponent - law.alpha) <= 1e-9, "seed \(law.seed): \(fit)")
        #expect(abs(fit.distance - law.ks) <= 1e-9, "seed \(law.seed): \(fit)")
        #expect(PowerLawFit(degrees, minimum: fit.minimum) == fit)
      }
    }

    @Test func fitsOfNetworksAreTheExactOnes() throws {
      let networks = try Answers.load().networks
      #expect(networks.count == 30)
      for network in networks {
        let fit = try #require(PowerLawFit(network.all))
        #expect(fit.minimum == network.xMin && fit.tail == network.tail, "\(network.name): \(fit)")
        #expect(abs(fit.exponent - network.alpha) <= 1e-9 * network.alpha, "\(network.name): \(fit)")
        #expect(abs(fit.distance - network.ks) <= 1e-9, "\(network.name): \(fit)")
      }
      // The shipped network, where igraph 0.10.2 says 1.587 from 3.
      let shipped = try #require(networks.first { $0.name == "shipped-x in" })
      #expect(abs(shipped.alpha - 1.610) < 5e-4 && shipped.xMin == 1 && shipped.tail == 760)
      #expect(abs(shipped.ks - 0.0296) < 5e-5)
    }

    @Test func limitsOfAFit() throws {
      #expect(PowerLawFit([]) == nil && PowerLawFit([0, 0]) == nil && PowerLawFit([7, 7, 0]) == nil)
      // The largest degree is no x_min: two degrees leave one.
      let two = try #require(PowerLawFit([3, 1_000_000_000]))
      #expect(two.minimum == 3 && two.tail == 2 && two.exponent > 1)
      // Nearly all ones: α = log₂ of a million, as the third power of 2 weighs nothing there.
      let ones = try #require(PowerLawFit([Int](repeating: 1, count: 1_000_000) + [2]))
      #expect(abs(ones.exponent - 19.93157) < 1e-3, "\(ones)")
      // A given x_min that no node has.
      let given = try #require(PowerLawFit([9, 9, 12, 40], minimum: 5))
      #expect(given.minimum == 5 && given.tail == 4)
      // Degrees close together and far away underflow nothing.
      let far = try #require(PowerLawFit([100_000, 100_000, 100_001, 100_003]))
      #expect(far.exponent > 1e4 && far.exponent.isFinite && far.distance < 1)
    }

    /// The bootstrap asks only whether any x_min is closer than a bound.
    @Test func aBoundDecidesAsTheWholeFitDoes() throws {
      for law in try Answers.load().laws.prefix(40) {
        let degrees = law.degrees
        let (tails, best) = (DegreeTails(degrees), try #require(PowerLawFit(degrees)))
        #expect(tails.fit(closerThan: best.distance, first: true) == nil)
        #expect(tails.fit(closerThan: best.distance.nextUp, first: true) != nil)
      }
    }

    @Test func fitsEqualThePowerlawPackagesAtTheSameMinimum() throws {
      let samples = try Answers.load().samples
      #expect(samples.count == 4)
      for sample in samples {
        for (minimum, alpha, ks) in [
          (sample.xMin, sample.alpha, sample.ks), (sample.otherXMin, sample.otherAlpha, sample.otherKs),
        ] {
          let fit = try #require(PowerLawFit(sample.values, minimum: minimum))
          #expect(abs(fit.exponent - alpha) <= 1e-3, "\(sample.name) from \(minimum)")
          #expect(abs(fit.distance - ks) <= 1e-3, "\(sample.name) from \(minimum)")
        }
        let best = try #require(PowerLawFit(sample.values))
        #expect(best.distance <= sample.ks + 1e-4, "\(sample.name): \(best)")
        let own = try #require(PowerLawFit(sample.values, minimum: best.minimum))
        #expect(abs(own.exponent - best.exponent) <= 1e-9 && own.tail == best.tail)
      }
    }

    /// Likelihoods at the same x_min. Where the likeliest log-normal lies on a flat ridge, two searches end at different places of nearly the
    /// same likelihood, so likelihoods are compared, not parameters; ours may be better.
    @Test func likelihoodRatiosEqualThePowerlawPackages() throws {
      var compared = 0
      for sample in try Answers.load().samples {
        let fit = try #require(PowerLawFit(sample.values, minimum: sample.xMin))
        let tail = Tail(sample.values, from: sample.xMin)
        #expect(Int(tail.size) == sample.tail)
        #expect(abs(tail.total(tail.powerLaw(fit.exponent)) - sample.logLikelihood) <= 1e-3)
        let (logNormal, exponential) = tail.alternatives(to: fit)
        // The package floors likelihoods at 1e-307, which a long tail falls below.
        if let least = tail.exponential().min(), least > -700 {
          #expect(abs(exponential.ratio - sample.exponentialRatio) <= 1e-3 * abs(sample.exponentialRatio))
          #expect(abs(exponential.probability - sample.exponentialP) <= 1e-3)
          compared += 1
        }
        let (mean, deviation) = tail.logNormalParameters()
        let likelihood = tail.total(tail.logNormal(mean: mean, deviation: deviation))
        #expect(likelihood >= sample.logNormalLogLikelihood - 1e-3, "\(sample.name)")
        // Better by more than the ridge explains would mean another distribution.
        #expect(likelihood <= sample.logNormalLogLikelihood + 6, "\(sample.name)")
        if abs(likelihood - sample.logNormalLogLikelihood) < 1e-2 {
          #expect(abs(logNormal.ratio - sample.logNormalRatio) <= 2e-2, "\(sample.name)")
          #expect(abs(logNormal.probability - sample.logNormalP) <= 2e-2, "\(sample.name)")
          compared += 1
        }
      }
      #expect(compared >= 5)
    }

    /// Exponents from far heavier than any mean to light: as many draws beyond a degree as the law says, within five deviations.
    @Test(arguments: [1.2, 1.6, 2.5, 3.5]) func drawsFollowTheLaw(exponent: Double) throws {
      for minimum in [1, 7] {
        let law = PowerLawFit(exponent: exponent, minimum: minimum, distance: 0, tail: 0)
        var random = SeededRandom(seed: 11)
        let sampler = PowerLawSampler(law)
        let drawn = (0..<20_000).map { _ in sampler.draw(&random) }
        for degree in [minimum, minimum + 1, 2 * minimum + 3, 100, 100_000] {
          let p = law.ccdf(degree)
          let found = Double(drawn.count { $0 >= degree }) / 20_000
          #expect(abs(found - p) <= 5 * (p * (1 - p) / 20_000).squareRoot(), "\(degree): \(found), \(p)")
        }
      }
    }

    @Test func theBootstrapKnowsAPowerLawFromAnother() throws {
      var random = SeededRandom(seed: 11)
      let law = PowerLawSampler(PowerLawFit(exponent: 1.9, minimum: 1, distance: 0, tail: 0))
      // Of samples from a power law about a tenth is ruled out; their p is uniform.
      var all: [Double] = []
      for seed in 0..<20 as Range<UInt64> {
        let drawn = (0..<400).map { _ in law.draw(&random) }
        let fit = try #require(PowerLawFit(drawn))
        let p = (1...3).map { fit.bootstrap(drawn, repeats: 60, seed: seed, workers: Workers(threads: $0)) }
        #expect(p[0] == p[1] && p[0] == p[2], "seed \(seed): \(p)")
        all.append(try #require(p[0]))
        #expect(fit.bootstrap(drawn, repeats: 0, seed: seed, workers: Workers(threads: 1)) == nil)
      }
      #expect(all.count { $0 < 0.1 } <= 6, "\(all)")
      let mean = all.reduce(0, +) / 20
      #expect(mean > 0.3 && mean < 0.7, "\(all)")
      let flat = (0..<1000).map { _ in Int.random(in: 20...60, using: &random) }
      let wrong = try #require(PowerLawFit(flat, minimum: 20))
      let none = wrong.bootstrap(flat, repeats: 60, seed: 2, workers: Workers(threads: 2))
      #expect(try #require(none) < 0.1)
    }

    @Test func fewNodesAreNotJudged() throws {
      let workers = Workers(threads: 2)
      let few = DegreeReport([0, 1, 1, 2, 3, 3, 8, 20], bootstraps: 10, seed: 1, workers: workers)
      #expect(few.powerLaw?.verdict == "too few to judge" && few.powerLaw?.p == nil && few.zeros == 1)
      let geometric = try #require(try Answers.load().samples.last)
      let done = Mutex<Set<Int>>([])
      let report = DegreeReport(geometric.values + [0, 0], bootstraps: 20, seed: 1, workers: workers) {
        count in done.withLock { _ = $0.insert(count) }
      }
      #expect(report.zeros == 2 && report.powerLaw?.p != nil && done.withLock { $0 } == Set(1...20))
      #expect(
        DegreeReport(geometric.values, bootstraps: 0, seed: 1, workers: workers).powerLaw?.p == nil)
    }
  }
#endif
