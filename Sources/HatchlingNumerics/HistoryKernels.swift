import CKernels

/// Passes over chunks of tokens, over histories, the last ``HistoryKernels/slots`` activities of every neuron, and over
/// the lists of who fired.
///
/// Shapes: `history` is `(n, slots)`, `fields` `(slots, d)`, `keep` `(n, 2 · slots)` or nil for 1; slot τ mod slots belongs to token τ.
public protocol HistoryKernels {
  /// sum_c += Σ_k damped_k w_list(k),c, and scores_slot += Σ_k values_k history_list(k),slot keep_list(k),slot.
  static func readPlastic(
    _ weights: UnsafePointer<Self>, _ list: UnsafePointer<Int32>, damped: UnsafePointer<Self>,
    _ values: UnsafePointer<Self>, count: Int, history: UnsafePointer<Self>, keep: UnsafePointer<Self>?,
    d: Int, into sum: UnsafeMutablePointer<Self>, scores: UnsafeMutablePointer<Self>)
  /// w_list(k) += Σ_slot history_list(k),slot keep_list(k),slot fields_slot, slots from `first` around; empties those histories.
  static func settleRows(
    _ weights: UnsafeMutablePointer<Self>, _ list: UnsafePointer<Int32>, count: Int,
    history: UnsafeMutablePointer<Self>, from first: Int, fields: UnsafePointer<Self>,
    keep: UnsafePointer<Self>?, d: Int)
  /// out_t,r = Σ_c w_rc v_tc for `rows` rows and `count` vectors, rows of `out` `stride` apart.
  static func dotBlock(
    _ weights: UnsafePointer<Self>, rows: Int, _ v: UnsafePointer<Self>, count: Int, d: Int,
    into out: UnsafeMutablePointer<Self>, stride: Int)
  /// w_r += Σ_τ keys_τ,r fields_τ for `rows` rows and `count` tokens, rows of `keys` `stride` apart; zero keys cost nothing.
  static func writeChunk(
    _ weights: UnsafeMutablePointer<Self>, rows: Int, keys: UnsafePointer<Self>, stride: Int, count: Int,
    fields: UnsafePointer<Self>, d: Int)
  /// Lists the neurons of a range whose history is not empty, and returns how many there are.
  static func listRemembering(
    _ history: UnsafePointer<Self>, _ neurons: Range<Int>, into list: UnsafeMutablePointer<Int32>
  ) -> Int
  /// Turns pairs (2i, 2i + 1) and lists who listens (x > 0) and who fired (turned x ≠ 0) with what it sends; pointers begin at the
  /// range's first neuron, `cosines` is nil when nothing turns.
  static func rotateAndCollect(
    _ x: UnsafePointer<Self>, _ cosines: UnsafePointer<Self>?, _ sines: UnsafePointer<Self>?,
    _ neurons: Range<Int>, listening: UnsafeMutablePointer<Int32>, fired: UnsafeMutablePointer<Int32>,
    sent: UnsafeMutablePointer<Self>
  ) -> (listening: Int, fired: Int)
}

extension HistoryKernels {
  /// Tokens that a history holds.
  public static var slots: Int { 16 }
}

extension Float: HistoryKernels {
  @inlinable
  public static func readPlastic(
    _ weights: UnsafePointer<Float>, _ list: UnsafePointer<Int32>, damped: UnsafePointer<Float>,
    _ values: UnsafePointer<Float>, count: Int, history: UnsafePointer<Float>, keep: UnsafePointer<Float>?,
    d: Int, into sum: UnsafeMutablePointer<Float>, scores: UnsafeMutablePointer<Float>
  ) {
    hatchling_read_plastic_f32(weights, d, list, damped, values, count, history, keep, d, sum, scores)
  }

  @inlinable
  public static func settleRows(
    _ weights: UnsafeMutablePointer<Float>, _ list: UnsafePointer<Int32>, count: Int,
    history: UnsafeMutablePointer<Float>, from first: Int, fields: UnsafePointer<Float>,
    keep: UnsafePointer<Float>?, d: Int
  ) { hatchling_settle_rows_f32(weights, d, list, count, history, first, fields, keep, d) }

