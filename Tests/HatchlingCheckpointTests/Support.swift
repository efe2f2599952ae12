import HatchlingNumerics

/// What an error says to the user; nil where there is none.
func complaint(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return error is any InputError ? "\(error)" : "an internal error: \(error)"
  }
}

/// A stored zip with one entry, as PyTorch lays it out.
func archive(_ content: [UInt8], named name: String = "archive/data.pkl", method: UInt16 = 0) -> [UInt8] {
  func half(_ value: Int) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8 & 255)] }
  func word(_ value: Int) -> [UInt8] { half(value & 0xFFFF) + half(value >> 16) }
  let name = Array(name.utf8)
  let sizes = word(0) + word(content.count) + word(content.count)
  let local =
    word(0x0403_4B50) + half(20) + half(0) + half(Int(method)) + word(0) + sizes + half(name.count)
    + half(0) + name + content
  let central =
    word(0x0201_4B50) + half(20) + half(20) + half(0) + half(Int(method)) + word(0) + sizes
    + half(name.count)
    + half(0) + half(0) + half(0) + half(0) + word(0) + word(0) + name
  return local + central + word(0x0605_4B50) + half(0) + half(0) + half(1) + half(1) + word(central.count)
    + word(local.count) + half(0)
}
