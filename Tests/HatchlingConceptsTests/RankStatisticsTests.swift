import Foundation
import Testing

@testable import HatchlingConcepts

@Suite struct RankStatisticsTests {
  private struct Answers: Decodable {
    struct Sum: Decodable {
      let with, without: [Double]
      let u, p, auc: Double
      let exact: Double?
    }
    struct Signed: Decodable {
      let differences: [Double]
      let count: Int
      let w, p: Double
    }
    struct Discoveries: Decodable {
      let p: [Double]
      let rejected: [String: Int]
    }
    let rankSums: [Sum]
    let signedRanks: [Signed]
    let discoveries: Discoveries
  }

  private func answers() throws -> Answers {
    let file = try #require(Bundle.module.url(forResource: "scipy", withExtension: "json"))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Answers.self, from: Data(contentsOf: file))
  }

  private func isClose(_ a: Double, _ b: Double) -> Bool {
    abs(a - b) <= 1e-12 * max(1e-12, abs(b)) + 1e-9 * abs(b)
  }

  @Test func rankSumsAreThoseOfSciPy() throws {
    var (exact, tied) = (0, 0)
    for case let answer in try answers().rankSums {
      let sum = RankSum(answer.with, answer.without)
      #expect(sum.u == answer.u && sum.auc == answer.auc)
      #expect(isClose(sum.p, answer.p), "\(sum.p) \(answer.p)")
      tied += sum.ties > 0 ? 1 : 0
      if let wanted = answer.exact {
        #expect(isClose(RankSum.exactP(answer.with, answer.without), wanted))
        exact += 1
      }
    }
    #expect(exact >= 4 && tied >= 3)
  }

  @Test func signedRanksAreThoseOfSciPy() throws {
    let all = try answers().signedRanks
    for answer in all {
      let own = SignedRank(answer.differences)
      #expect(own.count == answer.count && own.w == answer.w)
      #expect(isClose(own.p, answer.p), "\(own.p) \(answer.p)")
    }
    #expect(all.count == 7)
  }

  @Test func falseDiscoveriesAreThoseOfSciPy() throws {
    let answer = try answers().discoveries
    for (q, count) in answer.rejected {
      let q = try #require(Double(q))
      #expect(FalseDiscoveries.rejected(answer.p, q: q) == count)
    }
    #expect(answer.rejected.count == 3 && Set(answer.rejected.values).count > 1)
    // Counted in bins it is the same, or less by what shares a bin.
    var tally = SearchTally()
    let z = (0..<4000).map { Double($0 % 977) / 150 - 2.5 }
    for value in z { tally.add(z: value) }
    let exact = FalseDiscoveries.rejected(z.map(Normal.upperTail), q: 0.05)
    let binned = tally.discoveries(q: 0.05)
    #expect(binned <= exact && binned >= exact - 20 && exact > 100, "\(binned) \(exact)")
  }

  @Test func nothingToCompareIsNoFinding() {
    #expect(RankSum([1, 1], [1, 1, 1]).p == 1 && RankSum([1, 1], [1]).auc == 0.5)
    #expect(RankSum([], [1, 2]).auc.isNaN && RankSum([], []).p == 1)
    #expect(SignedRank([]).p == 1)
  }
}
