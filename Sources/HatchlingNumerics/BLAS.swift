import CKernels
import COpenBLAS

/// Dense linear algebra, always on the calling thread.
///
/// OpenBLAS gives other bits with two threads than with one, so it is pinned to one thread before the first
/// product; callers cut their work into blocks that do not depend on the number of threads and run the blocks
/// on ``Workers``. ``core`` says which kernels multiply.
public enum BLAS {
  private static let pinnedToOneThread: Void = {
    precondition(
      hatchling_blas_chosen().usable, "OpenBLAS multiplies wrongly with every core on this processor")
    openblas_set_num_threads(1)
  }()

  /// C ← α op(A) op(B) + β C, op(A) `m × k`, op(B) `k × n`; leading dimensions, the distances between stored rows, default to densely
  /// packed rows. A dimension of zero is allowed.
  public static func multiply<Scalar: NetworkScalar>(
    _ a: UnsafePointer<Scalar>, transposed transposeA: Bool = false, leading leadingA: Int? = nil,
    by b: UnsafePointer<Scalar>, transposedB transposeB: Bool = false, leadingB: Int? = nil,
    into c: UnsafeMutablePointer<Scalar>, leadingC: Int? = nil,
    m: Int, n: Int, k: Int, alpha: Scalar = 1, beta: Scalar = 0
  ) {
    guard m > 0, n > 0 else { return }
    prepare()
    hatchling_gemm(
      Scalar.isFloat, transposeA, transposeB, Int32(m), Int32(n), Int32(k), Double(alpha), a,
      Int32(leadingA ?? (transposeA ? m : max(k, 1))), b, Int32(leadingB ?? (transposeB ? max(k, 1) : n)),
      Double(beta), c, Int32(leadingC ?? n))
  }

  /// y ← α op(A) x + β y for a stored A of `rows × columns`.
  public static func multiply<Scalar: NetworkScalar>(
    _ a: UnsafePointer<Scalar>, transposed: Bool = false, rows: Int, columns: Int, leading: Int? = nil,
    by x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>, alpha: Scalar = 1, beta: Scalar = 0
  ) {
    guard rows > 0, columns > 0 else { return }
    prepare()
    hatchling_gemv(
      Scalar.isFloat, transposed, Int32(rows), Int32(columns), Double(alpha), a, Int32(leading ?? columns), x,
      Double(beta), y)
  }

  /// Pins OpenBLAS to one thread; free after the first call.
  static func prepare() { _ = pinnedToOneThread }
}
