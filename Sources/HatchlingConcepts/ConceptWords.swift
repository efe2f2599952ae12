/// Words of a list, lower case, in the order of the list, each once.
public struct WordList: Sendable, Equatable {
  /// What messages call it.
  public let name: String
  public let words: [String]

  /// Reads one word per line; empty lines count for nothing. - Throws: ``ConceptError``.
  public init(name: String, lines bytes: [UInt8]) throws(ConceptError) {
    var (words, seen): ([String], Set<String>) = ([], [])
    for (number, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      let text = Bytes.trimmed(line)
      guard !text.isEmpty else { continue }
      guard text.allSatisfy(Bytes.isInWord) else {
        throw .notOneWord(name: name, line: number + 1, text: String(decoding: text, as: UTF8.self))
      }
      let word = Bytes.lowercased(text)
      if seen.insert(word).inserted { words.append(word) }
    }
    guard !words.isEmpty else { throw .emptyList(name: name) }
    (self.name, self.words) = (name, words)
  }

  public init(name: String, words: [String]) { (self.name, self.words) = (name, words) }
}

/// How a word is written. Words are compared only with words written alike.
public enum WordCase: Sendable, Equatable {
  case lower
  case capital
  /// A capital where every sentence has one.
  case capitalAtStart
  case upper

  init(_ word: ArraySlice<UInt8>, at start: Int) {
    let capitals = word.count { (65...90).contains($0) }
    // É and the like, as UTF-8 has them.
    let first = String(decoding: word, as: UTF8.self).first
    if capitals >= 2 && !word.contains(where: { (97...122).contains($0) }) {
      self = .upper
    } else if first?.isUppercase == true {
      self = start == 0 ? .capitalAtStart : .capital
    } else {
      self = .lower
    }
  }
}

/// Text as bytes.
enum Bytes {
  /// ASCII letters and digits, and all bytes of characters beyond ASCII.
  static func isInWord(_ byte: UInt8) -> Bool {
    byte >= 128 || (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
  }

  static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

  static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard let first = bytes.firstIndex(where: { !isSpace($0) }),
      let last = bytes.lastIndex(where: { !isSpace($0) })
    else { return [] }
    return bytes[first...last]
  }

  static func lowercased(_ word: ArraySlice<UInt8>) -> String {
    String(decoding: word, as: UTF8.self).lowercased()
  }

  /// Words with where they stand.
  static func words(in text: ArraySlice<UInt8>) -> [Range<Int>] {
    var (found, start): ([Range<Int>], Int?) = ([], nil)
    for place in text.indices {
      if isInWord(text[place]) {
        start = start ?? place
      } else if let begin = start {
        found.append(begin..<place)
        start = nil
      }
    }
    if let start { found.append(start..<text.endIndex) }
    return found
  }

  /// Sentences: whole lines, or what ends after . ! ? (and closing quotes or brackets) before a space, or at an empty line.
  static func sentences(in text: [UInt8], byLine: Bool, lengths: ClosedRange<Int>) -> [ArraySlice<UInt8>] {
    var (found, start): ([ArraySlice<UInt8>], Int) = ([], 0)
    func end(_ place: Int) {
      let sentence = trimmed(text[start..<place])
      if lengths.contains(sentence.count) { found.append(sentence) }
      start = place
    }
    let (stops, closers) = (Set<UInt8>(".!?".utf8), Set<UInt8>("\"')]".utf8))
    var ends = false
    for place in text.indices {
      let byte = text[place]
      if byte == 10 && (byLine || (place + 1 < text.count && text[place + 1] == 10)) {
        end(place)
      } else if !byLine && ends && isSpace(byte) {
        end(place)
      }
      ends = stops.contains(byte) || (ends && closers.contains(byte))
    }
    end(text.count)
    return found
  }
}
