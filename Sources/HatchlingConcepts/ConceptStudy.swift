import HatchlingModel
import HatchlingNumerics

/// How a concept is looked for.
public struct ConceptOptions: Sendable, Equatable {
  public var sentences = SentenceOptions()
  /// Labellings with permuted sentences, and as many with permuted words.
  public var permutations = 50
  /// Tokens behind the word that belong to its window.
  public var window = 4
  /// Whether an untrained network and one with shuffled neurons are searched as well.
  public var comparesNetworks = true
  /// Detectors of each kind that are evaluated.
  public var top = 5

  public init() {}

  /// The fewest permutations that can say p ≤ 0.05.
  public static let fewestPermutations = 19

  /// - Throws: ``ConceptError/outOfRange(_:value:allowed:)``.
  public func check() throws(ConceptError) {
    guard (Self.fewestPermutations...10_000).contains(permutations) else {
      throw .outOfRange(
        .permutations, value: "\(permutations)",
        allowed: "between \(Self.fewestPermutations), with fewer nothing can be significant, and 10000")
    }
    guard window >= 0 else { throw .outOfRange(.window, value: "\(window)", allowed: "at least 0") }
  }
}

/// The sentences on which detectors are judged.
public enum ConceptSplit: String, Sendable, Codable, CaseIterable {
  case search
  case newSentences = "new sentences"
  case heldOutWords = "held-out words"
  case other = "other text"
}

/// One word's sentences against their partners.
public struct WordResult: Sendable, Equatable {
  public let word: String
  public let auc: Double
  public let sentences: Int
}

/// One detector on the sentences of one split.
public struct SplitResult: Sendable, Equatable {
  public let split: ConceptSplit
  public let pairs: Int
  public let auc: Double
  /// One-sided, sentences as the unit: too small, because sentences of one word are alike.
  public let sentenceP: Double
  public let words: [WordResult]
  /// The mean of the words' AUCs, and their signed ranks against 0.5; nil where no words are named.
  public let wordAUC: Double?
  public let wordP: Double?

  init(_ split: ConceptSplit, _ set: SentenceSet, _ values: [Double]) {
    (self.split, pairs) = (split, set.pairs)
    let sum = RankSum(values, labels: set.labels)
    (auc, sentenceP) = (sum.auc, sum.p)
    guard !set.withWords.contains("") else {
      (words, wordAUC, wordP) = ([], nil, nil)
      return
    }
    words = set.perWord(values).map {
      WordResult(word: $0.word, auc: $0.rankSum.auc, sentences: $0.rankSum.with)
    }
    wordAUC = words.reduce(0) { $0 + $1.auc } / Double(max(1, words.count))
    wordP = SignedRank(words.map { $0.auc - 0.5 }).p
  }
}

/// One detector everywhere.
public struct DetectorResult: Sendable {
  public enum Family: String, Sendable, Codable, CaseIterable {
    case pair, x, y
    case gram = "n-gram"
    case gramInWindow = "n-gram in window"
    case letters = "case, length"
    case probe = "linear probe"
  }
  public enum Network: String, Sendable, Codable, CaseIterable { case trained, untrained, shuffled, none }

  public let family: Family
  public let network: Network
  /// `2:n3:n12`, or what an n-gram is.
  public let name: String
  public let kind: ScoreKind?
  public let splits: [SplitResult]
  /// p of the whole search that found it, by permuted sentences and by permuted words.
  public var searchP: Double?
  public var wordSearchP: Double?
  public var verdict: Verdict?
  /// The evidence that the verdict rests on.
  public var evidence: Verdict.Evidence?

  public subscript(_ split: ConceptSplit) -> SplitResult? { splits.first { $0.split == split } }
}

/// The sets of a study, in order; empty ones are left out.
public struct StudySets: Sendable {
  public let sets: [(split: ConceptSplit, set: SentenceSet)]

  public init(_ sets: SentenceSets, other: SentenceSet? = nil) {
    let all: [(ConceptSplit, SentenceSet?)] = [
      (.search, sets.search), (.newSentences, sets.newSentences), (.heldOutWords, sets.heldOutWords),
      (.other, other),
    ]
    self.sets = all.compactMap { split, set in set.flatMap { $0.pairs > 0 ? (split, $0) : nil } }
  }

  public subscript(_ split: ConceptSplit) -> SentenceSet? { sets.first { $0.split == split }?.set }
  var search: SentenceSet { sets[0].set }
}