  @inlinable
  public static func dotBlock(
    _ weights: UnsafePointer<Float>, rows: Int, _ v: UnsafePointer<Float>, count: Int, d: Int,
    into out: UnsafeMutablePointer<Float>, stride: Int
  ) { hatchling_dot_block_f32(weights, d, rows, v, d, count, d, out, stride) }

  @inlinable
  public static func writeChunk(
    _ weights: UnsafeMutablePointer<Float>, rows: Int, keys: UnsafePointer<Float>, stride: Int, count: Int,
    fields: UnsafePointer<Float>, d: Int
  ) { hatchling_write_chunk_f32(weights, d, rows, keys, stride, count, fields, d) }

  @inlinable
  public static func listRemembering(
    _ history: UnsafePointer<Float>, _ neurons: Range<Int>, into list: UnsafeMutablePointer<Int32>
  ) -> Int { hatchling_remembering_f32(history, neurons.lowerBound, neurons.count, list) }

  @inlinable
  public static func rotateAndCollect(
    _ x: UnsafePointer<Float>, _ cosines: UnsafePointer<Float>?, _ sines: UnsafePointer<Float>?,
    _ neurons: Range<Int>, listening: UnsafeMutablePointer<Int32>, fired: UnsafeMutablePointer<Int32>,
    sent: UnsafeMutablePointer<Float>
  ) -> (listening: Int, fired: Int) {
    var (listeningCount, firedCount) = (0, 0)
    hatchling_rotate_and_collect_f32(
      x, cosines, sines, neurons.lowerBound, neurons.count, listening, &listeningCount, fired, sent,
      &firedCount)
    return (listeningCount, firedCount)
  }
}

extension Double: HistoryKernels {
  @inlinable
  public static func readPlastic(
    _ weights: UnsafePointer<Double>, _ list: UnsafePointer<Int32>, damped: UnsafePointer<Double>,
    _ values: UnsafePointer<Double>, count: Int, history: UnsafePointer<Double>, keep: UnsafePointer<Double>?,
    d: Int, into sum: UnsafeMutablePointer<Double>, scores: UnsafeMutablePointer<Double>
  ) {
    hatchling_read_plastic_f64(weights, d, list, damped, values, count, history, keep, d, sum, scores)
  }

  @inlinable
  public static func settleRows(
    _ weights: UnsafeMutablePointer<Double>, _ list: UnsafePointer<Int32>, count: Int,
    history: UnsafeMutablePointer<Double>, from first: Int, fields: UnsafePointer<Double>,
    keep: UnsafePointer<Double>?, d: Int
  ) { hatchling_settle_rows_f64(weights, d, list, count, history, first, fields, keep, d) }

  @inlinable
  public static func dotBlock(
    _ weights: UnsafePointer<Double>, rows: Int, _ v: UnsafePointer<Double>, count: Int, d: Int,
    into out: UnsafeMutablePointer<Double>, stride: Int
  ) { hatchling_dot_block_f64(weights, d, rows, v, d, count, d, out, stride) }

  @inlinable
  public static func writeChunk(
    _ weights: UnsafeMutablePointer<Double>, rows: Int, keys: UnsafePointer<Double>, stride: Int, count: Int,
    fields: UnsafePointer<Double>, d: Int
  ) { hatchling_write_chunk_f64(weights, d, rows, keys, stride, count, fields, d) }

  @inlinable
  public static func listRemembering(
    _ history: UnsafePointer<Double>, _ neurons: Range<Int>, into list: UnsafeMutablePointer<Int32>
  ) -> Int { hatchling_remembering_f64(history, neurons.lowerBound, neurons.count, list) }

  @inlinable
  public static func rotateAndCollect(
    _ x: UnsafePointer<Double>, _ cosines: UnsafePointer<Double>?, _ sines: UnsafePointer<Double>?,
    _ neurons: Range<Int>, listening: UnsafeMutablePointer<Int32>, fired: UnsafeMutablePointer<Int32>,
    sent: UnsafeMutablePointer<Double>
  ) -> (listening: Int, fired: Int) {
    var (listeningCount, firedCount) = (0, 0)
    hatchling_rotate_and_collect_f64(
      x, cosines, sines, neurons.lowerBound, neurons.count, listening, &listeningCount, fired, sent,
      &firedCount)
    return (listeningCount, firedCount)
  }
}
