import HatchlingModel
import HatchlingNumerics

extension Weights where Scalar == Float {
  /// Small random weights for property tests; `scale` keeps activity trained-like. Odd N is allowed when `rotates` is false.
  public static func random(
    _ hyperparameters: Hyperparameters, seed: UInt64, rotates: Bool = true, damping: Bool = false
  ) -> Weights<Float> {
    var random = SeededRandom(seed: seed)
    let (n, d, v) = (hyperparameters.neurons, hyperparameters.synapticDimension, hyperparameters.vocabulary)
    func matrix(_ rows: Int, _ columns: Int, _ scale: Double) -> Matrix<Float> {
      Matrix(rows: rows, columns: columns, (0..<rows * columns).map { _ in Float(random.normal() * scale) })
    }
    let perHead = hyperparameters.neuronsPerHead
    let decay: [Float]? =
      damping
      ? (0..<n).map { _ in
        let draw = random.uniform()
        return draw < 0.1 ? 0 : draw > 0.95 ? 1 : Float(draw * 0.3)
      } : nil
    return Weights(
      hyperparameters: hyperparameters,
      decoderX: matrix(n, d, 0.5), decoderY: matrix(n, d, 0.5), encoder: matrix(n, d, 0.5),
      embedding: matrix(v, d, 1), readout: matrix(d, v, 0.5),
      frequencies: rotates
        ? Phases.publicFrequencies(neuronsPerHead: perHead) : [Float](repeating: 0, count: perHead),
      damping: decay)
  }
}

extension Hyperparameters {
  /// A small random configuration; N is even.
  public static func random(seed: UInt64, variant: Variant = .released) -> Hyperparameters {
    var random = SeededRandom(seed: seed &* 7919 &+ 17)
    let heads = Int.random(in: 1...3, using: &random)
    return Hyperparameters(
      neurons: heads * 2 * Int.random(in: 1...12, using: &random),
      synapticDimension: Int.random(in: 4...19, using: &random), heads: heads,
      layers: Int.random(in: 1...4, using: &random), vocabulary: Int.random(in: 2...20, using: &random),
      variant: variant)
  }
}

/// `count` random tokens below `vocabulary`.
public func randomTokens(_ count: Int, vocabulary: Int, seed: UInt64) -> [Int] {
  var random = SeededRandom(seed: seed &+ 99)
  return (0..<count).map { _ in Int.random(in: 0..<vocabulary, using: &random) }
}
