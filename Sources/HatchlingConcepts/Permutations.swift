import HatchlingNumerics

extension Labellings {
  /// How labels were permuted.
  struct Plan: Sendable {
    /// The columns in which sentences, and in which whole words changed sides.
    let sentences: Range<Int>
    let words: Range<Int>
  }

  /// The truth, `permutations` labellings of sentences, and as many in which words change sides with all their sentences. A word that is not
  /// named is no word: then there are none of the latter.
  static func permuted(_ set: SentenceSet, _ permutations: Int, seed: UInt64) -> (Labellings, Plan) {
    var random = SeededRandom(seed: seed)
    let truth = set.labels
    var all = [truth]
    for _ in 0..<permutations { all.append(truth.shuffled(using: &random)) }
    let words = set.withWords + set.withoutWords
    let isNamed = !words.contains("") && set.withWords.count >= 2 && set.withoutWords.count >= 2
    let numbers = Dictionary(words.enumerated().map { ($1, $0) }) { first, _ in first }
    let owners = set.sentences.map { numbers[$0.name] ?? 0 }
    if isNamed {
      for _ in 0..<permutations {
        let chosen = Set(words.indices.shuffled(using: &random).prefix(set.withWords.count))
        all.append(owners.map(chosen.contains))
      }
    }
    let middle = 1 + permutations
    return (Labellings(all), Plan(sentences: 1..<middle, words: middle..<all.count))
  }
}

extension SearchResult {
  /// (1 + permutations with as large an AUC) / (1 + permutations); nil without any.
  func permutationP(_ columns: Range<Int>) -> Double? {
    guard !columns.isEmpty else { return nil }
    return Double(1 + columns.count { largest[$0] >= largest[0] }) / Double(1 + columns.count)
  }
}
