import HatchlingCheckpoint

/// The marks of the translation stream (Appendix B.1): `<F:en>source<T:fr>target`, pair after pair.
public enum TranslationTags {
  public static let source = Array("<F:".utf8)
  public static let target = Array("<T:".utf8)

  /// One pair, the languages named `from` and `to`.
  public static func pair(
    _ from: String, _ source: ArraySlice<UInt8>, _ to: String, _ target: ArraySlice<UInt8>
  ) -> [UInt8] {
    "<F:\(from)>".anyBytes + source + "<T:\(to)>".anyBytes + target
  }

  /// Whether a text would be taken apart in the wrong place.
  public static func occur(in text: ArraySlice<UInt8>) -> Bool {
    text.contains(source) || text.contains(target)
  }
}

/// Which tokens of a stream count towards the loss when only what follows a tag is scored.
///
/// A region begins after the tag and ends before the next `<F:`, `<T:` or TAG, or with the stream. A TAG that begins with `<` and has no
/// `>` reaches to the next `>`, as long as no `<` comes before that: `<T:` stands for every target language, `<T:fr>` for one.
/// Neither the tag's own bytes nor the `<F:` that ends the region are inside. A stream begins outside.
public struct ScoredRegions {
  private let tag: [Int]
  private let reachesToBracket: Bool
  private let ends: [[Int]]

  public init(after tag: String) {
    self.tag = tag.anyBytes.map(Int.init)
    reachesToBracket = tag.hasPrefix("<") && !tag.contains(">")
    ends = [TranslationTags.source, TranslationTags.target].map { $0.map(Int.init) } + [self.tag]
  }

  /// One flag per token. Cost: one pass.
  public func mask(_ tokens: [Int]) -> [Bool] {
    var mask = [Bool](repeating: false, count: tokens.count)
    var (index, isInside) = (0, false)
    while index < tokens.count {
      let rest = tokens[index...]
      if rest.starts(with: tag), let after = endOfTag(tokens, at: index + tag.count) {
        (index, isInside) = (after, true)
      } else {
        if ends.contains(where: rest.starts(with:)) { isInside = false }
        mask[index] = isInside
        index += 1
      }
    }
    return mask
  }

  /// The first index after the tag whose fixed part ends before `index`; nil where the tag is never closed.
  private func endOfTag(_ tokens: [Int], at index: Int) -> Int? {
    guard reachesToBracket else { return index }
    for place in index..<tokens.count {
      if tokens[place] == 0x3E { return place + 1 }
      if tokens[place] == 0x3C { return nil }
    }
    return nil
  }
}
