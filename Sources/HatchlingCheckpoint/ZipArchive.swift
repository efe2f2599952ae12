/// The entries of a zip archive that are stored without compression, as PyTorch writes them. Compressed entries are refused when
/// they are needed, so that no archive can grow beyond its own size.
struct ZipArchive {
  private let file: MappedFile
  /// Byte ranges of the entries' contents inside the file; for those that cannot be read, why.
  private var entries: [String: Entry] = [:]

  private enum Entry {
    case stored(Range<Int>)
    case unreadable(String)
  }

  init(_ file: MappedFile) throws(CheckpointError) {
    self.file = file
    let bytes = file.bytes
    var end = bytes.count - 22
    let earliest = max(0, bytes.count - 22 - 65_535)
    while end >= earliest, !(end >= 0 && word(end) == 0x0605_4B50) { end -= 1 }
    guard end >= earliest, end >= 0 else {
      throw damaged("the end", "there is no zip directory; the file is cut off")
    }
    var (count, size, start) = (Int(half(end + 10)), Int(word(end + 12)), Int(word(end + 16)))
    if count == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF {
      (count, size, start) = try largeDirectory(before: end)
    }
    guard start >= 0, size >= 0, start <= end, size <= end - start, count <= size / 46 else {
      throw damaged("the zip directory", "it lies outside the file")
    }
    var place = start
    for _ in 0..<count { place = try readEntry(at: place, directoryEnd: start + size) }
  }

  /// The names of all entries, without the folders and notes that a Mac or a file manager adds.
  var names: [String] {
    entries.keys.filter { name in
      !name.hasSuffix("/") && !name.hasPrefix("__MACOSX/") && !name.contains("/__MACOSX/")
        && !(name.split(separator: "/").last ?? "").hasPrefix("._") && !name.hasSuffix(".DS_Store")
    }
  }

  /// Where an entry's content lies; nil where there is none of that name.
  /// - Throws: ``CheckpointError/unsupported(path:what:)`` for one that is compressed or encrypted.
  func content(of name: String) throws(CheckpointError) -> Range<Int>? {
    switch entries[name] {
    case .stored(let range): range
    case .unreadable(let reason): throw .unsupported(path: file.path, what: reason)
    case nil: nil
    }
  }

  private func damaged(_ place: String, _ problem: String) -> CheckpointError {
    .damaged(path: file.path, place: place, problem: problem)
  }

  private func half(_ offset: Int) -> UInt16 {
    file.bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
  }
  private func word(_ offset: Int) -> UInt32 {
    file.bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
  }
  private func long(_ offset: Int) -> UInt64 {
    file.bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }

  /// The directory of an archive in zip64 form.
  private func largeDirectory(before end: Int) throws(CheckpointError) -> (Int, Int, Int) {
    guard end >= 20, word(end - 20) == 0x0706_4B50, long(end - 12) <= UInt64(max(0, file.bytes.count - 56))
    else {
      throw damaged("the zip directory", "its zip64 locator is missing")
    }
    let record = Int(long(end - 12))
    guard word(record) == 0x0606_4B50,
      [32, 40, 48].allSatisfy({ long(record + $0) < UInt64(file.bytes.count) })
    else {
      throw damaged("the zip directory", "its zip64 record is not valid")
    }
    return (Int(long(record + 32)), Int(long(record + 40)), Int(long(record + 48)))
  }

  private mutating func readEntry(at place: Int, directoryEnd: Int) throws(CheckpointError) -> Int {
    guard place + 46 <= directoryEnd, word(place) == 0x0201_4B50 else {
      throw damaged("offset \(place)", "the zip directory is not valid")
    }
    let lengths = (name: Int(half(place + 28)), extra: Int(half(place + 30)), comment: Int(half(place + 32)))
    let next = place + 46 + lengths.name + lengths.extra + lengths.comment
    guard next <= directoryEnd else { throw damaged("offset \(place)", "a zip entry leaves the directory") }
    let name = String(decoding: file.bytes[place + 46..<place + 46 + lengths.name], as: UTF8.self)
    var unreadable: String?
    if half(place + 8) & 1 != 0 { unreadable = "entry '\(name)' is encrypted" }
    if half(place + 10) != 0 {
      unreadable =
        "entry '\(name)' is compressed, which torch.save never does; unpack the archive and pack it again with 'zip -0 -r'"
    }
    var fields = [place + 24, place + 20, place + 42].map { UInt64(word($0)) }
    var extra = place + 46 + lengths.name
    let extraEnd = extra + lengths.extra
    while extra + 4 <= extraEnd {
      let (tag, length) = (half(extra), Int(half(extra + 2)))
      guard extra + 4 + length <= extraEnd else { break }
      var wide = extra + 4
      for index in fields.indices
      where tag == 1 && fields[index] == 0xFFFF_FFFF && wide + 8 <= extra + 4 + length {
        fields[index] = long(wide)
        wide += 8
      }
      extra += 4 + length
    }
    let (size, stored, local) = (fields[0], fields[1], fields[2])
    guard size == stored || unreadable != nil, local <= UInt64(file.bytes.count - 30),
      word(Int(local)) == 0x0403_4B50
    else {
      throw damaged("entry '\(name)'", "it lies outside the file or its sizes differ")
    }
    let start = Int(local) + 30 + Int(half(Int(local) + 26)) + Int(half(Int(local) + 28))
    guard start <= file.bytes.count, stored <= UInt64(file.bytes.count - start) else {
      throw damaged("entry '\(name)'", "it lies outside the file")
    }
    let entry = unreadable.map(Entry.unreadable) ?? .stored(start..<start + Int(stored))
    guard entries.updateValue(entry, forKey: name) == nil else {
      throw damaged("entry '\(name)'", "it appears twice")
    }
    return next
  }
}
