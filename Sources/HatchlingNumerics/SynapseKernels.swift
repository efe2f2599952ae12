import CKernels

/// Passes over contiguous rows of synapses, one row per neuron, in the fastest form that this processor runs.
///
/// Shapes: `weights` has rows of `d` numbers; `list` names `count` rows; `values` has one number per named row. A row's sum has the
/// same order whatever else is asked for, so results do not depend on how work is cut.
public protocol SynapseKernels {
  /// out_r = Σ_c w_rc v_c for the first `rows` rows.
  static func dotRows(
    _ weights: UnsafePointer<Self>, rows: Int, _ v: UnsafePointer<Self>, d: Int,
    into out: UnsafeMutablePointer<Self>)
  /// out_k = Σ_c w_list(k),c v_c.
  static func dotList(
    _ weights: UnsafePointer<Self>, _ list: UnsafePointer<Int32>, count: Int, _ v: UnsafePointer<Self>,
    d: Int,
    into out: UnsafeMutablePointer<Self>)
  /// sum_c += Σ_k values_k w_list(k),c.
  static func addRows(
    _ weights: UnsafePointer<Self>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Self>, count: Int,
    d: Int,
    into sum: UnsafeMutablePointer<Self>)
  /// w_list(k),c += values_k v_c.
  static func hebb(
    _ weights: UnsafeMutablePointer<Self>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Self>,
    count: Int,
    _ v: UnsafePointer<Self>, d: Int)
  /// ``addRows`` then ``hebb``, each row touched once.
  static func readAndHebb(
    _ weights: UnsafeMutablePointer<Self>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Self>,
    count: Int,
    _ v: UnsafePointer<Self>, d: Int, into sum: UnsafeMutablePointer<Self>)
  /// w_list(k),c *= keep_k.
  static func scaleRows(
    _ weights: UnsafeMutablePointer<Self>, _ list: UnsafePointer<Int32>, _ keep: UnsafePointer<Self>,
    count: Int, d: Int)
  /// cos and sin of 2π · frac(turns · t / 2⁶⁴).
  static func phases(
    _ turns: UnsafePointer<UInt64>, at position: UInt64, count: Int, cosines: UnsafeMutablePointer<Self>,
    sines: UnsafeMutablePointer<Self>)
}

extension Float: SynapseKernels {
  @inlinable
  public static func dotRows(
    _ weights: UnsafePointer<Float>, rows: Int, _ v: UnsafePointer<Float>, d: Int,
    into out: UnsafeMutablePointer<Float>
  ) { hatchling_dot_rows_f32(weights, d, rows, v, d, out) }

  @inlinable
  public static func dotList(
    _ weights: UnsafePointer<Float>, _ list: UnsafePointer<Int32>, count: Int, _ v: UnsafePointer<Float>,
    d: Int,
    into out: UnsafeMutablePointer<Float>
  ) { hatchling_dot_list_f32(weights, d, list, count, v, d, out) }

  @inlinable
  public static func addRows(
    _ weights: UnsafePointer<Float>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Float>, count: Int,
    d: Int,
    into sum: UnsafeMutablePointer<Float>
  ) { hatchling_add_rows_f32(weights, d, list, values, count, d, sum) }

  @inlinable
  public static func hebb(
    _ weights: UnsafeMutablePointer<Float>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Float>,
    count: Int,
    _ v: UnsafePointer<Float>, d: Int
  ) { hatchling_hebb_f32(weights, d, list, values, count, v, d) }

  @inlinable
  public static func readAndHebb(
    _ weights: UnsafeMutablePointer<Float>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Float>,
    count: Int,
    _ v: UnsafePointer<Float>, d: Int, into sum: UnsafeMutablePointer<Float>
  ) { hatchling_read_hebb_f32(weights, d, list, values, count, v, d, sum) }

  @inlinable
  public static func scaleRows(
    _ weights: UnsafeMutablePointer<Float>, _ list: UnsafePointer<Int32>, _ keep: UnsafePointer<Float>,
    count: Int, d: Int
  ) { hatchling_scale_rows_f32(weights, d, list, keep, count, d) }

  @inlinable
  public static func phases(
    _ turns: UnsafePointer<UInt64>, at position: UInt64, count: Int, cosines: UnsafeMutablePointer<Float>,
    sines: UnsafeMutablePointer<Float>
  ) { hatchling_phases_f32(turns, position, count, cosines, sines) }
}

extension Double: SynapseKernels {
  @inlinable
  public static func dotRows(
    _ weights: UnsafePointer<Double>, rows: Int, _ v: UnsafePointer<Double>, d: Int,
    into out: UnsafeMutablePointer<Double>
  ) { hatchling_dot_rows_f64(weights, d, rows, v, d, out) }

  @inlinable
  public static func dotList(
    _ weights: UnsafePointer<Double>, _ list: UnsafePointer<Int32>, count: Int, _ v: UnsafePointer<Double>,
    d: Int,
    into out: UnsafeMutablePointer<Double>
  ) { hatchling_dot_list_f64(weights, d, list, count, v, d, out) }

  @inlinable
  public static func addRows(
    _ weights: UnsafePointer<Double>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Double>,
    count: Int, d: Int,
    into sum: UnsafeMutablePointer<Double>
  ) { hatchling_add_rows_f64(weights, d, list, values, count, d, sum) }

  @inlinable
  public static func hebb(
    _ weights: UnsafeMutablePointer<Double>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Double>,
    count: Int,
    _ v: UnsafePointer<Double>, d: Int
  ) { hatchling_hebb_f64(weights, d, list, values, count, v, d) }

  @inlinable
  public static func readAndHebb(
    _ weights: UnsafeMutablePointer<Double>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Double>,
    count: Int,
    _ v: UnsafePointer<Double>, d: Int, into sum: UnsafeMutablePointer<Double>
  ) { hatchling_read_hebb_f64(weights, d, list, values, count, v, d, sum) }

  @inlinable
  public static func scaleRows(
    _ weights: UnsafeMutablePointer<Double>, _ list: UnsafePointer<Int32>, _ keep: UnsafePointer<Double>,
    count: Int, d: Int
  ) { hatchling_scale_rows_f64(weights, d, list, keep, count, d) }

  @inlinable
  public static func phases(
    _ turns: UnsafePointer<UInt64>, at position: UInt64, count: Int, cosines: UnsafeMutablePointer<Double>,
    sines: UnsafeMutablePointer<Double>
  ) { hatchling_phases_f64(turns, position, count, cosines, sines) }
}
