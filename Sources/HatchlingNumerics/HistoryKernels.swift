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
    _ weights: Numbers, _ list: Indices, damped: Numbers, _ values: Numbers, count: Int, history: Numbers,
    keep: Numbers?, d: Int, into sum: Results, scores: Results
  ) {
    assert(count >= 0 && d >= 0 && areIndices(list, count))
    hatchling_read_plastic(isFloat, weights, d, list, damped, values, count, history, keep, d, sum, scores)
  }

  /// w_list(k) += Σ_slot history_list(k),slot keep_list(k),slot fields_slot, slots from `first` around; empties those histories.
  @inlinable @inline(__always)
  package static func settleRows(
    _ weights: Results, _ list: Indices, count: Int, history: Results, from first: Int, fields: Numbers,
    keep: Numbers?, d: Int
  ) {
    assert(count >= 0 && d >= 0 && areIndices(list, count) && first >= 0)
    hatchling_settle_rows(isFloat, weights, d, list, count, history, first, fields, keep, d)
  }

  /// out_t,r = Σ_c w_rc v_tc for `rows` rows and `count` vectors, rows of `out` `stride` apart.
  @inlinable @inline(__always)
  package static func dotBlock(
    _ weights: Numbers, rows: Int, _ v: Numbers, count: Int, d: Int, into out: Results, stride: Int
  ) {
    assert(rows >= 0 && count >= 0 && d >= 0 && stride >= rows)
    hatchling_dot_block(isFloat, weights, d, rows, v, d, count, d, out, stride)
  }

  /// w_r += Σ_τ keys_τ,r fields_τ for `rows` rows and `count` tokens, rows of `keys` `stride` apart; zero keys cost nothing.
  @inlinable @inline(__always)
  package static func writeChunk(
    _ weights: Results, rows: Int, keys: Numbers, stride: Int, count: Int, fields: Numbers, d: Int
  ) {
    assert(rows >= 0 && count >= 0 && d >= 0 && stride >= rows)
    hatchling_write_chunk(isFloat, weights, d, rows, keys, stride, count, fields, d)
  }

  /// Lists the neurons of a range whose history is not empty, and returns how many there are; `list` has room for all of the range.
  @inlinable @inline(__always)
  package static func listRemembering(_ history: Numbers, _ neurons: Range<Int>, into list: Places) -> Int {
    hatchling_remembering(isFloat, history, neurons.lowerBound, neurons.count, list)
  }

  /// Turns pairs (2i, 2i + 1) and lists who listens (x > 0) and who fired (turned x ≠ 0) with what it sends; pointers begin at the
  /// range's first neuron, `cosines` is nil when nothing turns, every list has room for the range.
  @inlinable @inline(__always)
  package static func rotateAndCollect(
    _ x: Numbers, _ cosines: Numbers?, _ sines: Numbers?, _ neurons: Range<Int>, listening: Places,
    fired: Places, sent: Results
  ) -> (listening: Int, fired: Int) {
    assert((cosines == nil) == (sines == nil) && (cosines == nil || neurons.count % 2 == 0))
    var (hears, fires) = (0, 0)
    hatchling_rotate_and_collect(
      isFloat, x, cosines, sines, neurons.lowerBound, neurons.count, listening, &hears, fired, sent, &fires)
    return (hears, fires)
  }
}
