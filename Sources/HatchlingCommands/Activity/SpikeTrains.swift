import HatchlingNumerics

/// At which tokens each neuron fired, one bit per token and neuron.
struct SpikeTrains: Sendable {
  let neurons: Int
  let tokens: Int
  private let wordsPerNeuron: Int
  private var words: [UInt64]

  init(neurons: Int, tokens: Int) {
    (self.neurons, self.tokens, wordsPerNeuron) = (neurons, tokens, (tokens + 63) / 64)
    words = [UInt64](repeating: 0, count: neurons * wordsPerNeuron)
  }

  /// Bytes of trains of so many neurons and tokens.
  static func bytes(neurons: Int, tokens: Int) -> Int { neurons * ((tokens + 63) / 64) * 8 }

  mutating func mark(_ neuron: Int, at token: Int) {
    words[neuron * wordsPerNeuron + token / 64] |= 1 << UInt64(token % 64)
  }

  private func row(_ neuron: Int) -> ArraySlice<UInt64> {
    words[neuron * wordsPerNeuron..<(neuron + 1) * wordsPerNeuron]
  }

  /// Tokens at which a neuron fired, ascending.
  func times(_ neuron: Int) -> [Int] { Self.times(row(neuron)) }

  /// Tokens at which a neuron of these trains and one of others fired both, ascending.
  func times(_ neuron: Int, with others: SpikeTrains, _ other: Int) -> [Int] {
    Self.times(zip(row(neuron), others.row(other)).map { $0 & $1 })
  }

  private static func times(_ words: some Sequence<UInt64>) -> [Int] {
    var times: [Int] = []
    for (index, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        times.append(index * 64 + rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
    return times
  }
}
