import CKernels

// Passes over a block of a product, in the fastest form that this processor runs: entries far from zero, and how all are distributed.

extension NetworkScalar {
  /// Histograms that ``countEntries(_:count:scale:bins:into:sums:)`` fills, and numbers in its `sums`.
  @inlinable package static var histograms: Int { Int(HATCHLING_HISTOGRAMS) }
  @inlinable package static var entrySums: Int { Int(HATCHLING_ENTRY_SUMS) }

  /// Writes the positions, ascending, of the values that are at least `high` or at most `low`; returns how many. `places` has room for
  /// `count + 1`.
  @inlinable @inline(__always)
  package static func findOutside(
    _ values: Numbers, count: Int, low: Self, high: Self, into places: Places
  ) -> Int {
    assert(count >= 0)
    return hatchling_find_outside(isFloat, values, count, Double(low), Double(high), places)
  }

  /// Adds 1 to bin ⌊value · scale⌋ + bins / 2, clamped to the outermost, of one of the histograms `counts`, `(histograms, bins)`; writes Σ v,
  /// Σ v², Σ v³, the smallest and the largest value, how many are positive and how many negative to `sums`, `(entrySums)`.
  @inlinable @inline(__always)
  package static func countEntries(
    _ values: Numbers, count: Int, scale: Self, bins: Int, into counts: UnsafeMutablePointer<UInt32>,
    sums: UnsafeMutablePointer<Double>
  ) {
    assert(count > 0 && bins > 0)
    hatchling_count_entries(isFloat, values, count, Double(scale), Int32(bins), counts, sums)
  }
}
