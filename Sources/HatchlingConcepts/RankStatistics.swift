import Foundation

/// The rank-sum statistic of Mann, Whitney and Wilcoxon: how often a value of one set exceeds one of another, ties counting one half.
public struct RankSum: Sendable, Equatable {
  /// Values in the first set, and in the second.
  public let with: Int
  public let without: Int
  /// 2 U: over all pairs of a value with and one without, 2 where the former is larger, 1 where they are equal. Whole, so exact.
  public let twiceU: Int
  /// Σ t³ − t over groups of t equal values.
  public let ties: Double

  /// - Precondition: no value is NaN. Cost: a sort.
  public init(_ with: [Double], _ without: [Double]) {
    precondition(!(with + without).contains(where: \.isNaN), "NaN has no rank")
    let all = (with.map { ($0, true) } + without.map { ($0, false) }).sorted { $0.0 < $1.0 }
    var (twice, ties, below, start) = (0, 0.0, 0, 0)
    while start < all.count {
      var end = start
      while end < all.count && all[end].0 == all[start].0 { end += 1 }
      let inside = all[start..<end].count { $0.1 }
      let others = end - start - inside
      twice += inside * (2 * below + others)
      below += others
      let size = Double(end - start)
      ties += size * size * size - size
      start = end
    }
    (self.with, self.without, twiceU, self.ties) = (with.count, without.count, twice, ties)
  }

  /// Values and whether each belongs to the first set.
  public init(_ values: [Double], labels: [Bool]) {
    self.init(
      zip(values, labels).filter(\.1).map(\.0), zip(values, labels).filter { !$0.1 }.map(\.0))
  }

  public var u: Double { Double(twiceU) / 2 }
  /// U / (n₁ n₂): the area under the ROC curve. NaN where a set is empty.
  public var auc: Double { Double(twiceU) / (2 * Double(with) * Double(without)) }

  /// P(U at least as large | no difference), one-sided, by the normal approximation with continuity and corrected for ties; 1 where all
  /// values are equal or a set is empty.
  public var p: Double {
    let (m, n) = (Double(with), Double(without))
    let variance = m * n / 12 * (m + n + 1 - ties / ((m + n) * (m + n - 1)))
    guard variance > 0 else { return 1 }
    return Normal.upperTail((u - m * n / 2 - 0.5) / variance.squareRoot())
  }

  /// The same from all ways to label the values, ties included. Cost: (n₁ + n₂)³ · n₁; for small sets.
  public static func exactP(_ with: [Double], _ without: [Double]) -> Double {
    let ranks = Ranks.doubled(with + without)
    let observed = ranks.prefix(with.count).reduce(0, +)
    // ways[k][s]: the chance, times a constant of k, that k of the values have doubled ranks that add up to s.
    let most = ranks.reduce(0, +)
    var ways = [[Double]](repeating: [Double](repeating: 0, count: most + 1), count: with.count + 1)
    ways[0][0] = 1
    for (index, rank) in ranks.enumerated() {
      for size in stride(from: min(index + 1, with.count), to: 0, by: -1) {
        for sum in stride(from: most, through: rank, by: -1) { ways[size][sum] += ways[size - 1][sum - rank] }
      }
    }
    let all = ways[with.count]
    return all[observed...].reduce(0, +) / all.reduce(0, +)
  }
}

/// Wilcoxon's signed-rank test of differences against 0, one-sided, exact.
public struct SignedRank: Sendable, Equatable {
  /// Differences that are not 0; the others are left out, as Wilcoxon did.
  public let count: Int
  /// W⁺: the sum of the mid-ranks of |d| over d > 0.
  public let w: Double
  /// P(W⁺ at least as large) when every sign is as likely as its opposite; 1 without any difference.
  public let p: Double

  /// - Precondition: no difference is NaN. Cost: count³.
  public init(_ differences: [Double]) {
    precondition(!differences.contains(where: \.isNaN), "NaN has no rank")
    let kept = differences.filter { $0 != 0 }
    let ranks = Ranks.doubled(kept.map(\.magnitude))
    let observed = zip(ranks, kept).filter { $1 > 0 }.reduce(0) { $0 + $1.0 }
    var chances = [Double](repeating: 0, count: ranks.reduce(0, +) + 1)
    chances[0] = 1
    var largest = 0
    for rank in ranks {
      largest += rank
      for sum in stride(from: largest, through: 0, by: -1) {
        chances[sum] = (chances[sum] + (sum >= rank ? chances[sum - rank] : 0)) / 2
      }
    }
    (count, w) = (kept.count, Double(observed) / 2)
    p = chances[observed...].reduce(0, +)
  }
}

enum Ranks {
  /// Twice the mid-rank of every value, counted from 1.
  static func doubled(_ values: [Double]) -> [Int] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var (result, start) = ([Int](repeating: 0, count: values.count), 0)
    while start < order.count {
      var end = start
      while end < order.count && values[order[end]] == values[order[start]] { end += 1 }
      for place in order[start..<end] { result[place] = start + end + 1 }
      start = end
    }
    return result
  }
}

/// The standard normal distribution.
public enum Normal {
  /// P(Z ≥ z).
  public static func upperTail(_ z: Double) -> Double { erfc(z / 2.0.squareRoot()) / 2 }
}

/// Benjamini and Hochberg's bound on the expected share of false discoveries.
public enum FalseDiscoveries {
  /// How many of the hypotheses are rejected at level q. Cost: a sort.
  public static func rejected(_ ps: [Double], q: Double) -> Int {
    let sorted = ps.sorted()
    return sorted.indices.last { sorted[$0] <= q * Double($0 + 1) / Double(sorted.count) }.map { $0 + 1 } ?? 0
  }
}
