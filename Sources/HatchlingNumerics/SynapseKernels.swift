import CKernels

// Kernels are `package`: who uses the library meets numbers and networks, not inner loops. One C function serves both number types and is
// told which; here a generic function gives its memory a type again.

extension NetworkScalar {
  /// Which of a kernel's two number types this is.
  @inlinable @inline(__always)
  package static var isFloat: Bool {
    if Self.self == Float.self { return true }
    precondition(Self.self == Double.self, "networks are made of Float or Double")
    return false
  }

  /// What kernels read and write: numbers of this type, and numbers of rows or places.
  @usableFromInline package typealias Numbers = UnsafePointer<Self>
  @usableFromInline package typealias Results = UnsafeMutablePointer<Self>
  @usableFromInline package typealias Indices = UnsafePointer<Int32>
  @usableFromInline package typealias Places = UnsafeMutablePointer<Int32>

  /// Whether numbers of rows are none below zero; for debug builds.
  @inlinable
  package static func areIndices(_ list: UnsafePointer<Int32>, _ count: Int) -> Bool {
    (0..<count).allSatisfy { list[$0] >= 0 }
  }
}

// Passes over contiguous rows of synapses, one row per neuron, in the fastest form that this processor runs.
//
// Shapes: `weights` has rows of `d` numbers; `list` names `count` rows; `values` has one number per named row. A row's sum has the
// same order whatever else is asked for, so results do not depend on how work is cut.

extension NetworkScalar {
  /// out_r = Σ_c w_rc v_c for the first `rows` rows.
  @inlinable @inline(__always)
  package static func dotRows(_ weights: Numbers, rows: Int, _ v: Numbers, d: Int, into out: Results) {
    assert(rows >= 0 && d >= 0)
    hatchling_dot_rows(isFloat, weights, d, rows, v, d, out)
  }

  /// out_k = Σ_c w_list(k),c v_c.
  @inlinable @inline(__always)
  package static func dotList(
    _ weights: Numbers, _ list: Indices, count: Int, _ v: Numbers, d: Int, into out: Results
  ) {
    assert(count >= 0 && d >= 0 && areIndices(list, count))
    hatchling_dot_list(isFloat, weights, d, list, count, v, d, out)
  }

  /// sum_c += Σ_k values_k w_list(k),c, k ascending.
  @inlinable @inline(__always)
  package static func addRows(
    _ weights: Numbers, _ list: Indices, _ values: Numbers, count: Int, d: Int, into sum: Results
  ) {
    assert(count >= 0 && d >= 0 && areIndices(list, count))
    hatchling_add_rows(isFloat, weights, d, list, values, count, d, sum)
  }

  /// w_list(k),c += values_k v_c.
  @inlinable @inline(__always)
  package static func hebb(
    _ weights: Results, _ list: Indices, _ values: Numbers, count: Int, _ v: Numbers, d: Int
  ) {
    assert(count >= 0 && d >= 0 && areIndices(list, count))
    hatchling_hebb(isFloat, weights, d, list, values, count, v, d)
  }

  /// ``scaleRows`` where there is `keep`, ``addRows``, ``hebb``: the same bits, each row touched once; no row is listed twice.
  @inlinable @inline(__always)
  package static func readAndHebb(
    _ weights: Results, _ list: Indices, _ values: Numbers, keep: Numbers?, count: Int, _ v: Numbers,
    d: Int, into sum: Results
  ) {
    assert(count >= 0 && d >= 0 && areIndices(list, count))
    hatchling_read_hebb(isFloat, weights, d, list, values, keep, count, v, d, sum)
  }

  /// w_list(k),c *= keep_k.
  @inlinable @inline(__always)
  package static func scaleRows(_ weights: Results, _ list: Indices, _ keep: Numbers, count: Int, d: Int) {
    assert(count >= 0 && d >= 0 && areIndices(list, count))
    hatchling_scale_rows(isFloat, weights, d, list, keep, count, d)
  }

  /// Adds the rows `blocks` of `(blocks, d)` partial sums as a binary tree over their numbers; the sum is in the first of them.
  @inlinable @inline(__always)
  package static func addBlocks(_ rows: Results, _ blocks: Range<Int>, d: Int) {
    assert(blocks.lowerBound >= 0 && d >= 0)
    hatchling_add_blocks(isFloat, rows, blocks.lowerBound, blocks.upperBound, d)
  }

  /// cos and sin of 2π · frac(turns · t / 2⁶⁴).
  @inlinable @inline(__always)
  package static func phases(
    _ turns: UnsafePointer<UInt64>, at position: UInt64, count: Int, cosines: Results, sines: Results
  ) {
    assert(count >= 0)
    hatchling_phases(isFloat, turns, position, count, cosines, sines)
  }
}
