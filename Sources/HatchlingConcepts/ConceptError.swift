import HatchlingNumerics

/// A number that decides how concepts are searched for.
public enum ConceptSetting: String, Sendable {
  case count = "sentences per set"
  case heldOutShare = "the share of words held out"
  case permutations = "permutations"
  case window = "tokens of the window"
}

/// Words and sentences that cannot be compared, and networks that have no pairs.
public enum ConceptError: InputError, Equatable {
  case emptyList(name: String)
  case notOneWord(name: String, line: Int, text: String)
  case overlap(word: String)
  case noneOccurs(name: String)
  case noSentences(name: String)
  case tooFew(split: String, found: Int, needed: Int)
  case wordNotInSentence(name: String, line: Int, word: String)
  case tokenTooLarge(byte: Int, vocabulary: Int)
  case tooFewLayers(Int)
  case notPlastic
  case outOfRange(ConceptSetting, value: String, allowed: String)
  case tooMuchMemory(bytes: Int, tokens: Int)

  public var description: String {
    switch self {
    case .emptyList(let name): "\(name) holds no word"
    case .notOneWord(let name, let line, let text):
      "\(name), line \(line): '\(text)' is not one word; give one word per line, letters and digits only"
        .escapedLine
    case .overlap(let word): "'\(word)' stands in both word lists; a word is with or without".escapedLine
    case .noneOccurs(let name): "no word of \(name) occurs in a sentence of the text"
    case .noSentences(let name): "\(name) holds no sentence of the lengths asked for"
    case .tooFew(let split, let found, let needed):
      "only \(found) matched pairs of sentences for \(split); at least \(needed) are needed: give more text or more words"
    case .wordNotInSentence(let name, let line, let word):
      "\(name), line \(line): the word '\(word)' before the tab is not in the sentence behind it".escapedLine
    case .tokenTooLarge(let byte, let vocabulary):
      "the sentences hold byte \(byte), which is not below the model's alphabet size \(vocabulary)"
    case .tooFewLayers(let layers):
      "pairs (y of a layer, x of the next) need at least 2 layers; the network has \(layers)"
    case .notPlastic: "this network lacks some plastic synapses; concepts are searched in whole networks"
    case .outOfRange(let what, let value, let allowed): "\(what.rawValue) \(value): \(allowed)"
    case .tooMuchMemory(let bytes, let tokens):
      "activity at \(tokens) tokens takes \(bytes >> 20) MB, more than half of memory; search fewer or shorter sentences"
    }
  }
}

extension String {
  /// Line ends and other control characters as spaces: a message is one line.
  fileprivate var escapedLine: String {
    String(String.UnicodeScalarView(unicodeScalars.map { $0.value < 32 ? " " : $0 }))
  }
}
