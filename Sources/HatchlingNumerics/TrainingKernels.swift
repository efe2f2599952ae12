import CKernels

// Elementwise passes of training, in the fastest form that this processor runs.

extension NetworkScalar {
  /// drive ← (drive)₊; the numbers of the positive elements go to `list`, which has room for `count`. Returns how many.
  @inlinable @inline(__always)
  package static func reluList(_ drive: Results, count: Int, into list: Places) -> Int {
    assert(count >= 0)
    return hatchling_relu_list(isFloat, drive, count, list)
  }

  /// The numbers of the positive elements; `list` has room for `count`. Returns how many.
  @inlinable @inline(__always)
  package static func positiveList(_ x: Numbers, count: Int, into list: Places) -> Int {
    assert(count >= 0)
    return hatchling_positive_list(isFloat, x, count, list)
  }

  /// R_t x on neighbouring pairs: (u, w) ↦ (u cos φ_u − w sin φ_u, w cos φ_w + u sin φ_w).
  @inlinable @inline(__always)
  package static func rotate(
    _ x: Numbers, _ cosines: Numbers, _ sines: Numbers, count: Int, into out: Results
  ) {
    assert(count >= 0 && count % 2 == 0)
    hatchling_rotate(isFloat, x, cosines, sines, count, out)
  }

  /// R_tᵀ g.
  @inlinable @inline(__always)
  package static func rotateBack(
    _ g: Numbers, _ cosines: Numbers, _ sines: Numbers, count: Int, into out: Results
  ) {
    assert(count >= 0 && count % 2 == 0)
    hatchling_rotate_back(isFloat, g, cosines, sines, count, out)
  }

  /// out = a ⊙ b.
  @inlinable @inline(__always)
  package static func times(_ a: Numbers, _ b: Numbers, count: Int, into out: Results) {
    assert(count >= 0)
    hatchling_times(isFloat, a, b, count, out)
  }

  /// sum ← sum + a ⊙ b.
  @inlinable @inline(__always)
  package static func addTimes(_ a: Numbers, _ b: Numbers, count: Int, into sum: Results) {
    assert(count >= 0)
    hatchling_add_times(isFloat, a, b, count, sum)
  }

  /// One AdamW update of `count` parameters.
  package static func adamW(
    _ parameters: Results, _ first: Results, _ second: Results, _ gradient: Numbers, count: Int,
    _ update: AdamWUpdate
  ) {
    assert(count >= 0)
    withUnsafePointer(to: update) {
      hatchling_adamw(isFloat, parameters, first, second, gradient, count, $0)
    }
  }
}

/// The numbers of one AdamW update, the same for all parameters; rounded to the parameters' type where they are used.
package typealias AdamWUpdate = hatchling_adamw_update
