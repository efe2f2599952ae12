import HatchlingConcepts

/// The files of a search for a concept.
public struct ConceptFiles: Sendable {
  public enum Source: Sendable {
    /// Word lists, and texts to look for them in; `byLine`: every line is a sentence.
    case words(with: String, without: String, texts: [String], byLine: Bool)
    /// Files of sentences, one per line, each perhaps after its word and a tab.
    case sentences(with: String, without: String)
  }

  public var source: Source
  /// Words and texts on which what was found is tried too.
  public var other: Source?
  /// Lengths of sentences, in bytes.
  public var lengths: ClosedRange<Int>

  public init(_ source: Source, other: Source? = nil, lengths: ClosedRange<Int>) {
    (self.source, self.other, self.lengths) = (source, other, lengths)
  }

  /// All files that are read.
  public var all: [String] { ([source] + (other.map { [$0] } ?? [])).flatMap(Self.files) }

  private static func files(of source: Source) -> [String] {
    switch source {
    case .words(let with, let without, let texts, _): [with, without] + texts
    case .sentences(let with, let without): [with, without]
    }
  }

  /// Reads everything and draws the sentences. - Throws: `ConceptError`, ``TextError``, `CheckpointError`.
  public func sets(_ options: SentenceOptions) throws -> ConceptSentences {
    let pools = try pools(of: source)
    let sets = try SentenceSets(pools, options)
    let other = try other.map { try SentenceSets.whole(try self.pools(of: $0), options) }
    return ConceptSentences(
      sets: StudySets(sets, other: other), absent: pools.with.absent + pools.without.absent,
      unmatched: sets.unmatched)
  }

  private func pools(of source: Source) throws -> SentencePools {
    func lines(_ path: String) throws -> (name: String, lines: [UInt8]) {
      (path == "-" ? "standard input" : "'\(path)'", try TextSource.bytes(path))
    }
    switch source {
    case .words(let with, let without, let texts, let byLine):
      let (with, without) = (try lines(with), try lines(without))
      return try SentencePools(
        with: WordList(name: with.name, lines: with.lines),
        without: WordList(name: without.name, lines: without.lines),
        texts: try texts.map { try TextSource.bytes($0) }, byLine: byLine, lengths: lengths)
    case .sentences(let with, let without):
      return try SentencePools(with: try lines(with), without: try lines(without), lengths: lengths)
    }
  }
}

/// The sentences of a search, and the words of which there are none.
public struct ConceptSentences: Sendable {
  public let sets: StudySets
  /// Words that the texts lack.
  public let absent: [String]
  /// Words with, of which no sentence had a partner.
  public let unmatched: [String]
}
