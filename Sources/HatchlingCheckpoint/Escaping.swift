extension String {
  /// The text on one line and without anything that a terminal or a reader's eye would take for more than text: control and format
  /// characters (escape sequences, line ends, marks that turn the direction of writing) become `\n`, `\u{1B}` and the like, a byte that is
  /// no UTF-8 (see ``anyBytes``) `\xE9`.
  ///
  /// For everything that comes from a file and is shown. Cost: one pass.
  public var escaped: String {
    guard unicodeScalars.contains(where: \.needsEscape) else { return self }
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.byteStoodFor != nil:
        result += "\\x\(String(scalar.value & 0xFF, radix: 16, uppercase: true))"
      case _ where scalar.needsEscape: result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A text of JSON with the same meaning, in which the same characters are written as `\u001B` and the like. Cost: one pass.
  public var escapedAsJSON: String {
    // Line ends stand between values only.
    func isPlain(_ scalar: Unicode.Scalar) -> Bool { scalar == "\n" || !scalar.needsEscape }
    guard !unicodeScalars.allSatisfy(isPlain) else { return self }
    var result = ""
    for scalar in unicodeScalars {
      guard !isPlain(scalar) else {
        result.unicodeScalars.append(scalar)
        continue
      }
      for unit in scalar.utf16 {
        let digits = String(unit, radix: 16, uppercase: true)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return result
  }
}

extension Unicode.Scalar {
  /// Whether a terminal could take it for more than text.
  public var needsEscape: Bool {
    if value < 0x7F { return value < 0x20 }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
      return true
    default: return false
    }
  }
}
