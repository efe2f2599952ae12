import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// What the neurons and nodes bring to the plastic synapses in rounds 4l and 4l + 1.
struct PlasticExchange<Scalar: NetworkScalar> {
  /// Numbers of the neurons that fired (x̃ ≠ 0), ascending, and their x̃.
  let fired: UnsafePointer<Int32>
  let sent: UnsafePointer<Scalar>
  /// What damping leaves of each of them's weights since they were last settled; nil to leave weights as they are.
  let keep: UnsafePointer<Scalar>?
  /// The places in `fired` of each part of a head, head by head, `heads · partsPerHead` of them.
  let parts: [Range<Int>]
  let partsPerHead: Int
  /// z, `(n + V)`, of which `traces` are not zero.
  let trace: UnsafePointer<Scalar>
  let traces: Int
  /// A, `(H, n + V)`, zero before reading.
  let attention: UnsafeMutablePointer<Scalar>

  var heads: Int { parts.count / partsPerHead }
  /// The places in `fired` of one head.
  func places(of head: Int) -> Range<Int> {
    parts[head * partsPerHead].lowerBound..<parts[(head + 1) * partsPerHead - 1].upperBound
  }
}

/// σ of one layer on the synapses from some nodes: a plastic weight each, stored where it was written.
protocol DirectPlasticity<Scalar>: AnyObject {
  associatedtype Scalar: NetworkScalar

  /// Round 4l: A_h(i) = Σ_j σ(i, j) x̃_h(j), after settling the damping of rows that fired; round 4l + 1: σ(i, j) += z(i) x̃(j).
  /// Returns how many weights were written.
  func exchange(_ exchange: PlasticExchange<Scalar>, reads: Bool, writes: Bool, workers: Workers) -> Int
  /// Where a stored weight lies, before damping is settled. Nil where there is no synapse; unless `adding`, also where nothing was written.
  func place(node: Int, neuron: Int, adding: Bool) -> UnsafeMutablePointer<Scalar>?
  /// Calls `body(node, neuron, stored weight)` for every weight that was ever written, neuron by neuron.
  func forEachWeight(_ body: (Int, Int, Scalar) -> Void)
  /// (F σ)ᵀ before damping is settled, `(n, d)`, added to `rho`.
  func addThroughHubs(_ field: Matrix<Scalar>, into rho: UnsafeMutablePointer<Scalar>, workers: Workers)
  func reset()
  /// Arrays of a saved state by name; `layer` from 1.
  func save(layer: Int) -> [String: StateArray]
  /// Checks what a saved state holds of this layer; the returned function puts it in place.
  func restoration(from state: SavedState, layer: Int) throws -> () -> Void
}
