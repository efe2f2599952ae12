import COpenBLAS
import RealModule

/// A number that networks are made of: `Float` or `Double`.
///
/// Everything that computes is generic over it, so that one implementation serves fast float32 runs and
/// float64 runs used as oracles.
public protocol NetworkScalar: Real, BinaryFloatingPoint, SIMDScalar, BitwiseCopyable, Sendable, Codable,
  SynapseKernels, HistoryKernels, DeliveryKernels, SelectionKernels, TrainingKernels
where Magnitude == Self {
  /// The name used on the command line and in saved states: `float` or `double`.
  static var precisionName: String { get }

  /// Dense products through OpenBLAS; see ``BLAS``.
  static func gemm(_ call: MatrixProduct<Self>)
  static func gemv(_ call: MatrixVectorProduct<Self>)
}

/// C ← α op(A) op(B) + β C with row-major operands; op(A) is `m × k`, op(B) is `k × n`, C is `m × n`.
///
/// `leadingA`, `leadingB`, `leadingC` are the distances between consecutive stored rows, in elements.
public struct MatrixProduct<Scalar> {
  public var transposeA = false
  public var transposeB = false
  public var m: Int
  public var n: Int
  public var k: Int
  public var alpha: Scalar
  public var a: UnsafePointer<Scalar>
  public var leadingA: Int
  public var b: UnsafePointer<Scalar>
  public var leadingB: Int
  public var beta: Scalar
  public var c: UnsafeMutablePointer<Scalar>
  public var leadingC: Int
}

/// y ← α op(A) x + β y with a row-major stored A of `rows × columns`.
public struct MatrixVectorProduct<Scalar> {
  public var transpose = false
  public var rows: Int
  public var columns: Int
  public var alpha: Scalar
  public var a: UnsafePointer<Scalar>
  public var leadingA: Int
  public var x: UnsafePointer<Scalar>
  public var beta: Scalar
  public var y: UnsafeMutablePointer<Scalar>
}

extension Float: NetworkScalar {
  public static var precisionName: String { "float" }

  public static func gemm(_ p: MatrixProduct<Float>) {
    cblas_sgemm(
      CblasRowMajor, p.transposeA ? CblasTrans : CblasNoTrans, p.transposeB ? CblasTrans : CblasNoTrans,
      blasint(p.m), blasint(p.n), blasint(p.k), p.alpha, p.a, blasint(p.leadingA), p.b, blasint(p.leadingB),
      p.beta, p.c, blasint(p.leadingC))
  }

  public static func gemv(_ p: MatrixVectorProduct<Float>) {
    cblas_sgemv(
      CblasRowMajor, p.transpose ? CblasTrans : CblasNoTrans, blasint(p.rows), blasint(p.columns), p.alpha,
      p.a, blasint(p.leadingA), p.x, 1, p.beta, p.y, 1)
  }
}

extension Double: NetworkScalar {
  public static var precisionName: String { "double" }

  public static func gemm(_ p: MatrixProduct<Double>) {
    cblas_dgemm(
      CblasRowMajor, p.transposeA ? CblasTrans : CblasNoTrans, p.transposeB ? CblasTrans : CblasNoTrans,
      blasint(p.m), blasint(p.n), blasint(p.k), p.alpha, p.a, blasint(p.leadingA), p.b, blasint(p.leadingB),
      p.beta, p.c, blasint(p.leadingC))
  }

  public static func gemv(_ p: MatrixVectorProduct<Double>) {
    cblas_dgemv(
      CblasRowMajor, p.transpose ? CblasTrans : CblasNoTrans, blasint(p.rows), blasint(p.columns), p.alpha,
      p.a, blasint(p.leadingA), p.x, 1, p.beta, p.y, 1)
  }
}
