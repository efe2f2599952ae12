import COpenBLAS

/// Eigenvalues and eigenvectors of a symmetric matrix, by LAPACK, on one thread.
public struct SymmetricEigen: Sendable {
  /// Descending.
  public let values: [Double]
  /// `(n, n)`, row k is the unit eigenvector of `values[k]`.
  public let vectors: Matrix<Double>

  /// Nil when LAPACK does not converge, which it does for finite matrices. Cost: O(n³).
  public init?(_ matrix: Matrix<Double>) {
    precondition(matrix.rows == matrix.columns, "a symmetric matrix is square")
    guard matrix.rows > 0 else { return nil }
    BLAS.prepare()
    var n = Int32(matrix.rows)
    var columns = matrix.map { $0 }
    var ascending = [Double](repeating: 0, count: matrix.rows)
    var (workSize, integersSize, info): (Int32, Int32, Int32) = (1 + 6 * n + 2 * n * n, 3 + 5 * n, 0)
    var work = [Double](repeating: 0, count: Int(workSize))
    var integers = [Int32](repeating: 0, count: Int(integersSize))
    // Column-major: eigenvector k becomes row k of a row-major matrix.
    dsyevd_(
      "V", "L", &n, columns.mutablePointer(), &n, &ascending, &work, &workSize, &integers, &integersSize,
      &info)
    guard info == 0 else { return nil }
    values = ascending.reversed()
    vectors = columns.selecting((0..<matrix.rows).reversed())
  }
}
