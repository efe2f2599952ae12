/// Text on its way to a file. A million edges are a hundred million bytes, so numbers and fragments are appended as bytes, with no string
/// in between.
public struct TextBuffer {
  private var bytes: [UInt8] = []
  private let file: AtomicFile

  public init(_ file: AtomicFile) {
    self.file = file
    bytes.reserveCapacity(1 << 16)
  }

  public mutating func append(_ fragment: [UInt8]) { bytes.append(contentsOf: fragment) }
  public mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
  /// One byte, by its code.
  public mutating func append(byte: UInt8) { bytes.append(byte) }

  /// A decimal number.
  public mutating func append(_ number: Int) {
    guard number >= 0 else { return append(String(number)) }
    guard number >= 10 else { return bytes.append(48 + UInt8(truncatingIfNeeded: number)) }
    let start = bytes.count
    var rest = number
    while rest > 0 {
      bytes.append(48 + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    }
    bytes[start...].reverse()
  }

  /// The shortest decimal that reads back as the same number; float32 weights print as float32.
  public mutating func append(_ value: Double) {
    let narrow = Float(value)
    append(Double(narrow) == value ? narrow.description : value.description)
  }

  /// Hands over what has gathered when it is much.
  public mutating func flushIfLarge() throws(CheckpointError) {
    if bytes.count >= 1 << 15 { try flush() }
  }

  public mutating func flush() throws(CheckpointError) {
    try file.write(bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}

extension AtomicFile {
  /// Writes a file of text, whole or not at all.
  /// - Throws: ``CheckpointError/unwritable(path:reason:)`` and what `body` throws.
  public static func writeText(to path: String, _ body: (inout TextBuffer) throws -> Void) throws {
    let file = try AtomicFile(path: path)
    var text = TextBuffer(file)
    try body(&text)
    try text.flush()
    try file.commit()
  }
}
