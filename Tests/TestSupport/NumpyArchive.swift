import CZlib
import Foundation
import HatchlingCheckpoint

/// The arrays of a compressed `.npz` file, for golden values: a trusted file, so only what NumPy writes is understood.
public enum NumpyArchive {
  public struct Damaged: Error {}

  public static func read(_ url: URL) throws -> [String: NumpyArray] {
    let bytes = [UInt8](try Data(contentsOf: url))
    func number(_ offset: Int, _ size: Int) throws -> Int {
      guard offset >= 0, offset + size <= bytes.count else { throw Damaged() }
      return (0..<size).reversed().reduce(0) { $0 << 8 | Int(bytes[offset + $1]) }
    }
    // The end record is the last 22 bytes: NumPy writes no comment.
    let end = bytes.count - 22
    guard try number(end, 4) == 0x0605_4B50 else { throw Damaged() }
    var entry = try number(end + 16, 4)
    var arrays: [String: NumpyArray] = [:]
    for _ in 0..<(try number(end + 10, 2)) {
      guard try number(entry, 4) == 0x0201_4B50 else { throw Damaged() }
      let (method, packed, size) = (
        try number(entry + 10, 2), try number(entry + 20, 4), try number(entry + 24, 4)
      )
      let (nameLength, local) = (try number(entry + 28, 2), try number(entry + 42, 4))
      let name = String(decoding: bytes[entry + 46..<entry + 46 + nameLength], as: UTF8.self)
      let start = local + 30 + (try number(local + 26, 2)) + (try number(local + 28, 2))
      let content = Array(bytes[start..<start + packed])
      arrays[String(name.dropLast(4))] = try array(method == 0 ? content : inflated(content, size))
      entry += 46 + nameLength + (try number(entry + 30, 2)) + (try number(entry + 32, 2))
    }
    return arrays
  }

  private static func array(_ content: [UInt8]) throws -> NumpyArray {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString + ".npy")
    try Data(content).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try NumpyArray.read(file.path)
  }

  private static func inflated(_ packed: [UInt8], _ size: Int) throws -> [UInt8] {
    var (source, target) = (packed, [UInt8](repeating: 0, count: size))
    var stream = z_stream()
    // Negative window bits: raw deflate, as zip holds it.
    guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw Damaged()
    }
    defer { inflateEnd(&stream) }
    let status = source.withUnsafeMutableBufferPointer { input in
      target.withUnsafeMutableBufferPointer { output in
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(output.count)
        return inflate(&stream, Z_FINISH)
      }
    }
    guard status == Z_STREAM_END, Int(stream.total_out) == size else { throw Damaged() }
    return target
  }
}
