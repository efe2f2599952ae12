import HatchlingCheckpoint
import HatchlingNumerics

/// Two aligned files as one translation stream (Appendix B.1).
public struct TranslationCorpus {
  /// What became of the lines.
  public struct Count: Equatable, Sendable {
    /// Pairs that begin with the first language, and with the second.
    public fileprivate(set) var forward = 0
    public fileprivate(set) var backward = 0
    /// Left out: a side is empty, or holds a tag itself.
    public fileprivate(set) var empty = 0
    public fileprivate(set) var tagged = 0
    /// Of the stream.
    public fileprivate(set) var bytes = 0

    public var pairs: Int { forward + backward }
  }

  private let first: String
  private let second: String
  private let languages: (String, String)

  /// - Parameter languages: two different names, as `en` and `fr`.
  /// - Throws: ``TranslationCorpusError/badLanguages``.
  public init(first: String, second: String, languages: [String]) throws(TranslationCorpusError) {
    func isName(_ name: String) -> Bool {
      !name.isEmpty
        && name.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }
    }
    guard languages.count == 2, languages.allSatisfy(isName), languages[0] != languages[1] else {
      throw .badLanguages
    }
    (self.first, self.second) = (first, second)
    self.languages = (languages[0], languages[1])
  }

  /// Writes the stream; the seed draws which language comes first in which pair. Cost: one pass, a line at a time.
  ///
  /// - Throws: ``TranslationCorpusError``, `CheckpointError`; then nothing is written.
  public func write(
    to out: String, seed: UInt64, progress: WorkProgress = { _, _, _ in }
  ) throws -> Count {
    try OutputPaths.check([out], reading: [first, second])
    var (a, b) = (try LineReader(path: first), try LineReader(path: second))
    let file = try AtomicFile(path: out)
    var random = SeededRandom(seed: seed)
    var count = Count()
    var line = 0
    while true {
      let (left, right) = (try a.next(), try b.next())
      guard let left, let right else {
        try checkEqualCounts(line, &a, &b, isLeftThere: left != nil, isRightThere: right != nil)
        break
      }
      line += 1
      if line % 1024 == 0, a.total > 0 { progress("reading byte", a.done, a.total) }
      // Drawn for every line, so that a pair left out moves no other.
      let isForward = random.uniform() < 0.5
      guard !left.isEmpty && !right.isEmpty else {
        count.empty += 1
        continue
      }
      guard !TranslationTags.occur(in: left) && !TranslationTags.occur(in: right) else {
        count.tagged += 1
        continue
      }
      let pair =
        isForward
        ? TranslationTags.pair(languages.0, left, languages.1, right)
        : TranslationTags.pair(languages.1, right, languages.0, left)
      if isForward { count.forward += 1 } else { count.backward += 1 }
      count.bytes += pair.count
      try file.write(pair)
    }
    guard count.pairs > 0 else {
      throw TranslationCorpusError.noPairs(first, second, of: line, empty: count.empty, tagged: count.tagged)
    }
    try file.commit()
    return count
  }

  /// Both files must have ended; otherwise the rest is counted, to name both lengths.
  private func checkEqualCounts(
    _ pairs: Int, _ a: inout LineReader, _ b: inout LineReader, isLeftThere: Bool, isRightThere: Bool
  ) throws {
    guard isLeftThere || isRightThere else { return }
    var (left, right) = (pairs + (isLeftThere ? 1 : 0), pairs + (isRightThere ? 1 : 0))
    while isLeftThere, try a.next() != nil { left += 1 }
    while isRightThere, try b.next() != nil { right += 1 }
    throw TranslationCorpusError.unequal(first: first, left, second: second, right)
  }
}

/// Files that make no translation stream.
public enum TranslationCorpusError: InputError, Equatable {
  case badLanguages
  /// Of so many pairs, so many had an empty side or a tag in the text.
  case noPairs(String, String, of: Int, empty: Int, tagged: Int)
  case unequal(first: String, Int, second: String, Int)

  public var description: String {
    switch self {
    case .badLanguages: "two different names of languages are needed, as en and fr"
    case .noPairs(let first, let second, let all, let empty, let tagged):
      "no pair is left of the \(all) of '\(first)' and '\(second)': \(empty) with an empty side, \(tagged) with <F: or <T: in the text; nothing was written"
    case .unequal(let first, let left, let second, let right):
      "'\(first)' has \(left) lines and '\(second)' has \(right); aligned files have the same number of lines"
    }
  }
}
