import HatchlingCheckpoint
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

  public init(
    model: String, engine: String, form: String, precision: String, variant: Variant, options: String = ""
  ) {
    (self.model, self.engine, self.form) = (model, engine, form)
    (self.precision, self.variant, self.options) = (precision, variant, options)
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
  /// What has been read of a text that was still being read; nil at its end.
  public var text: TextBeginning?

  public init(identity: StateIdentity, position: Int, arrays: [String: StateArray]) {
    (self.identity, self.position, self.arrays) = (identity, position, arrays)
  }
}

/// How a text begins, as far as it has been read.
public struct TextBeginning: Equatable, Sendable {
  public let tokens: Int
  /// SHA-256 of the tokens, 64 bits each.
  public let digest: String

  init(tokens: Int, digest: String) { (self.tokens, self.digest) = (tokens, digest) }

  /// Cost: one pass over the tokens.
  public init(_ tokens: ArraySlice<Int>) {
    let numbers = tokens.map { UInt64($0).littleEndian }
    self.init(tokens: numbers.count, digest: numbers.withUnsafeBytes(HatchlingCheckpoint.ContentHash.sha256))
  }

  /// Whether a text begins like this.
  public func begins(_ text: [Int]) -> Bool {
    text.count >= tokens && TextBeginning(text[..<tokens]) == self
  }
}

/// A saved state that cannot be restored here.
public enum StateError: InputError, Equatable {
  /// `field` is `model`, `engine`, `form`, `precision`, `variant` or `options`.
  case mismatch(field: String, saved: String, expected: String)
  case missingArray(String)
  case wrongShape(array: String, saved: String, expected: String)
  /// A plastic weight written before the stream began or after its `position`.
  case impossibleStamp(layer: Int, neuron: Int, position: Int)

  public var description: String {
    switch self {
    case .mismatch(let field, let saved, let expected):
      "the state was saved with \(field) '\(saved)' and this run has '\(expected)'; use the \(field) it was saved with"
    case .missingArray(let name):
      "the state lacks the array '\(name)'; it is damaged or was written by another version"
    case .wrongShape(let name, let saved, let expected):
      "the state's array '\(name)' is \(saved), expected \(expected); it is damaged or belongs to another model"
    case .impossibleStamp(let layer, let neuron, let position):
      "the state's array 'stamps.\(layer)' says that neuron \(neuron) was written outside the \(position) tokens read; it is damaged"
    }
  }
}

extension StateIdentity {
  /// Every field by its name, as it is written.
  var fields: [(name: String, value: String)] {
    [
      ("model", model), ("engine", engine), ("form", form), ("precision", precision),
      ("variant", variant.rawValue), ("options", options),
    ]
  }

  /// - Throws: ``StateError/mismatch(field:saved:expected:)`` naming the first field that differs from `expected`.
  public func check(against expected: StateIdentity) throws(StateError) {
    for (saved, wanted) in zip(fields, expected.fields) where saved.value != wanted.value {
      throw .mismatch(field: saved.name, saved: saved.value, expected: wanted.value)
    }
  }
}

extension StateArray {
  /// Wraps a matrix in its precision.
  public static func make<Scalar: NetworkScalar>(_ matrix: Matrix<Scalar>) -> StateArray {
    if let floats = matrix as? Matrix<Float> { return .float(floats) }
    if let doubles = matrix as? Matrix<Double> { return .double(doubles) }
    preconditionFailure("states hold float or double, not \(Scalar.self)")
  }
}

extension SavedState {
  /// An array of numbers of the run's precision. - Throws: ``StateError`` when it is missing or of another type or shape.
  public func matrix<Scalar: NetworkScalar>(
    _ name: String, rows: Int, columns: Int
  ) throws(StateError) -> Matrix<Scalar> {
    let found: Any? =
      switch arrays[name] {
      case .float(let matrix): matrix
      case .double(let matrix): matrix
      default: nil
      }
    guard let matrix = found as? Matrix<Scalar> else { throw .missingArray(name) }
    try Self.check(name, (matrix.rows, matrix.columns), (rows, columns))
    return matrix
  }

  /// An array of integers. - Throws: ``StateError`` when it is missing or of another type or shape.
  public func integers(_ name: String, rows: Int, columns: Int) throws(StateError) -> Matrix<Int64> {
    guard case .int(let matrix) = arrays[name] else { throw .missingArray(name) }
    try Self.check(name, (matrix.rows, matrix.columns), (rows, columns))
    return matrix
  }

  private static func check(_ name: String, _ saved: (Int, Int), _ expected: (Int, Int)) throws(StateError) {
    guard saved == expected else {
      throw .wrongShape(
        array: name, saved: "\(saved.0) × \(saved.1)", expected: "\(expected.0) × \(expected.1)")
    }
  }
}
