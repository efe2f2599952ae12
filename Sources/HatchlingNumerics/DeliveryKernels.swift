import CKernels

/// Delivery over the synapses of a direct graph, in the fastest form that this processor runs. Sums are taken in the order of the
/// lists, so results do not depend on how targets are cut into blocks.
public protocol DeliveryKernels {
  /// sum_c = Σ_k values_k w_list(k),c for c < `width`; rows are `leading` apart.
  static func deliverRows(
    _ weights: UnsafePointer<Self>, leading: Int, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Self>,
    count: Int, width: Int, into sum: UnsafeMutablePointer<Self>)
  /// sum_target += values_k weight over the outgoing lists of the sources `list`, k ascending.
  static func deliverLists(
    _ offsets: UnsafePointer<UInt32>, _ targets: UnsafePointer<UInt16>, _ weights: UnsafePointer<Self>,
    _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Self>, count: Int,
    into sum: UnsafeMutablePointer<Self>)
  /// out_k = Σ weight · heard_source over the incoming list of `list`(k); returns how many heard a value other than zero.
  static func hearLists(
    _ offsets: UnsafePointer<Int64>, _ sources: UnsafePointer<Int32>, _ weights: UnsafePointer<Self>,
    _ list: UnsafePointer<Int32>, count: Int, _ heard: UnsafePointer<Self>,
    into out: UnsafeMutablePointer<Self>
  ) -> Int
  /// For every listed row of a panel of 64 columns: w *= keep_k; sum += values_k w; w += values_k z. Nil parts are left out.
  static func exchangePanel(
    _ weights: UnsafeMutablePointer<Self>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Self>,
    keep: UnsafePointer<Self>?, count: Int, z: UnsafePointer<Self>?, into sum: UnsafeMutablePointer<Self>?)
  /// ``exchangePanel(_:_:_:keep:count:z:into:)`` on incoming lists, z and sum indexed by source; returns how many weights z wrote.
  static func exchangeLists(
    _ offsets: UnsafePointer<Int64>, _ sources: UnsafePointer<Int32>, _ weights: UnsafeMutablePointer<Self>,
    _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Self>, keep: UnsafePointer<Self>?, count: Int,
    z: UnsafePointer<Self>?, into sum: UnsafeMutablePointer<Self>?
  ) -> Int
}

extension Float: DeliveryKernels {
  public static func deliverRows(
    _ weights: UnsafePointer<Float>, leading: Int, _ list: UnsafePointer<Int32>,
    _ values: UnsafePointer<Float>, count: Int, width: Int, into sum: UnsafeMutablePointer<Float>
  ) { hatchling_deliver_rows_f32(weights, leading, list, values, count, width, sum) }

  public static func deliverLists(
    _ offsets: UnsafePointer<UInt32>, _ targets: UnsafePointer<UInt16>, _ weights: UnsafePointer<Float>,
    _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Float>, count: Int,
    into sum: UnsafeMutablePointer<Float>
  ) { hatchling_deliver_lists_f32(offsets, targets, weights, list, values, count, sum) }

  public static func hearLists(
    _ offsets: UnsafePointer<Int64>, _ sources: UnsafePointer<Int32>, _ weights: UnsafePointer<Float>,
    _ list: UnsafePointer<Int32>, count: Int, _ heard: UnsafePointer<Float>,
    into out: UnsafeMutablePointer<Float>
  ) -> Int { hatchling_hear_lists_f32(offsets, sources, weights, list, count, heard, out) }

  public static func exchangePanel(
    _ weights: UnsafeMutablePointer<Float>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Float>,
    keep: UnsafePointer<Float>?, count: Int, z: UnsafePointer<Float>?, into sum: UnsafeMutablePointer<Float>?
  ) { hatchling_exchange_panel_f32(weights, list, values, keep, count, z, sum) }

  public static func exchangeLists(
    _ offsets: UnsafePointer<Int64>, _ sources: UnsafePointer<Int32>, _ weights: UnsafeMutablePointer<Float>,
    _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Float>, keep: UnsafePointer<Float>?, count: Int,
    z: UnsafePointer<Float>?, into sum: UnsafeMutablePointer<Float>?
  ) -> Int { hatchling_exchange_lists_f32(offsets, sources, weights, list, values, keep, count, z, sum) }
}

extension Double: DeliveryKernels {
  public static func deliverRows(
    _ weights: UnsafePointer<Double>, leading: Int, _ list: UnsafePointer<Int32>,
    _ values: UnsafePointer<Double>, count: Int, width: Int, into sum: UnsafeMutablePointer<Double>
  ) { hatchling_deliver_rows_f64(weights, leading, list, values, count, width, sum) }

  public static func deliverLists(
    _ offsets: UnsafePointer<UInt32>, _ targets: UnsafePointer<UInt16>, _ weights: UnsafePointer<Double>,
    _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Double>, count: Int,
    into sum: UnsafeMutablePointer<Double>
  ) { hatchling_deliver_lists_f64(offsets, targets, weights, list, values, count, sum) }

  public static func hearLists(
    _ offsets: UnsafePointer<Int64>, _ sources: UnsafePointer<Int32>, _ weights: UnsafePointer<Double>,
    _ list: UnsafePointer<Int32>, count: Int, _ heard: UnsafePointer<Double>,
    into out: UnsafeMutablePointer<Double>
  ) -> Int { hatchling_hear_lists_f64(offsets, sources, weights, list, count, heard, out) }

  public static func exchangePanel(
    _ weights: UnsafeMutablePointer<Double>, _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Double>,
    keep: UnsafePointer<Double>?, count: Int, z: UnsafePointer<Double>?,
    into sum: UnsafeMutablePointer<Double>?
  ) { hatchling_exchange_panel_f64(weights, list, values, keep, count, z, sum) }

  public static func exchangeLists(
    _ offsets: UnsafePointer<Int64>, _ sources: UnsafePointer<Int32>, _ weights: UnsafeMutablePointer<Double>,
    _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Double>, keep: UnsafePointer<Double>?, count: Int,
    z: UnsafePointer<Double>?, into sum: UnsafeMutablePointer<Double>?
  ) -> Int { hatchling_exchange_lists_f64(offsets, sources, weights, list, values, keep, count, z, sum) }
}
