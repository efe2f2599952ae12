import CStamp
import HatchlingCheckpoint

/// What the program was called with, byte for byte.
enum Arguments {
  /// The arguments after the program's name, ready to be parsed.
  static var ofProgram: [String] {
    prepared(
      (0..<max(1, hatchling_argument_count())).dropFirst().map { index in
        hatchling_argument(index).map { String(anyBytes: String.bytes(of: $0)) } ?? ""
      })
  }

  /// Arguments as the parser reads them without losing a value: it takes nothing that begins with a dash for the value of an option,
  /// and nothing for one that is empty or joined to `=` by a combining mark.
  ///
  /// `--count -3` becomes `--count=-3`, and `--text=` becomes `--text` and an empty argument. What looks like an option, `--word`, `-h`
  /// or `--`, stays one; `--text=--word` makes it a value.
  static func prepared(_ arguments: [String]) -> [String] {
    var result: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" { return result + [argument] + rest }
      guard argument.isLongOption else {
        result.append(argument)
        continue
      }
      if let equals = argument.unicodeScalars.firstIndex(of: "=") {
        let value = String(argument.unicodeScalars[equals...].dropFirst())
        let isJoined = argument.firstIndex(of: "=") == equals && !value.isEmpty
        result += isJoined ? [argument] : [String(argument.unicodeScalars[..<equals]), value]
      } else if let value = rest.first, value.hasPrefix("-"), value.count > 1, value != "--", value != "-h",
        !value.isLongOption
      {
        rest.removeFirst()
        result.append("\(argument)=\(value)")
      } else {
        result.append(argument)
      }
    }
    return result
  }
}

extension String {
  /// `--` and a letter.
  fileprivate var isLongOption: Bool {
    let bytes = utf8.prefix(3)
    return bytes.starts(with: "--".utf8) && bytes.count == 3
      && (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(bytes[bytes.index(bytes.startIndex, offsetBy: 2)])
  }

  fileprivate static func bytes(of text: UnsafePointer<CChar>) -> [UInt8] {
    var (bytes, place) = ([UInt8](), text)
    while place.pointee != 0 {
      bytes.append(UInt8(bitPattern: place.pointee))
      place += 1
    }
    return bytes
  }
}
