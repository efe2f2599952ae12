import HatchlingModel
import HatchlingNumerics

/// What every single neuron scores on every sentence.
public struct NeuronScores: Sendable {
  /// Per layer and kind of score, `(sentences, n)`.
  public let x: [[ScoreKind: Matrix<Float>]]
  public let y: [[ScoreKind: Matrix<Float>]]

  /// Cost: reading; memory 24 · L · n bytes per sentence.
  public init(_ reader: SentenceReader, _ sentences: SentenceTokens) throws {
    let watch = NeuronWatch(reader.sizes, sentences)
    try reader.read(sentences, layers: reader.sizes.layers, watch.look)
    self = watch.scores
  }

  init(x: [[ScoreKind: Matrix<Float>]], y: [[ScoreKind: Matrix<Float>]]) { (self.x, self.y) = (x, y) }
}

/// Collects ``NeuronScores`` while sentences are read, each by one thread.
final class NeuronWatch {
  private let n, layers: Int
  private let sentences: SentenceTokens
  private let storage: [NumberStorage<Float>]
  private let kinds = ScoreKind.allCases.count

  init(_ sizes: Hyperparameters, _ sentences: SentenceTokens) {
    (n, layers, self.sentences) = (sizes.neurons, sizes.layers, sentences)
    let count = sentences.count * sizes.neurons
    storage = (0..<2 * layers * kinds).map { _ in NumberStorage(zeros: count) }
  }

  func look(_ seen: SentenceActivity) {
    let (n, window) = (n, sentences.windows[seen.sentence])
    for (side, values) in [seen.x, seen.y].enumerated() {
      let first = (side * layers + seen.layer - 1) * kinds
      let sum = storage[first].base + seen.sentence * n
      let inWindow = storage[first + 1].base + seen.sentence * n
      let largest = storage[first + 2].base + seen.sentence * n
      for token in 0..<seen.tokens {
        let active = values + token * n
        for neuron in 0..<n {
          sum[neuron] += active[neuron]
          largest[neuron] = active[neuron] > largest[neuron] ? active[neuron] : largest[neuron]
        }
        guard window.contains(token) else { continue }
        for neuron in 0..<n { inWindow[neuron] += active[neuron] }
      }
    }
  }

  var scores: NeuronScores {
    func side(_ side: Int) -> [[ScoreKind: Matrix<Float>]] {
      (0..<layers).map { layer in
        Dictionary(
          uniqueKeysWithValues: ScoreKind.allCases.enumerated().map { place, kind in
            let one = storage[(side * layers + layer) * kinds + place]
            return (kind, Matrix(rows: sentences.count, columns: n, storage: one))
          })
      }
    }
    return NeuronScores(x: side(0), y: side(1))
  }
}
