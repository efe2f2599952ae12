import HatchlingModel
import HatchlingNumerics

/// *centre*: folds the mean of LayerNorm into E and emb, F = P E' with P = I − 11ᵀ/d.
///
/// Every sum that a normaliser sees is then centred by itself, and normalisers answer with a gain alone. Means are taken in
/// double; the network is the same up to rounding.
public struct CentrePass: CompilerPass {
  public let name = "centre"

  public init() {}

  public func run<Scalar: NetworkScalar>(_ stage: Stage<Scalar>) throws -> PassResult<Scalar> {
    (
      try .weights(Self.run(stage.weights(for: self))), nil,
      "LayerNorm's mean folded into E and the embedding"
    )
  }

  /// - Throws: ``CompilerError/nothingToCentre`` for norm-free networks. Cost: one pass over E and emb.
  public static func run<Scalar: NetworkScalar>(
    _ weights: Weights<Scalar>
  ) throws(CompilerError) -> Weights<Scalar> {
    guard weights.hyperparameters.variant.normalises else { throw .nothingToCentre }
    var result = weights
    centreRows(&result.encoder)
    centreRows(&result.embedding)
    return result
  }

  /// Subtracts from every row its mean.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  static func centreRows<Scalar: NetworkScalar>(_ matrix: inout Matrix<Scalar>) {
    let values = matrix.mutablePointer()
    let d = matrix.columns
    for row in 0..<matrix.rows {
      let row = values + row * d
      var sum = 0.0
      for column in 0..<d { sum += Double(row[column]) }
      let mean = sum / Double(d)
      for column in 0..<d { row[column] = Scalar(Double(row[column]) - mean) }
    }
  }
}
