import HatchlingNumerics

/// Ranks *all* pairs (y of neuron i in layer l − 1, x of neuron j in layer l), n² per layer 2 … L, and all single neurons, exactly.
///
/// Layer 1 hears tokens alone: there is no y before it. A pair's score on a sentence is Σ y x over its tokens, Σ y x over the window, and the
/// largest y x. Of every presynaptic neuron only the tokens at which it fires are looked at, only sentences in which it fires are compared.
public struct PairSearch: Sendable {
  public let reader: SentenceReader
  public let sentences: SentenceTokens
  public let labels: Labellings
  /// Detectors of each kind of score that are kept.
  public var keep = 32

  public init(_ reader: SentenceReader, _ sentences: SentenceTokens, _ labels: Labellings) {
    (self.reader, self.sentences, self.labels) = (reader, sentences, labels)
  }

  /// Cost per layer: reading up to it; per pair `S²` comparisons and `S` times as many multiplications as there are labellings, S the
  /// sentences in which the presynaptic neuron fires. Memory: 4 bytes per token and neuron. - Throws: ``ConceptError``, `NotFiniteError`.
  public func pairs(progress: (Int, Int) -> Void = { _, _ in }) throws -> SearchResult {
    let layers = 2...reader.sizes.layers
    var result: SearchResult?
    for layer in layers {
      let activity = try LayerActivity(layer, reader, sentences)
      let blocks = activity.tiles * activity.stretches
      let results = (0..<blocks).map { _ in Slot() }
      reader.workers.run(blocks: blocks) { block in
        results[block].value = search(
          activity, tile: block / activity.stretches, stretch: block % activity.stretches)
      }
      let one = SearchResult(results.compactMap(\.value), labels, keep: keep)
      if result == nil { result = one } else { result?.add(one, keep: keep) }
      progress(layer - 1, layers.count)
    }
    return result ?? SearchResult([], labels, keep: keep)
  }

  private final class Slot { var value: RankBlock? }

  /// Some presynaptic neurons and 256 postsynaptic ones.
  private func search(_ activity: LayerActivity, tile: Int, stretch: Int) -> RankBlock {
    let (block, columns) = (RankBlock(labels, keep: keep), RankKernels.columns)
    let scores = NumberStorage<Float>(zeros: 3 * labels.sentences * columns)
    let first = tile * columns
    let width = min(columns, reader.sizes.neurons - first)
    var (rowOfToken, numbers): ([Int32], [Int]) = ([], [])
    for neuron in activity.neurons(ofStretch: stretch) {
      let entries = activity.entries(of: neuron)
      guard !entries.isEmpty else { continue }
      (rowOfToken, numbers) = ([], [])
      for entry in entries {
        let sentence = activity.sentenceOfToken[Int(activity.tokens[entry])]
        if numbers.last != sentence { numbers.append(sentence) }
        rowOfToken.append(Int32(numbers.count - 1))
      }
      activity.withEntries(entries) { tokens, values in
        RankKernels.pairScores(
          tokens: tokens, rows: rowOfToken, values: values, count: entries.count,
          inWindow: activity.inWindow, x: activity.x(ofTile: tile), rowCount: numbers.count,
          into: scores.base)
      }
      block.begin(rows: numbers)
      for (place, kind) in ScoreKind.allCases.enumerated() {
        block.take(scores.base + place * numbers.count * columns, kind, width: width) {
          .pair(layer: activity.layer, from: neuron, to: first + $0)
        }
      }
    }
    return block
  }

  /// All single neurons: x and y of every layer.
  public func neurons(_ scores: NeuronScores) -> (x: SearchResult, y: SearchResult) {
    func search(_ layers: [[ScoreKind: Matrix<Float>]], _ detector: @escaping (Int, Int) -> Detector)
      -> SearchResult
    {
      let columns = RankKernels.columns
      let tiles = (reader.sizes.neurons + columns - 1) / columns
      let results = (0..<layers.count * tiles).map { _ in Slot() }
      reader.workers.run(blocks: results.count) { index in
        let (layer, first) = (index / tiles, index % tiles * columns)
        let block = RankBlock(labels, keep: keep)
        let width = min(columns, reader.sizes.neurons - first)
        let values = NumberStorage<Float>(zeros: labels.sentences * columns)
        block.begin(rows: 0..<labels.sentences)
        for kind in ScoreKind.allCases {
          guard let matrix = layers[layer][kind] else { continue }
          for row in 0..<labels.sentences {
            (values.base + row * columns).update(from: matrix.row(row) + first, count: width)
          }
          block.take(values.base, kind, width: width) { detector(layer + 1, first + $0) }
        }
        results[index].value = block
      }
      return SearchResult(results.compactMap(\.value), labels, keep: keep)
    }
    return (
      search(scores.x) { .x(layer: $0, neuron: $1) }, search(scores.y) { .y(layer: $0, neuron: $1) }
    )
  }
}
