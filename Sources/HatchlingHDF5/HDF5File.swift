#if HDF5
  import CHDF5
  import Foundation
  import HatchlingCheckpoint
  import HatchlingNumerics

  /// A number as HDF5 stores it.
  package protocol HDF5Number: BitwiseCopyable {
    static var kind: hatchling_h5_number { get }
  }
  extension Double: HDF5Number { package static var kind: hatchling_h5_number { HATCHLING_H5_DOUBLE } }
  extension Float: HDF5Number { package static var kind: hatchling_h5_number { HATCHLING_H5_FLOAT } }
  extension UInt8: HDF5Number { package static var kind: hatchling_h5_number { HATCHLING_H5_UINT8 } }
  extension UInt32: HDF5Number { package static var kind: hatchling_h5_number { HATCHLING_H5_UINT32 } }
  extension Int32: HDF5Number { package static var kind: hatchling_h5_number { HATCHLING_H5_INT32 } }
  extension UInt64: HDF5Number { package static var kind: hatchling_h5_number { HATCHLING_H5_UINT64 } }

  extension HDF5Number {
    package static var type: hid_t { hatchling_h5_native(Int32(kind.rawValue)) }
  }

  /// libhdf5 as Debian has it may be called by one thread at a time: whoever calls it holds this.
  package let hdf5Lock = NSRecursiveLock()

  /// A new HDF5 file that appears whole or not at all. libhdf5 writes; nothing is read.
  package final class HDF5File {
    private let atomic: AtomicFile
    package let path: String
    private var file: hid_t = -1
    /// The descriptor that libhdf5 writes to, and which file that is.
    private var descriptor: Int32 = -1
    private var identity = stat()
    /// How libhdf5 has failed with this file. It is not asked again then: closing what it could not write breaks it down.
    private var failure: CheckpointError?
    /// Columns that are still open.
    private var columns: Set<hid_t> = []

    /// - Throws: `CheckpointError.unwritable`.
    package init(path: String) throws {
      hdf5Lock.lock()
      defer { hdf5Lock.unlock() }
      self.path = path
      hatchling_h5_be_quiet()
      atomic = try AtomicFile(path: path)
      let access = try check(H5Pcreate(hatchling_h5p_access()))
      defer { H5Pclose(access) }
      // Closing the file closes whatever is open in it.
      try check(H5Pset_fclose_degree(access, H5F_CLOSE_STRONG))
      // It is locked already.
      try check(H5Pset_file_locking(access, false, true))
      file = try check(
        H5Fcreate(
          atomic.temporary.systemPath, hatchling_h5f_truncate(), hatchling_h5p_default(), access))
      var handle: UnsafeMutableRawPointer?
      try check(H5Fget_vfd_handle(file, hatchling_h5p_default(), &handle))
      descriptor = handle?.load(as: Int32.self) ?? -1
      fstat(descriptor, &identity)
    }

    deinit {
      guard failure != nil else {
        if file >= 0 { hdf5Lock.withLock { _ = H5Fclose(file) } }
        return
      }
      // The room that it takes is given back, unless libhdf5 came that far.
      var now = stat()
      if fstat(descriptor, &now) == 0, (now.st_dev, now.st_ino) == (identity.st_dev, identity.st_ino) {
        Foundation.close(descriptor)
      }
    }

    /// Closes everything and gives the file its name. Columns are flushed before.
    package func commit() throws {
      hdf5Lock.lock()
      defer { hdf5Lock.unlock() }
      // What a failed call has left out is in no later one.
      if let failure { throw failure }
      // Numbers may wait until their dataset is closed.
      for column in columns.sorted() { try check(H5Dclose(column)) }
      columns = []
      try check(H5Fflush(file, H5F_SCOPE_LOCAL))
      try check(H5Fclose(file))
      file = -1
      try atomic.commit()
    }

    func close(column: hid_t) {
      guard failure == nil, columns.remove(column) != nil else { return }
      // `commit()` tells.
      _ = try? check(H5Dclose(column))
    }

    /// A result of libhdf5; negative ones are errors.
    @discardableResult
    func check<Result: SignedInteger>(_ result: Result) throws(CheckpointError) -> Result {
      guard result < 0 else { return result }
      let number = hatchling_h5_errno()
      let reason = number == 0 ? "HDF5 cannot write it" : String(cString: strerror(number))
      let error = failure ?? .unwritable(path: path, reason: reason)
      failure = error
      throw error
    }

    // MARK: Groups and attributes

    /// Makes a group, and those above it.
    package func group(_ name: String, _ attributes: [(String, HDF5Value)] = []) throws {
      hdf5Lock.lock()
      defer { hdf5Lock.unlock() }
      let list = try check(H5Pcreate(hatchling_h5p_link()))
      defer { H5Pclose(list) }
      try check(H5Pset_create_intermediate_group(list, 1))
      let group = try check(
        H5Gcreate2(file, name, list, hatchling_h5p_default(), hatchling_h5p_default()))
      for (key, value) in attributes { try attribute(key, value, of: group) }
      try check(H5Gclose(group))
    }

    package func attributes(of name: String, _ attributes: [(String, HDF5Value)]) throws {
      hdf5Lock.lock()
      defer { hdf5Lock.unlock() }
      let object = try check(H5Oopen(file, name, hatchling_h5p_default()))
      for (key, value) in attributes { try attribute(key, value, of: object) }
      try check(H5Oclose(object))
    }

    private func attribute(_ key: String, _ value: HDF5Value, of object: hid_t) throws {
      let (type, space) = (try type(of: value), try space(of: value))
      defer {
        H5Tclose(type)
        H5Sclose(space)
      }
      let attribute = try check(
        H5Acreate2(object, key, type, space, hatchling_h5p_default(), hatchling_h5p_default()))
      try withBytes(of: value) { try self.check(H5Awrite(attribute, type, $0)) }
      try check(H5Aclose(attribute))
    }

    // MARK: Datasets

    /// How datasets are made: without the time of day, so that the same content is the same file.
    private func creation() throws -> hid_t {
      let list = try check(H5Pcreate(hatchling_h5p_dataset()))
      try check(H5Pset_obj_track_times(list, false))
      return list
    }

    /// A small dataset, written at once.
    package func dataset(_ name: String, _ value: HDF5Value, _ attributes: [(String, HDF5Value)] = []) throws
    {
      hdf5Lock.lock()
      defer { hdf5Lock.unlock() }
      let (type, space, list) = (try type(of: value), try space(of: value), try creation())
      defer {
        H5Tclose(type)
        H5Sclose(space)
        H5Pclose(list)
      }
      let set = try check(
        H5Dcreate2(file, name, type, space, hatchling_h5p_default(), list, hatchling_h5p_default()))
      try withBytes(of: value) {
        try self.check(
          H5Dwrite(set, type, hatchling_h5s_all(), hatchling_h5s_all(), hatchling_h5p_default(), $0))
      }
      for (key, value) in attributes { try attribute(key, value, of: set) }
      try check(H5Dclose(set))
    }

    /// A dataset that grows row by row. Not compressed: libsonata as it is installed from PyPI reads no filters.
    ///
    /// - Parameter expected: how many rows there will be, where that is known: a short column then takes no room for more.
    package func column<Number: HDF5Number>(
      _ name: String, of _: Number.Type, width: Int? = nil, rows expected: Int = .max,
      _ attributes: [(String, HDF5Value)] = []
    ) throws -> HDF5Column<Number> {
      hdf5Lock.lock()
      defer { hdf5Lock.unlock() }
      let rows = max(1, min(1 << 16, (1 << 18) / max(1, width ?? 1), expected))
      let dimensions = [hsize_t(rows)] + (width.map { [hsize_t(max(1, $0))] } ?? [])
      let (none, most) = (
        [0] + dimensions.dropFirst(), [hatchling_h5s_unlimited()] + dimensions.dropFirst()
      )
      let list = try creation()
      let space = try check(H5Screate_simple(Int32(dimensions.count), none, most))
      defer {
        H5Pclose(list)
        H5Sclose(space)
      }
      try check(H5Pset_chunk(list, Int32(dimensions.count), dimensions))
      let set = try check(
        H5Dcreate2(file, name, Number.type, space, hatchling_h5p_default(), list, hatchling_h5p_default()))
      for (key, value) in attributes { try attribute(key, value, of: set) }
      columns.insert(set)
      return HDF5Column(set, of: self, width: width, rowsPerChunk: rows)
    }

    /// A dataset of a known number of elements, to be filled at any place.
    package func array<Number: HDF5Number>(_ name: String, of _: Number.Type, count: Int) throws
      -> HDF5Column<Number>
    {
      hdf5Lock.lock()
      defer { hdf5Lock.unlock() }
      let (space, list) = (try check(H5Screate_simple(1, [hsize_t(count)], nil)), try creation())
      defer {
        H5Sclose(space)
        H5Pclose(list)
      }
      let set = try check(
        H5Dcreate2(file, name, Number.type, space, hatchling_h5p_default(), list, hatchling_h5p_default()))
      columns.insert(set)
      return HDF5Column(set, of: self, width: nil, rowsPerChunk: 1 << 16)
    }

    // MARK: Values

    private func type(of value: HDF5Value) throws -> hid_t {
      switch value {
      case .text, .texts:
        let type = try check(H5Tcopy(hatchling_h5t_string()))
        try check(H5Tset_size(type, hatchling_h5t_variable()))
        try check(H5Tset_cset(type, H5T_CSET_UTF8))
        return type
      case .choice(let names, _):
        let type = try check(H5Tenum_create(hatchling_h5t_int8()))
        for (number, name) in names.enumerated() {
          var number = Int8(number)
          try check(H5Tenum_insert(type, name, &number))
        }
        return type
      case .reference: return try check(H5Tcopy(hatchling_h5t_reference()))
      case .double, .doubles: return try check(H5Tcopy(Double.type))
      case .floats: return try check(H5Tcopy(Float.type))
      case .uint32, .uint32s: return try check(H5Tcopy(UInt32.type))
      case .int32, .int32s: return try check(H5Tcopy(Int32.type))
      case .uint64s: return try check(H5Tcopy(UInt64.type))
      }
    }

    private func space(of value: HDF5Value) throws -> hid_t {
      let count: Int
      switch value {
      case .text, .double, .uint32, .int32, .choice, .reference: return try check(H5Screate(H5S_SCALAR))
      case .texts(let all): count = all.count
      case .doubles(let all): count = all.count
      case .floats(let all): count = all.count
      case .uint32s(let all): count = all.count
      case .int32s(let all): count = all.count
      case .uint64s(let all): count = all.count
      }
      return try check(H5Screate_simple(1, [hsize_t(count)], nil))
    }

    private func withBytes(of value: HDF5Value, _ body: (UnsafeRawPointer?) throws -> Void) throws {
      switch value {
      case .text(let text): try withCStrings([text], body)
      case .texts(let texts): try withCStrings(texts, body)
      case .choice(_, let number): try withUnsafeBytes(of: Int8(number)) { try body($0.baseAddress) }
      case .double(let number): try withUnsafeBytes(of: number) { try body($0.baseAddress) }
      case .uint32(let number): try withUnsafeBytes(of: number) { try body($0.baseAddress) }
      case .int32(let number): try withUnsafeBytes(of: number) { try body($0.baseAddress) }
      case .doubles(let all): try all.withUnsafeBytes { try body($0.baseAddress) }
      case .floats(let all): try all.withUnsafeBytes { try body($0.baseAddress) }
      case .uint32s(let all): try all.withUnsafeBytes { try body($0.baseAddress) }
      case .int32s(let all): try all.withUnsafeBytes { try body($0.baseAddress) }
      case .uint64s(let all): try all.withUnsafeBytes { try body($0.baseAddress) }
      case .reference(let name):
        var reference = hobj_ref_t()
        try check(H5Rcreate(&reference, file, name, H5R_OBJECT, -1))
        try withUnsafeBytes(of: reference) { try body($0.baseAddress) }
      }
    }

    private func withCStrings(_ texts: [String], _ body: (UnsafeRawPointer?) throws -> Void) throws {
      let copies = texts.map { strdup($0) }
      defer { for copy in copies { free(copy) } }
      try copies.withUnsafeBytes { try body($0.baseAddress) }
    }
  }

  /// What an attribute or a small dataset holds.
  package enum HDF5Value {
    case text(String)
    case texts([String])
    case double(Double)
    case doubles([Double])
    case floats([Float])
    case uint32(UInt32)
    case uint32s([UInt32])
    case int32(Int32)
    case int32s([Int32])
    case uint64s([UInt64])
    /// One of several names.
    case choice([String], Int)
    /// An object of this file by its path.
    case reference(String)
  }
#endif
