import HatchlingNumerics

/// Which sentences are with the concept: as they are, and as in every permutation.
public struct Labellings: Sendable {
  /// 1 for with, 0 for without, `(sentences, labellings)`; the first column is the truth.
  let values: Matrix<Float>
  /// Sentences with, of every labelling.
  let with: [Int]

  public init(_ labellings: [[Bool]]) {
    let sentences = labellings.first?.count ?? 0
    values = Matrix(
      rows: sentences, columns: labellings.count,
      (0..<sentences).flatMap { sentence in labellings.map { $0[sentence] ? Float(1) : 0 } })
    with = labellings.map { $0.count { $0 } }
  }

  var sentences: Int { values.rows }
  var count: Int { values.columns }

  /// 2 U from Σ (2 rank − 1) over the sentences with.
  func twiceU(_ sum: Float, _ labelling: Int) -> Int { Int(sum) - with[labelling] * with[labelling] }

  func auc(twiceU: Int, _ labelling: Int) -> Double {
    Double(twiceU) / (2 * Double(with[labelling]) * Double(sentences - with[labelling]))
  }
}

/// A detector that the search found.
public struct Found: Sendable, Hashable {
  public let detector: Detector
  public let kind: ScoreKind
  /// Of the search sentences.
  public let twiceU: Int

  /// The larger U first, then in one fixed order.
  static func isBetter(_ a: Found, _ b: Found) -> Bool {
    if a.twiceU != b.twiceU { return a.twiceU > b.twiceU }
    if a.detector != b.detector { return a.detector < b.detector }
    return rank(a.kind) < rank(b.kind)
  }

  private static func rank(_ kind: ScoreKind) -> Int { ScoreKind.allCases.firstIndex(of: kind) ?? 0 }
}

/// What a search counted over all detectors of one kind of score.
public struct SearchTally: Sendable, Equatable {
  /// Detectors with a score above 0 on some sentence; all others have AUC 0.5.
  public internal(set) var firing = 0
  /// Of these, with p < 0.05, sentences as the unit.
  public internal(set) var significant = 0
  /// Of these, by z in steps of 0.01 from −20.
  var histogram = [Int](repeating: 0, count: 4001)

  /// Where the p of a detector lies; ties beyond those at 0 are left out, which makes p no smaller.
  mutating func add(z: Double) {
    firing += 1
    significant += z > 1.6448536269514722 ? 1 : 0
    histogram[min(4000, max(0, Int((z + 20) * 100)))] += 1
  }

  mutating func add(_ other: SearchTally) {
    firing += other.firing
    significant += other.significant
    for bin in histogram.indices { histogram[bin] += other.histogram[bin] }
  }

  /// How many pass Benjamini and Hochberg's bound at level q, counted by the bins' lower ends, so never too many.
  public func discoveries(q: Double) -> Int {
    var (above, found) = (0, 0)
    for bin in histogram.indices.reversed() {
      above += histogram[bin]
      let p = Normal.upperTail(Double(bin) / 100 - 20)
      if p <= q * Double(above) / Double(max(1, firing)) { found = above }
    }
    return found
  }
}

/// Ranks a block of detectors at a time and keeps the best. One per stretch of work; stretches are merged in order.
final class RankBlock {
  private let labels: Labellings
  private let keep: Int
  private(set) var best: [ScoreKind: [Found]] = [:]
  private(set) var tallies: [ScoreKind: SearchTally] = [:]
  /// The largest Σ (2 rank − 1) of every labelling.
  let maxima: NumberStorage<Float>

  // Ranks `(sentences + 1, columns)`; labels of the rows at hand `(sentences + 1, labellings)`; their product `(labellings, columns)`.
  private let scratch, ranks, chosen, sums: NumberStorage<Float>
  private var rows = 0
  /// Of every row whether it is with, where there is one labelling, and how many of the others are.
  private var isWith: [UInt8] = []
  private var silentWith = 0
  /// 1 / σ of U by the number of sentences that score 0; 0 where all do.
  private let inverseDeviation: [Double]
  private let mean: Double

  init(_ labels: Labellings, keep: Int) {
    (self.labels, self.keep) = (labels, keep)
    let (sentences, columns) = (labels.sentences, RankKernels.columns)
    scratch = NumberStorage(zeros: RankKernels.scratchPerRow * (sentences + 1))
    ranks = NumberStorage(zeros: (sentences + 1) * columns)
    chosen = NumberStorage(zeros: (sentences + 1) * labels.count)
    sums = NumberStorage(zeros: labels.count * columns)
    maxima = NumberStorage(zeros: labels.count)
    let (m, n) = (Double(labels.with[0]), Double(sentences - labels.with[0]))
    mean = m * n / 2
    inverseDeviation = (0...sentences).map { zeros in
      let ties = Double(zeros) * (Double(zeros) * Double(zeros) - 1)
      let variance = m * n / 12 * (m + n + 1 - ties / ((m + n) * (m + n - 1)))
      return zeros == sentences || variance <= 0 ? 0 : 1 / variance.squareRoot()
    }
  }

