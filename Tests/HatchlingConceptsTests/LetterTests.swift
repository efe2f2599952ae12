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
    let gram = LetterDetector.bestGram(
      set(
        ["a king is", "one king is", "the kin of", "kin"], ["a dog is", "one cat is", "the mouse of", "ink"]))
    #expect(gram?.description == "'ki'" && gram?.value(Array("king kin".utf8)) == 1)
    let counted = LetterDetector.bestGram(
      set(["aba ab", "bab ab", "ab ab", "ab.ab"], ["ab", "a ab", "b ab", "bb ab"]))
    #expect(
      counted?.feature == .gram(Array("ab".utf8), counts: true)
        || counted?.feature == .gram([97], counts: true))
    #expect(counted?.value(Array("ab ab ab".utf8)) == 3)
    let absent = LetterDetector.bestGram(
      set(["one", "two", "few", "ton"], ["xa", "xb", "xc", "xd"]))
    #expect(absent?.description == "fewer: 'x'" && absent?.value([120]) == -1 && absent?.value([]) == 0)
  }

  @Test func capitalsAndLengthAreFound() {
    #expect(
      LetterDetector.bestOfCase(set(["It Is", "So It"], ["It is", "so It"])).description == "capitals")
    #expect(
      LetterDetector.bestOfCase(set(["a B", "C D"], ["A b", "E f"])).feature == .capitals(inside: true))
    #expect(LetterDetector.bestOfCase(set(["a", "b"], ["abc", "abcd"])).description == "shorter")
  }

  /// Behind the word it is another n-gram than in the sentence.
  @Test func windowsHaveNGramsOfTheirOwn() {
    let set = set(["q, zz", "w, zz", "e, zz", "r, zz"], ["q zz,", "w zz,", "e zz,", "r zz,"])
    let gram = LetterDetector.bestGram(set, window: 1)
    #expect(
      gram?.description == "fewer: ' '" && gram?.value(set.without[0]) == -1 && gram?.value(set.with[0]) == 0)
    #expect(LetterDetector.bestGram(set, window: .max)?.description != gram?.description)
  }
}
