import HatchlingModel
import HatchlingNumerics
import TestSupport

@testable import HatchlingConcepts

/// Small networks in which something is planted, and texts for them.
enum Planted {
  static let letters = Array("abcdef".utf8)
  /// 30 bytes, each in one word of the made-up concept.
  static let marks = Array("ghijklmnopqrstuvwxyz0123456789".utf8)

  /// Random, but for two neurons that fire only at marked bytes: neuron 2 in layer 1, where it says so in y once something was read before, and
  /// neuron 3 in both layers, without a y. Their pair, layer 2, fires only in sentences with such a byte.
  static func network(marking marks: [UInt8], seed: UInt64) -> Weights<Float> {
    let sizes = Hyperparameters(
      neurons: 48, synapticDimension: 16, heads: 1, layers: 2, vocabulary: 256)
    var weights = Weights.random(sizes, seed: seed, rotates: false)
    let d = sizes.synapticDimension
    for token in 0..<256 {
      let others = 2..<d - 1
      let mean = others.reduce(Float(0)) { $0 + weights.embedding[token, $1] } / Float(others.count)
      for hub in others { weights.embedding[token, hub] -= mean }
      weights.embedding[token, 0] = 2
      weights.embedding[token, d - 1] = 0
      weights.embedding[token, 1] = marks.contains(UInt8(token)) ? 6 : 0
    }
    for neuron in 0..<sizes.neurons {
      weights.encoder[neuron, 1] = -0.3
      weights.encoder[neuron, d - 1] = 0
      weights.decoderX[neuron, 1] = 0
      weights.decoderX[neuron, 0] -= 0.5
    }
    func set(_ matrix: WritableKeyPath<Weights<Float>, Matrix<Float>>, _ neuron: Int, _ hub: Int) {
      for other in 0..<d { weights[keyPath: matrix][neuron, other] = other == hub ? 1 : 0 }
    }
    // Neuron 0 fires always, so that something is remembered.
    set(\.decoderX, 0, 0)
    for neuron in [2, 3] {
      set(\.decoderX, neuron, 1)
      set(\.decoderY, neuron, 0)
    }
    weights.decoderY[3, 0] = -1
    // What neuron 2 says silences it in the next layer.
    set(\.encoder, 2, d - 1)
    weights.encoder[2, d - 1] = 5
    weights.decoderX[2, d - 1] = -2
    return weights
  }

  static func word(_ random: inout SeededRandom, length: Int) -> [UInt8] {
    (0..<length).map { _ in letters.randomElement(using: &random) ?? 97 }
  }

  /// 30 words with one of `marks` each, 30 without, and a text in which each stands in `sentences` sentences of random words.
  static func text(
    marks: [UInt8], sentences: Int, seed: UInt64
  ) -> (with: WordList, without: WordList, text: [UInt8]) {
    var random = SeededRandom(seed: seed)
    var (with, without, seen): ([[UInt8]], [[UInt8]], Set<[UInt8]>) = ([], [], [])
    for mark in marks {
      var own = word(&random, length: 6)
      own[3] = mark
      with.append(own)
      while true {
        let other = word(&random, length: 6)
        if seen.insert(other).inserted {
          without.append(other)
          break
        }
      }
    }
    var text: [UInt8] = []
    for listed in with + without {
      for _ in 0..<sentences {
        var words = (0..<5).map { _ in word(&random, length: Int.random(in: 2...5, using: &random)) }
        words.insert(listed, at: Int.random(in: 1...4, using: &random))
        text += Array(words.joined(separator: [32])) + Array(".\n".utf8)
      }
    }
    func list(_ words: [[UInt8]]) -> WordList {
      WordList(name: "list", words: words.map { String(decoding: $0, as: UTF8.self) })
    }
    return (list(with), list(without), text)
  }

  static func sets(
    marks: [UInt8], count: Int, seed: UInt64
  ) throws -> (StudySets, SentenceOptions) {
    let text = text(marks: marks, sentences: 6, seed: seed)
    let options = try SentenceOptions(count: count, seed: seed, heldOutShare: 0.5)
    let pools = try SentencePools(
      with: text.with, without: text.without, texts: [text.text], lengths: 8...100)
    return (StudySets(try SentenceSets(pools, options)), options)
  }
}
