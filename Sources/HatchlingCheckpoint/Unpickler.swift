/// Reads a pickle as data. Nothing is ever called: tensors and plain containers are understood, everything else is kept as an object
/// with the name of its type and what the file says about it.
///
/// All instructions of protocols 0 to 5 are read, but for the few that refer to something outside the file.
struct Unpickler {
  private let bytes: UnsafeRawBufferPointer
  let path: String
  private var offset = 0
  private var stack: [PickleValue] = []
  private var memo: [Int: PickleValue] = [:]
  /// Bytes of memory taken so far, about, and how many may be.
  private var spent = 0
  private let budget: Int
  /// Every container built, so that a deep nest is taken apart one by one: releasing the outermost first would recurse.
  private var containers: [PickleContainer] = []

  /// - Parameter fileSize: the size of the whole file, in bytes: memory stays within twice that and 40 MB.
  init(_ bytes: UnsafeRawBufferPointer, path: String, fileSize: Int) {
    (self.bytes, self.path) = (bytes, path)
    budget = 2 * fileSize + 40 << 20
  }

  mutating func run() throws(CheckpointError) -> PickleValue {
    while true {
      let code = try byte()
      if code == UInt8(ascii: ".") { return try pop() }
      try readValue(code)
    }
  }

  /// Empties every container; what ``run()`` returned must not be used afterwards.
  mutating func takeApart() {
    stack = []
    memo = [:]
    for container in containers { container.values = [] }
  }

  // MARK: Reading

  func damaged(_ problem: String) -> CheckpointError {
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

  private mutating func skip(_ length: Int) throws(CheckpointError) -> Range<Int> {
    guard length <= bytes.count - offset else { throw damaged("a string is longer than the file") }
    defer { offset += length }
    return offset..<offset + length
  }

  private mutating func text(_ length: Int) throws(CheckpointError) -> PickleValue {
    let range = try skip(length)
    try spend(length)
    return .text(String(decoding: bytes[range], as: UTF8.self))
  }

  private mutating func line() throws(CheckpointError) -> String {
    let start = offset
    while try byte() != 10 {}
    try spend(offset - start)
    return String(decoding: bytes[start..<offset - 1], as: UTF8.self)
  }

  /// A number in two's complement, lowest byte first, of any length.
  private mutating func signed(_ length: Int) throws(CheckpointError) -> PickleValue {
    let range = try skip(length)
    guard length <= 16 else { return .shown("an integer of \(length) bytes") }
    var value: Int128 = length > 0 && bytes[range.upperBound - 1] >= 0x80 ? -1 : 0
    for place in range.reversed() { value = value << 8 | Int128(bytes[place]) }
    return Int(exactly: value).map(PickleValue.integer) ?? .shown(String(value))
  }

  private mutating func decimal() throws(CheckpointError) -> PickleValue {
    let digits = try line()
    if digits == "00" || digits == "01" { return .bool(digits == "01") }
    let plain = digits.hasSuffix("L") ? String(digits.dropLast()) : digits
    return Int(plain).map(PickleValue.integer)
      ?? .shown(plain.count <= 40 ? plain : "an integer of \(plain.count) digits")
  }

  // MARK: The stack

  /// Counts memory, roughly and rather too much.
  private mutating func spend(_ bytes: Int) throws(CheckpointError) {
    spent += bytes
    guard spent + stack.count * 48 <= budget else {
      throw .unsupported(
        path: path, what: "its pickle builds more than a file of this size may; save the state_dict() alone")
    }
  }

  private mutating func push(_ value: PickleValue) throws(CheckpointError) {
    try spend(0)
    stack.append(value)
  }

  private mutating func pop() throws(CheckpointError) -> PickleValue {
    guard let value = stack.popLast() else { throw damaged("it takes from an empty stack") }
    return value
  }

  private func top() throws(CheckpointError) -> PickleValue {
    guard let value = stack.last else { throw damaged("it looks at an empty stack") }
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

  /// A container that is known, and counted.
  mutating func container(_ values: [PickleValue] = [], type: String = "") throws(CheckpointError)
    -> PickleContainer
  {
    try spend(128 + 32 * values.count)
    let container = PickleContainer(values, type: type)
    containers.append(container)
    return container
  }

  mutating func object(_ type: String) throws(CheckpointError) -> PickleValue {
    .object(try container(type: type))
  }

  private mutating func add(_ values: [PickleValue], to container: PickleContainer) throws(CheckpointError) {
    try spend(48 * values.count)
    container.values.append(contentsOf: values)
  }

  private mutating func recall(_ place: Int) throws(CheckpointError) {
    guard let value = memo[place] else { throw damaged("it recalls what it never stored") }
    try push(value)
  }

  private mutating func store(_ place: Int) throws(CheckpointError) {
    try spend(64)
    memo[place] = try top()
  }

  private mutating func place() throws(CheckpointError) -> Int {
    guard let place = Int(try line()) else { throw damaged("a place in the memo is no number") }
    return place
  }

  // MARK: Instructions

  /// Numbers, texts, truths; other instructions are handed on.
  private mutating func readValue(_ code: UInt8) throws(CheckpointError) {
    switch code {
    case UInt8(ascii: "N"): try push(.none)
    case 0x88: try push(.bool(true))
    case 0x89: try push(.bool(false))
    case UInt8(ascii: "K"): try push(.integer(Int(try byte())))
    case UInt8(ascii: "M"): try push(.integer(try unsigned(2)))
    case UInt8(ascii: "J"): try push(try signed(4))
    case 0x8A: try push(try signed(Int(try byte())))
    case 0x8B: try push(try signed(try unsigned(4)))
    case UInt8(ascii: "I"), UInt8(ascii: "L"): try push(try decimal())
    case UInt8(ascii: "G"):
      let range = try skip(8)
      let bits = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: UInt64.self))
      try push(.number(Double(bitPattern: bits)))
    case UInt8(ascii: "F"):
      guard let value = Double(try line()) else { throw damaged("a number is not valid") }
      try push(.number(value))
    case UInt8(ascii: "X"), UInt8(ascii: "T"): try push(try text(try unsigned(4)))
    case 0x8C, UInt8(ascii: "U"): try push(try text(Int(try byte())))
    case 0x8D: try push(try text(try unsigned(8)))
    case UInt8(ascii: "V"): try push(.text(try line()))
    case UInt8(ascii: "S"): try push(.text(String(try line().dropFirst().dropLast())))
    case UInt8(ascii: "B"), UInt8(ascii: "C"), 0x8E, 0x96:
      _ = try skip(
        code == UInt8(ascii: "C") ? Int(try byte()) : try unsigned(code == UInt8(ascii: "B") ? 4 : 8))
      try push(try object("bytes"))
    default: try arrange(code)
    }
  }

