import Foundation

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
    do {
      guard case .object(let object) = try JSONValue.parse(header) else {
        throw CheckpointError.damaged(
          path: path, place: "offset 8", problem: "the header is not a JSON object")
      }
      entries = object
    } catch let error as JSONError {
      throw .damaged(path: path, place: "offset \(8 + error.offset)", problem: error.problem)
    } catch let error as CheckpointError {
      throw error
    } catch {
      throw .damaged(path: path, place: "offset 8", problem: "the header is not JSON")
    }
    var metadata: [String: String] = [:]
    var tensors: [String: TensorView] = [:]
    var ranges: [(Range<Int>, String)] = []
    let data = file.bytes.count - 8 - Int(length)
    for (key, value) in entries {
      if key == "__metadata__" {
        metadata = try strings(value, path)
        continue
      }
      let (view, range) = try tensor(key, value, dataStart: 8 + Int(length), dataBytes: data, file)
      tensors[key] = view
      if !range.isEmpty { ranges.append((range, key)) }
    }
    try checkCover(ranges, dataBytes: data, path)
    return CheckpointFile(path: path, tensors: tensors, metadata: metadata)
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

  private static func tensor(
    _ key: String, _ value: JSONValue, dataStart: Int, dataBytes: Int, _ file: MappedFile
  ) throws(CheckpointError) -> (TensorView, Range<Int>) {
    func damaged(_ problem: String) -> CheckpointError {
      .damaged(path: file.path, place: "key '\(key)'", problem: problem)
    }
    guard case .object(let entry) = value, case .string(let name) = entry["dtype"],
      case .array(let sizes) = entry["shape"], case .array(let ends) = entry["data_offsets"], ends.count == 2
    else { throw damaged("it lacks dtype, shape or data_offsets") }
    guard let type = ElementType(rawValue: name) else { throw damaged("unknown dtype '\(name)'") }
    var shape: [Int] = []
    var count = 1
    for size in sizes {
      guard let size = size.integer, size >= 0 else { throw damaged("a dimension is not a whole number") }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow else { throw damaged("its shape overflows") }
      count = product
      shape.append(size)
    }
    guard shape.count <= 16 else { throw damaged("\(shape.count) dimensions") }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: type.size)
    guard let begin = ends[0].integer, let end = ends[1].integer, begin >= 0, end >= begin, end <= dataBytes
    else {
      throw damaged("its data lies outside the file's \(dataBytes) data bytes")
    }
    guard !overflow, end - begin == bytes else {
      throw damaged(
        "shape \(shape) of \(name) needs \(overflow ? "too many" : "\(bytes)") bytes, its offsets span \(end - begin)"
      )
    }
    guard let base = file.bytes.baseAddress else { throw damaged("no data") }
    let view = TensorView(type: type, shape: shape, strides: nil, base: base + dataStart + begin, owner: file)
    return (view, begin..<end)
  }

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
