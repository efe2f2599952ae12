import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

@testable import HatchlingConcepts

@Suite struct PairSearchTests {
  private static let sizes = Hyperparameters(
    neurons: 2 * 9 * 2, synapticDimension: 6, heads: 2, layers: 3, vocabulary: 12)
  private let weights = Weights.random(sizes, seed: 4, damping: true)

  private func sentences(_ count: Int) throws -> SentenceTokens {
    var random = SeededRandom(seed: 8)
    return try SentenceTokens(
      (0..<count).map { index in
        let length = Int.random(in: 3...14, using: &random)
        // Equal beginnings, as texts have, make equal scores.
        let bytes = (0..<length).map { $0 < 2 ? UInt8($0) : UInt8.random(in: 0..<12, using: &random) }
        let start = Int.random(in: 0..<length - 1, using: &random)
        return LabelledSentence(bytes: bytes, word: start..<start + 1, name: "\(index % 5)")
      }, window: 2, vocabulary: 12)
  }

  private func labellings(_ count: Int, _ number: Int) -> [[Bool]] {
    var random = SeededRandom(seed: 2)
    return (0..<number).map { index in
      let with = index < 3 ? count / 2 : count / 3
      return (0..<count).map { $0 < with }.shuffled(using: &random)
    }
  }

  /// All pairs by plain loops, as the docs define them.
  private func bruteForce(_ sentences: SentenceTokens) throws -> [Detector: [ScoreKind: [Double]]] {
    let (n, layers) = (Self.sizes.neurons, Self.sizes.layers)
    var result: [Detector: [ScoreKind: [Double]]] = [:]
    let engine = TensorExecutor(weights, workers: Workers(threads: 1))
    for (tokens, window) in zip(sentences.tokens, sentences.windows) {
      var (x, y): ([[Float]], [[Float]]) = ([], [])
      try engine.watch(tokens) { _, seenX, seenY in
        x.append(Array(UnsafeBufferPointer(start: seenX, count: tokens.count * n)))
        y.append(Array(UnsafeBufferPointer(start: seenY, count: tokens.count * n)))
        return true
      }
      for layer in 2...layers {
        for from in 0..<n {
          for to in 0..<n {
            let all = tokens.indices.map { y[layer - 2][$0 * n + from] * x[layer - 1][$0 * n + to] }
            let detector = Detector.pair(layer: layer, from: from, to: to)
            result[detector, default: [:]][.sum, default: []].append(Double(all.reduce(0, +)))
            result[detector, default: [:]][.window, default: []].append(Double(all[window].reduce(0, +)))
            result[detector, default: [:]][.largest, default: []].append(Double(all.max() ?? 0))
          }
        }
      }
    }
    return result
  }

