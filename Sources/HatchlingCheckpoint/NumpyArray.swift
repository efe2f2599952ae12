/// A NumPy array read from an `.npy` file.
public struct NumpyArray: Sendable {
  public let shape: [Int]
  public let view: TensorView

  /// Arrays in C and in Fortran order. - Throws: ``CheckpointError`` for a damaged file or a type that is not a little-endian number.
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
    guard let header = NumpyHeader.parse(bytes[start..<start + length]) else {
      throw damaged("it is not a dictionary of descr, fortran_order and shape")
    }
    guard let type = elementType(header.type) else {
      throw .unsupported(
        path: path, what: "its element type is not a little-endian number; save it with astype('int64')")
    }
    guard let shape = header.shape, shape.allSatisfy({ $0 >= 0 }) else { throw damaged("it names no shape") }
    guard let isFortran = header.isFortran else { throw damaged("it names no order") }
    guard shape.checkedProduct != nil else { throw damaged("its shape overflows") }
    let data = bytes.count - start - length
    let needed = (shape + [type.size]).checkedProduct
    guard needed == data, let base = bytes.baseAddress else {
      throw damaged(
        "shape \(shape) needs \(needed.map(String.init) ?? "too many") bytes, the file has \(data)")
    }
    let view = TensorView(
      type: type, shape: shape, strides: isFortran ? columnMajorStrides(shape) : nil,
      base: base + start + length, owner: file)
    return NumpyArray(shape: shape, view: view)
  }

  /// Token numbers. - Throws: ``CheckpointError/unsupported(path:what:)`` unless this is a one-dimensional array of integers.
  public func tokens(path: String) throws(CheckpointError) -> [Int] {
    guard shape.count == 1, !view.type.isFloat else {
      throw .unsupported(path: path, what: "token numbers are a one-dimensional array of integers")
    }
    return view.integers.map(Int.init)
  }

  /// Distances where the first index runs fastest.
  private static func columnMajorStrides(_ shape: [Int]) -> [Int] {
    var distance = 1
    return shape.map { size in
      defer { distance &*= max(1, size) }  // wraps only for an empty array, which has no elements to find
      return distance
    }
  }

  /// `<` and `|` say little-endian and "one byte"; without either, or with `=`, NumPy means the machine that reads.
  private static func elementType(_ name: String) -> ElementType? {
    let types: [String: ElementType] = [
      "f8": .f64, "f4": .f32, "f2": .f16, "i8": .i64, "i4": .i32, "i2": .i16, "i1": .i8, "u8": .u64,
      "u4": .u32,
      "u2": .u16, "u1": .u8, "b1": .bool, "?": .bool,
    ]
    let bare = name.drop { "<|=".contains($0) }
    guard name.count - bare.count <= 1, let type = types[String(bare)] else {
      return name.hasPrefix(">") ? types[String(name.dropFirst())].flatMap { $0.size == 1 ? $0 : nil } : nil
    }
    return type
  }
}
