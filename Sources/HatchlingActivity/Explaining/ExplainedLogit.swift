import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics

/// What is explained: the logit of a token less the mean of all logits, which changes no prediction, or less that of another token.
public struct ExplainedLogit: Sendable, Hashable {
  public let token: Int
  public let rival: Int?

  /// - Throws: ``ExplanationError`` for what is not in the alphabet, and a token against itself.
  public init(of token: Int, against rival: Int? = nil, vocabulary: Int) throws(ExplanationError) {
    for one in [token] + (rival.map { [$0] } ?? []) where !(0..<vocabulary).contains(one) {
      throw .noSuchToken(one, vocabulary: vocabulary)
    }
    if token == rival { throw .againstItself(token) }
    (self.token, self.rival) = (token, rival)
  }

  public func value(of logits: [Double]) -> Double {
    logits[token] - (rival.map { logits[$0] } ?? logits.reduce(0, +) / Double(logits.count))
  }

  /// w, `(d)`, with value = w·v after the last layer.
  public func direction(in readout: Matrix<Double>) -> [Double] {
    (0..<readout.rows).map { hub in
      let row = UnsafeBufferPointer(start: readout.row(hub), count: readout.columns)
      return row[token] - (rival.map { row[$0] } ?? row.reduce(0, +) / Double(row.count))
    }
  }
}

/// What cannot be explained.
public enum ExplanationError: InputError, Equatable {
  /// The text has the tokens `first` up to `first + count − 1`.
  case noSuchPosition(Int, first: Int, count: Int)
  case notOneByte(String)
  case noSuchToken(Int, vocabulary: Int)
  case againstItself(Int)
  /// `field` is `engine`, `form` or `precision`.
  case wrongState(path: String, field: String, saved: String)

  public var description: String {
    switch self {
    case .noSuchPosition(let position, let first, let count):
      "there is no token \(position); the text has tokens \(first) to \(first + count - 1)"
    case .notOneByte(let text):
      "'\(text)' is not one byte; write a character, \\n, \\t, \\r, x0A or, for any token by its number, t10"
    case .noSuchToken(let token, let vocabulary):
      "token \(token) is not below the alphabet size \(vocabulary)"
    case .wrongState(let path, let field, let saved):
      "'\(path)' is a state of the \(field) '\(saved)'; only one of the circuit in double can be gone on from"
        .escaped
    case .againstItself(let token): "token \(token) cannot be explained against itself"
    }
  }
}

extension ExplainedLogit {
  /// Reads a byte as reports show it: a character, `\n`, `\t`, `\r`, `␣`, `x0A`; or `t10`, a token by its number.
  /// - Throws: ``ExplanationError/notOneByte(_:)``.
  public static func token(named text: String) throws(ExplanationError) -> Int {
    let bytes = text.anyBytes
    if bytes.count == 1 { return Int(bytes[0]) }
    switch text {
    case "\\n": return 10
    case "\\t": return 9
    case "\\r": return 13
    case "␣": return 32
    default: break
    }
    let digits = text.dropFirst()
    if text.hasPrefix("x"), digits.count == 2, digits.allSatisfy(\.isHexDigit),
      let byte = Int(digits, radix: 16)
    {
      return byte
    }
    if text.hasPrefix("t"), digits.allSatisfy(\.isASCII), digits.allSatisfy(\.isNumber),
      let number = Int(digits)
    {
      return number
    }
    throw .notOneByte(text)
  }
}
