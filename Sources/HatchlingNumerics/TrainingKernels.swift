import CKernels

/// Elementwise passes of training, in the fastest form that this processor runs.
public protocol TrainingKernels {
  /// drive ← (drive)₊; the numbers of the positive elements go to `list`, which has room for `count`. Returns how many.
  static func reluList(
    _ drive: UnsafeMutablePointer<Self>, count: Int, into list: UnsafeMutablePointer<Int32>
  ) -> Int
  /// The numbers of the positive elements; `list` has room for `count`. Returns how many.
  static func positiveList(
    _ x: UnsafePointer<Self>, count: Int, into list: UnsafeMutablePointer<Int32>
  ) -> Int
  /// R_t x on neighbouring pairs: (u, w) ↦ (u cos φ_u − w sin φ_u, w cos φ_w + u sin φ_w).
  static func rotate(
    _ x: UnsafePointer<Self>, _ cosines: UnsafePointer<Self>, _ sines: UnsafePointer<Self>, count: Int,
    into out: UnsafeMutablePointer<Self>)
  /// R_tᵀ g.
  static func rotateBack(
    _ g: UnsafePointer<Self>, _ cosines: UnsafePointer<Self>, _ sines: UnsafePointer<Self>, count: Int,
    into out: UnsafeMutablePointer<Self>)
  /// out = a ⊙ b.
  static func times(
    _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>, count: Int, into out: UnsafeMutablePointer<Self>)
  /// sum ← sum + a ⊙ b.
  static func addTimes(
    _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>, count: Int, into sum: UnsafeMutablePointer<Self>)
  /// One AdamW update of `count` parameters.
  static func adamW(
    _ parameters: UnsafeMutablePointer<Self>, _ first: UnsafeMutablePointer<Self>,
    _ second: UnsafeMutablePointer<Self>, _ gradient: UnsafePointer<Self>, count: Int,
    _ update: AdamWUpdate<Self>)
}

/// The numbers of one AdamW update, the same for all parameters.
public struct AdamWUpdate<Scalar: Sendable>: Sendable {
  /// Multiplies the gradient first: clipping.
  public var scale: Scalar
  public var beta1: Scalar
  public var beta2: Scalar
  public var rate: Scalar
  /// Decoupled decay: p ← p (1 − rate · decay).
  public var decay: Scalar
  /// 1 / (1 − βᵏ) after k updates.
  public var correction1: Scalar
  public var correction2: Scalar
  public var epsilon: Scalar

  public init(
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

extension Float: TrainingKernels {
  @inlinable
  public static func reluList(
    _ drive: UnsafeMutablePointer<Float>, count: Int, into list: UnsafeMutablePointer<Int32>
  ) -> Int { hatchling_relu_list_f32(drive, count, list) }

  @inlinable
  public static func positiveList(
    _ x: UnsafePointer<Float>, count: Int, into list: UnsafeMutablePointer<Int32>
  ) -> Int { hatchling_positive_list_f32(x, count, list) }

  @inlinable
  public static func rotate(
    _ x: UnsafePointer<Float>, _ cosines: UnsafePointer<Float>, _ sines: UnsafePointer<Float>, count: Int,
    into out: UnsafeMutablePointer<Float>
  ) { hatchling_rotate_f32(x, cosines, sines, count, out) }

  @inlinable
  public static func rotateBack(
    _ g: UnsafePointer<Float>, _ cosines: UnsafePointer<Float>, _ sines: UnsafePointer<Float>, count: Int,
    into out: UnsafeMutablePointer<Float>
  ) { hatchling_rotate_back_f32(g, cosines, sines, count, out) }

  @inlinable
  public static func times(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>
  ) { hatchling_times_f32(a, b, count, out) }

  @inlinable
  public static func addTimes(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int, into sum: UnsafeMutablePointer<Float>
  ) { hatchling_add_times_f32(a, b, count, sum) }

  @inlinable
  public static func adamW(
    _ parameters: UnsafeMutablePointer<Float>, _ first: UnsafeMutablePointer<Float>,
    _ second: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>, count: Int,
    _ update: AdamWUpdate<Float>
  ) {
    hatchling_adamw_f32(
      parameters, first, second, gradient, count, update.scale, update.beta1, update.beta2, update.rate,
      update.decay, update.correction1, update.correction2, update.epsilon)
  }
}

extension Double: TrainingKernels {
  @inlinable
  public static func reluList(
    _ drive: UnsafeMutablePointer<Double>, count: Int, into list: UnsafeMutablePointer<Int32>
  ) -> Int { hatchling_relu_list_f64(drive, count, list) }

  @inlinable
  public static func positiveList(
    _ x: UnsafePointer<Double>, count: Int, into list: UnsafeMutablePointer<Int32>
  ) -> Int { hatchling_positive_list_f64(x, count, list) }

  @inlinable
  public static func rotate(
    _ x: UnsafePointer<Double>, _ cosines: UnsafePointer<Double>, _ sines: UnsafePointer<Double>, count: Int,
    into out: UnsafeMutablePointer<Double>
  ) { hatchling_rotate_f64(x, cosines, sines, count, out) }

  @inlinable
  public static func rotateBack(
    _ g: UnsafePointer<Double>, _ cosines: UnsafePointer<Double>, _ sines: UnsafePointer<Double>, count: Int,
    into out: UnsafeMutablePointer<Double>
  ) { hatchling_rotate_back_f64(g, cosines, sines, count, out) }

  @inlinable
  public static func times(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, count: Int, into out: UnsafeMutablePointer<Double>
  ) { hatchling_times_f64(a, b, count, out) }

  @inlinable
  public static func addTimes(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, count: Int, into sum: UnsafeMutablePointer<Double>
  ) { hatchling_add_times_f64(a, b, count, sum) }

  @inlinable
  public static func adamW(
    _ parameters: UnsafeMutablePointer<Double>, _ first: UnsafeMutablePointer<Double>,
    _ second: UnsafeMutablePointer<Double>, _ gradient: UnsafePointer<Double>, count: Int,
    _ update: AdamWUpdate<Double>
  ) {
    hatchling_adamw_f64(
      parameters, first, second, gradient, count, update.scale, update.beta1, update.beta2, update.rate,
      update.decay, update.correction1, update.correction2, update.epsilon)
  }
}
