import CKernels

/// Passes over a block of a product, in the fastest form that this processor runs: entries far from zero, and how all are distributed.
public protocol SelectionKernels {
  /// Writes the positions, ascending, of the values that are at least `high` or at most `low`; returns how many. `places` has room for
  /// `count + 1`.
  static func findOutside(
    _ values: UnsafePointer<Self>, count: Int, low: Self, high: Self,
    into places: UnsafeMutablePointer<Int32>
  ) -> Int

  /// Adds 1 to bin ⌊value · scale⌋ + bins / 2, clamped to the outermost, of one of four histograms `counts`, `(4, bins)`; writes Σ v,
  /// Σ v², Σ v³, the smallest and the largest value, how many are positive and how many negative to `sums`, `(7)`. `count` is at least 1.
  static func countEntries(
    _ values: UnsafePointer<Self>, count: Int, scale: Self, bins: Int,
    into counts: UnsafeMutablePointer<UInt32>, sums: UnsafeMutablePointer<Double>)
}

extension Float: SelectionKernels {
  @inlinable
  public static func findOutside(
    _ values: UnsafePointer<Float>, count: Int, low: Float, high: Float,
    into places: UnsafeMutablePointer<Int32>
  ) -> Int { hatchling_find_outside_f32(values, count, low, high, places) }

  @inlinable
  public static func countEntries(
    _ values: UnsafePointer<Float>, count: Int, scale: Float, bins: Int,
    into counts: UnsafeMutablePointer<UInt32>, sums: UnsafeMutablePointer<Double>
  ) { hatchling_count_entries_f32(values, count, scale, Int32(bins), counts, sums) }
}

extension Double: SelectionKernels {
  @inlinable
  public static func findOutside(
    _ values: UnsafePointer<Double>, count: Int, low: Double, high: Double,
    into places: UnsafeMutablePointer<Int32>
  ) -> Int { hatchling_find_outside_f64(values, count, low, high, places) }

  @inlinable
  public static func countEntries(
    _ values: UnsafePointer<Double>, count: Int, scale: Double, bins: Int,
    into counts: UnsafeMutablePointer<UInt32>, sums: UnsafeMutablePointer<Double>
  ) { hatchling_count_entries_f64(values, count, scale, Int32(bins), counts, sums) }
}
