import Foundation
import HatchlingNumerics

/// What a plastic weight keeps over a number of tokens: (1 − u_j)^gap.
///
/// Damping is applied lazily, when a neuron next reads its synapses; the result depends on u and the gap alone.
struct Damping<Scalar: NetworkScalar>: Sendable {
  /// Gaps below this are looked up, longer ones computed.
  private static var tabulated: Int { 16 }
  private let keep: [Double]
  /// `(n, 16)`, entry (j, gap).
  private let powers: Matrix<Scalar>

  init(_ damping: [Float]) {
    keep = damping.map { 1 - Double($0) }
    var powers = Matrix<Scalar>(rows: damping.count, columns: Self.tabulated)
    let target = powers.mutablePointer()
    for neuron in damping.indices {
      for gap in 0..<Self.tabulated {
        target[neuron * Self.tabulated + gap] = Scalar(
          Foundation.pow(1 - Double(damping[neuron]), Double(gap)))
      }
    }
    self.powers = powers
  }

  func kept(by neuron: Int, after gap: Int) -> Scalar {
    gap < Self.tabulated
      ? powers.pointer[neuron * Self.tabulated + gap] : Scalar(Foundation.pow(keep[neuron], Double(gap)))
  }
}
