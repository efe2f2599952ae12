import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// *expand*: D F, the product that turns two hops through hubs into one synapse.
public enum ExpandPass {
  /// All of `left · rightᵀ`, `(left rows, right rows)`, in blocks of rows on all threads. Cost: 2 d operations per entry.
  public static func run<Scalar: NetworkScalar>(
    _ left: Matrix<Scalar>, _ right: Matrix<Scalar>, workers: Workers
  ) -> Matrix<Scalar> {
    var product = Matrix<Scalar>(rows: left.rows, columns: right.rows)
    let target = product.mutablePointer()
    let (piece, d) = (128, left.columns)
    workers.run(blocks: (left.rows + piece - 1) / piece) { index in
      let first = index * piece
      BLAS.multiply(
        left.row(first), by: right.pointer, transposedB: true, into: target + first * right.rows,
        m: min(piece, left.rows - first), n: right.rows, k: d)
    }
    return product
  }

  /// Fᵀ = (P E')ᵀ, `(n + V, d)`: the rows of E, then those of the embedding, centred where the network normalises.
  static func field<Scalar: NetworkScalar>(_ centred: Weights<Scalar>) -> Matrix<Scalar> {
    let (encoder, embedding) = (centred.encoder, centred.embedding)
    var field = Matrix<Scalar>(rows: encoder.rows + embedding.rows, columns: encoder.columns)
    let target = field.mutablePointer()
    target.update(from: encoder.pointer, count: encoder.count)
    (target + encoder.count).update(from: embedding.pointer, count: embedding.count)
    return field
  }
}
