import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import Synchronization

/// Sentences as tokens of one network, each with its window around the word.
public struct SentenceTokens: Sendable {
  public let tokens: [[Int]]
  /// The tokens of the word and some behind it, where what the word left behind can be seen.
  public let windows: [Range<Int>]

  /// - Parameter window: tokens behind the word that belong to its window.
  /// - Throws: ``ConceptError`` for bytes that the alphabet lacks.
  public init(_ sentences: [LabelledSentence], window: Int, vocabulary: Int) throws(ConceptError) {
    if let byte = sentences.flatMap(\.bytes).first(where: { Int($0) >= vocabulary }) {
      throw .tokenTooLarge(byte: Int(byte), vocabulary: vocabulary)
    }
    tokens = sentences.map { $0.bytes.map(Int.init) }
    windows = sentences.map { $0.window(window) }
  }

  var count: Int { tokens.count }
}

/// What neurons do at one sentence in one layer.
struct SentenceActivity {
  let sentence: Int
  /// 1 … L.
  let layer: Int
  let tokens: Int
  /// `(tokens, n)`.
  let x: UnsafePointer<Float>
  let y: UnsafePointer<Float>
}

/// Reads sentences, each from the start with an empty state.
public struct SentenceReader: Sendable {
  public let weights: Weights<Float>
  let workers: Workers

  /// - Throws: ``ConceptError`` for networks in which there is nothing to look for.
  public init(_ weights: Weights<Float>, workers: Workers) throws(ConceptError) {
    guard weights.hyperparameters.layers >= 2 else { throw .tooFewLayers(weights.hyperparameters.layers) }
    guard weights.plasticSynapses == nil else { throw .notPlastic }
    (self.weights, self.workers) = (weights, workers)
  }

  var sizes: Hyperparameters { weights.hyperparameters }

  /// Shows every sentence in layers 1 … `layers` to `look`, which is called from several threads, for each sentence in order.
  /// - Throws: what is wrong with the first sentence that has something wrong.
  func read(_ sentences: SentenceTokens, layers: Int, _ look: @escaping (SentenceActivity) -> Void) throws {
    let failure = Mutex<(sentence: Int, error: any Error)?>(nil)
    workers.run(blocks: sentences.count) { index in
      do {
        // An engine of its own: what it keeps of a token is written without locks.
        let engine = TensorExecutor(weights, workers: Workers(threads: 1))
        try engine.watch(sentences.tokens[index]) { layer, x, y in
          look(
            SentenceActivity(
              sentence: index, layer: layer, tokens: sentences.tokens[index].count, x: x, y: y))
          return layer < layers
        }
      } catch {
        failure.withLock { if index < $0?.sentence ?? .max { $0 = (index, error) } }
      }
    }
    if let failure = failure.withLock({ $0 }) { throw failure.error }
  }
}

/// How a sentence's tokens become one number. None knows of phases: what RoPE turns is left out.
public enum ScoreKind: String, CaseIterable, Sendable, Codable {
  /// Over all tokens.
  case sum
  /// Over the word and some tokens behind it.
  case window
  /// The largest of all tokens.
  case largest
}

/// Something whose activity may tell sentences apart.
public enum Detector: Hashable, Sendable {
  /// y of neuron `from` in layer l − 1 times x of neuron `to` in layer l: what the synapse between them would learn without phases.
  case pair(layer: Int, from: Int, to: Int)
  case x(layer: Int, neuron: Int)
  case y(layer: Int, neuron: Int)
}

extension Detector: CustomStringConvertible, Comparable {
  /// `2:n3:n12`, `x 2:n12`.
  public var description: String {
    switch self {
    case .pair(let layer, let from, let to): "\(layer):n\(from):n\(to)"
    case .x(let layer, let neuron): "x \(layer):n\(neuron)"
    case .y(let layer, let neuron): "y \(layer):n\(neuron)"
    }
  }

  private var order: (Int, Int, Int, Int) {
    switch self {
    case .pair(let layer, let from, let to): (0, layer, from, to)
    case .x(let layer, let neuron): (1, layer, neuron, 0)
    case .y(let layer, let neuron): (2, layer, neuron, 0)
    }
  }

  public static func < (a: Detector, b: Detector) -> Bool { a.order < b.order }
}

/// What chosen detectors do at every token of some sentences.
public struct DetectorScores: Sendable {
  /// `(detectors, sentences, tokens)`.
  public let tokens: [[[Float]]]
  let windows: [Range<Int>]

  /// One number per sentence, rounded as ``PairSearch`` rounds.
  public func values(_ detector: Int, _ kind: ScoreKind) -> [Double] {
    zip(tokens[detector], windows).map { tokens, window in
      switch kind {
      case .sum: Double(tokens.reduce(0, +))
      case .window: Double(tokens[window].reduce(0, +))
      case .largest: Double(tokens.max() ?? 0)
      }
    }
  }
}

/// Collects ``DetectorScores`` while sentences are read.
final class DetectorWatch {
  /// What one sentence's reading leaves; only the thread that reads it touches this.
  private final class Notes {
    var y: [Int: [Float]] = [:]
    var found: [Int: [Float]] = [:]
  }

  private let detectors: [Detector]
  private let neurons: Int
  private let sources: Set<Int>
  private let notes: [Notes]

  init(_ detectors: [Detector], neurons: Int, sentences: Int) {
    (self.detectors, self.neurons) = (detectors, neurons)
    sources = Set(detectors.compactMap { if case .pair(_, let from, _) = $0 { from } else { nil } })
    notes = (0..<sentences).map { _ in Notes() }
  }

  func look(_ seen: SentenceActivity) {
    let (notes, n) = (notes[seen.sentence], neurons)
    func column(_ values: UnsafePointer<Float>, _ neuron: Int) -> [Float] {
      (0..<seen.tokens).map { values[$0 * n + neuron] }
    }
    for (index, detector) in detectors.enumerated() {
      switch detector {
      case .pair(seen.layer, let from, let to):
        notes.found[index] = zip(notes.y[from] ?? [], column(seen.x, to)).map { $0 * $1 }
      case .x(seen.layer, let neuron): notes.found[index] = column(seen.x, neuron)
      case .y(seen.layer, let neuron): notes.found[index] = column(seen.y, neuron)
      default: continue
      }
    }
    notes.y = Dictionary(uniqueKeysWithValues: sources.map { ($0, column(seen.y, $0)) })
  }

  func scores(_ sentences: SentenceTokens) -> DetectorScores {
    DetectorScores(
      tokens: detectors.indices.map { index in notes.map { $0.found[index] ?? [] } },
      windows: sentences.windows)
  }
}

extension SentenceReader {
  /// What chosen detectors do. Cost: reading all layers.
  public func scores(of detectors: [Detector], on sentences: SentenceTokens) throws -> DetectorScores {
    let watch = DetectorWatch(detectors, neurons: sizes.neurons, sentences: sentences.count)
    try read(sentences, layers: sizes.layers, watch.look)
    return watch.scores(sentences)
  }

  /// The same with what every neuron does, in one reading.
  func scores(
    of detectors: [Detector], andNeuronsOn sentences: SentenceTokens
  ) throws -> (DetectorScores, NeuronScores) {
    let watch = DetectorWatch(detectors, neurons: sizes.neurons, sentences: sentences.count)
    let neurons = NeuronWatch(sizes, sentences)
    try read(sentences, layers: sizes.layers) {
      watch.look($0)
      neurons.look($0)
    }
    return (watch.scores(sentences), neurons.scores)
  }
}
