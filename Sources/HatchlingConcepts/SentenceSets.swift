import HatchlingNumerics

/// A sentence of one of the two kinds.
public struct LabelledSentence: Sendable, Equatable {
  public let bytes: [UInt8]
  /// The bytes of its word.
  public let word: Range<Int>
  /// The word itself; empty where none is named.
  public let name: String

  /// The word and up to so many bytes behind it.
  func window(_ behind: Int) -> Range<Int> {
    let end = word.upperBound.addingReportingOverflow(behind)
    return word.lowerBound..<(end.overflow ? bytes.count : min(bytes.count, end.partialValue))
  }
}

/// As many sentences with as without a word, each beside the one that it was matched with.
public struct SentenceSet: Sendable, Equatable {
  /// `without[k]` is the partner of `with[k]`.
  public internal(set) var with: [LabelledSentence] = []
  public internal(set) var without: [LabelledSentence] = []

  public var pairs: Int { with.count }
  /// First all with, then all without.
  public var sentences: [LabelledSentence] { with + without }
  public var labels: [Bool] { sentences.indices.map { $0 < pairs } }
  /// Words with, in the order in which they come up.
  public var withWords: [String] { Self.distinct(with) }
  public var withoutWords: [String] { Self.distinct(without) }

  private static func distinct(_ sentences: [LabelledSentence]) -> [String] {
    var seen: Set<String> = []
    return sentences.map(\.name).filter { seen.insert($0).inserted }
  }

  /// The rank sum of every word's sentences against their partners; `values` as ``sentences``.
  public func perWord(_ values: [Double]) -> [(word: String, rankSum: RankSum)] {
    withWords.map { word in
      let places = with.indices.filter { with[$0].name == word }
      return (word, RankSum(places.map { values[$0] }, places.map { values[pairs + $0] }))
    }
  }
}

/// How sentences are drawn.
public struct SentenceOptions: Sendable, Equatable {
  /// Pairs of sentences per set.
  public var count = 100
  public var seed: UInt64 = 1
  /// Which part of the words of both sides the search never sees.
  public var heldOutShare = 0.5

  public init() {}

  /// - Throws: ``ConceptError``.
  public init(count: Int, seed: UInt64, heldOutShare: Double) throws(ConceptError) {
    guard (SentenceSets.fewest...1000).contains(count) else {
      throw .outOfRange(.count, value: "\(count)", allowed: "between \(SentenceSets.fewest) and 1000")
    }
    guard heldOutShare >= 0, heldOutShare < 1 else {
      throw .outOfRange(.heldOutShare, value: "\(heldOutShare)", allowed: "at least 0 and below 1")
    }
    (self.count, self.seed, self.heldOutShare) = (count, seed, heldOutShare)
  }
}

/// The sentences that are searched, new ones with the same words, and ones with words that the search never saw.
public struct SentenceSets: Sendable {
  public let search: SentenceSet
  public let newSentences: SentenceSet
  public let heldOutWords: SentenceSet
  /// Words for which no matched pair was found in their set.
  public let unmatched: [String]

  /// The fewest pairs in which is searched.
  public static let fewest = 10

  /// Cuts words, then sentences. Half of the words of each side (``SentenceOptions/heldOutShare``), frequent and rare ones alike, are held
  /// out; a sentence with words of both halves is not used. Every word gets about as many sentences as the others.
  /// - Throws: ``ConceptError/tooFew(split:found:needed:)`` for the search. Cost: sentences with × sentences without, of a word.
  public init(_ pools: SentencePools, _ options: SentenceOptions) throws(ConceptError) {
    var random = SeededRandom(seed: options.seed)
    let with = WordSplit(pools.with, options.heldOutShare, &random)
    let without = WordSplit(pools.without, options.heldOutShare, &random)
    let canHoldOut = [with.heldOut, without.heldOut, with.search, without.search].allSatisfy { !$0.isEmpty }
    let (seenWith, seenWithout) =
      canHoldOut ? (with.search, without.search) : (with.all, without.all)
    var draw = PairDraw(pools, seed: random.next())
    let seen = draw.pairs(seenWith, seenWithout, count: 2 * options.count)
    let held = canHoldOut ? draw.pairs(with.heldOut, without.heldOut, count: options.count) : []
    // A word's pairs go in turns to the search and to the new sentences.
    var (search, new, turns): (SentenceSet, SentenceSet, [String: Int]) = (.init(), .init(), [:])
    for pair in seen {
      let turn = turns[pair.0.name, default: 0]
      turns[pair.0.name] = turn + 1
      let isFirst = turn.isMultiple(of: 2) ? search.pairs < options.count : new.pairs >= options.count
      if isFirst { search.append(pair) } else { new.append(pair) }
    }
    guard search.pairs >= Self.fewest else {
      throw .tooFew(split: "the search", found: search.pairs, needed: Self.fewest)
    }
    var heldOut = SentenceSet()
    for pair in held { heldOut.append(pair) }
    (self.search, newSentences, heldOutWords) = (search, new, heldOut)
    let used = Set((seen + held).map(\.0.name))
    unmatched = pools.with.words.filter { !used.contains($0) }
  }

