/// A NumPy array read from an `.npy` file.
public struct NumpyArray: Sendable {
  public let shape: [Int]
  public let view: TensorView

  /// - Throws: ``CheckpointError`` for a damaged file or a type that is not a little-endian number in C order.
  public static func read(_ path: String) throws(CheckpointError) -> NumpyArray {
    let file = try MappedFile(path: path)
    func damaged(_ problem: String) -> CheckpointError {
      .damaged(path: path, place: "the .npy header", problem: problem)
    }
    let bytes = file.bytes
    guard bytes.count >= 12, bytes[0] == 0x93, bytes[1..<6].elementsEqual("NUMPY".utf8) else {
      throw damaged("it does not begin as a NumPy array does")
    }
    let isLong = bytes[6] >= 2
    let start = isLong ? 12 : 10
    let length =
      isLong
      ? Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
      : Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self)))
    guard start + length <= bytes.count, length < 1 << 20 else { throw damaged("it ends inside the header") }
    let header = String(decoding: bytes[start..<start + length], as: UTF8.self)
    guard let type = elementType(header) else {
      throw .unsupported(
        path: path, what: "its element type is not a little-endian number; save it with astype('int64')")
    }
    guard !header.contains("'fortran_order': True") else {
      throw .unsupported(path: path, what: "it is in Fortran order; save it with numpy.ascontiguousarray")
    }
    guard let open = header.firstIndex(of: "("), let close = header[open...].firstIndex(of: ")") else {
      throw damaged("it names no shape")
    }
    var shape: [Int] = []
    var count = 1
    for part in header[header.index(after: open)..<close].split(separator: ",") {
      let digits = part.drop { $0 == " " }
      if digits.isEmpty { continue }
      guard let size = Int(digits), size >= 0 else { throw damaged("its shape is not made of numbers") }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow else { throw damaged("its shape overflows") }
      (count, shape) = (product, shape + [size])
    }
    let data = bytes.count - start - length
    let (needed, overflow) = count.multipliedReportingOverflow(by: type.size)
    guard !overflow, needed == data, let base = bytes.baseAddress else {
      throw damaged("shape \(shape) needs \(overflow ? "too many" : "\(needed)") bytes, the file has \(data)")
    }
    let view = TensorView(type: type, shape: shape, strides: nil, base: base + start + length, owner: file)
    return NumpyArray(shape: shape, view: view)
  }

  /// Token numbers. - Throws: ``CheckpointError/unsupported(path:what:)`` unless this is a one-dimensional array of integers.
  public func tokens(path: String) throws(CheckpointError) -> [Int] {
    guard shape.count == 1, !view.type.isFloat else {
      throw .unsupported(path: path, what: "token numbers are a one-dimensional array of integers")
    }
    return view.integers.map(Int.init)
  }

  private static func elementType(_ header: String) -> ElementType? {
    let types: [(String, ElementType)] = [
      ("<f8", .f64), ("<f4", .f32), ("<f2", .f16), ("<i8", .i64), ("<i4", .i32), ("<i2", .i16), ("|i1", .i8),
      ("<u8", .u64), ("<u4", .u32), ("<u2", .u16), ("|u1", .u8), ("|b1", .bool),
    ]
    return types.first { header.contains("'descr': '\($0.0)'") }?.1
  }
}
