import HatchlingNumerics

/// Which computation a state belongs to. A state is refused by any other.
public struct StateIdentity: Equatable, Sendable {
  /// Fingerprint of the weights, see `Model.fingerprint`.
  public var model: String
  /// `graph` or `tensor`.
  public var engine: String
  /// `circuit`, `direct`, or `none` for the tensor engine.
  public var form: String
  /// `float` or `double`.
  public var precision: String
  public var variant: Variant
  /// Options that change the computation (pruning, rounding of weights, …), in a fixed spelling; empty by default.
  public var options: String

  public init(model: String, engine: String, form: String, precision: String, variant: Variant, options: String = "") {
    self.model = model
    self.engine = engine
    self.form = form
    self.precision = precision
    self.variant = variant
    self.options = options
  }
}

/// An array of a saved state.
public enum StateArray: Sendable {
  case float(Matrix<Float>)
  case double(Matrix<Double>)
  case int(Matrix<Int64>)
}

/// The running state of an engine, as it is: nothing is settled or rounded by saving.
public struct SavedState: Sendable {
  public var identity: StateIdentity
  /// Tokens read so far.
  public var position: Int
  public var arrays: [String: StateArray]

  public init(identity: StateIdentity, position: Int, arrays: [String: StateArray]) {
    self.identity = identity
    self.position = position
    self.arrays = arrays
  }
}

/// A saved state that cannot be restored here.
public enum StateError: InputError, Equatable {
  /// `field` is `model`, `engine`, `form`, `precision`, `variant` or `options`.
  case mismatch(field: String, saved: String, expected: String)
  case missingArray(String)
  case wrongShape(array: String, saved: String, expected: String)

  public var description: String {
    switch self {
    case .mismatch(let field, let saved, let expected):
      "the state was saved with \(field) '\(saved)' and this run has '\(expected)'; use the \(field) it was saved with"
    case .missingArray(let name): "the state lacks the array '\(name)'; it is damaged or was written by another version"
    case .wrongShape(let name, let saved, let expected):
      "the state's array '\(name)' is \(saved), expected \(expected); it is damaged or belongs to another model"
    }
  }
}

extension StateIdentity {
  /// - Throws: ``StateError/mismatch(field:saved:expected:)`` naming the first field that differs from `expected`.
  public func check(against expected: StateIdentity) throws(StateError) {
    let fields = [
      ("model", model, expected.model), ("engine", engine, expected.engine), ("form", form, expected.form),
      ("precision", precision, expected.precision), ("variant", variant.rawValue, expected.variant.rawValue),
      ("options", options, expected.options),
    ]
    for (field, saved, wanted) in fields where saved != wanted {
      throw .mismatch(field: field, saved: saved, expected: wanted)
    }
  }
}
