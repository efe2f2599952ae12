import HatchlingModel
import HatchlingNumerics

extension TensorEngine {
  /// What a state of this engine belongs to.
  public var identity: StateIdentity {
    StateIdentity(
      model: fingerprint, engine: "tensor", form: "none", precision: Scalar.precisionName,
      variant: hyperparameters.variant)
  }

  public func save() -> SavedState {
    var arrays: [String: StateArray] = [:]
    for (layer, matrix) in attention.enumerated() { arrays["attention.\(layer + 1)"] = .make(matrix) }
    arrays["logits"] = .make(Matrix(rows: 1, columns: logits.count, logits))
    return SavedState(identity: identity, position: position, arrays: arrays)
  }

  public func restore(_ state: SavedState) throws {
    try state.identity.check(against: identity)
    let (n, d) = (hyperparameters.neurons, hyperparameters.synapticDimension)
    var restored: [Matrix<Scalar>] = []
    for layer in 1...hyperparameters.layers {
      restored.append(try state.matrix("attention.\(layer)", rows: n, columns: d))
    }
    logits = try state.matrix("logits", rows: 1, columns: hyperparameters.vocabulary).elements
    attention = restored
    position = state.position
  }
}