  /// The protocol, the stack and the memo.
  private mutating func arrange(_ code: UInt8) throws(CheckpointError) {
    switch code {
    case 0x80: _ = try byte()  // PROTO
    case 0x95: _ = try unsigned(8)  // FRAME
    case UInt8(ascii: "("): try push(.mark)
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): try push(try top())
    case UInt8(ascii: "q"): try store(Int(try byte()))
    case UInt8(ascii: "r"): try store(try unsigned(4))
    case UInt8(ascii: "p"): try store(try place())
    case 0x94: try store(memo.count)
    case UInt8(ascii: "h"): try recall(Int(try byte()))
    case UInt8(ascii: "j"): try recall(try unsigned(4))
    case UInt8(ascii: "g"): try recall(try place())
    default: try fill(code)
    }
  }

  /// Containers, and what goes into them.
  private mutating func fill(_ code: UInt8) throws(CheckpointError) {
    switch code {
    case UInt8(ascii: ")"), UInt8(ascii: "]"): try push(.list(try container()))
    case UInt8(ascii: "}"): try push(.dictionary(try container()))
    case 0x8F: try push(try object("set"))
    case UInt8(ascii: "t"), UInt8(ascii: "l"): try push(.list(try container(try popToMark())))
    case UInt8(ascii: "d"):
      let dictionary = try container()
      try set(try popToMark(), of: .dictionary(dictionary))
      try push(.dictionary(dictionary))
    case 0x91:
      _ = try popToMark()
      try push(try object("frozenset"))
    case 0x85, 0x86, 0x87:
      var values: [PickleValue] = []
      for _ in 0x85...code { values.insert(try pop(), at: 0) }
      try push(.list(try container(values)))
    case UInt8(ascii: "a"):
      let value = try pop()
      try append([value])
    case UInt8(ascii: "e"), 0x90: try append(try popToMark())
    case UInt8(ascii: "s"):
      let value = try pop()
      let key = try pop()
      try set([key, value], of: try top())
    case UInt8(ascii: "u"):
      let items = try popToMark()
      try set(items, of: try top())
    default: try construct(code)
    }
  }

  private mutating func append(_ values: [PickleValue]) throws(CheckpointError) {
    switch try top() {
    case .list(let list): try add(values, to: list)
    case .object: break  // the elements of a set, a deque, …
    default: throw damaged("it appends to something that is no list")
    }
  }

  private mutating func set(_ items: [PickleValue], of target: PickleValue) throws(CheckpointError) {
    switch target {
    case .dictionary(let container) where items.count % 2 == 0,
      .object(let container) where items.count % 2 == 0:
      try add(items, to: container)
    default: throw damaged("it sets items of something that is no dictionary")
    }
  }

  /// Names, storages, and what Python would make by a call.
  private mutating func construct(_ code: UInt8) throws(CheckpointError) {
    switch code {
    case UInt8(ascii: "c"):
      let module = try line()
      try push(try global(module, try line()))
    case 0x93:
      guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
        throw damaged("a name is not text")
      }
      try push(try global(module, name))
    case UInt8(ascii: "Q"): try push(try storage(try pop()))
    case UInt8(ascii: "R"), 0x81, 0x92:
      if code == 0x92 { _ = try pop() }  // arguments with names
      let arguments = try pop()
      try push(try made(by: try pop(), arguments))
    case UInt8(ascii: "i"):
      let module = try line()
      let type = try global(module, try line())
      try push(try made(by: type, .list(try container(try popToMark()))))
    case UInt8(ascii: "o"):
      let values = try popToMark()
      guard let type = values.first else { throw damaged("an object has no class") }
      try push(try made(by: type, .list(try container(Array(values.dropFirst())))))
    case UInt8(ascii: "b"):
      let state = try pop()
      // Attributes of tensors and dictionaries, such as _metadata, are not needed.
      if case .object(let object) = try top() { try add([.none, state], to: object) }
    default:
      throw .unsupported(
        path: path,
        what: "its pickle has the instruction 0x\(String(code, radix: 16)); save the state_dict() alone")
    }
  }
}
