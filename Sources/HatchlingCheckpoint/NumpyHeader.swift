/// The header of an `.npy` file: a Python dictionary of texts, truths and tuples of whole numbers, in any legal spelling.
struct NumpyHeader {
  enum Value: Equatable {
    case text(String)
    case bool(Bool)
    case numbers([Int])
    /// Something else, such as the list of fields of a structured type.
    case other
  }

  private let bytes: [UInt8]
  private var offset = 0

  /// Nil for a text that is no such dictionary. Cost: one pass, without recursion.
  static func parse(_ bytes: some Sequence<UInt8>) -> [String: Value]? {
    var header = NumpyHeader(bytes: Array(bytes))
    return header.dictionary()
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func skipSpace() {
    while offset < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[offset]) { offset += 1 }
  }

  private mutating func take(_ character: Character) -> Bool {
    skipSpace()
    guard offset < bytes.count, character.asciiValue == bytes[offset] else { return false }
    offset += 1
    return true
  }

  private mutating func dictionary() -> [String: Value]? {
    guard take("{") else { return nil }
    var result: [String: Value] = [:]
    while !take("}") {
      guard let key = text(), take(":"), let value = value() else { return nil }
      result[key] = value
      if !take(",") {
        guard take("}") else { return nil }
        break
      }
    }
    skipSpace()
    return offset == bytes.count || bytes[offset...].allSatisfy { $0 == 0 } ? result : nil
  }

  /// A text in single or double quotes, perhaps with the `u` or `b` of Python 2; escapes have no place in these headers.
  private mutating func text() -> String? {
    skipSpace()
    var start = offset
    if start < bytes.count, [UInt8(ascii: "u"), UInt8(ascii: "b")].contains(bytes[start]) { start += 1 }
    guard start < bytes.count, [UInt8(ascii: "'"), UInt8(ascii: "\"")].contains(bytes[start]),
      let end = bytes[(start + 1)...].firstIndex(of: bytes[start])
    else { return nil }
    offset = end + 1
    return String(decoding: bytes[start + 1..<end], as: UTF8.self)
  }

  private mutating func value() -> Value? {
    if let text = text() { return .text(text) }
    if take("(") { return numbers() }
    if take("[") { return list() }
    let start = offset
    while offset < bytes.count, (0x41...0x5A).contains(bytes[offset] & 0xDF) { offset += 1 }
    switch String(decoding: bytes[start..<offset], as: UTF8.self) {
    case "True": return .bool(true)
    case "False": return .bool(false)
    default: return nil
    }
  }

  private mutating func numbers() -> Value? {
    var result: [Int] = []
    while !take(")") {
      skipSpace()
      let start = offset
      while offset < bytes.count, (0x30...0x39).contains(bytes[offset]) { offset += 1 }
      guard let number = Int(String(decoding: bytes[start..<offset], as: UTF8.self)) else { return nil }
      result.append(number)
      _ = take("L")  // a long integer of Python 2
      if !take(",") { return take(")") ? .numbers(result) : nil }
    }
    return .numbers(result)
  }

  /// Everything up to the bracket that closes a list.
  private mutating func list() -> Value? {
    var depth = 1
    while depth > 0, offset < bytes.count {
      if bytes[offset] == UInt8(ascii: "[") { depth += 1 }
      if bytes[offset] == UInt8(ascii: "]") { depth -= 1 }
      offset += 1
    }
    return depth == 0 ? .other : nil
  }
}
