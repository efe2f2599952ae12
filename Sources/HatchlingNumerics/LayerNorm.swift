/// LN(z) = (z − mean z) / sqrt(var z + ε), biased variance, ε = 1e-5, without trainable parameters.
package enum LayerNorm {
  /// values ← LN(values), `(count)`, sums in double; the identity when `normalises` is false.
  ///
  /// Returns the gain 1 / sqrt(var + ε), which a backward pass needs; 1 for the identity.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  @discardableResult
  package static func apply<Scalar: NetworkScalar>(
    _ values: UnsafeMutablePointer<Scalar>, count: Int, if normalises: Bool
  ) -> Scalar {
    guard normalises else { return 1 }
    var sum = 0.0
    for index in 0..<count { sum += Double(values[index]) }
    let mean = sum / Double(count)
    var squares = 0.0
    for index in 0..<count {
      let deviation = Double(values[index]) - mean
      squares += deviation * deviation
    }
    let gain = 1 / (squares / Double(count) + 1e-5).squareRoot()
    for index in 0..<count { values[index] = Scalar((Double(values[index]) - mean) * gain) }
    return Scalar(gain)
  }

  /// gradient ← gain · (g − mean g − ẑ · mean(g ⊙ ẑ)), in place; ẑ and the gain are what ``apply(_:count:if:)`` left.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  package static func backward<Scalar: NetworkScalar>(
    _ gradient: UnsafeMutablePointer<Scalar>, normalised: UnsafePointer<Scalar>, gain: Scalar, count: Int,
    if normalises: Bool
  ) {
    guard normalises else { return }
    var (sum, along) = (0.0, 0.0)
    for index in 0..<count {
      sum += Double(gradient[index])
      along += Double(gradient[index]) * Double(normalised[index])
    }
    let (mean, slope) = (Scalar(sum / Double(count)), Scalar(along / Double(count)))
    for index in 0..<count {
      gradient[index] = gain * (gradient[index] - mean - normalised[index] * slope)
    }
  }
}
