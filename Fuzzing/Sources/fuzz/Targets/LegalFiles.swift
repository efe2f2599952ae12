import Foundation
import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics

/// Random legal files, by our writers and in other legal spellings: the same values come back.
enum LegalFiles {
  static func writeAndRead(_ input: [UInt8]) throws {
    var choices = Choices(input)
    do {
      switch choices.below(6) {
      case 0: try ourSafetensors(&choices)
      case 1: try otherSafetensors(&choices)
      case 2: try ourArray(&choices)
      case 3: try otherArray(&choices)
      case 4: try archive(&choices)
      default: try state(&choices)
      }
    } catch let error as any InputError { throw FuzzFailure("a legal file was refused: \(error)") }
  }

  // MARK: Safetensors

  private struct Tensor {
    let name: String
    let type: ElementType
    let shape: [Int]
    let content: [UInt8]
    var count: Int { shape.reduce(1, *) }
  }

  private static func text(_ choices: inout Choices) -> String {
    let scalars: [Unicode.Scalar] = [
      "a", "Z", "0", ".", "_", "/", "\"", "\\", "\n", "\t", "\u{0}", "\u{1F}", "\u{7F}", "é", "😀", "\u{FFFF}",
      "\u{202E}", "e\u{301}".unicodeScalars.last ?? "e", " ", "{", "}",
    ]
    var result = String.UnicodeScalarView()
    for _ in 0..<choices.below(12) { result.append(choices.pick(scalars)) }
    return String(result)
  }

  private static func tensors(_ choices: inout Choices) -> [Tensor] {
    (0..<choices.below(6)).map { index in
      let type = choices.pick(ElementType.allCases)
      let shape = (0..<choices.below(5)).map { _ in choices.below(5) }
      let bytes = (0..<shape.reduce(1, *) * type.size).map { _ in choices.byte() }
      // Names that differ in bytes and are the same text for Swift (é) cannot both be keys; the number keeps them apart.
      return Tensor(name: text(&choices) + "\(index)", type: type, shape: shape, content: bytes)
    }
  }

  private static func metadata(_ choices: inout Choices) -> [String: String] {
    var result: [String: String] = [:]
    for index in 0..<choices.below(4) { result["\(index)\(text(&choices))"] = text(&choices) }
    return result
  }

  private static func check(_ path: String, _ tensors: [Tensor], _ metadata: [String: String]) throws {
    let file = try CheckpointFile.open(path)
    try mustHold(file.opaque.isEmpty, "everything is known")
    try mustHold(
      Set(file.tensors.keys) == Set(tensors.map(\.name)),
      "\(file.tensors.keys) are not \(tensors.map(\.name))")
    try mustHold(
      file.metadata.count == metadata.count
        && metadata.allSatisfy { file.metadata[$0].map { Array($0.utf8) } == Array($1.utf8) },
      "\(file.metadata) is not \(metadata)")
    for tensor in tensors {
      guard let view = file.tensors[tensor.name] else { throw FuzzFailure("'\(tensor.name)' is lost") }
      try mustHold(
        view.type == tensor.type && view.shape == tensor.shape, "'\(tensor.name)' changed its form")
      try checkValues(view, tensor)
    }
  }

  private static func checkValues(_ view: TensorView, _ tensor: Tensor) throws {
    let floats = view.floats.map(\.bitPattern)
    for index in 0..<tensor.count {
      let bits = (0..<tensor.type.size).reduce(UInt64(0)) {
        $0 | UInt64(tensor.content[index * tensor.type.size + $1]) << (8 * UInt64($1))
      }
      let expected = value(bits, tensor.type)
      let found = Float(bitPattern: floats[index])
      try mustHold(
        expected.isNaN ? found.isNaN : Float(expected).bitPattern == found.bitPattern,
        "'\(tensor.name)' \(index): \(found) is not \(expected)")
    }
  }

