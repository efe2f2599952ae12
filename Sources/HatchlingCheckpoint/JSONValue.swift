import Foundation

/// A JSON text that cannot be read.
struct JSONError: Error, Equatable {
  let offset: Int
  let problem: String
}

/// JSON from files nobody trusts: bounded depth, no duplicate keys, memory in proportion to the text. (Foundation's parser recurses
/// without a bound of ours and keeps the last of duplicate keys.)
enum JSONValue: Equatable {
  case object([String: JSONValue])
  case array([JSONValue])
  case string(String)
  case number(Double)
  case bool(Bool)
  case null

  /// A whole number that a double holds exactly.
  var integer: Int? {
    guard case .number(let value) = self, value == value.rounded(), value.magnitude < 0x1p53 else {
      return nil
    }
    return Int(value)
  }

  static func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONValue {
    var parser = JSONParser(bytes: bytes)
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.offset == bytes.count else { throw parser.error("text after the value") }
    return value
  }
}

private struct JSONParser {
  static let deepest = 32
  let bytes: UnsafeRawBufferPointer
  var offset = 0

  func error(_ problem: String) -> JSONError { JSONError(offset: offset, problem: problem) }

  mutating func skipSpace() {
    while offset < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[offset]) { offset += 1 }
  }

  mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard offset < bytes.count, bytes[offset] == byte else { return false }
    offset += 1
    return true
  }

  mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < Self.deepest else { throw error("nested deeper than \(Self.deepest) levels") }
    skipSpace()
    guard offset < bytes.count else { throw error("the text ends early") }
    switch bytes[offset] {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  mutating func word(_ text: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
    guard bytes.count - offset >= text.utf8.count,
      bytes[offset..<offset + text.utf8.count].elementsEqual(text.utf8)
    else { throw error("not a JSON value") }
    offset += text.utf8.count
    return value
  }

  mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    offset += 1
    var result: [String: JSONValue] = [:]
    if take(UInt8(ascii: "}")) { return .object(result) }
    repeat {
      skipSpace()
      guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else {
        throw error("a key was expected")
      }
      let key = try string()
      guard take(UInt8(ascii: ":")) else { throw error("a colon was expected") }
      guard result[key] == nil else { throw error("the key '\(key)' appears twice") }
      result[key] = try value(depth: depth + 1)
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw error("an object does not end") }
    return .object(result)
  }

  mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    offset += 1
    var result: [JSONValue] = []
    if take(UInt8(ascii: "]")) { return .array(result) }
    repeat { result.append(try value(depth: depth + 1)) } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw error("an array does not end") }
    return .array(result)
  }

  /// The text between two quotes; escapes are left to Foundation, which sees this one string alone.
  mutating func string() throws(JSONError) -> String {
    let start = offset
    offset += 1
    var escaped = false
    while offset < bytes.count {
      let byte = bytes[offset]
      offset += 1
      if byte == UInt8(ascii: "\"") {
        if !escaped {
          guard let text = String(bytes: bytes[(start + 1)..<(offset - 1)], encoding: .utf8) else { break }
          return text
        }
        let quoted = Data(bytes[start..<offset])
        guard
          let text = try? JSONSerialization.jsonObject(with: quoted, options: .fragmentsAllowed) as? String
        else {
          break
        }
        return text
      }
      if byte == UInt8(ascii: "\\") {
        escaped = true
        offset += 1
      }
    }
    offset = start
    throw error("a string is not valid")
  }

  mutating func number() throws(JSONError) -> JSONValue {
    let start = offset
    while offset < bytes.count, offset - start < 40, "+-.eE0123456789".utf8.contains(bytes[offset]) {
      offset += 1
    }
    guard let value = Double(String(decoding: bytes[start..<offset], as: UTF8.self)), value.isFinite else {
      offset = start
      throw error("not a JSON value")
    }
    return .number(value)
  }
}
