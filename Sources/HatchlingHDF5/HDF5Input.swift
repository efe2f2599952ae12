#if HDF5
  import CHDF5
  import Foundation
  import HatchlingCheckpoint

  /// An HDF5 file that somebody may have made to do harm, read by libhdf5 alone.
  ///
  /// A child process reads the whole file first: what brings libhdf5 down brings down the child, and is a damaged file here.
  /// Numbers are taken from plain arrays only, neither packed nor virtual nor in other files, and never more of them than the file has room for.
  package final class HDF5Input {
    package let path: String
    private let file: hid_t
    /// Bytes of the file.
    package let size: Int

    /// Whether a file begins as HDF5 files do.
    package static func begins(_ path: String) -> Bool {
      guard let handle = FileHandle(forReadingAtPath: path) else { return false }
      defer { try? handle.close() }
      return (try? handle.read(upToCount: 8)) == Data([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A])
    }

    /// - Throws: `CheckpointError.unreadable`, or `.damaged` where libhdf5 finds no file.
    package init(path: String) throws(CheckpointError) {
      hdf5Lock.lock()
      defer { hdf5Lock.unlock() }
      self.path = path
      hatchling_h5_be_quiet()
      size = try MappedFile(path: path).bytes.count
      guard hatchling_h5_is_survived(path.systemPath, size) != 0 else {
        throw .damaged(path: path, place: "some place", problem: "HDF5 breaks down when it reads it")
      }
      let access = H5Pcreate(hatchling_h5p_access())
      guard access >= 0 else { throw .unreadable(path: path, reason: "HDF5 cannot begin") }
      defer { H5Pclose(access) }
      H5Pset_fclose_degree(access, H5F_CLOSE_STRONG)
      H5Pset_file_locking(access, false, true)
      file = H5Fopen(path.systemPath, hatchling_h5f_read_only(), access)
      guard file >= 0 else {
        throw .damaged(path: path, place: "its beginning", problem: "HDF5 cannot read it")
      }
    }

    deinit { if file >= 0 { hdf5Lock.withLock { _ = H5Fclose(file) } } }

    private func damaged(_ place: String, _ problem: String) -> CheckpointError {
      .damaged(path: path, place: place, problem: problem)
    }

    /// Whether there is an object of this name in this file, every group above it included; links to elsewhere are none.
    package func has(_ name: String) -> Bool {
      hdf5Lock.lock()
      defer { hdf5Lock.unlock() }
      var path = ""
      for part in name.split(separator: "/") {
        path += "/" + part
        guard hatchling_h5_is_here(file, path) != 0 else { return false }
      }
      return true
    }

    // MARK: Attributes

    /// A text attribute; nil where there is none. - Throws: `CheckpointError.damaged` for anything but one text of variable length.
    package func text(_ key: String, of object: String) throws(CheckpointError) -> String? {
      hdf5Lock.lock()
      defer { hdf5Lock.unlock() }
      guard has(object) || object == "/", H5Aexists_by_name(file, object, key, hatchling_h5p_default()) > 0
      else { return nil }
      let place = "attribute '\(key)' of '\(object)'"
      let attribute = H5Aopen_by_name(file, object, key, hatchling_h5p_default(), hatchling_h5p_default())
      guard attribute >= 0 else { throw damaged(place, "it cannot be opened") }
      let (type, space) = (H5Aget_type(attribute), H5Aget_space(attribute))
      defer {
        H5Tclose(type)
        H5Sclose(space)
        H5Aclose(attribute)
      }
      guard H5Tget_class(type) == H5T_STRING, H5Tis_variable_str(type) > 0,
        H5Sget_simple_extent_npoints(space) == 1
      else { throw damaged(place, "it is no text") }
      let memory = H5Tcopy(hatchling_h5t_string())
      defer { H5Tclose(memory) }
      H5Tset_size(memory, hatchling_h5t_variable())
      H5Tset_cset(memory, H5Tget_cset(type))
      var text: UnsafeMutablePointer<CChar>?
      let status = withUnsafeMutableBytes(of: &text) { H5Aread(attribute, memory, $0.baseAddress) }
      guard status >= 0, let text else { throw damaged(place, "it cannot be read") }
      defer { H5free_memory(text) }
      return String(cString: text)
    }

    // MARK: Datasets

    /// How many numbers a one-dimensional dataset has.
    package func count(_ name: String) throws(CheckpointError) -> Int {
      try opened(name) { (_, count) throws(CheckpointError) in count }
    }

    /// All numbers of a one-dimensional dataset, converted.
    ///
    /// - Parameter expected: how many there are to be; nil where nobody knows.
    /// - Throws: `CheckpointError.damaged`, `.unsupported` for what is no plain array.
    package func numbers<Number: HDF5Number>(
      _ name: String, of _: Number.Type, count expected: Int? = nil
    ) throws(CheckpointError) -> [Number] {
      try opened(name) { (set, count) throws(CheckpointError) in
        guard count == expected ?? count else {
          throw damaged("'\(name)'", "it has \(count) numbers, not \(expected ?? count)")
        }
        var status: herr_t = 0
        let numbers = [Number](unsafeUninitializedCapacity: count) { buffer, filled in
          status = H5Dread(
            set, Number.type, hatchling_h5s_all(), hatchling_h5s_all(), hatchling_h5p_default(),
            buffer.baseAddress)
          filled = status >= 0 ? count : 0
        }
        guard status >= 0 else { throw damaged("'\(name)'", "its numbers cannot be read") }
        return numbers
      }
    }

    private func opened<Result>(
      _ name: String, _ body: (_ set: hid_t, _ count: Int) throws(CheckpointError) -> Result
    ) throws(CheckpointError) -> Result {
      hdf5Lock.lock()
      defer { hdf5Lock.unlock() }
      guard has(name) else { throw damaged("'\(name)'", "it is missing") }
      let set = H5Dopen2(file, name, hatchling_h5p_default())
      guard set >= 0 else { throw damaged("'\(name)'", "it is no dataset") }
      defer { H5Dclose(set) }
      return try body(set, plainCount(set, name))
    }

    /// The numbers of a dataset that is a plain array in this file.
    private func plainCount(_ set: hid_t, _ name: String) throws(CheckpointError) -> Int {
      let (space, type, list) = (H5Dget_space(set), H5Dget_type(set), H5Dget_create_plist(set))
      defer {
        H5Sclose(space)
        H5Tclose(type)
        H5Pclose(list)
      }
      let layout = H5Pget_layout(list)
      guard H5Pget_nfilters(list) == 0, H5Pget_external_count(list) == 0,
        [H5D_CONTIGUOUS, H5D_CHUNKED, H5D_COMPACT].contains(layout)
      else {
        throw .unsupported(
          path: path, what: "'\(name)' is packed, virtual or in another file; write it as a plain array")
      }
      let kind = H5Tget_class(type)
      guard kind == H5T_INTEGER || kind == H5T_FLOAT, H5Sget_simple_extent_ndims(space) == 1 else {
        throw damaged("'\(name)'", "it is no row of numbers")
      }
      let (count, width) = (Int(H5Sget_simple_extent_npoints(space)), H5Tget_size(type))
      guard count >= 0, width > 0, count <= size / width else {
        throw damaged("'\(name)'", "it claims \(count) numbers, for which the file is too small")
      }
      return count
    }
  }
#endif
