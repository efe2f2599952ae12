import Foundation

/// Memory of a fixed number of numbers, aligned to 64 bytes, released with its last reference.
///
/// Either owned, or a view into memory that another object (a mapped file) keeps alive.
public final class NumberStorage<Element: BitwiseCopyable>: @unchecked Sendable {
  // Mutated only through a uniquely referenced `Matrix` or before it is shared, hence Sendable.
  public let base: UnsafeMutablePointer<Element>
  public let count: Int
  private let owner: AnyObject?

  /// Owned memory, all bytes zero. Pages are touched only when written.
  public init(zeros count: Int) {
    let bytes = max(64, (count * MemoryLayout<Element>.stride + 63) & ~63)
    self.count = count
    self.owner = nil
    let raw: UnsafeMutableRawPointer
    if bytes >= NumberStorageLayout.largeBytes {
      // Fresh pages of the kernel are zero already; huge pages save address translations in long streams.
      raw = NumberStorageLayout.mapLarge(bytes)
    } else {
      raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    }
    base = raw.bindMemory(to: Element.self, capacity: max(count, 1))
  }

  /// A view of memory that `owner` keeps alive and that nobody writes.
  public init(viewing pointer: UnsafePointer<Element>, count: Int, owner: AnyObject) {
    self.base = UnsafeMutablePointer(mutating: pointer)
    (self.count, self.owner) = (count, owner)
  }

  /// False for views, which must be copied before they are written.
  public var isOwned: Bool { owner == nil }

  deinit {
    guard owner == nil else { return }
    let bytes = max(64, (count * MemoryLayout<Element>.stride + 63) & ~63)
    if bytes >= NumberStorageLayout.largeBytes {
      munmap(UnsafeMutableRawPointer(base), bytes)
    } else {
      UnsafeMutableRawPointer(base).deallocate()
    }
  }
}

enum NumberStorageLayout {
  /// Blocks from this size on come from the kernel directly, with huge pages where it grants them.
  static let largeBytes = 4 << 20

  static func mapLarge(_ bytes: Int) -> UnsafeMutableRawPointer {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    guard let raw = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0), raw != MAP_FAILED else {
      OutOfMemory.end(bytes)
    }
    madvise(raw, bytes, 14)  // MADV_HUGEPAGE; advice only, so a refusal is harmless
    return raw
  }
}

/// A dense row-major matrix, copied on write.
public struct Matrix<Element: BitwiseCopyable & Sendable>: Sendable {
  /// Number of rows and columns; element (r, c) lies at `r · columns + c`.
  public let rows, columns: Int
  @usableFromInline var storage: NumberStorage<Element>

  /// All zero.
  public init(rows: Int, columns: Int) {
    self.init(rows: rows, columns: columns, storage: NumberStorage(zeros: rows * columns))
  }

  /// Wraps storage of exactly `rows · columns` numbers.
  public init(rows: Int, columns: Int, storage: NumberStorage<Element>) {
    precondition(storage.count == rows * columns, "storage does not fit \(rows) × \(columns)")
    (self.rows, self.columns, self.storage) = (rows, columns, storage)
  }

  /// From row-major elements.
  public init(rows: Int, columns: Int, _ elements: some Collection<Element>) {
    self.init(rows: rows, columns: columns)
    precondition(elements.count == rows * columns, "\(elements.count) elements for \(rows) × \(columns)")
    let isCopied = elements.withContiguousStorageIfAvailable { numbers in
      if let first = numbers.baseAddress { storage.base.update(from: first, count: numbers.count) }
    }
    if isCopied != nil { return }
    for (index, element) in elements.enumerated() { storage.base[index] = element }
  }

  public var count: Int { rows * columns }

  /// Read access to the first element, valid as long as this matrix lives and is not mutated.
  @inlinable
  public var pointer: UnsafePointer<Element> { UnsafePointer(storage.base) }

  /// Read access to row `r`; see ``pointer``.
  @inlinable
  public func row(_ r: Int) -> UnsafePointer<Element> { UnsafePointer(storage.base + r * columns) }

  /// Write access; copies first when the storage is shared or a view of a file.
  public mutating func mutablePointer() -> UnsafeMutablePointer<Element> {
    if !storage.isOwned || !isKnownUniquelyReferenced(&storage) {
      let copy = NumberStorage<Element>(zeros: count)
      copy.base.update(from: storage.base, count: count)
      storage = copy
    }
    return storage.base
  }

  @inlinable
  public subscript(_ r: Int, _ c: Int) -> Element {
    get {
      precondition(
        r >= 0 && r < rows && c >= 0 && c < columns, "(\(r), \(c)) lies outside \(rows) × \(columns)")
      return storage.base[r * columns + c]
    }
    set {
      precondition(
        r >= 0 && r < rows && c >= 0 && c < columns, "(\(r), \(c)) lies outside \(rows) × \(columns)")
      mutablePointer()[r * columns + c] = newValue
    }
  }

  /// All elements, row-major. Cost: a copy.
  public var elements: [Element] { Array(UnsafeBufferPointer(start: storage.base, count: count)) }

  /// The same shape with every element converted.
  public func map<Other>(_ transform: (Element) -> Other) -> Matrix<Other> {
    var result = Matrix<Other>(rows: rows, columns: columns)
    let target = result.mutablePointer()
    for index in 0..<count { target[index] = transform(storage.base[index]) }
    return result
  }
}

extension Matrix {
  /// The rows with these numbers, in that order. Cost: a copy.
  package func selecting(_ numbers: some Collection<Int>) -> Matrix {
    var result = Matrix(rows: numbers.count, columns: columns)
    var target = result.mutablePointer()
    for number in numbers {
      target.update(from: row(number), count: columns)
      target += columns
    }
    return result
  }
}

extension Matrix where Element: NetworkScalar {
  /// A B, or A Bᵀ, on the calling thread.
  package func times(_ other: Matrix, transposed: Bool = false) -> Matrix {
    var result = Matrix(rows: rows, columns: transposed ? other.rows : other.columns)
    BLAS.multiply(
      pointer, by: other.pointer, transposedB: transposed, into: result.mutablePointer(), m: rows,
      n: result.columns, k: columns)
    return result
  }

  /// AᵀB over some rows of both, all by default, on the calling thread.
  package func transposedTimes(_ other: Matrix, rows range: Range<Int>? = nil) -> Matrix {
    let range = range ?? 0..<rows
    var result = Matrix(rows: columns, columns: other.columns)
    BLAS.multiply(
      row(range.lowerBound), transposed: true, by: other.row(range.lowerBound), into: result.mutablePointer(),
      m: columns, n: other.columns, k: range.count)
    return result
  }
}
