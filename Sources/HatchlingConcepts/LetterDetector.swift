/// What can be said of a sentence by its letters alone, without any network.
public struct LetterDetector: Sendable, Hashable, CustomStringConvertible {
  public enum Feature: Sendable, Hashable {
    /// Whether some bytes occur, or how often.
    case gram([UInt8], counts: Bool)
    /// Capitals, or only those that begin no sentence.
    case capitals(inside: Bool)
    /// The length of the sentence, in bytes.
    case length
  }

  public let feature: Feature
  /// Nil looks at the whole sentence; else at the word and so many bytes behind it, where the window score looks.
  public var window: Int?
  /// Whether less of it speaks for the concept.
  public let isNegative: Bool

  public static let longestGram = 6

  public func value(_ sentence: LabelledSentence) -> Double { value(Self.scope(sentence, window)) }

  private static func scope(_ sentence: LabelledSentence, _ window: Int?) -> [UInt8] {
    window.map { Array(sentence.bytes[sentence.window($0)]) } ?? sentence.bytes
  }

  func value(_ sentence: [UInt8]) -> Double {
    let amount: Int
    switch feature {
    case .gram(let bytes, let counts):
      let times = Self.occurrences(of: bytes, in: sentence)
      amount = counts ? times : min(1, times)
    case .capitals(let inside):
      amount = sentence.dropFirst(inside ? 1 : 0).count { (65...90).contains($0) }
    case .length: amount = sentence.count
    }
    return Double(isNegative ? -amount : amount)
  }

  private static func occurrences(of gram: [UInt8], in sentence: [UInt8]) -> Int {
    guard gram.count <= sentence.count else { return 0 }
    return (0...sentence.count - gram.count).count { start in
      gram.indices.allSatisfy { sentence[start + $0] == gram[$0] }
    }
  }

  public var description: String {
    let sign = isNegative ? "fewer: " : ""
    switch feature {
    case .gram(let bytes, let counts):
      return sign + "'\(String(decoding: bytes, as: UTF8.self))'\(counts ? ", counted" : "")"
    case .capitals(let inside): return sign + (inside ? "capitals inside" : "capitals")
    case .length: return (isNegative ? "shorter" : "longer")
    }
  }

  /// The n-gram of up to ``longestGram`` bytes that tells the sentences, or their windows, apart best, present or counted, for or against.
  /// Cost: sentences × bytes × n, and a sort for every n-gram that stands in three sentences.
  public static func bestGram(_ set: SentenceSet, window: Int? = nil) -> LetterDetector? {
    let (sentences, labels) = (set.sentences.map { scope($0, window) }, set.labels)
    var best: (twiceU: Int, detector: LetterDetector)?
    for (key, places) in grams(of: sentences).sorted(by: { $0.key < $1.key }) where places.count >= 3 {
      for counts in [false, true] where !counts || places.contains(where: { $0.times > 1 }) {
        var values = [Double](repeating: 0, count: sentences.count)
        for place in places { values[place.sentence] = counts ? Double(place.times) : 1 }
        offer(.gram(bytes(of: key), counts: counts), values, labels, &best)
      }
    }
    return best.map {
      LetterDetector(feature: $0.detector.feature, window: window, isNegative: $0.detector.isNegative)
    }
  }

  /// The best of capitals and length.
  public static func bestOfCase(_ set: SentenceSet) -> LetterDetector {
    var best: (twiceU: Int, detector: LetterDetector)?
    for feature in [Feature.capitals(inside: false), .capitals(inside: true), .length] {
      let values = set.sentences.map { LetterDetector(feature: feature, isNegative: false).value($0.bytes) }
      offer(feature, values, set.labels, &best)
    }
    return best?.detector ?? LetterDetector(feature: .length, isNegative: false)
  }

  private static func offer(
    _ feature: Feature, _ values: [Double], _ labels: [Bool],
    _ best: inout (twiceU: Int, detector: LetterDetector)?
  ) {
    let sum = RankSum(values, labels: labels)
    let other = 2 * sum.with * sum.without - sum.twiceU
    guard max(sum.twiceU, other) > best?.twiceU ?? -1 else { return }
    let detector = LetterDetector(feature: feature, isNegative: other > sum.twiceU)
    best = (max(sum.twiceU, other), detector)
  }

  /// Up to 6 bytes in a number, their count above them.
  private static func grams(of sentences: [[UInt8]]) -> [UInt64: [(sentence: Int, times: Int)]] {
    var found: [UInt64: [(sentence: Int, times: Int)]] = [:]
    for (number, sentence) in sentences.enumerated() {
      var times: [UInt64: Int] = [:]
      for start in sentence.indices {
        var key: UInt64 = 0
        for length in 1...min(longestGram, sentence.count - start) {
          key = key << 8 | UInt64(sentence[start + length - 1])
          times[UInt64(length) << 56 | key, default: 0] += 1
        }
      }
      for (key, count) in times { found[key, default: []].append((number, count)) }
    }
    return found
  }

  private static func bytes(of key: UInt64) -> [UInt8] {
    let length = Int(key >> 56)
    return (0..<length).map { UInt8(truncatingIfNeeded: key >> UInt64(8 * (length - 1 - $0))) }
  }
}
