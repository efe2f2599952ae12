import Foundation
import HatchlingNumerics

/// y of layer l − 1, by neuron, and x of layer l, by tiles of neurons, at every token of all sentences.
final class LayerActivity {
  let layer: Int
  private let neurons: Int
  /// Tiles of ``RankKernels/columns`` postsynaptic neurons, and stretches of presynaptic ones.
  let tiles: Int
  let stretches: Int
  private static let stretch = 64

  let sentenceOfToken: [Int]
  let inWindow: [UInt8]
  /// `(tiles, tokens, columns)`.
  private let x: NumberStorage<Float>
  /// Where y fires: the entries of neuron i are `offsets[i] ..< offsets[i + 1]`, tokens ascending.
  private let offsets: [Int]
  private(set) var tokens: [Int32]
  private var values: [Float]

  /// What one sentence's y is: entries by neuron.
  private final class Sparse {
    var counts: [Int32] = []
    var tokens: [Int32] = []
    var values: [Float] = []
  }

  /// - Throws: ``ConceptError/tooMuchMemory(bytes:tokens:)``, and what reading throws.
  init(_ layer: Int, _ reader: SentenceReader, _ sentences: SentenceTokens) throws {
    let (n, columns) = (reader.sizes.neurons, RankKernels.columns)
    let lengths = sentences.tokens.map(\.count)
    let starts = lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    let total = starts[starts.count - 1]
    tiles = (n + columns - 1) / columns
    let bytes = tiles * columns * total * MemoryLayout<Float>.size
    guard bytes <= Int(ProcessInfo.processInfo.physicalMemory) / 2 else {
      throw ConceptError.tooMuchMemory(bytes: bytes, tokens: total)
    }
    (self.layer, neurons, stretches) = (layer, n, (n + Self.stretch - 1) / Self.stretch)
    sentenceOfToken = lengths.enumerated().flatMap { [Int](repeating: $0, count: $1) }
    inWindow = zip(lengths, sentences.windows).flatMap { length, window in
      (0..<length).map { window.contains($0) ? 1 : 0 }
    }
    let (x, tiles) = (NumberStorage<Float>(zeros: tiles * total * columns), tiles)
    let fired = (0..<sentences.count).map { _ in Sparse() }
    try reader.read(sentences, layers: layer) { seen in
      let start = starts[seen.sentence]
      if seen.layer == layer - 1 {
        Self.gather(seen, n, start, into: fired[seen.sentence])
      } else if seen.layer == layer {
        for tile in 0..<tiles {
          let first = tile * columns
          for token in 0..<seen.tokens {
            (x.base + (tile * total + start + token) * columns).update(
              from: seen.x + token * n + first, count: min(columns, n - first))
          }
        }
      }
    }
    self.x = x
    (offsets, tokens, values) = Self.byNeuron(fired, n)
  }

  private static func gather(_ seen: SentenceActivity, _ n: Int, _ start: Int, into sparse: Sparse) {
    sparse.counts = [Int32](repeating: 0, count: n)
    for neuron in 0..<n {
      for token in 0..<seen.tokens where seen.y[token * n + neuron] > 0 {
        sparse.counts[neuron] += 1
        sparse.tokens.append(Int32(start + token))
        sparse.values.append(seen.y[token * n + neuron])
      }
    }
  }

  /// Entries of every neuron, sentence after sentence.
  private static func byNeuron(_ fired: [Sparse], _ n: Int) -> ([Int], [Int32], [Float]) {
    var offsets = [Int](repeating: 0, count: n + 1)
    for sparse in fired {
      for neuron in sparse.counts.indices { offsets[neuron + 1] += Int(sparse.counts[neuron]) }
    }
    for neuron in 0..<n { offsets[neuron + 1] += offsets[neuron] }
    var tokens = [Int32](repeating: 0, count: offsets[n])
    var values = [Float](repeating: 0, count: offsets[n])
    var next = offsets
    for sparse in fired {
      var from = 0
      for neuron in sparse.counts.indices {
        for _ in 0..<sparse.counts[neuron] {
          tokens[next[neuron]] = sparse.tokens[from]
          values[next[neuron]] = sparse.values[from]
          next[neuron] += 1
          from += 1
        }
      }
    }
    return (offsets, tokens, values)
  }

  func neurons(ofStretch stretch: Int) -> Range<Int> {
    stretch * Self.stretch..<min(neurons, (stretch + 1) * Self.stretch)
  }

  func entries(of neuron: Int) -> Range<Int> { offsets[neuron]..<offsets[neuron + 1] }

  func withEntries(_ range: Range<Int>, _ body: (UnsafePointer<Int32>, UnsafePointer<Float>) -> Void) {
    tokens.withUnsafeBufferPointer { tokens in
      values.withUnsafeBufferPointer { values in
        guard let tokens = tokens.baseAddress, let values = values.baseAddress else { return }
        body(tokens + range.lowerBound, values + range.lowerBound)
      }
    }
  }

  func x(ofTile tile: Int) -> UnsafePointer<Float> {
    UnsafePointer(x.base + tile * sentenceOfToken.count * RankKernels.columns)
  }
}
