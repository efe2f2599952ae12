import Testing

@testable import HatchlingConcepts

@Suite struct LetterTests {
  private func set(_ with: [String], _ without: [String]) -> SentenceSet {
    func labelled(_ text: String) -> LabelledSentence {
      LabelledSentence(bytes: Array(text.utf8), word: 0..<1, name: "w")
    }
    var set = SentenceSet()
    for (a, b) in zip(with, without) { set.append((labelled(a), labelled(b))) }
    return set
  }

  @Test func theBestNGramIsFound() {
    let (gram, _) = LetterDetector.search(
      set(
        ["a king is", "one king is", "the kin of", "kin"], ["a dog is", "one cat is", "the mouse of", "ink"]))
    #expect(gram?.description == "'ki'" && gram?.value(Array("king kin".utf8)) == 1)
    let (counted, _) = LetterDetector.search(
      set(["aba ab", "bab ab", "ab ab", "ab.ab"], ["ab", "a ab", "b ab", "bb ab"]))
    #expect(
      counted?.feature == .gram(Array("ab".utf8), counts: true)
        || counted?.feature == .gram([97], counts: true))
    #expect(counted?.value(Array("ab ab ab".utf8)) == 3)
    let (absent, _) = LetterDetector.search(
      set(["one", "two", "few", "ton"], ["xa", "xb", "xc", "xd"]))
    #expect(absent?.description == "fewer: 'x'" && absent?.value([120]) == -1 && absent?.value([]) == 0)
  }

  @Test func capitalsAndLengthAreFound() {
    #expect(
      LetterDetector.search(set(["It Is", "So It"], ["It is", "so It"])).letters.description == "capitals")
    #expect(
      LetterDetector.search(set(["a B", "C D"], ["A b", "E f"])).letters.feature == .capitals(inside: true))
    #expect(LetterDetector.search(set(["a", "b"], ["abc", "abcd"])).letters.description == "shorter")
  }
}
