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
    /// As bytes: code that knows no type is compiled once, here, where collections of any number would be walked through their witness
    /// tables at every element.
    private var waiting: [UInt8] = []
    package private(set) var rows = 0

    init(_ set: hid_t, of file: HDF5File, width: Int?, rowsPerChunk: Int) {
      (self.set, self.file, self.width) = (set, file, width)
      flushAt = rowsPerChunk * (width ?? 1) * MemoryLayout<Number>.stride
      waiting.reserveCapacity(2 * flushAt)
    }

    deinit { hdf5Lock.withLock { file.close(column: set) } }

    /// Appends rows. - Throws: `CheckpointError.unwritable`.
    package func append(_ numbers: [Number]) throws {
      try numbers.withUnsafeBytes { try append(bytes: $0) }
    }

    /// Appends rows whose numbers have the bits of this column's.
    package func append(bytes: UnsafeRawBufferPointer) throws {
      waiting.append(contentsOf: bytes)
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
      let first = waiting.count
      waiting.append(contentsOf: repeatElement(0, count: count * MemoryLayout<Number>.stride))
      withUnsafeBytes(of: number) { number in
        waiting.withUnsafeMutableBytes {
          Self.fill(UnsafeMutableRawBufferPointer(rebasing: $0[first...]), with: number)
        }
      }
      if waiting.count >= flushAt { try flush() }
    }

    /// The bytes of a number again and again: what is there already is copied behind itself.
    private static func fill(_ room: UnsafeMutableRawBufferPointer, with number: UnsafeRawBufferPointer) {
      guard !room.isEmpty else { return }
      room.copyMemory(from: number)
      var filled = number.count
      while filled < room.count {
        let next = min(filled, room.count - filled)
        UnsafeMutableRawBufferPointer(rebasing: room[filled...]).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: room[..<next]))
        filled += next
      }
    }

    /// Everything appended is in the file.
    package func flush() throws {
      hdf5Lock.lock()
      defer { hdf5Lock.unlock() }
      let count = waiting.count / MemoryLayout<Number>.stride / (width ?? 1)
      guard count > 0 else { return }
      let tail = width.map { [hsize_t($0)] } ?? []
      try file.check(H5Dset_extent(set, [hsize_t(rows + count)] + tail))
      try waiting.withUnsafeBytes {
        try write($0.baseAddress, at: [hsize_t(rows)] + tail.map { _ in 0 }, [hsize_t(count)] + tail)
      }
      rows += count
      waiting.removeAll(keepingCapacity: true)
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
#endif
