import CKernels

// Passes over chunks of tokens, over histories, the last `slots` activities of every neuron, and over the lists of who fired.
//
// Shapes: `history` is `(n, slots)`, `fields` `(slots, d)`, `keep` `(n, 2 · slots)` or nil for 1; slot τ mod slots belongs to token τ.

extension NetworkScalar {
  /// Tokens that a history holds.
  @inlinable package static var slots: Int { Int(HATCHLING_HISTORY) }

  /// sum_c += Σ_k damped_k w_list(k),c, and scores_slot += Σ_k values_k history_list(k),slot keep_list(k),slot.
  @inlinable @inline(__always)
  package static func readPlastic(
    _ weights: UnsafePointer<Self>, _ list: UnsafePointer<Int32>, damped: UnsafePointer<Self>,
    _ values: UnsafePointer<Self>, count: Int, history: UnsafePointer<Self>, keep: UnsafePointer<Self>?,
    d: Int, into sum: UnsafeMutablePointer<Self>, scores: UnsafeMutablePointer<Self>
  ) {
    assert(count >= 0 && d >= 0 && areIndices(list, count))
    isFloat
      ? hatchling_read_plastic_f32(
        weights.f32, d, list, damped.f32, values.f32, count, history.f32, keep?.f32, d, sum.f32, scores.f32)
      : hatchling_read_plastic_f64(
        weights.f64, d, list, damped.f64, values.f64, count, history.f64, keep?.f64, d, sum.f64, scores.f64)
  }

  /// w_list(k) += Σ_slot history_list(k),slot keep_list(k),slot fields_slot, slots from `first` around; empties those histories.
  @inlinable @inline(__always)
  package static func settleRows(
    _ weights: UnsafeMutablePointer<Self>, _ list: UnsafePointer<Int32>, count: Int,
    history: UnsafeMutablePointer<Self>, from first: Int, fields: UnsafePointer<Self>,
    keep: UnsafePointer<Self>?, d: Int
  ) {
    assert(count >= 0 && d >= 0 && areIndices(list, count) && first >= 0)
    isFloat
      ? hatchling_settle_rows_f32(weights.f32, d, list, count, history.f32, first, fields.f32, keep?.f32, d)
      : hatchling_settle_rows_f64(weights.f64, d, list, count, history.f64, first, fields.f64, keep?.f64, d)
  }

  /// out_t,r = Σ_c w_rc v_tc for `rows` rows and `count` vectors, rows of `out` `stride` apart.
  @inlinable @inline(__always)
  package static func dotBlock(
    _ weights: UnsafePointer<Self>, rows: Int, _ v: UnsafePointer<Self>, count: Int, d: Int,
    into out: UnsafeMutablePointer<Self>, stride: Int
  ) {
    assert(rows >= 0 && count >= 0 && d >= 0 && stride >= rows)
    isFloat
      ? hatchling_dot_block_f32(weights.f32, d, rows, v.f32, d, count, d, out.f32, stride)
      : hatchling_dot_block_f64(weights.f64, d, rows, v.f64, d, count, d, out.f64, stride)
  }

  /// w_r += Σ_τ keys_τ,r fields_τ for `rows` rows and `count` tokens, rows of `keys` `stride` apart; zero keys cost nothing.
  @inlinable @inline(__always)
  package static func writeChunk(
    _ weights: UnsafeMutablePointer<Self>, rows: Int, keys: UnsafePointer<Self>, stride: Int, count: Int,
    fields: UnsafePointer<Self>, d: Int
  ) {
    assert(rows >= 0 && count >= 0 && d >= 0 && stride >= rows)
    isFloat
      ? hatchling_write_chunk_f32(weights.f32, d, rows, keys.f32, stride, count, fields.f32, d)
      : hatchling_write_chunk_f64(weights.f64, d, rows, keys.f64, stride, count, fields.f64, d)
  }

  /// Lists the neurons of a range whose history is not empty, and returns how many there are.
  @inlinable @inline(__always)
  package static func listRemembering(
    _ history: UnsafePointer<Self>, _ neurons: Range<Int>, into list: UnsafeMutablePointer<Int32>
  ) -> Int {
    isFloat
      ? hatchling_remembering_f32(history.f32, neurons.lowerBound, neurons.count, list)
      : hatchling_remembering_f64(history.f64, neurons.lowerBound, neurons.count, list)
  }

  /// Turns pairs (2i, 2i + 1) and lists who listens (x > 0) and who fired (turned x ≠ 0) with what it sends; pointers begin at the
  /// range's first neuron, `cosines` is nil when nothing turns.
  @inlinable @inline(__always)
  package static func rotateAndCollect(
    _ x: UnsafePointer<Self>, _ cosines: UnsafePointer<Self>?, _ sines: UnsafePointer<Self>?,
    _ neurons: Range<Int>, listening: UnsafeMutablePointer<Int32>, fired: UnsafeMutablePointer<Int32>,
    sent: UnsafeMutablePointer<Self>
  ) -> (listening: Int, fired: Int) {
    assert((cosines == nil) == (sines == nil) && (cosines == nil || neurons.count % 2 == 0))
    var (hears, fires) = (0, 0)
    isFloat
      ? hatchling_rotate_and_collect_f32(
        x.f32, cosines?.f32, sines?.f32, neurons.lowerBound, neurons.count, listening, &hears, fired,
        sent.f32, &fires)
      : hatchling_rotate_and_collect_f64(
        x.f64, cosines?.f64, sines?.f64, neurons.lowerBound, neurons.count, listening, &hears, fired,
        sent.f64, &fires)
    return (hears, fires)
  }
}
