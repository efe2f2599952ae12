import Foundation
import HatchlingCheckpoint
import HatchlingConcepts

/// What `concepts` says: a table, JSON, and a page per synapse.
public struct ConceptReport: Sendable {
  let findings: ConceptFindings
  let sentences: ConceptSentences

  public init(_ findings: ConceptFindings, _ sentences: ConceptSentences) {
    (self.findings, self.sentences) = (findings, sentences)
  }

  // MARK: Table

  public var lines: [String] {
    sentenceLines + [""] + table + [""] + searchLines + [""] + wordLines + [""] + verdictLines
  }

  private var sentenceLines: [String] {
    let sets = findings.sets.sets.map { split, set in
      let words = set.withWords.filter { !$0.isEmpty }
      let with = words.isEmpty ? "" : ", with \(list(words)); without \(list(set.withoutWords))"
      return padded(split.rawValue, 16, right: false) + "\(set.pairs) + \(set.pairs) sentences\(with)"
    }
    let search = findings.sets.sets[0].set
    let balance = zip(search.with, search.without).map {
      (abs($0.bytes.count - $1.bytes.count), abs($0.word.lowerBound - $1.word.lowerBound))
    }
    func mean(_ values: [Int]) -> String {
      decimal(Double(values.reduce(0, +)) / Double(max(1, values.count)), 1)
    }
    return sets + [
      "matched         mean difference within a pair: length \(mean(balance.map(\.0))) bytes, place of the word \(mean(balance.map(\.1))) bytes"
    ]
      + (sentences.absent.isEmpty ? [] : ["not in the text \(list(sentences.absent))"])
      + (sentences.unmatched.isEmpty
        ? [] : ["not used        \(list(sentences.unmatched)): no partner alike"])
  }

  private func list(_ words: [String]) -> String {
    words.count <= 12
      ? words.joined(separator: " ") : words.prefix(11).joined(separator: " ") + " … (\(words.count))"
  }

  private var splits: [ConceptSplit] { findings.sets.sets.map(\.split) }

  private var table: [String] {
    let heads = splits.map { padded($0 == .heldOutWords ? "held-out words" : $0.rawValue, 17) }
    let header =
      padded("AUC", 24, right: false) + padded("best", 22, right: false) + padded("score", 9, right: false)
      + heads.joined() + "   verdict"
    let extra = findings.topPairs.dropFirst().map(\.result)
    return [header]
      + findings.results.flatMap { result in
        [line(result)]
          + (result.family == .pair && result.network == .trained ? extra.map(line) : [])
      }
  }

  /// Of held-out words and other text the mean over words with p of their signed ranks; else over sentences.
  private func line(_ result: DetectorResult) -> String {
    let network = result.network == .none ? "" : " \(result.network.rawValue)"
    let cells = splits.map { split -> String in
      guard let one = result[split] else { return padded("–", 17) }
      let byWords = (split == .heldOutWords || split == .other) && one.wordAUC != nil
      let (auc, p) = byWords ? (one.wordAUC ?? .nan, one.wordP ?? .nan) : (one.auc, one.sentenceP)
      return padded(decimal(auc, 3) + (split == .search ? "" : " p \(short(p))"), 17)
    }
    return padded("\(result.family.rawValue)\(network)", 24, right: false)
      + padded(result.name, 22, right: false) + padded(result.kind?.rawValue ?? "", 9, right: false)
      + cells.joined() + "   " + (result.verdict?.rawValue ?? "")
  }

  private func short(_ p: Double) -> String { p < 0.001 ? String(format: "%.0e", p) : decimal(p, 3) }

  private var searchLines: [String] {
    let tallies = ScoreKind.allCases.compactMap { kind in findings.tallies[kind].map { (kind, $0) } }
    func each(_ value: (SearchTally) -> String) -> String {
      tallies.map { "\($0.rawValue) \(value($1))" }.joined(separator: ", ")
    }
    func null(_ what: String, _ values: [Double], _ p: Double?) -> [String] {
      guard !values.isEmpty, let p else { return [] }
      let sorted = values.sorted()
      return [
        "\(what): largest AUC of \(values.count) searches \(decimal(sorted[sorted.count / 2], 3)) (median) to \(decimal(sorted[sorted.count - 1], 3)); p = \(decimal(p, 4))"
      ]
    }
    let best = findings.topPairs.first?.result
    return [
      "\(grouped(findings.pairs)) pairs × 3 scores searched in \(decimal(findings.searchSeconds, 1)) s; pairs that fire: \(each { grouped($0.firing) })"
    ]
      + null("permuted sentences", findings.sentenceNull, best?.searchP)
      + null("permuted words", findings.wordNull, best?.wordSearchP)
      + [
        "p < 0.05 with sentences as the unit, of all pairs that fire: \(each { percent(Double($0.significant) / Double(max(1, $0.firing))) })",
        "Benjamini and Hochberg at 5 % would call discoveries: \(each { grouped($0.discoveries(q: 0.05)) })",
      ]
  }

