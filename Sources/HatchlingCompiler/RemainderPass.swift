import HatchlingGraph
import HatchlingNumerics

/// *remainder*: R hubs that carry the best approximation of rank R of G = D F, and what they leave over.
///
/// With C = F Fᵀ (d × d) and the eigenvectors Z of C^½ DᵀD C^½, the truncated singular value decomposition of G is
/// D C^½ Z_R · (F ᵀC^−½ Z_R)ᵀ: no matrix larger than D and F is ever decomposed.
enum RemainderPass {
  /// - Parameters:
  ///   - decoder: D, `(n, d)`.
  ///   - field: Fᵀ, `(n + V, d)`.
  /// - Returns: the hubs, and the rows R' `(n + V, d)` for which D R'ᵀ is what the hubs leave over of G.
  static func run<Scalar: NetworkScalar>(
    decoder: Matrix<Scalar>, field: Matrix<Scalar>, hubs: Int
  ) throws(CompilerError) -> (remainder: HubRemainder<Scalar>, left: Matrix<Scalar>) {
    let d = field.columns
    if hubs == d {
      // All of it: the circuit's own hubs.
      return (HubRemainder(encoder: field, decoder: decoder), Matrix(rows: field.rows, columns: d))
    }
    let (sources, targets) = (field.map { Double($0) }, decoder.map { Double($0) })
    guard let spread = SymmetricEigen(sources.transposedTimes(sources)) else {
      throw .badPruning(noDecomposition)
    }
    let smallest = (spread.values.first ?? 0) * 1e-12
    let root = function(of: spread) { $0 > smallest ? $0.squareRoot() : 0 }
    let inverse = function(of: spread) { $0 > smallest ? 1 / $0.squareRoot() : 0 }
    let middle = root.times(targets.transposedTimes(targets)).times(root)
    guard let strength = SymmetricEigen(middle) else { throw .badPruning(noDecomposition) }
    // Z_R as columns, `(d, R)`.
    var leading = Matrix<Double>(rows: d, columns: hubs)
    for hub in 0..<hubs { for row in 0..<d { leading[row, hub] = strength.vectors[hub, row] } }
    let (down, up) = (root.times(leading), inverse.times(leading))
    let encoder = sources.times(up)
    let carried = encoder.times(down, transposed: true)
    var left = Matrix<Scalar>(rows: field.rows, columns: d)
    let target = left.mutablePointer()
    for index in 0..<left.count { target[index] = Scalar(sources.pointer[index] - carried.pointer[index]) }
    let remainder = HubRemainder(
      encoder: encoder.map { Scalar($0) }, decoder: targets.times(down).map { Scalar($0) })
    return (remainder, left)
  }

  private static let noDecomposition =
    "the weights have no singular value decomposition in double; carry nothing through hubs"

  /// V f(Λ) Vᵀ.
  private static func function(of eigen: SymmetricEigen, _ f: (Double) -> Double) -> Matrix<Double> {
    let d = eigen.values.count
    var scaled = eigen.vectors
    for row in 0..<d { for column in 0..<d { scaled[row, column] *= f(eigen.values[row]) } }
    return eigen.vectors.transposedTimes(scaled)
  }
}
