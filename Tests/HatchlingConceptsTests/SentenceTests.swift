import HatchlingNumerics
import Testing

@testable import HatchlingConcepts

@Suite struct SentenceTests {
  @Test func textIsCutIntoSentences() {
    func cut(_ text: String, byLine: Bool = false) -> [String] {
      Bytes.sentences(in: Array(text.utf8), byLine: byLine, lengths: 1...40).map {
        String(decoding: $0, as: UTF8.self)
      }
    }
    #expect(
      cut("One 1.5 is. \"Two?\" Three\nof it!\n\nFOUR:\nfive") == [
        "One 1.5 is.", "\"Two?\"", "Three\nof it!", "FOUR:\nfive",
      ])
    #expect(cut("One. Two\nthree\n\n", byLine: true) == ["One. Two", "three"])
    #expect(cut(String(repeating: "x", count: 41)).isEmpty && cut(" \n\n ").isEmpty)
  }

  @Test func wordsAreWholeAndCaseIsKept() throws {
    let texts = [
      Array(
        "The kings of it. A king, here. King of that. O the King is. The KING is. Été beau. L'été. Not that."
          .utf8)
    ]
    let pools = try SentencePools(
      with: WordList(name: "a", lines: Array("king\nété\n".utf8)),
      without: WordList(name: "b", words: ["that"]),
      texts: texts, lengths: 1...99)
    #expect(pools.with.words == ["king", "été"] && pools.with.sentences.map(\.count) == [4, 2])
    #expect(
      pools.with.sentences[0].map(\.wordCase) == [.lower, .capitalAtStart, .capital, .upper])
    #expect(pools.with.sentences[1].map(\.wordCase) == [.capitalAtStart, .lower])
    #expect(pools.with.sentences[0][0].word == 2..<6)
    // A sentence that has both is with.
    #expect(throws: ConceptError.noneOccurs(name: "b")) {
      try SentencePools(
        with: WordList(name: "a", words: ["king"]), without: WordList(name: "b", words: ["of"]),
        texts: [Array("King of it.".utf8)], lengths: 1...99)
    }
  }

  private func sets(seed: UInt64, count: Int = 40) throws -> SentenceSets {
    let text = Planted.text(marks: Planted.marks, sentences: 8, seed: 1)
    let pools = try SentencePools(
      with: text.with, without: text.without, texts: [text.text], lengths: 8...100)
    return try SentenceSets(pools, SentenceOptions(count: count, seed: seed, heldOutShare: 0.4))
  }

  @Test func setsAreMatchedAndShareNeitherSentencesNorWords() throws {
    let sets = try sets(seed: 3)
    let all = [sets.search, sets.newSentences, sets.heldOutWords]
    #expect(all.map(\.pairs) == [40, 40, 40])
    let bytes = all.flatMap { $0.sentences.map(\.bytes) }
    #expect(Set(bytes).count == bytes.count && bytes.count == 240)
    #expect(Set(sets.search.withWords) == Set(sets.newSentences.withWords))
    #expect(sets.heldOutWords.withWords.count == 12 && sets.search.withWords.count == 18)
    for words in [\SentenceSet.withWords, \.withoutWords] {
      let held = Set(sets.heldOutWords[keyPath: words])
      let seen = Set(sets.search[keyPath: words])
      #expect(held.isDisjoint(with: seen) && !held.isEmpty)
      // Nor do they stand beside the word that was looked for.
      for sentence in sets.search.sentences + sets.newSentences.sentences {
        let inside = Bytes.words(in: sentence.bytes[...]).map { Bytes.lowercased(sentence.bytes[$0]) }
        #expect(held.isDisjoint(with: inside) && inside.contains(sentence.name))
      }
    }
    for set in all {
      for (with, without) in zip(set.with, set.without) {
        #expect(abs(with.bytes.count - without.bytes.count) <= 10 + with.bytes.count / 4)
        #expect(abs(with.word.lowerBound - without.word.lowerBound) <= 10 + with.word.lowerBound / 4)
      }
      // No two words share a partner.
      let owners = Dictionary(grouping: zip(set.without, set.with).map { ($0.name, $1.name) }) { $0.0 }
      #expect(owners.values.allSatisfy { Set($0.map(\.1)).count == 1 } && owners.count > 10)
    }
  }

  @Test func theSeedDecides() throws {
    #expect(try sets(seed: 3).search == sets(seed: 3).search)
    #expect(try sets(seed: 3).search != sets(seed: 4).search)
  }

  @Test func readySentencesNeedNoWords() throws {
    func lines(_ word: String, _ sentence: String, tab: Bool) -> [UInt8] {
      Array(
        (0..<40).map { "\(tab ? "\(word)\($0 % 4)\t" : "")it is \(word)\($0 % 4), \(sentence) \($0)" }.joined(
          separator: "\n"
        ).utf8)
    }
    let named = try SentencePools(
      with: ("a", lines("king", "yes", tab: true)), without: ("b", lines("dog", "no", tab: true)),
      lengths: 1...99)
    let sets = try SentenceSets(named, SentenceOptions(count: 10, seed: 1, heldOutShare: 0.5))
    #expect(sets.search.withWords.count == 2 && sets.heldOutWords.withWords.count == 2)
    #expect(sets.search.with.allSatisfy { $0.word == 6..<11 })
    let plain = try SentencePools(
      with: ("a", lines("king", "yes", tab: false)), without: ("b", lines("dog", "no", tab: false)),
      lengths: 1...99)
    let unnamed = try SentenceSets(plain, SentenceOptions(count: 10, seed: 1, heldOutShare: 0.5))
    #expect(unnamed.search.pairs == 10 && unnamed.newSentences.pairs == 10 && unnamed.heldOutWords.pairs == 0)
    let (labels, plan) = Labellings.permuted(unnamed.search, 19, seed: 1)
    #expect(plan.words.isEmpty && labels.count == 20)
  }

  @Test func badWordsAndSentencesAreRefused() throws {
    func list(_ text: String) throws { _ = try WordList(name: "'f'", lines: Array(text.utf8)) }
    #expect(throws: ConceptError.emptyList(name: "'f'")) { try list(" \n\n") }
    #expect(throws: ConceptError.notOneWord(name: "'f'", line: 2, text: "two words")) {
      try list("one\ntwo words\n")
    }
    let one = WordList(name: "a", words: ["one"])
    #expect(throws: ConceptError.overlap(word: "one")) {
      try SentencePools(
        with: one, without: WordList(name: "b", words: ["two", "one"]), texts: [[]], lengths: 1...9)
    }
    #expect(throws: ConceptError.noneOccurs(name: "a")) {
      try SentencePools(
        with: one, without: WordList(name: "b", words: ["two"]), texts: [Array("two.".utf8)], lengths: 1...9)
    }
    #expect(throws: ConceptError.wordNotInSentence(name: "a", line: 1, word: "x")) {
      try SentencePools(with: ("a", Array("x\tsome".utf8)), without: ("b", []), lengths: 1...9)
    }
    #expect(throws: ConceptError.noSentences(name: "b")) {
      try SentencePools(with: ("a", Array("some".utf8)), without: ("b", []), lengths: 1...9)
    }
    let few = try SentencePools(
      with: one, without: WordList(name: "b", words: ["two"]),
      texts: [Array("one here. two here. one there. two there.".utf8)], lengths: 1...20)
    #expect(throws: ConceptError.tooFew(split: "the search", found: 1, needed: 10)) {
      try SentenceSets(few, SentenceOptions())
    }
    #expect(throws: ConceptError.self) { try SentenceOptions(count: 9, seed: 1, heldOutShare: 0.5) }
    #expect(throws: ConceptError.self) { try SentenceOptions(count: 20, seed: 1, heldOutShare: .nan) }
    #expect(throws: ConceptError.tokenTooLarge(byte: 200, vocabulary: 128)) {
      try SentenceTokens(
        [LabelledSentence(bytes: [65, 200], word: 0..<1, name: "")], window: 1, vocabulary: 128)
    }
  }
}