  /// The number that these bits are, by the definition of its type.
  private static func value(_ bits: UInt64, _ type: ElementType) -> Double {
    switch type {
    case .f64: Double(bitPattern: bits)
    case .f32: Double(Float(bitPattern: UInt32(bits)))
    case .bf16: Double(Float(bitPattern: UInt32(bits) << 16))
    case .f16: half(bits)
    case .i64: Double(Float(Int64(bitPattern: bits)))
    case .i32: Double(Int32(truncatingIfNeeded: bits))
    case .i16: Double(Int16(truncatingIfNeeded: bits))
    case .i8: Double(Int8(truncatingIfNeeded: bits))
    case .u64: Double(Float(min(bits, UInt64(Int64.max))))
    case .u32, .u16, .u8, .bool: Double(bits)
    }
  }

  private static func half(_ bits: UInt64) -> Double {
    let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023))
    let magnitude =
      exponent == 31
      ? (fraction == 0 ? .infinity : .nan)
      : exponent == 0 ? fraction * 0x1p-24 : (1024 + fraction) * pow(2, Double(exponent - 25))
    return bits >> 15 == 1 ? -magnitude : magnitude
  }

  private static func ourSafetensors(_ choices: inout Choices) throws {
    let (tensors, metadata) = (tensors(&choices), metadata(&choices))
    let scratch = try ScratchFile()
    try SafetensorsWriter.write(
      tensors.map { tensor in
        TensorToWrite(tensor.name, tensor.type, tensor.shape) { sink in
          try tensor.content.withUnsafeBytes(sink)
        }
      }, metadata: metadata, to: scratch.path)
    try check(scratch.path, tensors, metadata)
  }

  /// Another writer's: spaces, escapes, keys in any order, padding, tensors named in another order than they lie in.
  private static func otherSafetensors(_ choices: inout Choices) throws {
    let (tensors, metadata) = (tensors(&choices), metadata(&choices))
    func space() -> String { choices.flip() ? "" : [" ", "\n", "\t", "\r\n "][choices.below(4)] }
    func quoted(_ text: String) -> String {
      let escapesAll = choices.flip()
      let body = text.utf16.map { unit in
        let hexadecimal = String(unit, radix: 16, uppercase: choices.flip())
        let escape = "\\u" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
        guard !escapesAll, (0x20..<0x7F).contains(unit), unit != 0x22, unit != 0x5C,
          let scalar = Unicode.Scalar(unit)
        else { return escape }
        return String(scalar)
      }
      return "\"\(body.joined())\""
    }
    func object(_ members: [(String, String)]) -> String {
      let body = members.map { "\(space())\(quoted($0.0))\(space()):\(space())\($0.1)\(space())" }
      return "{\(body.joined(separator: ","))\(body.isEmpty ? space() : "")}"
    }
    var offset = 0
    var members = tensors.map { tensor in
      let range = "[\(offset)\(space()),\(offset + tensor.content.count)]"
      offset += tensor.content.count
      let shape = "[\(tensor.shape.map { "\($0)\(space())" }.joined(separator: ","))]"
      let entry = [("dtype", "\"\(tensor.type.rawValue)\""), ("shape", shape), ("data_offsets", range)]
      return (tensor.name, object(entry.shuffled(using: &choices)))
    }
    if !metadata.isEmpty || choices.flip() {
      members.append(("__metadata__", object(metadata.map { ($0.key, quoted($0.value)) })))
    }
    let header = object(members.shuffled(using: &choices)) + String(repeating: " ", count: choices.below(9))
    let file = bytes(of: UInt64(header.utf8.count)) + Array(header.utf8) + tensors.flatMap(\.content)
    let scratch = try ScratchFile(file)
    try check(scratch.path, tensors, metadata)
  }

  // MARK: Arrays

  private static func ourArray(_ choices: inout Choices) throws {
    let (rows, columns) = (choices.below(7), 1 + choices.below(5))
    let values = (0..<rows).map { _ in
      (0..<columns).map { _ in Double(bitPattern: choices.next()) }
    }
    let scratch = try ScratchFile()
    let writer = try NumpyWriter<Double>(path: scratch.path, columns: columns)
    for row in values { try writer.append(row) }
    try writer.commit()
    let array = try NumpyArray.read(scratch.path)
    try mustHold(array.shape == [rows, columns], "(\(rows), \(columns)) became \(array.shape)")
    try mustHold(
      array.view.doubles.map(\.bitPattern) == values.flatMap { $0.map(\.bitPattern) }, "values changed")
  }

  /// Any version, order of axes, quotes and spaces.
  private static func otherArray(_ choices: inout Choices) throws {
    let shape = (0..<1 + choices.below(3)).map { _ in choices.below(4) }
    let count = shape.reduce(1, *)
    let values = (0..<count).map { _ in Int32(truncatingIfNeeded: choices.next()) }
    let isFortran = choices.flip()
    let quote = choices.flip() ? "'" : "\""
    func space() -> String { choices.flip() ? "" : " " }
    let sizes = shape.map { "\($0)\(choices.below(5) == 0 ? "L" : "")" }.joined(separator: ",\(space())")
    let members = [
      "\(quote)descr\(quote)\(space()):\(space())\(choices.pick(["'<i4'", "u'<i4'", "'=i4'", "\"i4\""]))",
      "\(quote)fortran_order\(quote):\(space())\(isFortran ? "True" : "False")",
      "\(quote)shape\(quote):\(space())(\(sizes)\(shape.count == 1 || choices.flip() ? "," : ""))",
    ].shuffled(using: &choices)
    let header =
      "{\(members.joined(separator: ",\(space())"))\(choices.flip() ? ", " : "")}"
      + String(repeating: " ", count: choices.below(17)) + "\n"
    let version = UInt8(1 + choices.below(3))
    let size =
      version == 1 ? bytes(of: UInt16(header.utf8.count)) : bytes(of: UInt32(header.utf8.count))
    var data = values
    if isFortran {
      for index in 0..<count {
        var (rest, place, distance) = (index, 0, 1)
        let coordinates = shape.reversed().map { size in
          defer { rest /= size }
          return rest % size
        }
        for (coordinate, size) in zip(coordinates.reversed(), shape) {
          place += coordinate * distance
          distance *= size
        }
        data[place] = values[index]
      }
    }
    let file =
      [0x93] + Array("NUMPY".utf8) + [version, 0] + size + Array(header.utf8) + data.flatMap { bytes(of: $0) }
    let scratch = try ScratchFile(file)
    let array = try NumpyArray.read(scratch.path)
    try mustHold(array.shape == shape, "\(shape) became \(array.shape)")
    try mustHold(array.view.integers == values.map(Int64.init), "values changed")
  }

  // MARK: PyTorch

  /// Tensors that are views of storages: any strides and offsets, names in dictionaries.
  private static func archive(_ choices: inout Choices) throws {
    func text(_ text: String) -> [UInt8] {
      let body = [UInt8](text.utf8)
      return choices.flip()
        ? [0x8C, UInt8(body.count)] + body : [0x58] + bytes(of: UInt32(body.count)) + body
    }
    func number(_ value: Int) -> [UInt8] {
      switch choices.below(4) {
      case 0 where value < 256: [0x4B, UInt8(value)]
      case 1 where value < 65536: [0x4D] + bytes(of: UInt16(value))
      case 2: [0x8A, 3] + bytes(of: UInt32(value)).prefix(3)
      default: [0x4A] + bytes(of: Int32(value))
      }
    }
    func tuple(_ parts: [[UInt8]]) -> [UInt8] {
      guard (1...3).contains(parts.count), choices.flip() else {
        return [0x28] + parts.flatMap { $0 } + [0x74]
      }
      return parts.flatMap { $0 } + [0x84 + UInt8(parts.count)]
    }
    let storage = (0..<40).map { _ in Float(Int16(truncatingIfNeeded: choices.next())) }
    var (entries, expected): ([UInt8], [(String, [Int], [Float])]) = ([], [])
    for index in 0..<choices.below(5) {
      let shape = (0..<choices.below(4)).map { _ in 1 + choices.below(3) }
      let strides = shape.map { _ in choices.below(5) }
      let offset = choices.below(8)
      var places = [offset]
      for (size, stride) in zip(shape, strides) {
        places = places.flatMap { start in (0..<size).map { start + $0 * stride } }
      }
      guard places.allSatisfy({ $0 < 40 }) else { continue }
      let name = "t\(index)"
      let reference = tuple([
        text("storage"), Array("ctorch\nFloatStorage\n".utf8), text("0"), text("cpu"), number(40),
      ])
      let arguments: [[UInt8]] = [
        reference + [0x51], number(offset), tuple(shape.map(number)), tuple(strides.map(number)), [0x89],
        Array("ccollections\nOrderedDict\n".utf8) + [0x29, 0x52],
      ]
      entries += text(name) + Array("ctorch._utils\n_rebuild_tensor_v2\n".utf8) + tuple(arguments) + [0x52]
      expected.append(("net.\(name)", shape, places.map { storage[$0] }))
    }
    let count = Int(Int32(truncatingIfNeeded: choices.next()))
    let pickle =
      [0x80, UInt8(2 + choices.below(4)), 0x7D, 0x28] + text("net") + [0x7D, 0x28] + entries
      + [0x75] + text("count") + [0x4A] + bytes(of: Int32(count)) + [0x75, 0x2E]
    let file = StoredZip.pack([
      ("x/data/0", storage.flatMap { bytes(of: $0.bitPattern) }), ("x/data.pkl", pickle), ("x/version", [51]),
    ])
    let scratch = try ScratchFile(file)
    let read = try CheckpointFile.open(scratch.path)
    try mustHold(read.metadata["count"] == String(count), "a number changed")
    try mustHold(read.tensors.count == expected.count, "\(read.tensors.count) tensors, not \(expected.count)")
    for (name, shape, values) in expected {
      try mustHold(read.tensors[name]?.shape == shape, "'\(name)' changed its shape")
      try mustHold(read.tensors[name]?.floats == values, "'\(name)' changed its values")
    }
  }

  // MARK: States

  private static func state(_ choices: inout Choices) throws {
    let identity = StateIdentity(
      model: text(&choices), engine: text(&choices), form: text(&choices), precision: text(&choices),
      variant: choices.pick(Variant.allCases), options: text(&choices))
    var arrays: [String: StateArray] = [:]
    for index in 0..<choices.below(4) {
      let (rows, columns) = (choices.below(5), choices.below(5))
      let numbers = (0..<rows * columns).map { _ in Int64(bitPattern: choices.next()) }
      switch choices.below(3) {
      case 0: arrays["\(index)"] = .int(Matrix(rows: rows, columns: columns, numbers))
      case 1:
        arrays["\(index)"] = .double(Matrix(rows: rows, columns: columns, numbers.map { Double($0) / 3 }))
      default:
        arrays["\(index)"] = .float(Matrix(rows: rows, columns: columns, numbers.map { Float($0) / 3 }))
      }
    }
    let position = Int(choices.next() >> 14)
    let scratch = try ScratchFile()
    try StateFile.write(SavedState(identity: identity, position: position, arrays: arrays), to: scratch.path)
    let read = try StateFile.read(scratch.path)
    try mustHold(
      read.identity == identity && read.position == position, "\(read.identity) is not \(identity)")
    try mustHold(Set(read.arrays.keys) == Set(arrays.keys), "arrays are missing")
    for (name, array) in arrays {
      try mustHold(
        read.arrays[name].map(Self.bits) == Self.bits(array), "the array '\(name)' changed")
    }
  }

  /// The sizes and all bits.
  private static func bits(_ array: StateArray) -> [UInt64] {
    switch array {
    case .float(let matrix):
      [UInt64(matrix.rows), UInt64(matrix.columns)] + matrix.elements.map { UInt64($0.bitPattern) }
    case .double(let matrix):
      [UInt64(matrix.rows), UInt64(matrix.columns)] + matrix.elements.map(\.bitPattern)
    case .int(let matrix):
      [UInt64(matrix.rows), UInt64(matrix.columns)] + matrix.elements.map { UInt64(bitPattern: $0) }
    }
  }
}
