import Foundation

/// Arguments and file names are bytes, Swift's strings are Unicode. A string holds any bytes when each one that is no part of valid
/// UTF-8 is a scalar from U+10FE80 to U+10FEFF, private use, which stands for the byte in its last two digits. Those scalars themselves,
/// where they occur in UTF-8, are taken for four such bytes, so that no two lists of bytes become one string.
///
/// Paths and texts that this package is given are such strings; all others read the same with and without this rule.
extension String {
  /// Text that ``anyBytes`` takes back to the same bytes. Cost: one pass.
  public init(anyBytes bytes: some Sequence<UInt8>) {
    self = ""
    let bytes = Array(bytes)
    var (parser, rest, place) = (Unicode.UTF8.ForwardParser(), bytes.makeIterator(), 0)
    func standIns(_ count: Int) -> UnicodeScalarView {
      defer { place += count }
      var scalars = UnicodeScalarView()
      scalars.append(contentsOf: bytes[place..<place + count].compactMap(Unicode.Scalar.init(standingFor:)))
      return scalars
    }
    while true {
      switch parser.parseScalar(from: &rest) {
      case .emptyInput: return
      case .error(let length): unicodeScalars.append(contentsOf: standIns(length))
      case .valid(let encoded):
        let scalar = Unicode.UTF8.decode(encoded)
        if scalar.byteStoodFor != nil {
          unicodeScalars.append(contentsOf: standIns(encoded.count))
        } else {
          unicodeScalars.append(scalar)
          place += encoded.count
        }
      }
    }
  }

  /// The bytes that the text stands for. Cost: one pass.
  public var anyBytes: [UInt8] {
    unicodeScalars.flatMap { scalar in scalar.byteStoodFor.map { [$0] } ?? Array(scalar.utf8) }
  }

  /// ``anyBytes`` as the system's calls take a path, with a zero at the end.
  public var systemPath: [CChar] { anyBytes.map(CChar.init(bitPattern:)) + [0] }

  /// The folder that the file of this path lies in: `.` for a name alone.
  public var folderOfPath: String {
    guard let slash = unicodeScalars.lastIndex(of: "/") else { return "." }
    return slash == unicodeScalars.startIndex ? "/" : String(unicodeScalars[..<slash])
  }

  /// The last part of a path.
  public var nameInPath: String { unicodeScalars.split(separator: "/").last.map { String($0) } ?? self }
}

extension Unicode.Scalar {
  private static let standIns: ClosedRange<UInt32> = 0x10_FE80...0x10_FEFF

  init?(standingFor byte: UInt8) {
    self.init(0x10_FE00 | UInt32(byte))
  }

  /// The byte that this scalar stands for in ``Swift/String/anyBytes``.
  var byteStoodFor: UInt8? { Self.standIns.contains(value) ? UInt8(truncatingIfNeeded: value) : nil }
}

/// Folders, whatever bytes their names are.
public enum Folder {
  /// The names in a folder, without `.` and `..`; nil where it cannot be read.
  public static func names(in path: String) -> [String]? {
    guard let stream = opendir(path.systemPath) else { return nil }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(anyBytes: $0.prefix { $0 != 0 }) }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  /// Makes a folder and those above it, where they are missing.
  /// - Returns: what was made, outermost first. - Throws: ``CheckpointError/unwritable(path:reason:)``.
  @discardableResult
  public static func make(_ path: String) throws(CheckpointError) -> [String] {
    var status = stat()
    if stat(path.systemPath, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw .unwritable(path: path, reason: "it is there and no folder")
      }
      return []
    }
    let parent = path.withoutTrailingSlashes.folderOfPath
    let made = try parent == path ? [] : make(parent)
    guard mkdir(path.systemPath, 0o777) == 0 || errno == EEXIST else {
      let reason = CheckpointError.lastFault
      remove(made)
      throw .unwritable(path: path, reason: "the folder cannot be made: \(reason)")
    }
    return made + [path]
  }

  /// Removes folders that ``make(_:)`` made, as far as they are empty.
  public static func remove(_ made: [String]) { for path in made.reversed() { rmdir(path.systemPath) } }
}

extension String {
  fileprivate var withoutTrailingSlashes: String {
    guard let last = unicodeScalars.lastIndex(where: { $0 != "/" }) else { return self }
    return String(unicodeScalars[...last])
  }
}
