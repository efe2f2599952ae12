/// What a restricted pickle can hold.
indirect enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case sequence(PickleList)
  case dictionary(PickleDictionary)
  /// A name that may be called or stands for a storage type.
  case global(String)
  /// A reference to a storage: its type and the entry that holds its numbers.
  case storage(ElementType, key: String, count: Int)
  case tensor(StoredTensor)
  case mark
}

/// Lists and dictionaries are filled after they were put on the stack, so they are shared.
final class PickleList {
  var values: [PickleValue]
  init(_ values: [PickleValue]) { self.values = values }
}

final class PickleDictionary {
  var entries: [(key: PickleValue, value: PickleValue)] = []
}

/// A view into a storage.
struct StoredTensor {
  let type: ElementType
  let key: String
  let storageCount: Int
  let offset: Int
  let shape: [Int]
  let strides: [Int]
}

/// Executes the few instructions that torch.save uses for state dicts. Nothing can be called but the constructors of tensors and
/// of ordered dictionaries; every other name is refused.
struct Unpickler {
  private let bytes: UnsafeRawBufferPointer
  private let path: String
  private var offset = 0
  private var stack: [PickleValue] = []
  private var memo: [Int: PickleValue] = [:]
  /// Values put on the stack so far; a pickle cannot build more than it has bytes.
  private var built = 0
  /// Every container built, so that a deep nest is taken apart one by one: releasing the outermost first would recurse.
  private var lists: [PickleList] = []
  private var dictionaries: [PickleDictionary] = []

  private static let callable: Set<String> = [
    "collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter",
  ]
  private static let storageTypes: [String: ElementType] = [
    "DoubleStorage": .f64, "FloatStorage": .f32, "HalfStorage": .f16, "BFloat16Storage": .bf16,
    "LongStorage": .i64,
    "IntStorage": .i32, "ShortStorage": .i16, "CharStorage": .i8, "ByteStorage": .u8, "BoolStorage": .bool,
  ]

  init(_ bytes: UnsafeRawBufferPointer, path: String) {
    self.bytes = bytes
    self.path = path
  }

  mutating func run() throws(CheckpointError) -> PickleValue {
    while true {
      let code = try byte()
      if code == UInt8(ascii: ".") { return try pop() }
      try execute(code)
    }
  }

  /// Empties every container; what ``run()`` returned must not be used afterwards.
  mutating func takeApart() {
    stack = []
    memo = [:]
    for list in lists { list.values = [] }
    for dictionary in dictionaries { dictionary.entries = [] }
  }

  // MARK: Reading

  private func damaged(_ problem: String) -> CheckpointError {
    .damaged(path: path, place: "offset \(offset) of its pickle", problem: problem)
  }

  private mutating func byte() throws(CheckpointError) -> UInt8 {
    guard offset < bytes.count else { throw damaged("it ends early") }
    defer { offset += 1 }
    return bytes[offset]
  }

  private mutating func unsigned(_ size: Int) throws(CheckpointError) -> Int {
    guard bytes.count - offset >= size else { throw damaged("it ends early") }
    var value: UInt64 = 0
    for place in 0..<size { value |= UInt64(bytes[offset + place]) << (8 * UInt64(place)) }
    offset += size
    guard value <= UInt64(Int.max) else { throw damaged("a length is too large") }
    return Int(value)
  }

  private mutating func text(_ length: Int) throws(CheckpointError) -> String {
    guard length <= bytes.count - offset else { throw damaged("a string is longer than the file") }
    defer { offset += length }
    return String(decoding: bytes[offset..<offset + length], as: UTF8.self)
  }

  private mutating func line() throws(CheckpointError) -> String {
    let start = offset
    while try byte() != 10 {}
    return String(decoding: bytes[start..<offset - 1], as: UTF8.self)
  }

  private mutating func signed(_ length: Int) throws(CheckpointError) -> PickleValue {
    guard length <= 8 else { throw damaged("an integer of \(length) bytes") }
    guard length > 0 else { return .integer(0) }
    guard bytes.count - offset >= length else { throw damaged("it ends early") }
    var value = Int64(Int8(bitPattern: bytes[offset + length - 1]))
    for place in (0..<length - 1).reversed() { value = value << 8 | Int64(bytes[offset + place]) }
    offset += length
    return .integer(Int(value))
  }