  private var wordLines: [String] {
    guard let best = findings.topPairs.first?.result else { return ["no pair tells the sentences apart"] }
    return ["AUC of \(best.name), \(best.kind?.rawValue ?? ""), word by word (sentences)"]
      + best.splits.compactMap { split in
        split.words.isEmpty
          ? nil
          : padded(split.split.rawValue, 16, right: false)
            + split.words.map { "\($0.word) \(decimal($0.auc, 2)) (\($0.sentences))" }.joined(separator: ", ")
      }
  }

  private var verdictLines: [String] {
    let best = findings.topPairs.first?.result
    return ["verdict         \(findings.verdict.rawValue): \(Self.reason(best))"]
  }

  /// Why, in words.
  static func reason(_ result: DetectorResult?) -> String {
    guard let result, let evidence = result.evidence else { return "no pair tells the sentences apart" }
    let held =
      evidence.heldOutAUC.map {
        "on words it was not chosen for AUC \(decimal($0, 2)), p \(decimal(evidence.heldOutP ?? .nan, 3))"
      } ?? "no words are held out"
    switch result.verdict {
    case .concept:
      return
        "\(result.name) answers to words of the concept that the search never saw (\(held)), and letters do not"
    case .wordDetector:
      return
        "\(result.name) knows the words it was chosen for, in new sentences too (AUC \(decimal(evidence.newAUC, 2))); \(held)"
    case .letterDetector:
      return
        "letters tell these sentences apart as well as \(result.name) does (new sentences: AUC \(decimal(evidence.lettersNewAUC, 2)) against \(decimal(evidence.newAUC, 2)); \(held))"
    case .nothing, nil:
      return
        "\(result.name) does not hold: search p \(decimal(evidence.searchP, 3)), new sentences AUC \(decimal(evidence.newAUC, 2)), p \(decimal(evidence.newP, 3))"
    }
  }

  // MARK: JSON

  public var json: some Encodable { object }

  private var object: JSONObject {
    [
      "verdict": findings.verdict.rawValue, "reason": Self.reason(findings.topPairs.first?.result),
      "sentences": findings.sets.sets.map { split, set in
        [
          "split": split.rawValue, "pairs": set.pairs, "words_with": set.withWords,
          "words_without": set.withoutWords,
        ] as JSONObject
      },
      "absent": sentences.absent, "unmatched": sentences.unmatched,
      "results": findings.results.map(object), "top_pairs": findings.topPairs.map { object($0.result) },
      "pairs": findings.pairs, "search_seconds": findings.searchSeconds,
      "null": ["sentences": findings.sentenceNull, "words": findings.wordNull] as JSONObject,
      "tallies": ScoreKind.allCases.compactMap { kind in
        findings.tallies[kind].map {
          [
            "score": kind.rawValue, "firing": $0.firing, "significant": $0.significant,
            "discoveries": $0.discoveries(q: 0.05),
          ] as JSONObject
        }
      },
      "options": [
        "count": findings.options.sentences.count, "seed": findings.options.sentences.seed,
        "held_out_words": findings.options.sentences.heldOutShare, "window": findings.options.window,
        "permutations": findings.options.permutations,
      ] as JSONObject,
    ]
  }

  private func object(_ result: DetectorResult) -> JSONObject {
    [
      "family": result.family.rawValue, "network": result.network.rawValue, "name": result.name,
      "score": result.kind?.rawValue, "search_p": result.searchP, "word_search_p": result.wordSearchP,
      "verdict": result.verdict?.rawValue,
      "splits": result.splits.map { split in
        [
          "split": split.split.rawValue, "pairs": split.pairs, "auc": split.auc, "p": split.sentenceP,
          "word_auc": split.wordAUC, "word_p": split.wordP,
          "words": split.words.map {
            ["word": $0.word, "auc": $0.auc, "sentences": $0.sentences] as JSONObject
          },
        ] as JSONObject
      },
    ]
  }

  // MARK: Files

  /// Writes `concepts.json` and `synapse-1.svg`, … into a folder, which is made. - Returns: what to tell the user.
  /// - Throws: `CheckpointError.unwritable`.
  public func write(into path: String) throws -> [String] {
    let folder = try ReportFolder(path)
    let text = try JSONEncoder.reports(.prettyPrinted).text(of: object)
    try AtomicFile.writeText(to: folder.file("concepts.json")) { $0.append(text + "\n") }
    for (index, pair) in findings.topPairs.enumerated() {
      let page = ConceptPage(pair, findings).svg
      try AtomicFile.writeText(to: folder.file("synapse-\(index + 1).svg")) { $0.append(page) }
    }
    return ["written to \(path): concepts.json and \(findings.topPairs.count) pages synapse-N.svg"]
  }

  /// All files that ``write(into:)`` may make.
  public static func files(in folder: String, top: Int) -> [String] {
    ["\(folder)/concepts.json"] + (0..<max(0, top)).map { "\(folder)/synapse-\($0 + 1).svg" }
  }
}
