import CKernels

// Delivery over the synapses of a direct graph, in the fastest form that this processor runs. Sums are taken in the order of the lists, so
// results do not depend on how targets are cut into blocks.

extension NetworkScalar {
  /// Columns of a panel of plastic weights.
  @inlinable package static var panelWidth: Int { Int(HATCHLING_PANEL) }

  /// sum_c = Σ_k values_k w_list(k),c for c < `width`; rows are `leading` apart.
  @inlinable @inline(__always)
  package static func deliverRows(
    _ weights: Numbers, leading: Int, _ list: Indices, _ values: Numbers, count: Int, width: Int,
    into sum: Results
  ) {
    assert(count >= 0 && areIndices(list, count) && width >= 0)
    hatchling_deliver_rows(isFloat, weights, leading, list, values, count, width, sum)
  }

  /// sum_target += values_k weight over the outgoing lists of the sources `list`, k ascending; targets of one list differ.
  @inlinable @inline(__always)
  package static func deliverLists(
    _ offsets: UnsafePointer<UInt32>, _ targets: UnsafePointer<UInt16>, _ weights: Numbers, _ list: Indices,
    _ values: Numbers, count: Int, into sum: Results
  ) {
    assert(count >= 0 && areIndices(list, count))
    hatchling_deliver_lists(isFloat, offsets, targets, weights, list, values, count, sum)
  }

  /// out_k = Σ weight · heard_source over the incoming list of `list`(k); returns how many heard a value other than zero.
  @inlinable @inline(__always)
  package static func hearLists(
    _ offsets: UnsafePointer<Int64>, _ sources: Indices, _ weights: Numbers, _ list: Indices, count: Int,
    _ heard: Numbers, into out: Results
  ) -> Int {
    assert(count >= 0 && areIndices(list, count))
    return hatchling_hear_lists(isFloat, offsets, sources, weights, list, count, heard, out)
  }

  /// For every listed row of a panel: w *= keep_k; sum += values_k w; w += values_k z. Nil parts are left out.
  @inlinable @inline(__always)
  package static func exchangePanel(
    _ weights: Results, _ list: Indices, _ values: Numbers, keep: Numbers?, count: Int, z: Numbers?,
    into sum: Results?
  ) {
    assert(count >= 0 && areIndices(list, count))
    hatchling_exchange_panel(isFloat, weights, list, values, keep, count, z, sum)
  }

  /// ``exchangePanel(_:_:_:keep:count:z:into:)`` on incoming lists, z and sum indexed by source; returns how many weights z wrote.
  @inlinable @inline(__always)
  package static func exchangeLists(
    _ offsets: UnsafePointer<Int64>, _ sources: Indices, _ weights: Results, _ list: Indices,
    _ values: Numbers, keep: Numbers?, count: Int, z: Numbers?, into sum: Results?
  ) -> Int {
    assert(count >= 0 && areIndices(list, count))
    return hatchling_exchange_lists(isFloat, offsets, sources, weights, list, values, keep, count, z, sum)
  }
}
