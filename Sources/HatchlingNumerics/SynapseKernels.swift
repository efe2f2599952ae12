import CKernels

// Kernels are `package`: who uses the library meets numbers and networks, not inner loops. One generic function serves both number types;
// specialised code keeps one of its two branches.

extension NetworkScalar {
  /// Which of a kernel's two forms this type takes.
  @inlinable @inline(__always)
  package static var isFloat: Bool {
    if Self.self == Float.self { return true }
    precondition(Self.self == Double.self, "networks are made of Float or Double")
    return false
  }

  /// Whether numbers of rows are none below zero; for debug builds.
  @inlinable
  package static func areIndices(_ list: UnsafePointer<Int32>, _ count: Int) -> Bool {
    (0..<count).allSatisfy { list[$0] >= 0 }
  }
}

extension UnsafePointer {
  /// The same memory, for the branch in which `Pointee` is `Float`, and `Double`.
  @inlinable @inline(__always)
  package var f32: UnsafePointer<Float> { UnsafeRawPointer(self).assumingMemoryBound(to: Float.self) }
  @inlinable @inline(__always)
  package var f64: UnsafePointer<Double> { UnsafeRawPointer(self).assumingMemoryBound(to: Double.self) }
}

extension UnsafeMutablePointer {
  /// The same memory, for the branch in which `Pointee` is `Float`, and `Double`.
  @inlinable @inline(__always)
  package var f32: UnsafeMutablePointer<Float> {
    UnsafeMutableRawPointer(self).assumingMemoryBound(to: Float.self)
  }
  @inlinable @inline(__always)
  package var f64: UnsafeMutablePointer<Double> {
    UnsafeMutableRawPointer(self).assumingMemoryBound(to: Double.self)
  }
}

// Passes over contiguous rows of synapses, one row per neuron, in the fastest form that this processor runs.
//
// Shapes: `weights` has rows of `d` numbers; `list` names `count` rows; `values` has one number per named row. A row's sum has the
// same order whatever else is asked for, so results do not depend on how work is cut.

extension NetworkScalar {
  /// out_r = Σ_c w_rc v_c for the first `rows` rows.
  @inlinable @inline(__always)
  package static func dotRows(
    _ weights: UnsafePointer<Self>, rows: Int, _ v: UnsafePointer<Self>, d: Int,
    into out: UnsafeMutablePointer<Self>
  ) {
    assert(rows >= 0 && d >= 0)
    isFloat
      ? hatchling_dot_rows_f32(weights.f32, d, rows, v.f32, d, out.f32)
      : hatchling_dot_rows_f64(weights.f64, d, rows, v.f64, d, out.f64)
  }

  /// out_k = Σ_c w_list(k),c v_c.
  @inlinable @inline(__always)
  package static func dotList(
    _ weights: UnsafePointer<Self>, _ list: UnsafePointer<Int32>, count: Int, _ v: UnsafePointer<Self>,
    d: Int, into out: UnsafeMutablePointer<Self>
  ) {
    assert(count >= 0 && d >= 0 && areIndices(list, count))
    isFloat
      ? hatchling_dot_list_f32(weights.f32, d, list, count, v.f32, d, out.f32)
      : hatchling_dot_list_f64(weights.f64, d, list, count, v.f64, d, out.f64)
  }

  /// sum_c += Σ_k values_k w_list(k),c.
  @inlinable @inline(__always)
  package static func addRows(
    _ weights: UnsafePointer<Self>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Self>, count: Int,
    d: Int, into sum: UnsafeMutablePointer<Self>
  ) {
    assert(count >= 0 && d >= 0 && areIndices(list, count))
    isFloat
      ? hatchling_add_rows_f32(weights.f32, d, list, values.f32, count, d, sum.f32)
      : hatchling_add_rows_f64(weights.f64, d, list, values.f64, count, d, sum.f64)
  }

  /// w_list(k),c += values_k v_c.
  @inlinable @inline(__always)
  package static func hebb(
    _ weights: UnsafeMutablePointer<Self>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Self>,
    count: Int, _ v: UnsafePointer<Self>, d: Int
  ) {
    assert(count >= 0 && d >= 0 && areIndices(list, count))
    isFloat
      ? hatchling_hebb_f32(weights.f32, d, list, values.f32, count, v.f32, d)
      : hatchling_hebb_f64(weights.f64, d, list, values.f64, count, v.f64, d)
  }

  /// ``addRows`` then ``hebb``, each row touched once; no row is listed twice.
  @inlinable @inline(__always)
  package static func readAndHebb(
    _ weights: UnsafeMutablePointer<Self>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Self>,
    count: Int, _ v: UnsafePointer<Self>, d: Int, into sum: UnsafeMutablePointer<Self>
  ) {
    assert(count >= 0 && d >= 0 && areIndices(list, count))
    isFloat
      ? hatchling_read_hebb_f32(weights.f32, d, list, values.f32, count, v.f32, d, sum.f32)
      : hatchling_read_hebb_f64(weights.f64, d, list, values.f64, count, v.f64, d, sum.f64)
  }

  /// w_list(k),c *= keep_k.
  @inlinable @inline(__always)
  package static func scaleRows(
    _ weights: UnsafeMutablePointer<Self>, _ list: UnsafePointer<Int32>, _ keep: UnsafePointer<Self>,
    count: Int, d: Int
  ) {
    assert(count >= 0 && d >= 0 && areIndices(list, count))
    isFloat
      ? hatchling_scale_rows_f32(weights.f32, d, list, keep.f32, count, d)
      : hatchling_scale_rows_f64(weights.f64, d, list, keep.f64, count, d)
  }

  /// cos and sin of 2π · frac(turns · t / 2⁶⁴).
  @inlinable @inline(__always)
  package static func phases(
    _ turns: UnsafePointer<UInt64>, at position: UInt64, count: Int, cosines: UnsafeMutablePointer<Self>,
    sines: UnsafeMutablePointer<Self>
  ) {
    assert(count >= 0)
    isFloat
      ? hatchling_phases_f32(turns, position, count, cosines.f32, sines.f32)
      : hatchling_phases_f64(turns, position, count, cosines.f64, sines.f64)
  }
}
