import CKernels

// Delivery over the synapses of a direct graph, in the fastest form that this processor runs. Sums are taken in the order of the lists, so
// results do not depend on how targets are cut into blocks.

extension NetworkScalar {
  /// Columns of a panel of plastic weights.
  @inlinable package static var panelWidth: Int { Int(HATCHLING_PANEL) }

  /// sum_c = Σ_k values_k w_list(k),c for c < `width`; rows are `leading` apart.
  @inlinable @inline(__always)
  package static func deliverRows(
    _ weights: UnsafePointer<Self>, leading: Int, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Self>,
    count: Int, width: Int, into sum: UnsafeMutablePointer<Self>
  ) {
    assert(count >= 0 && areIndices(list, count) && width >= 0)
    isFloat
      ? hatchling_deliver_rows_f32(weights.f32, leading, list, values.f32, count, width, sum.f32)
      : hatchling_deliver_rows_f64(weights.f64, leading, list, values.f64, count, width, sum.f64)
  }

  /// sum_target += values_k weight over the outgoing lists of the sources `list`, k ascending.
  @inlinable @inline(__always)
  package static func deliverLists(
    _ offsets: UnsafePointer<UInt32>, _ targets: UnsafePointer<UInt16>, _ weights: UnsafePointer<Self>,
    _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Self>, count: Int,
    into sum: UnsafeMutablePointer<Self>
  ) {
    assert(count >= 0 && areIndices(list, count))
    isFloat
      ? hatchling_deliver_lists_f32(offsets, targets, weights.f32, list, values.f32, count, sum.f32)
      : hatchling_deliver_lists_f64(offsets, targets, weights.f64, list, values.f64, count, sum.f64)
  }

  /// out_k = Σ weight · heard_source over the incoming list of `list`(k); returns how many heard a value other than zero.
  @inlinable @inline(__always)
  package static func hearLists(
    _ offsets: UnsafePointer<Int64>, _ sources: UnsafePointer<Int32>, _ weights: UnsafePointer<Self>,
    _ list: UnsafePointer<Int32>, count: Int, _ heard: UnsafePointer<Self>,
    into out: UnsafeMutablePointer<Self>
  ) -> Int {
    assert(count >= 0 && areIndices(list, count))
    return isFloat
      ? hatchling_hear_lists_f32(offsets, sources, weights.f32, list, count, heard.f32, out.f32)
      : hatchling_hear_lists_f64(offsets, sources, weights.f64, list, count, heard.f64, out.f64)
  }

  /// For every listed row of a panel: w *= keep_k; sum += values_k w; w += values_k z. Nil parts are left out.
  @inlinable @inline(__always)
  package static func exchangePanel(
    _ weights: UnsafeMutablePointer<Self>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Self>,
    keep: UnsafePointer<Self>?, count: Int, z: UnsafePointer<Self>?, into sum: UnsafeMutablePointer<Self>?
  ) {
    assert(count >= 0 && areIndices(list, count))
    isFloat
      ? hatchling_exchange_panel_f32(weights.f32, list, values.f32, keep?.f32, count, z?.f32, sum?.f32)
      : hatchling_exchange_panel_f64(weights.f64, list, values.f64, keep?.f64, count, z?.f64, sum?.f64)
  }

  /// ``exchangePanel(_:_:_:keep:count:z:into:)`` on incoming lists, z and sum indexed by source; returns how many weights z wrote.
  @inlinable @inline(__always)
  package static func exchangeLists(
    _ offsets: UnsafePointer<Int64>, _ sources: UnsafePointer<Int32>, _ weights: UnsafeMutablePointer<Self>,
    _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Self>, keep: UnsafePointer<Self>?, count: Int,
    z: UnsafePointer<Self>?, into sum: UnsafeMutablePointer<Self>?
  ) -> Int {
    assert(count >= 0 && areIndices(list, count))
    return isFloat
      ? hatchling_exchange_lists_f32(
        offsets, sources, weights.f32, list, values.f32, keep?.f32, count, z?.f32, sum?.f32)
      : hatchling_exchange_lists_f64(
        offsets, sources, weights.f64, list, values.f64, keep?.f64, count, z?.f64, sum?.f64)
  }
}
