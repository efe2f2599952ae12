import HatchlingModel
import HatchlingNumerics

/// What was found, and what it was compared with.
public struct ConceptFindings: Sendable {
  public let sets: StudySets
  public let options: ConceptOptions
  /// The best pair, x and y of every network, then what needs no network.
  public internal(set) var results: [DetectorResult] = []
  /// The best pairs of the trained network, the first of which is in ``results`` too, and what every token contributed to them.
  public internal(set) var topPairs: [TopPair] = []
  /// Of the trained network's pairs.
  public internal(set) var tallies: [ScoreKind: SearchTally] = [:]
  /// The largest AUC among all pairs with permuted sentences, and with permuted words.
  public internal(set) var sentenceNull: [Double] = []
  public internal(set) var wordNull: [Double] = []
  /// Pairs that were searched: n² per layer 2 … L.
  public internal(set) var pairs = 0
  /// Seconds that the trained network's search of all pairs took, reading included.
  public internal(set) var searchSeconds = 0.0

  public struct TopPair: Sendable {
    public let result: DetectorResult
    /// Of every split `(sentences, tokens)`.
    public let tokens: [ConceptSplit: [[Float]]]
    /// Of every split one score per sentence.
    public let values: [ConceptSplit: [Double]]
  }

  /// What the best pair of the trained network is.
  public var verdict: Verdict { topPairs.first?.result.verdict ?? .nothing }

  public func result(
    _ family: DetectorResult.Family, _ network: DetectorResult.Network
  ) -> DetectorResult? { results.first { $0.family == family && $0.network == network } }
}

/// Looks for a concept in a network, and for the same in what should have none.
public struct ConceptStudy {
  private let sets: StudySets
  private let options: ConceptOptions
  private let workers: Workers
  private let progress: @Sendable (String, Int, Int) -> Void
  private let labels: Labellings
  private let plan: Labellings.Plan

  /// - Throws: ``ConceptError``.
  public init(
    _ sets: StudySets, _ options: ConceptOptions, workers: Workers,
    progress: @escaping @Sendable (String, Int, Int) -> Void = { _, _, _ in }
  ) throws(ConceptError) {
    try options.check()
    (self.sets, self.options, self.workers, self.progress) = (sets, options, workers, progress)
    (labels, plan) = Labellings.permuted(
      sets.search, options.permutations, seed: options.sentences.seed &+ 0x5EED)
  }

  /// Cost: see ``PairSearch/pairs(progress:)``; the two other networks are searched without permutations.
  /// - Throws: ``ConceptError``, `NotFiniteError`.
  public func run(_ weights: Weights<Float>) throws -> ConceptFindings {
    var findings = ConceptFindings(sets: sets, options: options)
    let byLetters =
      [
        LetterDetector.bestGram(sets.search).map { result($0, .gram) },
        LetterDetector.bestGram(sets.search, window: options.window).map { result($0, .gramInWindow) },
      ].compactMap { $0 } + [result(LetterDetector.bestOfCase(sets.search), .letters)]
    let sizes = weights.hyperparameters
    findings.pairs = (sizes.layers - 1) * sizes.neurons * sizes.neurons
    try examine(weights, .trained, labels, byLetters, &findings)
    if options.comparesNetworks {
      let truth = Labellings([sets.search.labels])
      let seed = options.sentences.seed &+ 0xC0DE
      try examine(weights.untrainedTwin(seed: seed), .untrained, truth, byLetters, &findings)
      try examine(weights.withShuffledNeurons(seed: seed), .shuffled, truth, byLetters, &findings)
    }
    findings.results += byLetters
    return findings
  }

  private func result(_ detector: LetterDetector, _ family: DetectorResult.Family) -> DetectorResult {
    DetectorResult(
      family: family, network: .none, name: detector.description, kind: nil,
      splits: sets.sets.map { split, set in
        SplitResult(split, set, set.sentences.map { detector.value($0) })
      })
  }

