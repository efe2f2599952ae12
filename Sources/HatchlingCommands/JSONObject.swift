import Foundation
import HatchlingCheckpoint

/// A JSON object that names its keys as they stand in the output. What is nil, NaN or infinite is null.
package struct JSONObject: Encodable, ExpressibleByDictionaryLiteral {
  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private var fields: [(key: String, value: (any Encodable)?)]

  package init(dictionaryLiteral elements: (String, (any Encodable)?)...) { fields = elements }

  /// Leaves out what is nil.
  init(omittingNil pairs: KeyValuePairs<String, (any Encodable)?>) {
    fields = pairs.filter { $0.value != nil }
  }

  mutating func append(_ more: JSONObject) { fields += more.fields }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Name.self)
    for (name, value) in fields {
      let key = Name(stringValue: name)
      if let value, (value as? Double)?.isFinite != false {
        try container.encode(value, forKey: key)
      } else {
        try container.encodeNil(forKey: key)
      }
    }
  }
}

extension JSONEncoder {
  /// A value as text, in which nothing is taken by a terminal for more than text.
  package func text(of value: some Encodable) throws -> String {
    String(decoding: try encode(value), as: UTF8.self).escapedAsJSON
  }

  /// Keys in snake case and alphabetical order.
  package static func reports(_ more: OutputFormatting = []) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = more.union([.sortedKeys, .withoutEscapingSlashes])
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return encoder
  }
}
