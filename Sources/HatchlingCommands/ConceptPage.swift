import HatchlingConcepts

/// One synapse on a page, as SVG: the texts in which it scores most, tinted; the AUC of every word; what searches among permuted labels find.
struct ConceptPage {
  private let pair: ConceptFindings.TopPair
  private let findings: ConceptFindings
  private var body: [String] = []
  private var y = 40.0
  private static let texts = 12
  private static let lineLength = 108
  private static let width = 960.0

  init(_ pair: ConceptFindings.TopPair, _ findings: ConceptFindings) {
    (self.pair, self.findings) = (pair, findings)
    let result = pair.result
    text("Pair \(result.name), \(result.kind?.rawValue ?? "")", x: 20, size: 20)
    y += 8
    // The reason has parts; together they are longer than the page is wide.
    for part in "\(result.verdict?.rawValue ?? ""): \(ConceptReport.reason(result))".split(separator: "; ") {
      y += 16
      text(String(part), x: 20, size: 11)
    }
    drawTexts()
    drawWords()
    drawNull()
  }

  var svg: String {
    let height = y + 30
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(Int(Self.width))" height="\(Int(height))" font-family="DejaVu Sans Mono, monospace">
      <rect width="100%" height="100%" fill="#ffffff"/>
      \(body.joined(separator: "\n"))
      </svg>

      """
  }

  // MARK: Texts

  /// New sentences and held-out words, which did not choose the pair, before those that did.
  private mutating func drawTexts() {
    let shown = [ConceptSplit.heldOutWords, .newSentences, .search].filter { pair.values[$0] != nil }
    for split in shown.prefix(2) {
      guard let set = findings.sets[split], let values = pair.values[split], let tokens = pair.tokens[split]
      else { continue }
      heading("Highest of \(split.rawValue): ● with, ○ without the concept; tinted by what every byte adds")
      let order = values.indices.sorted { (values[$1], $0) < (values[$0], $1) }.prefix(Self.texts)
      let scale = order.compactMap { tokens[$0].max() }.max() ?? 0
      for place in order {
        sentence(set.sentences[place], tokens[place], scale, isWith: place < set.pairs, score: values[place])
      }
    }
  }

  private mutating func sentence(
    _ sentence: LabelledSentence, _ tokens: [Float], _ scale: Float, isWith: Bool, score: Double
  ) {
    y += 20
    text(isWith ? "●" : "○", x: 20, size: 12)
    text(decimal(score, 2), x: 36, size: 11)
    let glyphs = WatchReport.glyphs(of: sentence.bytes.map(Int.init))
    var column = 0
    for (place, glyph) in glyphs.enumerated() {
      if column >= Self.lineLength {
        y += 17
        column = 0
      }
      let x = 100 + 7.6 * Double(column)
      let share = scale > 0 ? Double(tokens[place] / scale) : 0
      if share > 0.004 {
        body.append(
          "<rect x=\"\(decimal(x, 1))\" y=\"\(decimal(y - 12, 1))\" width=\"\(decimal(7.6 * Double(max(1, glyph.count)), 1))\" height=\"16\" fill=\"#D55E00\" fill-opacity=\"\(decimal(share, 3))\"/>"
        )
      }
      text(glyph, x: x, size: 12, isBold: sentence.word.contains(place))
      column += glyph.count
    }
  }

  // MARK: Words

  private mutating func drawWords() {
    heading("AUC of every word (its sentences against their partners); 0.5 is chance")
    for split in pair.result.splits where !split.words.isEmpty {
      for word in split.words.sorted(by: { ($1.auc, $0.word) < ($0.auc, $1.word) }) {
        y += 18
        text("\(split.split.rawValue): \(word.word) (\(word.sentences))", x: 20, size: 11)
        let colour = split.split == .heldOutWords ? "#009E73" : "#0072B2"
        let (from, to) = (min(0.5, word.auc), max(0.5, word.auc))
        bar(from: from, to: to, colour)
        text(decimal(word.auc, 2), x: 880, size: 11)
      }
    }
  }

  private mutating func bar(from: Double, to: Double, _ colour: String) {
    let scale = 500.0
    body.append(
      "<rect x=\"\(decimal(360 + scale * from, 1))\" y=\"\(decimal(y - 10, 1))\" width=\"\(decimal(max(1, scale * (to - from)), 1))\" height=\"12\" fill=\"\(colour)\"/>"
    )
  }

  // MARK: Null

  /// How large the largest AUC of a whole search is when labels are permuted, and this pair's.
  private mutating func drawNull() {
    for (name, values, colour) in [
      ("sentences", findings.sentenceNull, "#666666"), ("words", findings.wordNull, "#009E73"),
    ] where !values.isEmpty {
      heading(
        "Largest AUC of \(values.count) searches among permuted \(name); the line is this pair on the sentences of the search"
      )
      y += 90
      let counts = Dictionary(values.map { (min(49, Int(($0 - 0.5) * 100)), 1) }, uniquingKeysWith: +)
      let most = Double(counts.values.max() ?? 1)
      for (bin, count) in counts.sorted(by: { $0.key < $1.key }) {
        let height = 80 * Double(count) / most
        body.append(
          "<rect x=\"\(decimal(Self.place(0.5 + Double(bin) / 100), 1))\" y=\"\(decimal(y - height, 1))\" width=\"15\" height=\"\(decimal(height, 1))\" fill=\"\(colour)\"/>"
        )
      }
      let own = Self.place(pair.result[.search]?.auc ?? 0.5)
      body.append(
        "<line x1=\"\(decimal(own, 1))\" x2=\"\(decimal(own, 1))\" y1=\"\(decimal(y - 86, 1))\" y2=\"\(decimal(y, 1))\" stroke=\"#D55E00\" stroke-width=\"2\"/>"
      )
      for tick in [0.5, 0.6, 0.7, 0.8, 0.9, 1] { label(decimal(tick, 1), x: Self.place(tick)) }
      y += 20
    }
  }

  private static func place(_ auc: Double) -> Double { 60 + 1640 * (auc - 0.5) }

  private mutating func label(_ words: String, x: Double) {
    y += 15
    text(words, x: x, size: 11)
    y -= 15
  }

  // MARK: Pieces

  private mutating func heading(_ words: String) {
    y += 36
    text(words, x: 20, size: 13)
    y += 4
  }

  private mutating func text(_ words: String, x: Double, size: Int, isBold: Bool = false) {
    guard !words.isEmpty, words != " " else { return }
    body.append(
      "<text x=\"\(decimal(x, 1))\" y=\"\(decimal(y, 1))\" font-size=\"\(size)\"\(isBold ? " font-weight=\"bold\" text-decoration=\"underline\"" : "") xml:space=\"preserve\">\(Self.escaped(words))</text>"
    )
  }

  private static func escaped(_ words: String) -> String {
    words.escaped.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
