import Foundation
import HatchlingCheckpoint
import HatchlingNumerics
import Testing

/// Bytes as text and back, and folders whose names are any bytes.
@Suite struct FileNameTests {
  @Test func anyBytesComeBack() {
    var seen: [String: [UInt8]] = [:]
    func check(_ bytes: [UInt8]) {
      let text = String(anyBytes: bytes)
      #expect(text.anyBytes == bytes, "\(bytes)")
      // Scalar by scalar: equality of strings holds more to be equal.
      let key = text.unicodeScalars.map { String($0.value) }.joined(separator: " ")
      #expect(seen[key] == nil || seen[key] == bytes, "\(bytes) and \(seen[key] ?? []) are one text")
      seen[key] = bytes
    }
    check([])
    for first in UInt8.min...255 {
      check([first])
      for second in UInt8.min...255 { check([first, second]) }
    }
    var random = SeededRandom(seed: 1)
    let pieces: [[UInt8]] = [
      Array("é".utf8), Array("漢🙂".utf8), [0xF4, 0x8F, 0xBA, 0x80], [0xF4, 0x8F, 0xBB, 0xBF], [0xF4, 0x8F],
      [0xED, 0xA0, 0x80],
      [0xC0, 0x80], [0xFF], [0x80], Array("a".utf8), [0xE2, 0x82], [0x0A],
    ]
    for _ in 0..<3000 {
      let count = Int.random(in: 1...6, using: &random)
      check((0..<count).flatMap { _ in pieces[Int.random(in: pieces.indices, using: &random)] })
    }
    #expect(seen.count > 60_000)
    let plain = "Tō bé, 🙂 \u{1B}\u{301}"
    #expect(String(anyBytes: Array(plain.utf8)).unicodeScalars.elementsEqual(plain.unicodeScalars))
    #expect(plain.anyBytes == Array(plain.utf8))
  }

  @Test func bytesThatAreNoTextAreShownAsNumbers() {
    #expect(String(anyBytes: [0x61, 0xE9, 0x62, 0xFF]).escaped == "a\\xE9b\\xFF")
    #expect(String(anyBytes: Array("é".utf8)).escaped == "é")
    let text = "{\n\"a\":\"\u{9B}\u{202E}\u{10FE80}é\"\n}"
    #expect(text.escapedAsJSON == "{\n\"a\":\"\\u009B\\u202E\\uDBFF\\uDE80é\"\n}")
    let back = try? JSONDecoder().decode([String: String].self, from: Data(text.escapedAsJSON.utf8))
    #expect(back?["a"] == "\u{9B}\u{202E}\u{10FE80}é")
  }

  @Test func pathsAreTakenApart() {
    for (path, folder, name) in [
      ("a", ".", "a"), ("a/b", "a", "b"), ("/a", "/", "a"), ("/a/b.c/d", "/a/b.c", "d"), ("", ".", ""),
      ("./x", ".", "x"),
    ] {
      #expect(path.folderOfPath == folder && path.nameInPath == name, "\(path)")
    }
  }

  @Test func filesAndFoldersMayHaveAnyName() throws {
    let top = FileManager.default.temporaryDirectory.appendingPathComponent("names-\(UUID().uuidString)").path
    defer { Folder.remove([top]) }
    let inner = top + "/" + String(anyBytes: [0xFF, 0x20, 0xE9]) + "/deeper/"
    let made = try Folder.make(inner)
    #expect(made.count == 3 && Folder.names(in: inner) == [])
    #expect(try Folder.make(inner) == [])
    let path = inner + String(anyBytes: [0x80, 0x2E, 0x78])
    for text in ["old", "new"] {
      let file = try AtomicFile(path: path)
      try file.write(text)
      try file.commit()
    }
    #expect(Folder.names(in: inner)?.map(\.anyBytes) == [[0x80, 0x2E, 0x78]])
    let file = try MappedFile(path: path)
    #expect(withExtendedLifetime(file) { Array(file.bytes) } == Array("new".utf8))
    #expect(throws: CheckpointError.unwritable(path: path, reason: "it is there and no folder")) {
      try Folder.make(path + "/x")
    }
    #expect(throws: CheckpointError.self) { try Folder.make(path) }
    #expect(throws: CheckpointError.self) { _ = try AtomicFile(path: "") }
    unlink(path.systemPath)
    Folder.remove(made)
    #expect(Folder.names(in: top) == nil)
  }
}
