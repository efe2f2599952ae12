import HatchlingModel
import HatchlingNumerics

/// One damping per pair of neurons, u = σ(θ), so that it stays between 0 and 1.
enum LearnedDamping {
  /// θ of every pair, `(1, n / 2)`: of the given u where there are any, else log-uniform between 1/1024 and 1/8 in every head, in an
  /// order that has nothing to do with the frequencies.
  static func initial<Scalar: NetworkScalar>(
    _ sizes: Hyperparameters, damping: [Float]?
  ) -> Matrix<Scalar> {
    let pairs = sizes.neurons / 2
    let perHead = max(1, sizes.neuronsPerHead / 2)
    let values = (0..<pairs).map { pair -> Scalar in
      let u: Double
      if let damping {
        u = (Double(damping[2 * pair]) + Double(damping[2 * pair + 1])) / 2
      } else {
        let place = Double(pair % perHead + 1) * 0.618_033_988_749_895
        u = Double.exp2(-10 + 7 * (place - place.rounded(.down)))
      }
      let inside = min(max(u, 1e-6), 1 - 1e-3)
      return Scalar(Double.log(inside / (1 - inside)))
    }
    return Matrix(rows: 1, columns: pairs, values)
  }

  /// u of every neuron.
  static func damping<Scalar: NetworkScalar>(_ theta: Matrix<Scalar>) -> [Float] {
    (0..<2 * theta.count).map { neuron in
      let value = Double(theta.pointer[neuron / 2])
      return Float(min(max(1 / (1 + Double.exp(-value)), 1e-6), 1 - 1e-3))
    }
  }

  /// ∂/∂θ from ∂/∂u.
  static func gradient<Scalar: NetworkScalar>(
    _ ofDamping: Matrix<Scalar>, _ damping: [Float]
  ) -> Matrix<Scalar> {
    let pairs = ofDamping.count / 2
    return Matrix(
      rows: 1, columns: pairs,
      (0..<pairs).map { pair in
        let u = Scalar(damping[2 * pair])
        return (ofDamping.pointer[2 * pair] + ofDamping.pointer[2 * pair + 1]) * u * (1 - u)
      })
  }
}