  /// All words of other texts, another language's for instance, as one set. - Throws: ``ConceptError``.
  public static func whole(
    _ pools: SentencePools, _ options: SentenceOptions
  ) throws(ConceptError) -> SentenceSet {
    var draw = PairDraw(pools, seed: options.seed)
    var set = SentenceSet()
    let all = (Array(pools.with.words.indices), Array(pools.without.words.indices))
    for pair in draw.pairs(all.0, all.1, count: options.count) { set.append(pair) }
    guard set.pairs >= Self.fewest else {
      throw .tooFew(split: "the other text", found: set.pairs, needed: Self.fewest)
    }
    return set
  }
}

extension SentenceSet {
  mutating func append(_ pair: (LabelledSentence, LabelledSentence)) {
    with.append(pair.0)
    without.append(pair.1)
  }
}

/// A side's words, cut in two, each part in order of frequency.
private struct WordSplit {
  let search: [Int]
  let heldOut: [Int]
  let all: [Int]

  init(_ side: SentencePools.Side, _ share: Double, _ random: inout SeededRandom) {
    let order = side.words.indices.filter { !side.words[$0].isEmpty }.sorted {
      (side.sentences[$1].count, $0) < (side.sentences[$0].count, $1)
    }
    // Every 1/share-th word in order of frequency, from a random start: both parts have frequent and rare words.
    let start = random.uniform()
    let isHeld = order.indices.map { index in
      (Double(index + 1) * share + start).rounded(.down) > (Double(index) * share + start).rounded(.down)
    }
    heldOut = zip(order, isHeld).filter(\.1).map(\.0)
    search = zip(order, isHeld).filter { !$0.1 }.map(\.0)
    all = side.words.indices.sorted { (side.sentences[$1].count, $0) < (side.sentences[$0].count, $1) }
  }
}

/// Draws matched pairs; no sentence comes twice.
private struct PairDraw {
  private let pools: SentencePools
  private var random: SeededRandom
  private var used: Set<[UInt8]> = []

  init(_ pools: SentencePools, seed: UInt64) {
    self.pools = pools
    random = SeededRandom(seed: seed)
  }

  /// Up to `count` pairs of these words, which take turns. Words without are dealt out among those with, so that no two words share them
  /// where there are enough; the words of no other set occur.
  mutating func pairs(
    _ with: [Int], _ without: [Int], count: Int
  ) -> [(LabelledSentence, LabelledSentence)] {
    guard !with.isEmpty, !without.isEmpty else { return [] }
    let allowed = Set(with.map { pools.with.numbers[$0] } + without.map { pools.without.numbers[$0] })
    var queues = with.map { shuffled(pools.with, $0, allowed) }
    let choices = without.map { shuffled(pools.without, $0, allowed) }
    let partners = with.indices.map { index in
      without.count >= with.count
        ? without.indices.filter { $0 % with.count == index } : [index % without.count]
    }
    var pairs: [(LabelledSentence, LabelledSentence)] = []
    var open = Set(with.indices)
    while pairs.count < count && !open.isEmpty {
      for index in with.indices where open.contains(index) && pairs.count < count {
        guard
          let pair = next(&queues[index], pools.with.words[with[index]], choices, partners[index], without)
        else {
          open.remove(index)
          continue
        }
        pairs.append(pair)
      }
    }
    return pairs
  }

  private mutating func shuffled(
    _ side: SentencePools.Side, _ word: Int, _ allowed: Set<Int>
  ) -> [LocatedSentence] {
    side.sentences[word].filter { $0.listed.isSubset(of: allowed) }.shuffled(using: &random)
  }

  /// The next sentence of a word that has a partner; its queue loses it and those that have none.
  private mutating func next(
    _ queue: inout [LocatedSentence], _ word: String, _ choices: [[LocatedSentence]], _ partners: [Int],
    _ without: [Int]
  ) -> (LabelledSentence, LabelledSentence)? {
    while let sentence = queue.popLast() {
      guard !used.contains(sentence.bytes) else { continue }
      var best: (distance: Double, word: Int, sentence: LocatedSentence)?
      for partner in partners {
        for candidate in choices[partner] {
          guard let distance = distance(sentence, candidate), distance < best?.distance ?? .infinity,
            !used.contains(candidate.bytes)
          else { continue }
          best = (distance, partner, candidate)
        }
      }
      guard let best else { continue }
      used.insert(sentence.bytes)
      used.insert(best.sentence.bytes)
      return (
        LabelledSentence(bytes: sentence.bytes, word: sentence.word, name: word),
        LabelledSentence(
          bytes: best.sentence.bytes, word: best.sentence.word, name: pools.without.words[without[best.word]])
      )
    }
    return nil
  }

  /// How unlike two sentences are in length and in the place of the word, in bytes; nil for too unlike ones and for another case.
  private func distance(_ a: LocatedSentence, _ b: LocatedSentence) -> Double? {
    guard pools.matches else { return 0 }
    let length = Double(abs(a.bytes.count - b.bytes.count))
    let place = Double(abs(a.word.lowerBound - b.word.lowerBound))
    let (longest, furthest) = (Double(a.bytes.count), Double(a.word.lowerBound))
    guard a.wordCase == b.wordCase, length <= 10 + longest / 4, place <= 10 + furthest / 4 else { return nil }
    return length + place
  }
}