  /// Searches one network and judges the best of it everywhere.
  private func examine(
    _ weights: Weights<Float>, _ network: DetectorResult.Network, _ labels: Labellings,
    _ letters: [DetectorResult], _ findings: inout ConceptFindings
  ) throws {
    let reader = try SentenceReader(weights, workers: workers)
    let vocabulary = weights.hyperparameters.vocabulary
    let tokens = try sets.sets.map {
      try SentenceTokens($0.set.sentences, window: options.window, vocabulary: vocabulary)
    }
    let clock = ContinuousClock()
    let start = clock.now
    let search = PairSearch(reader, tokens[0], labels)
    let what = "\(network.rawValue) network, layer"
    let pairs = try search.pairs { progress(what, $0, $1) }
    let seconds = (clock.now - start).inSeconds
    let neurons = search.neurons(try NeuronScores(reader, tokens[0]))
    let top = network == .trained ? options.top : 1
    let best = try chosenPairs(pairs, reader, tokens[0], top)
    let chosen =
      best.map { ($0, DetectorResult.Family.pair, pairs) }
      + neurons.x.strongest.prefix(1).map { ($0, .x, neurons.x) }
      + neurons.y.strongest.prefix(1).map { ($0, .y, neurons.y) }
    let all = try tokens.map { try reader.scores(of: chosen.map(\.0.detector), andNeuronsOn: $0) }
    let seen = all.map(\.0)
    for (index, (found, family, whole)) in chosen.enumerated() {
      let values = seen.map { $0.values(index, found.kind) }
      var result = DetectorResult(
        family: family, network: network, name: found.detector.description, kind: found.kind,
        splits: zip(sets.sets, values).map { SplitResult($0.split, $0.set, $1) })
      if network == .trained { judge(&result, whole, letters) }
      if family == .pair && network == .trained {
        let splits = sets.sets.map(\.split)
        findings.topPairs.append(
          .init(
            result: result,
            tokens: Dictionary(uniqueKeysWithValues: zip(splits, seen.map { $0.tokens[index] })),
            values: Dictionary(uniqueKeysWithValues: zip(splits, values))))
      }
      if findings.result(family, network) == nil { findings.results.append(result) }
    }
    findings.results += probe(network, all.map(\.1), tokens)
    if network == .trained {
      (findings.tallies, findings.searchSeconds) = (pairs.tallies, seconds)
      findings.sentenceNull = plan.sentences.map { pairs.largest[$0] }
      findings.wordNull = plan.words.map { pairs.largest[$0] }
    }
  }

  /// The best of a search. Among equally large U those come first whose scores lie further apart, in standard deviations.
  private func chosenPairs(
    _ result: SearchResult, _ reader: SentenceReader, _ tokens: SentenceTokens, _ count: Int
  ) throws -> [Found] {
    let best = result.strongest
    guard let last = best.prefix(count).last else { return [] }
    let candidates = best.filter { $0.twiceU >= last.twiceU }
    let scores = try reader.scores(of: candidates.map(\.detector), on: tokens)
    let pairs = sets.search.pairs
    let gaps = candidates.indices.map { Self.gap(scores.values($0, candidates[$0].kind), pairs) }
    return candidates.indices.sorted { a, b in
      (candidates[b].twiceU, gaps[b], a) < (candidates[a].twiceU, gaps[a], b)
    }.prefix(count).map { candidates[$0] }
  }

  /// How far the means of the first `count` values and of the others lie apart, in standard deviations of all.
  private static func gap(_ values: [Double], _ count: Int) -> Double {
    func mean(_ values: some Collection<Double>) -> Double { values.reduce(0, +) / Double(values.count) }
    let all = mean(values)
    let spread = mean(values.map { ($0 - all) * ($0 - all) }).squareRoot()
    return spread > 0 ? (mean(values.prefix(count)) - mean(values.dropFirst(count))) / spread : 0
  }

  private func judge(
    _ result: inout DetectorResult, _ search: SearchResult, _ letters: [DetectorResult]
  ) {
    result.searchP = search.permutationP(plan.sentences)
    result.wordSearchP = search.permutationP(plan.words)
    let (new, held) = (result[.newSentences], result[.heldOutWords])
    let evidence = Verdict.Evidence(
      searchP: result.searchP ?? .nan, wordSearchP: result.wordSearchP, newAUC: new?.auc ?? .nan,
      newP: new?.sentenceP ?? .nan, heldOutAUC: held?.wordAUC, heldOutP: held?.wordP,
      lettersNewAUC: letters.compactMap { $0[.newSentences]?.auc }.max() ?? .nan,
      lettersHeldOutAUC: letters.compactMap { $0[.heldOutWords]?.wordAUC }.max())
    (result.evidence, result.verdict) = (evidence, Verdict(evidence))
  }

  private func probe(
    _ network: DetectorResult.Network, _ scores: [NeuronScores], _ tokens: [SentenceTokens]
  ) -> [DetectorResult] {
    guard let probe = LinearProbe(scores[0], tokens[0], labels: sets.search.labels) else { return [] }
    let values = scores.indices.map {
      $0 == 0 ? probe.leftOut : probe.values(scores[$0], tokens[$0])
    }
    // Activity may be too large to be added up; that is not the probe's finding.
    guard values.allSatisfy({ $0.allSatisfy(\.isFinite) }) else { return [] }
    let splits = zip(sets.sets, values).map { SplitResult($0.split, $0.set, $1) }
    return [
      DetectorResult(
        family: .probe, network: network, name: "all neurons", kind: nil, splits: splits)
    ]
  }
}
