/// A JSON object that names its keys as they stand in the output. What is nil, NaN or infinite is null.
struct JSONObject: Encodable, ExpressibleByDictionaryLiteral {
  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private var fields: [(key: String, value: (any Encodable)?)]

  init(dictionaryLiteral elements: (String, (any Encodable)?)...) { fields = elements }

  /// Leaves out what is nil.
  init(omittingNil pairs: KeyValuePairs<String, (any Encodable)?>) {
    fields = pairs.filter { $0.value != nil }
  }

  mutating func append(_ more: JSONObject) { fields += more.fields }

  func encode(to encoder: any Encoder) throws {
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
