import Foundation

/// The header of an `.npy` file: a Python dictionary of texts, truths and tuples of whole numbers, in any legal spelling.
package struct NumpyHeader: Decodable {
  /// Empty for something else than a text, such as the list of fields of a structured type.
  let type: String
  let isFortran: Bool?
  let shape: [Int]?

  private enum CodingKeys: String, CodingKey {
    case type = "descr"
    case isFortran = "fortran_order"
    case shape
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    guard values.contains(.type) else {
      throw DecodingError.keyNotFound(CodingKeys.type, .init(codingPath: [], debugDescription: "no type"))
    }
    type = (try? values.decode(String.self, forKey: .type)) ?? ""
    isFortran = try? values.decode(Bool.self, forKey: .isFortran)
    shape = try? values.decode([Int].self, forKey: .shape)
  }

  /// Nil for a text that is no dictionary or names no type. Nesting is bounded by the decoder.
  static func parse(_ bytes: some BidirectionalCollection<UInt8>) -> NumpyHeader? {
    // With brackets for tuples and without Python 2's marks, u'…' and 3L, such a dictionary is JSON 5.
    var text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: ["\0"])
    for (python, json) in [
      ("\\(", "["), ("\\)", "]"), ("\\bTrue\\b", "true"), ("\\bFalse\\b", "false"), ("\\b[ub](['\"])", "$1"),
      ("(\\d)L", "$1"),
    ] {
      text = text.replacingOccurrences(of: python, with: json, options: .regularExpression)
    }
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    return try? decoder.decode(NumpyHeader.self, from: Data(text.utf8))
  }

  /// The beginning of a file of version 1.0 in C order, `length` bytes for every shape. `type` as Python writes it.
  package static func written(_ type: String, shape: [Int], length: Int) -> [UInt8] {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let text = "{'descr': \(type), 'fortran_order': False, 'shape': (\(sizes)), }"
    let room = UInt16(length - 10)
    precondition(text.utf8.count < room, "a header of \(length) bytes is too short")
    let padded = Array(text.utf8) + Array(repeating: 32, count: Int(room) - 1 - text.utf8.count) + [10]
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(room & 0xFF), UInt8(room >> 8)] + padded
  }
}