  // MARK: The stack

  private mutating func push(_ value: PickleValue) throws(CheckpointError) {
    built += 1
    guard built <= bytes.count + 16 else { throw damaged("it builds more values than it has bytes") }
    stack.append(value)
  }

  private mutating func pop() throws(CheckpointError) -> PickleValue {
    guard let value = stack.popLast() else { throw damaged("it takes from an empty stack") }
    return value
  }

  private mutating func popToMark() throws(CheckpointError) -> [PickleValue] {
    guard let place = stack.lastIndex(where: { if case .mark = $0 { true } else { false } }) else {
      throw damaged("a mark is missing")
    }
    let values = Array(stack[(place + 1)...])
    stack.removeSubrange(place...)
    return values
  }

  private mutating func pushList(_ values: [PickleValue]) throws(CheckpointError) {
    let list = PickleList(values)
    lists.append(list)
    try push(.sequence(list))
  }

  private mutating func makeDictionary() -> PickleValue {
    let dictionary = PickleDictionary()
    dictionaries.append(dictionary)
    return .dictionary(dictionary)
  }

  private func top() throws(CheckpointError) -> PickleValue {
    guard let value = stack.last else { throw damaged("it looks at an empty stack") }
    return value
  }

  private mutating func execute(_ code: UInt8) throws(CheckpointError) {
    switch code {
    case 0x80: _ = try byte()  // PROTO
    case 0x95: _ = try unsigned(8)  // FRAME
    case UInt8(ascii: "N"): try push(.none)
    case 0x88: try push(.bool(true))
    case 0x89: try push(.bool(false))
    case UInt8(ascii: "K"): try push(.integer(Int(try byte())))
    case UInt8(ascii: "M"): try push(.integer(try unsigned(2)))
    case UInt8(ascii: "J"): try push(try signed(4))
    case 0x8A: try push(try signed(Int(try byte())))
    case UInt8(ascii: "G"):
      guard bytes.count - offset >= 8 else { throw damaged("it ends early") }
      let bits = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
      try push(.number(Double(bitPattern: bits)))
    case UInt8(ascii: "X"): try push(.text(try text(try unsigned(4))))
    case 0x8C: try push(.text(try text(Int(try byte()))))
    case 0x8D: try push(.text(try text(try unsigned(8))))
    case UInt8(ascii: "("): try push(.mark)
    case UInt8(ascii: ")"), UInt8(ascii: "]"): try pushList([])
    case UInt8(ascii: "}"), 0x8F: try push(makeDictionary())
    case UInt8(ascii: "t"), UInt8(ascii: "l"): try pushList(try popToMark())
    case 0x85: try pushList([try pop()])
    case 0x86:
      let second = try pop()
      try pushList([try pop(), second])
    case 0x87:
      let third = try pop()
      let second = try pop()
      try pushList([try pop(), second, third])
    case UInt8(ascii: "a"):
      let value = try pop()
      try append([value])
    case UInt8(ascii: "e"): try append(try popToMark())
    case UInt8(ascii: "s"):
      let value = try pop()
      let key = try pop()
      try setItems([key, value])
    case UInt8(ascii: "u"): try setItems(try popToMark())
    case UInt8(ascii: "q"): memo[Int(try byte())] = try top()
    case UInt8(ascii: "r"): memo[try unsigned(4)] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): try recall(Int(try byte()))
    case UInt8(ascii: "j"): try recall(try unsigned(4))
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "c"):
      let module = try line()
      try pushGlobal(module, try line())
    case 0x93:
      guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
        throw damaged("a name is not text")
      }
      try pushGlobal(module, name)
    case UInt8(ascii: "Q"): try push(try storage(try pop()))
    case UInt8(ascii: "R"):
      let arguments = try pop()
      try push(try call(try pop(), arguments))
    case UInt8(ascii: "b"): _ = try pop()  // BUILD: attributes such as _metadata are not needed
    default:
      throw CheckpointError.forbidden(path: path, what: "pickle instruction 0x" + String(code, radix: 16))
    }
  }

  private mutating func recall(_ place: Int) throws(CheckpointError) {
    guard let value = memo[place] else { throw damaged("it recalls what it never stored") }
    try push(value)
  }

  private mutating func append(_ values: [PickleValue]) throws(CheckpointError) {
    guard case .sequence(let list) = try top() else {
      throw damaged("it appends to something that is no list")
    }
    list.values.append(contentsOf: values)
  }

  private mutating func setItems(_ items: [PickleValue]) throws(CheckpointError) {
    guard case .dictionary(let dictionary) = try top(), items.count % 2 == 0 else {
      throw damaged("it sets items of something that is no dictionary")
    }
    for place in stride(from: 0, to: items.count, by: 2) {
      dictionary.entries.append((items[place], items[place + 1]))
    }
  }

  // MARK: The few things that may be called

  private mutating func pushGlobal(_ module: String, _ name: String) throws(CheckpointError) {
    let full = "\(module) \(name)"
    let isStorage = module == "torch" && Self.storageTypes[name] != nil
    guard isStorage || Self.callable.contains(full) else {
      throw .forbidden(path: path, what: "\(module).\(name)")
    }
    try push(.global(isStorage ? name : full))
  }

  private mutating func call(_ function: PickleValue, _ arguments: PickleValue) throws(CheckpointError)
    -> PickleValue
  {
    guard case .global(let name) = function, case .sequence(let list) = arguments else {
      throw .forbidden(path: path, what: "something that is no name")
    }
    let arguments = list.values
    switch name {
    case "collections OrderedDict":
      guard arguments.isEmpty else { throw damaged("an ordered dictionary with arguments") }
      return makeDictionary()
    case "torch._utils _rebuild_tensor_v2": return .tensor(try tensor(arguments))
    case "torch._utils _rebuild_parameter":
      guard case .tensor(let tensor)? = arguments.first else { throw damaged("a parameter without a tensor") }
      return .tensor(tensor)
    default: throw .forbidden(path: path, what: name)
    }
  }

  private func storage(_ value: PickleValue) throws(CheckpointError) -> PickleValue {
    guard case .sequence(let list) = value, list.values.count == 5, case .text("storage") = list.values[0],
      case .global(let name) = list.values[1], let type = Self.storageTypes[name],
      case .text(let key) = list.values[2], case .integer(let count) = list.values[4], count >= 0
    else { throw damaged("a storage reference is not valid") }
    return .storage(type, key: key, count: count)
  }

  private func tensor(_ arguments: [PickleValue]) throws(CheckpointError) -> StoredTensor {
    func sizes(_ value: PickleValue) throws(CheckpointError) -> [Int] {
      guard case .sequence(let list) = value, list.values.count <= 16 else {
        throw damaged("a tensor's shape is not valid")
      }
      var result: [Int] = []
      for value in list.values {
        guard case .integer(let size) = value, size >= 0 else {
          throw damaged("a tensor's shape is not valid")
        }
        result.append(size)
      }
      return result
    }
    guard arguments.count >= 4, case .storage(let type, let key, let count) = arguments[0],
      case .integer(let offset) = arguments[1], offset >= 0
    else { throw damaged("a tensor is not valid") }
    let (shape, strides) = (try sizes(arguments[2]), try sizes(arguments[3]))
    guard shape.count == strides.count else { throw damaged("a tensor's strides do not fit its shape") }
    var (last, isEmpty) = (offset, false)
    for (size, stride) in zip(shape, strides) {
      if size == 0 { isEmpty = true }
      let (span, overflow) = max(0, size - 1).multipliedReportingOverflow(by: stride)
      let (sum, more) = last.addingReportingOverflow(span)
      guard !overflow, !more else { throw damaged("a tensor's strides overflow") }
      last = sum
    }
    guard isEmpty ? offset <= count : last < count else {
      throw damaged("a tensor reaches beyond its storage")
    }
    return StoredTensor(
      type: type, key: key, storageCount: count, offset: offset, shape: shape, strides: strides)
  }
}
