import Foundation
import HatchlingCheckpoint
import HatchlingNumerics

/// A saved state on disk: a safetensors file whose metadata says what the state belongs to.
public enum StateFile {
  private static let format = "hatchling-state-1"

  /// Writes whole or not at all. - Throws: `CheckpointError.unwritable`.
  public static func write(_ state: SavedState, to path: String) throws {
    try SafetensorsWriter.write(tensors(of: state), metadata: metadata(of: state), to: path)
  }

  /// The arrays in the order of the file.
  package static func tensors(of state: SavedState) -> [TensorToWrite] {
    state.arrays.sorted { $0.key < $1.key }.map { name, array in
      switch array {
      case .float(let matrix): TensorToWrite(name, .f32, [matrix.rows, matrix.columns], matrix)
      case .double(let matrix): TensorToWrite(name, .f64, [matrix.rows, matrix.columns], matrix)
      case .int(let matrix): TensorToWrite(name, .i64, [matrix.rows, matrix.columns], matrix)
      }
    }
  }

  package static func metadata(of state: SavedState) -> [String: String] {
    var metadata = ["format": format, "position": String(state.position)]
    for (name, value) in state.identity.fields { metadata[name] = value }
    metadata["text.tokens"] = state.text.map { String($0.tokens) }
    metadata["text.digest"] = state.text?.digest
    return metadata
  }

  /// Which dimension of an array of a circuit's state counts neurons; nil for what all neurons share.
  package static func neuronDimension(of array: String) -> Int? {
    switch array.prefix(while: { $0 != "." }) {
    case "plastic", "history", "attention": 0
    case "stamps": 1
    default: nil
    }
  }

  /// - Parameter part: reads of a circuit's state what belongs to some neurons only.
  /// - Throws: `CheckpointError` for a damaged file or one that holds no state; `StateError` for one of another number of neurons than `part`
  ///   is of.
  public static func read(_ path: String, only part: NeuronPart? = nil) throws -> SavedState {
    let file = try CheckpointFile.open(path)
    let metadata = file.metadata
    guard metadata["format"] == format else {
      throw CheckpointError.unsupported(path: path, what: "it is not the saved state of a network")
    }
    func text(_ key: String) throws -> String {
      guard let value = metadata[key] else {
        throw CheckpointError.damaged(path: path, place: "metadata", problem: "'\(key)' is missing")
      }
      return value
    }
    guard let position = Int(try text("position")), position >= 0, position < 1 << 50,
      let variant = Variant(rawValue: try text("variant"))
    else {
      throw CheckpointError.damaged(
        path: path, place: "metadata", problem: "position or variant is not valid")
    }
    let identity = StateIdentity(
      model: try text("model"), engine: try text("engine"), form: try text("form"),
      precision: try text("precision"), variant: variant, options: try text("options"))
    var arrays: [String: StateArray] = [:]
    for (name, view) in file.tensors { arrays[name] = try array(view, name, part, path) }
    var state = SavedState(identity: identity, position: position, arrays: arrays)
    if let tokens = metadata["text.tokens"] {
      guard let count = Int(tokens), (0...position).contains(count) else {
        throw CheckpointError.damaged(path: path, place: "metadata", problem: "'text.tokens' is not valid")
      }
      state.text = TextBeginning(tokens: count, digest: try text("text.digest"))
    }
    return state
  }

  private static func array(
    _ view: TensorView, _ name: String, _ part: NeuronPart?, _ path: String
  ) throws -> StateArray {
    guard view.shape.count == 2 else {
      throw CheckpointError.damaged(
        path: path, place: "key '\(name)'", problem: "\(view.shape.count) dimensions, not 2")
    }
    var (rows, columns) = (view.shape[0], view.shape[1])
    var range = 0..<view.count
    if let part, let dimension = neuronDimension(of: name) {
      guard view.shape[dimension] == part.whole, dimension == 0 || rows == 1 else {
        throw StateError.wrongShape(
          array: name, saved: "\(rows) × \(columns)", expected: "of \(part.whole) neurons")
      }
      let width = dimension == 0 ? columns : 1
      range = part.neurons.lowerBound * width..<part.neurons.upperBound * width
      (rows, columns) = dimension == 0 ? (part.neurons.count, columns) : (1, part.neurons.count)
    }
    switch view.type {
    case .f32:
      var matrix = Matrix<Float>(rows: rows, columns: columns)
      view.copy(range, to: matrix.mutablePointer())
      try checkFinite(matrix, name, path)
      return .float(matrix)
    case .f64:
      let matrix = Matrix(rows: rows, columns: columns, view.doubles(range))
      try checkFinite(matrix, name, path)
      return .double(matrix)
    case .i64: return .int(Matrix(rows: rows, columns: columns, view.integers(range)))
    default:
      throw CheckpointError.damaged(
        path: path, place: "key '\(name)'", problem: "dtype \(view.type.rawValue) in a state")
    }
  }

  private static func checkFinite<Scalar: NetworkScalar>(
    _ matrix: Matrix<Scalar>, _ name: String, _ path: String
  ) throws {
    if let index = (0..<matrix.count).first(where: { !matrix.pointer[$0].isFinite }) {
      throw CheckpointError.damaged(
        path: path, place: "key '\(name)'", problem: "element \(index) is not finite")
    }
  }
}
