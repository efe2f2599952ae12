import CKernels

// Elementwise passes of training, in the fastest form that this processor runs.

extension NetworkScalar {
  /// drive ← (drive)₊; the numbers of the positive elements go to `list`, which has room for `count`. Returns how many.
  @inlinable @inline(__always)
  package static func reluList(
    _ drive: UnsafeMutablePointer<Self>, count: Int, into list: UnsafeMutablePointer<Int32>
  ) -> Int {
    assert(count >= 0)
    return isFloat
      ? hatchling_relu_list_f32(drive.f32, count, list) : hatchling_relu_list_f64(drive.f64, count, list)
  }

  /// The numbers of the positive elements; `list` has room for `count`. Returns how many.
  @inlinable @inline(__always)
  package static func positiveList(
    _ x: UnsafePointer<Self>, count: Int, into list: UnsafeMutablePointer<Int32>
  ) -> Int {
    assert(count >= 0)
    return isFloat
      ? hatchling_positive_list_f32(x.f32, count, list) : hatchling_positive_list_f64(x.f64, count, list)
  }

  /// R_t x on neighbouring pairs: (u, w) ↦ (u cos φ_u − w sin φ_u, w cos φ_w + u sin φ_w).
  @inlinable @inline(__always)
  package static func rotate(
    _ x: UnsafePointer<Self>, _ cosines: UnsafePointer<Self>, _ sines: UnsafePointer<Self>, count: Int,
    into out: UnsafeMutablePointer<Self>
  ) {
    assert(count >= 0 && count % 2 == 0)
    isFloat
      ? hatchling_rotate_f32(x.f32, cosines.f32, sines.f32, count, out.f32)
      : hatchling_rotate_f64(x.f64, cosines.f64, sines.f64, count, out.f64)
  }

  /// R_tᵀ g.
  @inlinable @inline(__always)
  package static func rotateBack(
    _ g: UnsafePointer<Self>, _ cosines: UnsafePointer<Self>, _ sines: UnsafePointer<Self>, count: Int,
    into out: UnsafeMutablePointer<Self>
  ) {
    assert(count >= 0 && count % 2 == 0)
    isFloat
      ? hatchling_rotate_back_f32(g.f32, cosines.f32, sines.f32, count, out.f32)
      : hatchling_rotate_back_f64(g.f64, cosines.f64, sines.f64, count, out.f64)
  }

  /// out = a ⊙ b.
  @inlinable @inline(__always)
  package static func times(
    _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>, count: Int, into out: UnsafeMutablePointer<Self>
  ) {
    assert(count >= 0)
    isFloat
      ? hatchling_times_f32(a.f32, b.f32, count, out.f32) : hatchling_times_f64(a.f64, b.f64, count, out.f64)
  }

  /// sum ← sum + a ⊙ b.
  @inlinable @inline(__always)
  package static func addTimes(
    _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>, count: Int, into sum: UnsafeMutablePointer<Self>
  ) {
    assert(count >= 0)
    isFloat
      ? hatchling_add_times_f32(a.f32, b.f32, count, sum.f32)
      : hatchling_add_times_f64(a.f64, b.f64, count, sum.f64)
  }

  /// One AdamW update of `count` parameters.
  @_specialize(where Self == Float)
  @_specialize(where Self == Double)
  package static func adamW(
    _ parameters: UnsafeMutablePointer<Self>, _ first: UnsafeMutablePointer<Self>,
    _ second: UnsafeMutablePointer<Self>, _ gradient: UnsafePointer<Self>, count: Int, _ u: AdamWUpdate<Self>
  ) {
    assert(count >= 0)
    isFloat
      ? hatchling_adamw_f32(
        parameters.f32, first.f32, second.f32, gradient.f32, count, Float(u.scale), Float(u.beta1),
        Float(u.beta2), Float(u.rate), Float(u.decay), Float(u.correction1), Float(u.correction2),
        Float(u.epsilon))
      : hatchling_adamw_f64(
        parameters.f64, first.f64, second.f64, gradient.f64, count, Double(u.scale), Double(u.beta1),
        Double(u.beta2), Double(u.rate), Double(u.decay), Double(u.correction1), Double(u.correction2),
        Double(u.epsilon))
  }
}

/// The numbers of one AdamW update, the same for all parameters.
package struct AdamWUpdate<Scalar: Sendable>: Sendable {
  /// Multiplies the gradient first: clipping.
  package var scale: Scalar
  package var beta1: Scalar
  package var beta2: Scalar
  package var rate: Scalar
  /// Decoupled decay: p ← p (1 − rate · decay).
  package var decay: Scalar
  /// 1 / (1 − βᵏ) after k updates.
  package var correction1: Scalar
  package var correction2: Scalar
  package var epsilon: Scalar

  package init(
    scale: Scalar, beta1: Scalar, beta2: Scalar, rate: Scalar, decay: Scalar, correction1: Scalar,
    correction2: Scalar, epsilon: Scalar
  ) {
    self.scale = scale
    self.beta1 = beta1
    self.beta2 = beta2
    self.rate = rate
    self.decay = decay
    self.correction1 = correction1
    self.correction2 = correction2
    self.epsilon = epsilon
  }
}
