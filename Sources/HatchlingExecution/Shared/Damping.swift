import Foundation
import HatchlingNumerics

/// What a plastic weight keeps over a number of tokens: (1 − u_j)^gap.
///
/// Damping is applied lazily, when a neuron next reads its synapses; the result depends on u and the gap alone.
struct Damping<Scalar: NetworkScalar>: Sendable {
  private let keep: [Double]
  /// `(n, 2 · slots)`: entry (j, k) = (1 − u_j)^(slots − k mod slots). Read from `slots − t mod slots` on, slot s of a history holds
  /// the power that belongs to the age of its activity at token t, 1 … slots.
  private let powers: Matrix<Scalar>

  init(_ damping: [Float]) { self.init(keep: damping.map { 1 - Double($0) }) }

  private init(keep: [Double]) {
    self.keep = keep
    let slots = Scalar.slots
    var powers = Matrix<Scalar>(rows: keep.count, columns: 2 * slots)
    let target = powers.mutablePointer()
    for neuron in keep.indices {
      for place in 0..<2 * slots {
        target[neuron * 2 * slots + place] = Scalar(
          Foundation.pow(keep[neuron], Double(slots - place % slots)))
      }
    }
    self.powers = powers
  }

  /// (1 − u)^gap of one neuron.
  func kept(by neuron: Int, after gap: Int) -> Scalar {
    if gap == 0 { return 1 }
    let slots = Scalar.slots
    return gap <= slots
      ? powers.pointer[neuron * 2 * slots + slots - gap] : Scalar(Foundation.pow(keep[neuron], Double(gap)))
  }

  /// What each listed neuron's weights kept since they were stored; they count as stored at `position` from now on.
  func age(
    _ list: UnsafePointer<Int32>, count: Int, _ stamps: UnsafeMutablePointer<Int64>, to position: Int,
    into factors: UnsafeMutablePointer<Scalar>
  ) {
    for place in 0..<count {
      let neuron = Int(list[place])
      factors[place] = kept(by: neuron, after: position - Int(stamps[neuron]))
      stamps[neuron] = Int64(position)
    }
  }

  /// What the slots of every history keep at a token: rows `2 · slots` apart, in the order of the slots.
  func ages(at position: Int) -> UnsafePointer<Scalar> {
    powers.pointer + (Scalar.slots - position % Scalar.slots)
  }

  /// The damping of a single neuron.
  func only(_ neuron: Int) -> Damping { Damping(keep: [keep[neuron]]) }
}
