import Foundation
import HatchlingNumerics

/// What a plastic weight keeps over a number of tokens: (1 − u_j)^gap. The numbers belong to a ``DampingTable``, which must live longer:
/// kernels look here for every neuron that fires, and threads would fight for the counts of references.
///
/// Damping is applied lazily, when a neuron next reads its synapses; the result depends on u and the gap alone.
struct Damping<Scalar: NetworkScalar>: @unchecked Sendable {
  /// 1 − u, `(n)`.
  fileprivate let keep: UnsafePointer<Double>
  /// `(slots, n)`: entry (k, j) = (1 − u_j)^(k + 1). By gap, because most neurons that fire fired a few tokens ago: those rows stay in the cache.
  fileprivate let kept: UnsafePointer<Scalar>
  fileprivate let neurons: Int
  /// `(n, 2 · slots)`: entry (j, k) = (1 − u_j)^(slots − k mod slots). Read from `slots − t mod slots` on, slot s of a history holds
  /// the power that belongs to the age of its activity at token t, 1 … slots.
  fileprivate let powers: UnsafePointer<Scalar>

  /// (1 − u)^gap of one neuron.
  func kept(by neuron: Int, after gap: Int) -> Scalar {
    if gap == 0 { return 1 }
    return gap <= Scalar.slots
      ? kept[(gap - 1) * neurons + neuron] : Scalar(Foundation.pow(keep[neuron], Double(gap)))
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
  func ages(at position: Int) -> UnsafePointer<Scalar> { powers + (Scalar.slots - position % Scalar.slots) }

  /// The damping of a single neuron.
  func only(_ neuron: Int) -> Damping {
    Damping(
      keep: keep + neuron, kept: kept + neuron, neurons: neurons, powers: powers + neuron * 2 * Scalar.slots)
  }
}

/// The numbers of a ``Damping``.
final class DampingTable<Scalar: NetworkScalar>: Sendable {
  private let keep: NumberStorage<Double>
  private let kept: NumberStorage<Scalar>
  private let powers: NumberStorage<Scalar>
  let damping: Damping<Scalar>

  /// - Parameter damping: u, `(n)`.
  init(_ damping: [Float]) {
    let (neurons, slots) = (damping.count, Scalar.slots)
    keep = NumberStorage(zeros: neurons)
    kept = NumberStorage(zeros: slots * neurons)
    powers = NumberStorage(zeros: neurons * 2 * slots)
    for (neuron, damping) in damping.enumerated() {
      keep.base[neuron] = 1 - Double(damping)
      for place in 0..<slots {
        let power = Scalar(Foundation.pow(keep.base[neuron], Double(slots - place)))
        kept.base[(slots - place - 1) * neurons + neuron] = power
        powers.base[neuron * 2 * slots + place] = power
        powers.base[neuron * 2 * slots + slots + place] = power
      }
    }
    self.damping = Damping(keep: keep.base, kept: kept.base, neurons: neurons, powers: powers.base)
  }
}
