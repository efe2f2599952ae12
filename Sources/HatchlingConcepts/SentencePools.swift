/// A sentence and where its listed word stands.
public struct LocatedSentence: Sendable, Equatable {
  public let bytes: [UInt8]
  /// The word's bytes; all of the sentence where no word is named.
  public let word: Range<Int>
  let wordCase: WordCase
  /// All listed words of the sentence, numbered through both lists.
  let listed: Set<Int>
}

/// Words of both sides and the sentences in which they stand.
public struct SentencePools: Sendable {
  public struct Side: Sendable {
    public let name: String
    /// Empty text: sentences of which no word is named.
    public var words: [String]
    /// Per word. A sentence with two words of the list is there twice.
    public var sentences: [[LocatedSentence]]
    /// Per word its number through both lists.
    var numbers: [Int] = []
    /// Words of the list that no sentence has.
    public var absent: [String] = []
  }

  public var with: Side
  public var without: Side
  /// Whether sentences are to be matched by length, place and case; ready ones are taken as they are.
  public let matches: Bool

  /// Finds the words in texts. A sentence counts as with a word if it has a word of the first list, else as without if it has one of the
  /// second. Equal sentences are taken once.
  ///
  /// - Parameters:
  ///   - byLine: whether every line is a sentence.
  ///   - lengths: of sentences, in bytes.
  /// - Throws: ``ConceptError``. Cost: one pass over the texts.
  public init(
    with: WordList, without: WordList, texts: [[UInt8]], byLine: Bool = false, lengths: ClosedRange<Int>
  ) throws(ConceptError) {
    if let both = with.words.first(where: without.words.contains) { throw .overlap(word: both) }
    let numbers = Dictionary(
      uniqueKeysWithValues: (with.words + without.words).enumerated().map { ($1, $0) })
    var found = [[LocatedSentence]](repeating: [], count: numbers.count)
    var seen: Set<ArraySlice<UInt8>> = []
    for text in texts {
      for sentence in Bytes.sentences(in: text, byLine: byLine, lengths: lengths) {
        let places = Self.places(of: numbers, in: sentence)
        guard !places.isEmpty, seen.insert(sentence).inserted else { continue }
        let isWith = places.contains { $0.number < with.words.count }
        let bytes = Array(sentence)
        let listed = Set(places.map(\.number))
        for place in places where (place.number < with.words.count) == isWith {
          let word =
            place.range.lowerBound - sentence.startIndex..<place.range.upperBound - sentence.startIndex
          found[place.number].append(
            LocatedSentence(
              bytes: bytes, word: word, wordCase: WordCase(bytes[word], at: word.lowerBound), listed: listed))
        }
      }
    }
    let middle = with.words.count
    self.with = try Self.side(with, Array(found[..<middle]), from: 0)
    self.without = try Self.side(without, Array(found[middle...]), from: middle)
    matches = true
  }

  /// Where each listed word stands first.
  private static func places(
    of numbers: [String: Int], in sentence: ArraySlice<UInt8>
  ) -> [(number: Int, range: Range<Int>)] {
    var (places, seen): ([(number: Int, range: Range<Int>)], Set<Int>) = ([], [])
    for range in Bytes.words(in: sentence) {
      if let number = numbers[Bytes.lowercased(sentence[range])], seen.insert(number).inserted {
        places.append((number, range))
      }
    }
    return places
  }

  private static func side(
    _ list: WordList, _ found: [[LocatedSentence]], from first: Int
  ) throws(ConceptError) -> Side {
    let kept = found.indices.filter { !found[$0].isEmpty }
    guard !kept.isEmpty else { throw .noneOccurs(name: list.name) }
    return Side(
      name: list.name, words: kept.map { list.words[$0] }, sentences: kept.map { found[$0] },
      numbers: kept.map { first + $0 },
      absent: found.indices.filter { found[$0].isEmpty }.map { list.words[$0] })
  }

  /// Ready sentences, one per line, each perhaps after its word and a tab. - Throws: ``ConceptError``.
  public init(
    with: (name: String, lines: [UInt8]), without: (name: String, lines: [UInt8]), lengths: ClosedRange<Int>
  ) throws(ConceptError) {
    var numbers: [String: Int] = [:]
    self.with = try Self.ready(with.name, with.lines, lengths, &numbers)
    let before = Set(self.with.words)
    self.without = try Self.ready(without.name, without.lines, lengths, &numbers)
    if let both = self.without.words.first(where: { !$0.isEmpty && before.contains($0) }) {
      throw .overlap(word: both)
    }
    matches = false
  }

  private static func ready(
    _ name: String, _ lines: [UInt8], _ lengths: ClosedRange<Int>, _ numbers: inout [String: Int]
  ) throws(ConceptError) -> Side {
    var side = Side(name: name, words: [], sentences: [])
    var places: [String: Int] = [:]
    for (index, line) in lines.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      let parts = line.split(separator: 9, maxSplits: 1, omittingEmptySubsequences: false)
      let sentence = Array(Bytes.trimmed(parts.last ?? []))
      guard lengths.contains(sentence.count) else { continue }
      let word = parts.count == 2 ? Bytes.lowercased(Bytes.trimmed(parts[0])) : ""
      let range = word.isEmpty ? 0..<sentence.count : Self.place(of: word, in: sentence)
      guard let range else { throw .wordNotInSentence(name: name, line: index + 1, word: word) }
      let number = numbers[word] ?? numbers.count
      numbers[word] = number
      if places[word] == nil {
        places[word] = side.words.count
        side.words.append(word)
        side.sentences.append([])
        side.numbers.append(number)
      }
      guard let place = places[word] else { continue }
      side.sentences[place].append(
        LocatedSentence(
          bytes: sentence, word: range, wordCase: WordCase(sentence[range], at: range.lowerBound),
          listed: word.isEmpty ? [] : [number]))
    }
    guard !side.words.isEmpty else { throw .noSentences(name: name) }
    return side
  }

  /// A whole word first, else wherever the letters are.
  private static func place(of word: String, in sentence: [UInt8]) -> Range<Int>? {
    if let whole = Bytes.words(in: sentence[...]).first(where: { Bytes.lowercased(sentence[$0]) == word }) {
      return whole
    }
    let letters = Array(word.utf8)
    guard !letters.isEmpty, letters.count <= sentence.count else { return nil }
    return (0...sentence.count - letters.count).map { $0..<$0 + letters.count }.first {
      sentence[$0].elementsEqual(letters)
    }
  }
}
