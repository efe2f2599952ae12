import Foundation
import HatchlingNumerics

/// A tensor to be written: its numbers are asked for when their turn comes, so nothing is held twice.
public struct TensorToWrite {
  public let name: String
  public let type: ElementType
  public let shape: [Int]
  /// Hands all bytes of the tensor, in order, to the sink, in as many pieces as it likes.
  public let bytes: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

  public init(
    _ name: String, _ type: ElementType, _ shape: [Int],
    bytes: @escaping ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) {
    (self.name, self.type, self.shape, self.bytes) = (name, type, shape, bytes)
  }

  /// Packed numbers whose memory is already what the file holds.
  public init<Element: BitwiseCopyable & Sendable>(
    _ name: String, _ type: ElementType, _ shape: [Int], _ matrix: Matrix<Element>
  ) {
    precondition(MemoryLayout<Element>.size == type.size && matrix.count == shape.reduce(1, *))
    self.init(name, type, shape) { sink in
      try sink(UnsafeRawBufferPointer(start: matrix.pointer, count: matrix.count * type.size))
    }
  }
}

/// Writes the safetensors container.
public enum SafetensorsWriter {
  /// Writes the tensors in order, whole or not at all. The header is padded so that data begins at a multiple of 64 bytes.
  /// - Throws: ``CheckpointError/unwritable(path:reason:)``. Cost: one pass over the data.
  public static func write(_ tensors: [TensorToWrite], metadata: [String: String], to path: String) throws {
    let header = try header(tensors.map { ($0.name, $0.type, $0.shape) }, metadata: metadata)
    let file = try AtomicFile(path: path)
    try file.write(header)
    for tensor in tensors {
      var written = 0
      try tensor.bytes { bytes in
        written += bytes.count
        try file.write(bytes)
      }
      precondition(
        written == tensor.shape.reduce(1, *) * tensor.type.size, "\(tensor.name) wrote \(written) bytes")
    }
    try file.commit()
  }

  /// All that stands before the numbers of some tensors, which follow one another: the length and the header.
  package static func header(
    _ tensors: [(name: String, type: ElementType, shape: [Int])], metadata: [String: String]
  ) throws -> [UInt8] {
    var entries: [String] = []
    if !metadata.isEmpty {
      let pairs = try metadata.sorted { $0.key < $1.key }.map {
        "\(try quote($0.key)):\(try quote($0.value))"
      }
      entries.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.shape.reduce(1, *) * tensor.type.size
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      entries.append(
        "\(try quote(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"
      )
      offset = end
    }
    var header = Array("{\(entries.joined(separator: ","))}".utf8)
    header += [UInt8](repeating: UInt8(ascii: " "), count: (64 - (header.count + 8) % 64) % 64)
    return withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header
  }

  /// A JSON string.
  private static func quote(_ text: String) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return String(decoding: try encoder.encode(text), as: UTF8.self)
  }
}