  /// Says which sentences the rows of the next scores are; all others score 0.
  func begin(rows numbers: some Collection<Int>) {
    rows = numbers.count
    let count = labels.count
    if count == 1 {
      isWith = numbers.map { labels.values.row($0)[0] > 0 ? 1 : 0 }
      silentWith = labels.with[0] - isWith.reduce(0) { $0 + Int($1) }
      return
    }
    let silent = chosen.base + rows * count
    // Whole numbers: exact in any order.
    silent.update(repeating: 0, count: count)
    for sentence in 0..<labels.sentences { add(sentence, to: silent, 1) }
    for (row, sentence) in numbers.enumerated() {
      (chosen.base + row * count).update(from: labels.values.row(sentence), count: count)
      add(sentence, to: silent, -1)
    }
  }

  private func add(_ sentence: Int, to sum: UnsafeMutablePointer<Float>, _ factor: Float) {
    let row = labels.values.row(sentence)
    for column in 0..<labels.count { sum[column] += factor * row[column] }
  }

  /// Ranks `(rows, columns)` scores, of which the first `width` columns are somebody's.
  func take(
    _ scores: UnsafePointer<Float>, _ kind: ScoreKind, width: Int, _ detector: (Int) -> Detector
  ) {
    let columns = RankKernels.columns
    let zeros = ranks.base + rows * columns
    if labels.count == 1 {
      RankKernels.sums(
        scores, with: isWith, rows: rows, silentWith: silentWith, silent: labels.sentences - rows,
        scratch: scratch.base, into: sums.base, zeros: zeros)
    } else {
      RankKernels.ranks(
        scores, rows: rows, silent: labels.sentences - rows, scratch: scratch.base, into: ranks.base)
      BLAS.multiply(
        UnsafePointer(chosen.base), transposed: true, leading: labels.count, by: UnsafePointer(ranks.base),
        into: sums.base, m: labels.count, n: columns, k: rows + 1)
    }
    RankKernels.raiseMaxima(maxima.base, to: sums.base, rows: labels.count)
    var tally = tallies[kind] ?? SearchTally()
    var kept = best[kind] ?? []
    tallies[kind] = nil
    best[kind] = nil
    var least =
      kept.count >= keep ? kept[keep - 1].twiceU : labels.with[0] * (labels.sentences - labels.with[0]) + 1
    for column in 0..<width {
      let inverse = inverseDeviation[Int(zeros[column])]
      guard inverse > 0 else { continue }
      let twiceU = labels.twiceU(sums.base[column], 0)
      tally.add(z: (Double(twiceU) / 2 - mean - 0.5) * inverse)
      guard twiceU >= least else { continue }
      kept.append(Found(detector: detector(column), kind: kind, twiceU: twiceU))
      if kept.count >= 4 * keep {
        kept = Self.strongest(kept, keep)
        least = kept[keep - 1].twiceU
      }
    }
    tallies[kind] = tally
    best[kind] = kept.count > keep ? Self.strongest(kept, keep) : kept.sorted(by: Found.isBetter)
  }

  static func strongest(_ found: [Found], _ count: Int) -> [Found] {
    Array(found.sorted(by: Found.isBetter).prefix(count))
  }
}

/// What a search found.
public struct SearchResult: Sendable {
  /// Per kind of score the best detectors, the best first.
  public internal(set) var best: [ScoreKind: [Found]] = [:]
  public internal(set) var tallies: [ScoreKind: SearchTally] = [:]
  /// The largest AUC of all detectors and kinds of score, of every labelling; the first is the truth.
  public internal(set) var largest: [Double] = []

  /// The best of all kinds of score.
  public var strongest: [Found] {
    ScoreKind.allCases.flatMap { best[$0] ?? [] }.sorted(by: Found.isBetter)
  }

  init(_ blocks: [RankBlock], _ labels: Labellings, keep: Int) {
    largest = (0..<labels.count).map { labelling in
      let sum = blocks.map { $0.maxima.base[labelling] }.max() ?? 0
      return max(0.5, labels.auc(twiceU: labels.twiceU(sum, labelling), labelling))
    }
    for kind in ScoreKind.allCases {
      best[kind] = RankBlock.strongest(blocks.flatMap { $0.best[kind] ?? [] }, keep)
      tallies[kind] = blocks.reduce(into: SearchTally()) { $0.add($1.tallies[kind] ?? SearchTally()) }
    }
  }

  /// Both searches as one.
  mutating func add(_ other: SearchResult, keep: Int) {
    largest = zip(largest, other.largest).map(max)
    for kind in ScoreKind.allCases {
      best[kind] = RankBlock.strongest((best[kind] ?? []) + (other.best[kind] ?? []), keep)
      tallies[kind]?.add(other.tallies[kind] ?? SearchTally())
    }
  }
}
