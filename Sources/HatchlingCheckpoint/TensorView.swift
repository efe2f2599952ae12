import Foundation
import HatchlingNumerics

/// How numbers are stored in a file.
public enum ElementType: String, Sendable, CaseIterable {
  case f64 = "F64"
  case f32 = "F32"
  case f16 = "F16"
  case bf16 = "BF16"
  case i64 = "I64"
  case i32 = "I32"
  case i16 = "I16"
  case i8 = "I8"
  case u64 = "U64"
  case u32 = "U32"
  case u16 = "U16"
  case u8 = "U8"
  case bool = "BOOL"

  /// Bytes of one number.
  public var size: Int {
    switch self {
    case .f64, .i64, .u64: 8
    case .f32, .i32, .u32: 4
    case .f16, .bf16, .i16, .u16: 2
    case .i8, .u8, .bool: 1
    }
  }

  public var isFloat: Bool { [.f64, .f32, .f16, .bf16].contains(self) }
}

/// A tensor inside a mapped file: nothing is copied until it is asked for.
public struct TensorView: Sendable {
  public let type: ElementType
  /// Row-major unless `strides` says otherwise.
  public let shape: [Int]
  /// Distance between neighbours along each dimension, in elements; nil when densely packed.
  let strides: [Int]?
  /// First byte of the first element; inside `owner`'s memory, with every reachable element checked to be.
  nonisolated(unsafe) let base: UnsafeRawPointer
  let owner: MappedFile

  /// - Parameter strides: nil for a packed tensor; what is packed by its strides is known as such, too.
  init(type: ElementType, shape: [Int], strides: [Int]? = nil, base: UnsafeRawPointer, owner: MappedFile) {
    (self.type, self.shape, self.base, self.owner) = (type, shape, base, owner)
    var distance = 1
    let isPacked = zip(shape, strides ?? []).reversed().allSatisfy { size, stride in
      defer { distance &*= max(1, size) }  // wraps only for an empty tensor, which has no rows to find
      return size <= 1 || stride == distance
    }
    self.strides = isPacked ? nil : strides
  }

  public var count: Int { shape.reduce(1, *) }

  /// The memory as packed float32, when the file holds it just so; nil otherwise.
  public var packedFloats: NumberStorage<Float>? {
    guard type == .f32, strides == nil, Int(bitPattern: base) % MemoryLayout<Float>.alignment == 0 else {
      return nil
    }
    return NumberStorage(viewing: base.assumingMemoryBound(to: Float.self), count: count, owner: owner)
  }

  /// Element `index` in row-major order, as float. Integers are converted.
  @inline(__always)
  private func float(at offset: Int) -> Float {
    switch type {
    case .f32: base.loadUnaligned(fromByteOffset: offset * 4, as: Float.self)
    case .f16: Self.widenHalf(base.loadUnaligned(fromByteOffset: offset * 2, as: UInt16.self))
    case .bf16:
      Float(bfloat16: base.loadUnaligned(fromByteOffset: offset * 2, as: UInt16.self))
    case .f64: Float(base.loadUnaligned(fromByteOffset: offset * 8, as: Double.self))
    default: Float(integer(at: offset))
    }
  }

  private func integer(at offset: Int) -> Int64 {
    switch type {
    case .i64: base.loadUnaligned(fromByteOffset: offset * 8, as: Int64.self)
    case .u64: Int64(clamping: base.loadUnaligned(fromByteOffset: offset * 8, as: UInt64.self))
    case .i32: Int64(base.loadUnaligned(fromByteOffset: offset * 4, as: Int32.self))
    case .u32: Int64(base.loadUnaligned(fromByteOffset: offset * 4, as: UInt32.self))
    case .i16: Int64(base.loadUnaligned(fromByteOffset: offset * 2, as: Int16.self))
    case .u16: Int64(base.loadUnaligned(fromByteOffset: offset * 2, as: UInt16.self))
    case .i8: Int64(base.loadUnaligned(fromByteOffset: offset, as: Int8.self))
    case .u8, .bool: Int64(base.loadUnaligned(fromByteOffset: offset, as: UInt8.self))
    default: 0
    }
  }

  /// IEEE half to single by bits, exact.
  static func widenHalf(_ half: UInt16) -> Float {
    let sign = UInt32(half & 0x8000) << 16
    let exponent = UInt32(half >> 10) & 0x1F
    let fraction = UInt32(half & 0x3FF)
    switch exponent {
    case 0: return (sign == 0 ? 1 : -1) * Float(fraction) * 0x1p-24
    case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }

  /// Where the element with row-major number `index` lies, in elements from `base`.
  private func offset(of index: Int) -> Int {
    guard let strides else { return index }
    var (rest, offset) = (index, 0)
    for dimension in shape.indices.reversed() {
      offset += rest % shape[dimension] * strides[dimension]
      rest /= shape[dimension]
    }
    return offset
  }

  /// Writes elements `range` (row-major) widened or narrowed to float.
  public func copy(_ range: Range<Int>, to target: UnsafeMutablePointer<Float>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    if type == .f32 && strides == nil {
      memcpy(target, base + range.lowerBound * 4, range.count * 4)
    } else if strides == nil {
      for (place, index) in range.enumerated() { target[place] = float(at: index) }
    } else {
      for (place, index) in range.enumerated() { target[place] = float(at: offset(of: index)) }
    }
  }

  /// All elements as float, row-major. Cost: a copy.
  public var floats: [Float] {
    [Float](unsafeUninitializedCapacity: count) { buffer, filled in
      if let target = buffer.baseAddress { copy(0..<count, to: target) }
      filled = count
    }
  }

  /// All elements as double, row-major; exact for every float type.
  public var doubles: [Double] {
    guard type == .f64 else { return type.isFloat ? floats.map(Double.init) : integers.map(Double.init) }
    return doubles(0..<count)
  }

  /// Elements `range` (row-major) of a tensor of doubles.
  package func doubles(_ range: Range<Int>) -> [Double] {
    precondition(type == .f64, "a tensor of \(type.rawValue)")
    return range.map { base.loadUnaligned(fromByteOffset: offset(of: $0) * 8, as: Double.self) }
  }

  /// All elements of a tensor of signed 32-bit or unsigned 16-bit integers, row-major; nil for other types.
  public var integers32: [Int32]? {
    guard type == .i32 || type == .u16 else { return nil }
    guard strides == nil, type == .i32 else { return integers.map { Int32(truncatingIfNeeded: $0) } }
    return [Int32](unsafeUninitializedCapacity: count) { buffer, filled in
      if count > 0, let target = buffer.baseAddress { memcpy(target, base, count * 4) }
      filled = count
    }
  }

  /// All elements of an integer tensor, row-major.
  public var integers: [Int64] { integers(0..<count) }

  /// Elements `range` (row-major) of an integer tensor.
  package func integers(_ range: Range<Int>) -> [Int64] { range.map { integer(at: offset(of: $0)) } }
}

extension Collection<Int> {
  /// The product of sizes that nobody vouches for; nil where it overflows.
  package var checkedProduct: Int? {
    var product = 1
    for size in self {
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      guard !overflow else { return nil }
      product = next
    }
    return product
  }
}
