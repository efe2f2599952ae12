#if HDF5
  import CHDF5
  import Foundation
  import HatchlingCheckpoint

  /// An HDF5 file that somebody may have made to do harm.
  ///
  /// libhdf5 reads it in a child process and hands the numbers over: what brings libhdf5 down, or makes it write where it should not, is the child's,
  /// and is a damaged file here. Numbers are taken from plain arrays only, neither packed nor virtual nor in other files, and never more of
  /// them than the file has room for.
  package final class HDF5Input {
    package let path: String
    let reader: hatchling_h5_reader
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
      self.path = path
      let size = try MappedFile(path: path).bytes.count
      self.size = size
      // Nobody else is inside libhdf5 while it is copied.
      reader = hdf5Lock.withLock { hatchling_h5_start(path.systemPath, UInt64(size)) }
      guard reader.child > 0 else { throw .unreadable(path: path, reason: "there is no process to read it") }
      try fine(hatchling_h5_reply_of(reader), "its beginning")
    }

    deinit { if reader.child > 0 { hatchling_h5_end(reader) } }

    // MARK: Attributes

    /// A text attribute; nil where there is none. - Throws: `CheckpointError.damaged` for anything but one text of variable length.
    package func text(_ key: String, of object: String) throws(CheckpointError) -> String? {
      let reply = hatchling_h5_ask(
        reader, HATCHLING_H5_TEXT, HATCHLING_H5_UINT8, Self.absolute(object), key)
      guard reply.status != HATCHLING_H5_MISSING.rawValue else { return nil }
      let place = "attribute '\(key)' of '\(object)'"
      return String(decoding: try received(fine(reply, place), of: UInt8.self), as: UTF8.self)
    }

    // MARK: Datasets

    /// How many numbers a one-dimensional dataset has.
    package func count(_ name: String) throws(CheckpointError) -> Int {
      try fine(
        hatchling_h5_ask(reader, HATCHLING_H5_COUNT, HATCHLING_H5_DOUBLE, Self.absolute(name), ""),
        "'\(name)'")
    }

    /// All numbers of a one-dimensional dataset, converted.
    ///
    /// - Parameter expected: how many there are to be; nil where nobody knows.
    /// - Throws: `CheckpointError.damaged`, `.unsupported` for what is no plain array.
    package func numbers<Number: HDF5Number>(
      _ name: String, of _: Number.Type, count expected: Int? = nil
    ) throws(CheckpointError) -> [Number] {
      let held = try count(name)
      guard held == expected ?? held else {
        throw damaged("'\(name)'", "it has \(held) numbers, not \(expected ?? held)")
      }
      let again = try fine(
        hatchling_h5_ask(reader, HATCHLING_H5_NUMBERS, Number.kind, Self.absolute(name), ""), "'\(name)'")
      guard again == held else { throw damaged("'\(name)'", "it has \(held) numbers, and then \(again)") }
      return try received(held, of: Number.self)
    }

    // MARK: Answers

    private static func absolute(_ name: String) -> String { name.hasPrefix("/") ? name : "/" + name }

    private func damaged(_ place: String, _ problem: String) -> CheckpointError {
      .damaged(path: path, place: place, problem: problem)
    }

    /// What follows an answer that is fine.
    private func received<Number: BitwiseCopyable>(
      _ count: Int, of _: Number.Type
    ) throws(CheckpointError) -> [Number] {
      var isThere = false
      let numbers = [Number](unsafeUninitializedCapacity: count) { buffer, filled in
        let bytes = UnsafeMutableRawBufferPointer(buffer)
        isThere =
          bytes.isEmpty
          || hatchling_h5_receive(reader.way, bytes.baseAddress, count * MemoryLayout<Number>.stride) != 0
        filled = isThere ? count : 0
      }
      guard isThere else { throw brokenDown }
      return numbers
    }

    private var brokenDown: CheckpointError { damaged("some place", "HDF5 breaks down when it reads it") }

    /// How many things an answer is about, where it is none of the bad ones.
    @discardableResult
    private func fine(_ reply: hatchling_h5_reply, _ place: String) throws(CheckpointError) -> Int {
      switch hatchling_h5_status(rawValue: UInt32(bitPattern: reply.status)) {
      case HATCHLING_H5_FINE:
        // A child whose memory is broken may say anything; nothing in a file is more than its bytes.
        guard reply.count <= size else { break }
        return Int(reply.count)
      case HATCHLING_H5_NO_FILE: throw damaged(place, "HDF5 cannot read it")
      case HATCHLING_H5_MISSING: throw damaged(place, "it is missing")
      case HATCHLING_H5_NOT_OPENED: throw damaged(place, "it cannot be opened")
      case HATCHLING_H5_NO_TEXT: throw damaged(place, "it is no text")
      case HATCHLING_H5_NO_DATASET: throw damaged(place, "it is no dataset")
      case HATCHLING_H5_NOT_PLAIN:
        throw .unsupported(
          path: path, what: "\(place) is packed, virtual or in another file; write it as a plain array")
      case HATCHLING_H5_NO_ROW: throw damaged(place, "it is no row of numbers")
      case HATCHLING_H5_TOO_MANY:
        throw damaged(place, "it claims \(reply.count) numbers, for which the file is too small")
      case HATCHLING_H5_UNREADABLE: throw damaged(place, "it cannot be read")
      default: break
      }
      throw brokenDown
    }
  }
#endif
