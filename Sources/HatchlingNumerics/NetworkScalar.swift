import COpenBLAS
import RealModule

/// A number that networks are made of: `Float` or `Double`, no other type.
///
/// Everything that computes is generic over it, so that one implementation serves fast float32 runs and
/// float64 runs used as oracles.
public protocol NetworkScalar: Real, BinaryFloatingPoint, SIMDScalar, BitwiseCopyable, Sendable, Codable
where Magnitude == Self {
  /// The name used on the command line and in saved states: `float` or `double`.
  static var precisionName: String { get }
}

/// C ← α op(A) op(B) + β C with row-major operands; op(A) is `m × k`, op(B) is `k × n`, C is `m × n`.
///
/// `leadingA`, `leadingB`, `leadingC` are the distances between consecutive stored rows, in elements.
package struct MatrixProduct<Scalar> {
  package var transposeA = false
  package var transposeB = false
  package var m: Int
  package var n: Int
  package var k: Int
  package var alpha: Scalar
  package var a: UnsafePointer<Scalar>
  package var leadingA: Int
  package var b: UnsafePointer<Scalar>
  package var leadingB: Int
  package var beta: Scalar
  package var c: UnsafeMutablePointer<Scalar>
  package var leadingC: Int
}

/// y ← α op(A) x + β y with a row-major stored A of `rows × columns`.
package struct MatrixVectorProduct<Scalar> {
  package var transpose = false
  package var rows: Int
  package var columns: Int
  package var alpha: Scalar
  package var a: UnsafePointer<Scalar>
  package var leadingA: Int
  package var x: UnsafePointer<Scalar>
  package var beta: Scalar
  package var y: UnsafeMutablePointer<Scalar>
}

extension Float: NetworkScalar {
  public static var precisionName: String { "float" }
}

extension Double: NetworkScalar {
  public static var precisionName: String { "double" }
}

/// Dense products through OpenBLAS; see ``BLAS``.
extension NetworkScalar {
  @_specialize(where Self == Float)
  @_specialize(where Self == Double)
  package static func gemm(_ p: MatrixProduct<Self>) {
    let (a, b) = (p.transposeA ? CblasTrans : CblasNoTrans, p.transposeB ? CblasTrans : CblasNoTrans)
    let (m, n, k) = (blasint(p.m), blasint(p.n), blasint(p.k))
    let (leadingA, leadingB, leadingC) = (blasint(p.leadingA), blasint(p.leadingB), blasint(p.leadingC))
    isFloat
      ? cblas_sgemm(
        CblasRowMajor, a, b, m, n, k, Float(p.alpha), p.a.f32, leadingA, p.b.f32, leadingB, Float(p.beta),
        p.c.f32, leadingC)
      : cblas_dgemm(
        CblasRowMajor, a, b, m, n, k, Double(p.alpha), p.a.f64, leadingA, p.b.f64, leadingB,
        Double(p.beta), p.c.f64, leadingC)
  }

  @_specialize(where Self == Float)
  @_specialize(where Self == Double)
  package static func gemv(_ p: MatrixVectorProduct<Self>) {
    let (a, leading) = (p.transpose ? CblasTrans : CblasNoTrans, blasint(p.leadingA))
    let (rows, columns) = (blasint(p.rows), blasint(p.columns))
    isFloat
      ? cblas_sgemv(
        CblasRowMajor, a, rows, columns, Float(p.alpha), p.a.f32, leading, p.x.f32, 1, Float(p.beta),
        p.y.f32, 1)
      : cblas_dgemv(
        CblasRowMajor, a, rows, columns, Double(p.alpha), p.a.f64, leading, p.x.f64, 1, Double(p.beta),
        p.y.f64, 1)
  }
}
