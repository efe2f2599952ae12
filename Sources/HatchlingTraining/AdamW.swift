import Foundation
import HatchlingNumerics

/// AdamW with decoupled weight decay: β = 0.9, 0.999, ε = 1e-8 (Appendix B).
package struct AdamW<Scalar: NetworkScalar>: Sendable {
  package static var beta1: Double { 0.9 }
  package static var beta2: Double { 0.999 }
  package static var epsilon: Double { 1e-8 }

  /// Running means of the gradient and of its square, in the shapes of the parameters.
  package internal(set) var first, second: [Matrix<Scalar>]
  /// Updates done.
  package internal(set) var step = 0

  package init(shapesOf parameters: [Matrix<Scalar>]) {
    first = parameters.map { Matrix(rows: $0.rows, columns: $0.columns) }
    second = first
  }

  /// One update in place. `scale` multiplies every gradient first; `decays` says which parameters decay.
  ///
  /// Cost: one pass over parameters, gradients and both means.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  package mutating func update(
    _ parameters: inout [Matrix<Scalar>], _ gradients: [Matrix<Scalar>], rate: Double, weightDecay: Double,
    scale: Double, decays: [Bool], _ workers: Workers
  ) {
    step += 1
    var numbers = AdamWUpdate(
      scale: scale, beta1: Self.beta1, beta2: Self.beta2, rate: rate, decay: 0,
      correction1: 1 / (1 - Foundation.pow(Self.beta1, Double(step))),
      correction2: 1 / (1 - Foundation.pow(Self.beta2, Double(step))), epsilon: Self.epsilon)
    let stretch = 1 << 14
    for index in parameters.indices {
      numbers.decay = decays[index] ? weightDecay : 0
      let count = parameters[index].count
      let (p, m, v) = (
        parameters[index].mutablePointer(), first[index].mutablePointer(), second[index].mutablePointer()
      )
      let (gradient, update) = (gradients[index].pointer, numbers)
      workers.run(blocks: (count + stretch - 1) / stretch) { block in
        let start = block * stretch
        Scalar.adamW(
          p + start, m + start, v + start, gradient + start, count: min(stretch, count - start), update)
      }
    }
  }

  /// One update of all weights, which decay, and of θ where damping is learned, which does not; `gradients` are those of both in that
  /// order, and clipped where their `norm` is above the options'. Weights that are `undecayed` do not decay either.
  package mutating func update(
    _ weights: inout [Matrix<Scalar>], _ theta: inout Matrix<Scalar>?, _ gradients: [Matrix<Scalar>],
    norm: Double, rate: Double, undecayed: Set<Int> = [], _ options: TrainingOptions, _ workers: Workers
  ) {
    let decays = weights.indices.map { !undecayed.contains($0) } + [false]
    let learnsDamping = theta != nil
    var parameters = weights
    if let theta { parameters.append(theta) }
    // One owner each: updated in place.
    (weights, theta) = ([], nil)
    update(
      &parameters, gradients, rate: rate, weightDecay: options.weightDecay,
      scale: options.clip > 0 && norm > options.clip ? options.clip / norm : 1, decays: decays, workers)
    if learnsDamping { theta = parameters.removeLast() }
    weights = parameters
  }

  /// The global norm of some gradients, summed in double in order; NaN or infinite when anything is.
  package static func norm(_ gradients: [Matrix<Scalar>]) -> Double {
    var sum = 0.0
    for matrix in gradients { sum += sumOfSquares(matrix.pointer, matrix.count) }
    return sum.squareRoot()
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func sumOfSquares(_ values: UnsafePointer<Scalar>, _ count: Int) -> Double {
    var lanes = SIMD8<Double>.zero
    var index = 0
    while index + 8 <= count {
      var value = SIMD8<Double>.zero
      for lane in 0..<8 { value[lane] = Double(values[index + lane]) }
      lanes += value * value
      index += 8
    }
    var sum = lanes.sum()
    while index < count {
      sum += Double(values[index]) * Double(values[index])
      index += 1
    }
    return sum
  }
}
