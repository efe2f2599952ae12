import CKernels

extension NetworkScalar {
  /// Whether none of some numbers is NaN or infinite.
  @inlinable @inline(__always)
  package static func areFinite(_ values: Numbers, _ count: Int) -> Bool {
    assert(count >= 0)
    return hatchling_are_finite(isFloat, values, count)
  }
}
