#if HDF5
  import CHDF5
  import Foundation
  import HatchlingNumerics

  /// A dataset that is being written: numbers wait until a chunk is full.
  package final class HDF5Column<Number: HDF5Number> {
    private let set: hid_t
    private let file: HDF5File
    private let width: Int?
    private let flushAt: Int
    private var waiting: WaitingBytes
    package private(set) var rows = 0

    init(_ set: hid_t, of file: HDF5File, width: Int?, rowsPerChunk: Int) {
      (self.set, self.file, self.width) = (set, file, width)
      flushAt = rowsPerChunk * (width ?? 1) * MemoryLayout<Number>.stride
      waiting = WaitingBytes(capacity: 2 * flushAt)
    }

    deinit {
      waiting.deallocate()
      hdf5Lock.withLock { file.close(column: set) }
    }

    /// Appends rows. - Throws: `CheckpointError.unwritable`.
    package func append(_ numbers: [Number]) throws {
      try numbers.withUnsafeBytes { try append(bytes: $0) }
    }

    /// Appends rows whose numbers have the bits of this column's.
    package func append(bytes: UnsafeRawBufferPointer) throws {
      waiting.append(bytes)
      if waiting.count >= flushAt { try flush() }
    }

    /// Appends numbers of any precision as they are, or rounded to this one.
    package func append<Scalar: NetworkScalar>(rounding numbers: [Scalar]) throws where Number == Float {
      if Scalar.self == Float.self {
        try numbers.withUnsafeBytes { try append(bytes: $0) }
      } else {
        try append(numbers.map { Float($0) })
      }
    }

    /// Appends the same number several times.
    package func append(_ number: Number, times count: Int = 1) throws {
      withUnsafeBytes(of: number) { waiting.append($0, times: count) }
      if waiting.count >= flushAt { try flush() }
    }

    /// Everything appended is in the file.
    package func flush() throws {
      hdf5Lock.lock()
      defer { hdf5Lock.unlock() }
      let count = waiting.count / MemoryLayout<Number>.stride / (width ?? 1)
      guard count > 0 else { return }
      let tail = width.map { [hsize_t($0)] } ?? []
      try file.check(H5Dset_extent(set, [hsize_t(rows + count)] + tail))
      try write(waiting.bytes, at: [hsize_t(rows)] + tail.map { _ in 0 }, [hsize_t(count)] + tail)
      rows += count
      waiting.count = 0
    }

    /// Writes elements of an array of known size from a place on.
    package func write(_ numbers: [Number], at place: Int) throws {
      hdf5Lock.lock()
      defer { hdf5Lock.unlock() }
      try numbers.withUnsafeBytes {
        try write($0.baseAddress, at: [hsize_t(place)], [hsize_t(numbers.count)])
      }
    }

    private func write(_ numbers: UnsafeRawPointer?, at start: [hsize_t], _ count: [hsize_t]) throws {
      let space = try file.check(H5Dget_space(set))
      let memory = try file.check(H5Screate_simple(Int32(count.count), count, nil))
      defer {
        H5Sclose(space)
        H5Sclose(memory)
      }
      try file.check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nil, count, nil))
      try file.check(H5Dwrite(set, Number.type, memory, space, hatchling_h5p_default(), numbers))
    }
  }

  /// Numbers on their way to a file, as bytes: code that knows no type is compiled once, here, where collections of any number would be walked
  /// through their witness tables at every element.
  private struct WaitingBytes {
    private(set) var bytes: UnsafeMutableRawPointer
    var count = 0
    private var capacity: Int

    init(capacity: Int) {
      self.capacity = capacity
      bytes = .allocate(byteCount: capacity, alignment: 64)
    }

    func deallocate() { bytes.deallocate() }

    private mutating func makeRoom(for more: Int) {
      guard count + more > capacity else { return }
      capacity = max(2 * capacity, count + more)
      let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
      larger.copyMemory(from: bytes, byteCount: count)
      bytes.deallocate()
      bytes = larger
    }

    mutating func append(_ numbers: UnsafeRawBufferPointer) {
      guard let source = numbers.baseAddress else { return }
      makeRoom(for: numbers.count)
      (bytes + count).copyMemory(from: source, byteCount: numbers.count)
      count += numbers.count
    }

    /// The number that these bytes are, several times.
    mutating func append(_ number: UnsafeRawBufferPointer, times: Int) {
      makeRoom(for: number.count * times)
      let place = bytes + count
      switch number.count {
      case 1: place.initializeMemory(as: UInt8.self, repeating: number[0], count: times)
      case 4:
        place.initializeMemory(
          as: UInt32.self, repeating: number.loadUnaligned(as: UInt32.self), count: times)
      case 8:
        place.initializeMemory(
          as: UInt64.self, repeating: number.loadUnaligned(as: UInt64.self), count: times)
      default:
        for index in 0..<times {
          UnsafeMutableRawBufferPointer(start: place + index * number.count, count: number.count)
            .copyMemory(from: number)
        }
      }
      count += number.count * times
    }
  }
#endif
