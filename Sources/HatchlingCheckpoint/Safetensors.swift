/// Reads the safetensors container: eight bytes of header length, a JSON header, packed numbers.
enum Safetensors {
  /// Headers beyond this are hostile; real ones have some kilobytes.
  static let largestHeader = 100 << 20

  static func read(_ file: MappedFile) throws(CheckpointError) -> CheckpointFile {
    let path = file.path
    guard file.bytes.count >= 8 else {
      throw .damaged(
        path: path, place: "offset 0", problem: "\(file.bytes.count) bytes are too few for a header length")
    }
    let length = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(min(file.bytes.count - 8, largestHeader)) else {
      throw .damaged(
        path: path, place: "offset 0",
        problem: "the header claims \(length) bytes, the file has \(file.bytes.count - 8) after its length")
    }
    let header = UnsafeRawBufferPointer(rebasing: file.bytes[8..<8 + Int(length)])
    let entries: [String: JSONValue]
    do throws(JSONError) {
      guard case .object(let object) = try JSONValue.parse(header) else {
        throw JSONError(offset: 0, problem: "the header is not a JSON object")
      }
      entries = object
    } catch {
      throw .damaged(path: path, place: "offset \(8 + error.offset)", problem: error.problem)
    }
    var metadata: [String: String] = [:]
    var tensors: [String: TensorView] = [:]
    var opaque: [String: String] = [:]
    var ranges: [(Range<Int>, String)] = []
    let data = file.bytes.count - 8 - Int(length)
    for (key, value) in entries {
      if key == "__metadata__" {
        metadata = try strings(value, path)
        continue
      }
      let entry = try Entry(key, value, dataBytes: data, path)
      let range = entry.range
      if let type = ElementType(rawValue: entry.type), let base = file.bytes.baseAddress {
        tensors[key] = TensorView(
          type: type, shape: entry.shape, base: base + 8 + Int(length) + range.lowerBound, owner: file)
      } else {
        opaque[key] = entry.type
      }
      if !range.isEmpty { ranges.append((range, key)) }
    }
    try checkCover(ranges, dataBytes: data, path)
    return CheckpointFile(path: path, tensors: tensors, metadata: metadata, opaque: opaque)
  }

  private static func strings(_ value: JSONValue, _ path: String) throws(CheckpointError) -> [String: String]
  {
    guard case .object(let object) = value else {
      throw .damaged(path: path, place: "key '__metadata__'", problem: "it is not an object")
    }
    var result: [String: String] = [:]
    for (key, value) in object {
      guard case .string(let text) = value else {
        throw .damaged(path: path, place: "key '__metadata__.\(key)'", problem: "it is not a string")
      }
      result[key] = text
    }
    return result
  }

  /// What the header says about a tensor, checked against the size of the file.
  private struct Entry {
    let type: String
    let shape: [Int]
    /// Where its numbers lie, in bytes from the first byte after the header.
    let range: Range<Int>

    init(_ key: String, _ value: JSONValue, dataBytes: Int, _ path: String) throws(CheckpointError) {
      func damaged(_ problem: String) -> CheckpointError {
        .damaged(path: path, place: "key '\(key)'", problem: problem)
      }
      guard case .object(let entry) = value, case .string(let type) = entry["dtype"],
        case .array(let sizes) = entry["shape"], case .array(let ends) = entry["data_offsets"],
        ends.count == 2
      else { throw damaged("it lacks dtype, shape or data_offsets") }
      let shape = sizes.compactMap(\.integer)
      guard shape.count == sizes.count, shape.allSatisfy({ $0 >= 0 }) else {
        throw damaged("a dimension is not a whole number")
      }
      guard shape.checkedProduct != nil else { throw damaged("its shape overflows") }
      guard shape.count <= 16 else { throw damaged("\(shape.count) dimensions") }
      guard let begin = ends[0].integer, let end = ends[1].integer, begin >= 0, end >= begin, end <= dataBytes
      else {
        throw damaged("its data lies outside the file's \(dataBytes) data bytes")
      }
      // A type of tomorrow has a size that nobody knows today.
      if let bits = ElementType(rawValue: type).map({ $0.size * 8 }) ?? Safetensors.opaqueBits[type] {
        let total = (shape + [bits]).checkedProduct
        guard let total, total % 8 == 0, end - begin == total / 8 else {
          let needed = total.map { String($0 / 8) } ?? "too many"
          throw damaged("shape \(shape) of \(type) needs \(needed) bytes, its offsets span \(end - begin)")
        }
      }
      (self.type, self.shape, range) = (type, shape, begin..<end)
    }
  }

  /// Types of the format that are not read here, and the bits of one number.
  private static let opaqueBits = [
    "F8_E4M3": 8, "F8_E5M2": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F8_E8M0": 8, "F4": 4, "F6_E2M3": 6,
    "F6_E3M2": 6,
    "C64": 64,
  ]

  /// Tensors must follow one another without overlap, hole or rest.
  private static func checkCover(
    _ ranges: [(Range<Int>, String)], dataBytes: Int, _ path: String
  ) throws(CheckpointError) {
    var next = 0
    for (range, key) in ranges.sorted(by: { $0.0.lowerBound < $1.0.lowerBound }) {
      guard range.lowerBound == next else {
        throw .damaged(
          path: path, place: "key '\(key)'",
          problem: range.lowerBound < next
            ? "its data overlaps another tensor's" : "there is a hole before its data")
      }
      next = range.upperBound
    }
    guard next == dataBytes else {
      throw .damaged(path: path, place: "the end", problem: "\(dataBytes - next) bytes belong to no tensor")
    }
  }
}