  @Test func allPairsByPlainLoopsAreTheSame() throws {
    let sentences = try sentences(23)
    let labels = labellings(23, 6)
    var search = PairSearch(
      try SentenceReader(weights, workers: Workers(threads: 2)), sentences, Labellings(labels))
    search.keep = 10_000
    let found = try search.pairs()
    var (wanted, firing, largest): ([Found], [ScoreKind: Int], [Double]) = (
      [], [:], [Double](repeating: 0.5, count: labels.count)
    )
    for (detector, kinds) in try bruteForce(sentences) {
      for (kind, values) in kinds {
        let sum = RankSum(values, labels: labels[0])
        if values.contains(where: { $0 > 0 }) { firing[kind, default: 0] += 1 }
        if sum.twiceU > sum.with * sum.without {
          wanted.append(Found(detector: detector, kind: kind, twiceU: sum.twiceU))
        }
        for (index, labelling) in labels.enumerated() {
          largest[index] = max(largest[index], RankSum(values, labels: labelling).auc)
        }
      }
    }
    wanted.sort(by: Found.isBetter)
    #expect(found.strongest == wanted && wanted.count > 1000)
    #expect(found.largest == largest)
    for kind in ScoreKind.allCases { #expect(found.tallies[kind]?.firing == firing[kind]) }
    #expect(Set(firing.values).count > 1)
  }

  @Test func theBestAreKept() throws {
    let reader = try SentenceReader(weights, workers: Workers(threads: 1))
    var search = PairSearch(reader, try sentences(23), Labellings(labellings(23, 1)))
    search.keep = 10_000
    let all = try search.pairs()
    // With more labellings ranks are summed in another way.
    var many = PairSearch(reader, try sentences(23), Labellings(labellings(23, 2)))
    many.keep = 10_000
    let same = try many.pairs()
    #expect(same.best == all.best && same.tallies == all.tallies && same.largest[0] == all.largest[0])
    search.keep = 7
    let few = try search.pairs()
    for kind in ScoreKind.allCases {
      #expect(few.best[kind] == all.best[kind].map { Array($0.prefix(7)) } && few.best[kind]?.count == 7)
    }
  }

  /// Scores of chosen detectors are those that were ranked, and single neurons those of the same reading.
  @Test func chosenDetectorsAndNeuronsScoreAlike() throws {
    let sentences = try sentences(12)
    let reader = try SentenceReader(weights, workers: Workers(threads: 2))
    let brute = try bruteForce(sentences)
    let chosen: [Detector] = [
      .pair(layer: 2, from: 3, to: 5), .pair(layer: 3, from: 20, to: 1), .x(layer: 1, neuron: 4),
      .y(layer: 3, neuron: 7),
    ]
    let scores = try reader.scores(of: chosen, on: sentences)
    let neurons = try NeuronScores(reader, sentences)
    for kind in ScoreKind.allCases {
      for index in 0..<2 { #expect(scores.values(index, kind) == brute[chosen[index]]?[kind]) }
      let (x, y) = (try #require(neurons.x[0][kind]), try #require(neurons.y[2][kind]))
      for sentence in 0..<12 {
        #expect(scores.values(2, kind)[sentence] == Double(x[sentence, 4]))
        #expect(scores.values(3, kind)[sentence] == Double(y[sentence, 7]))
      }
    }
    // Single neurons are ranked as their scores say.
    let labels = labellings(12, 2)
    let found = PairSearch(reader, sentences, Labellings(labels)).neurons(neurons)
    let best = try #require(found.x.strongest.first)
    let own = try reader.scores(of: [best.detector], on: sentences).values(0, best.kind)
    #expect(RankSum(own, labels: labels[0]).twiceU == best.twiceU && best.twiceU > 36)
  }

  /// What is watched in a block is what stepping token by token computes.
  @Test func watchedActivityIsThatOfSteps() throws {
    let sentences = try sentences(4)
    let n = Self.sizes.neurons
    for tokens in sentences.tokens {
      let weights = weights.converted(to: Double.self)
      let engine = TensorEngine(weights, workers: Workers(threads: 1))
      var steps: [Quantity: [[Double]]] = [:]
      for quantity in [Quantity.x, .y] {
        try engine.attach(Probe(.quantity(quantity), after: .end(.gate))) {
          steps[quantity, default: []].append($0.values)
        }
      }
      for token in tokens { try engine.step(token) }
      var (worst, compared) = (0.0, 0)
      try TensorExecutor(weights, workers: Workers(threads: 1)).watch(tokens) { layer, x, y in
        for (quantity, values) in [(Quantity.x, x), (.y, y)] {
          for token in tokens.indices {
            // Layer by layer within a token.
            let step = steps[quantity]?[token * Self.sizes.layers + layer - 1] ?? []
            for neuron in 0..<n {
              let difference = abs(step[neuron] - values[token * n + neuron])
              worst = difference <= worst ? worst : difference
              compared += values[token * n + neuron] > 0 ? 1 : 0
            }
          }
        }
        return layer < 2
      }
      // Layer 3 was not asked for.
      #expect(worst < 1e-10 && compared > 50, "\(worst), \(compared)")
    }
  }
}
