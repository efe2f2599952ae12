#if Topology
  import Foundation
  import HatchlingNumerics
  import Testing

  @testable import HatchlingTopology

  /// Against powerlaw.Fit(values, discrete=True, estimate_discrete=False) and SciPy.
  @Suite struct PowerLawTests {
    @Test func zetaEqualsSciPys() throws {
      let answers = try Answers.load().zeta
      #expect(answers.count == 24)
      for answer in answers {
        let ours = HurwitzZeta.value(answer.s, answer.a)
        #expect(abs(ours - answer.value) <= 1e-12 * answer.value, "ζ(\(answer.s), \(answer.a)) = \(ours)")
      }
    }

    @Test func fitsEqualThePowerlawPackagesAtTheSameMinimum() throws {
      let samples = try Answers.load().samples
      #expect(samples.count == 4)
      for sample in samples {
        for (minimum, alpha, ks) in [
          (sample.xMin, sample.alpha, sample.ks), (sample.otherXMin, sample.otherAlpha, sample.otherKs),
        ] {
          let fit = try #require(try PowerLawFit(sample.values, minimum: minimum))
          #expect(abs(fit.exponent - alpha) <= 1e-3, "\(sample.name) from \(minimum)")
          #expect(abs(fit.distance - ks) <= 1e-3, "\(sample.name) from \(minimum)")
        }
        let best = try #require(try PowerLawFit(sample.values))
        #expect(best.distance <= sample.ks + 1e-4, "\(sample.name): \(best)")
        let own = try #require(try PowerLawFit(sample.values, minimum: best.minimum))
        #expect(abs(own.exponent - best.exponent) <= 1e-9 && own.tail == best.tail)
      }
    }

    /// Likelihoods at the same x_min. Where the likeliest log-normal lies on a flat ridge, two searches end at different places of nearly the
    /// same likelihood, so likelihoods are compared, not parameters; ours may be better.
    @Test func likelihoodRatiosEqualThePowerlawPackages() throws {
      var compared = 0
      for sample in try Answers.load().samples {
        let fit = try #require(try PowerLawFit(sample.values, minimum: sample.xMin))
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

    @Test func theBootstrapKnowsAPowerLawFromAnother() throws {
      var random = SeededRandom(seed: 11)
      let start = try #require(try PowerLawFit([1, 1, 1, 2, 2, 3, 5, 9, 1, 1, 2, 40]))
      let law = PowerLawSampler(start)
      let drawn = (0..<1000).map { _ in law.draw(&random) }
      let refitted = try #require(try PowerLawFit(drawn, minimum: start.minimum))
      #expect(abs(refitted.exponent - start.exponent) < 0.15, "\(refitted.exponent), \(start.exponent)")
      let fit = try #require(try PowerLawFit(drawn))
      let p = try #require(try fit.bootstrap(drawn, repeats: 60, seed: 2))
      #expect(p >= 0.1, "p = \(p)")
      #expect(try fit.bootstrap(drawn, repeats: 60, seed: 2) == p)
      let flat = (0..<1000).map { _ in Int.random(in: 20...60, using: &random) }
      let wrong = try #require(try PowerLawFit(flat, minimum: 20))
      #expect(try #require(try wrong.bootstrap(flat, repeats: 60, seed: 2)) < 0.1)
    }

    @Test func fewNodesAreNotJudged() throws {
      let few = try DegreeReport([0, 1, 1, 2, 3, 3, 8, 20], bootstraps: 10, seed: 1)
      #expect(few.powerLaw?.verdict == "too few to judge" && few.powerLaw?.p == nil && few.zeros == 1)
      let geometric = try #require(try Answers.load().samples.last)
      let report = try DegreeReport(geometric.values + [0, 0], bootstraps: 20, seed: 1)
      #expect(report.zeros == 2 && report.powerLaw?.p != nil)
      #expect(try DegreeReport(geometric.values, bootstraps: 0, seed: 1).powerLaw?.p == nil)
    }
  }
#endif
