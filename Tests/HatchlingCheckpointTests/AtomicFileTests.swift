import Foundation
import HatchlingCheckpoint
import Testing

/// What takes the place of what.
@Suite struct AtomicFileTests {
  private func folder() throws -> URL {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("hatchling-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
  }

  @Test func aLinkStaysALinkAndItsFileIsReplaced() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let (real, link) = (folder.appendingPathComponent("real"), folder.appendingPathComponent("link"))
    try Data("old".utf8).write(to: real)
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: real)
    let file = try AtomicFile(path: link.path)
    try file.write("new")
    try file.commit()
    #expect(try String(decoding: Data(contentsOf: real), as: UTF8.self) == "new")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == real.path)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["link", "real"])
  }

  @Test func whatAKilledProgramLeftIsRemovedAndWhatALivingOneWritesIsNot() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    // A process id proves nothing: the first is that of this process, in a container it often is.
    let path = folder.appendingPathComponent("out").path
    for name in [
      "out.partial-\(getpid())-1", "out.partial-999999999-1", "out.partial-x", "out.partial-1-2-3", "out",
    ] {
      try Data().write(to: folder.appendingPathComponent(name))
    }
    let others = try ["1", "2"].map { text in
      let file = try AtomicFile(path: path)
      try file.write(text)
      return file
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(
      names.count == 5 && names.prefix(2) == ["out", "out.partial-1-2-3"] && names.last == "out.partial-x",
      "\(names)")
    for file in others { try file.commit() }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "2")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
        "out", "out.partial-1-2-3", "out.partial-x",
      ])
  }

  @Test func pipesDevicesFoldersAndDanglingLinksAreRefused() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let (pipe, link) = (folder.appendingPathComponent("pipe").path, folder.appendingPathComponent("link"))
    try #require(mkfifo(pipe, 0o600) == 0)
    try FileManager.default.createSymbolicLink(
      at: link, withDestinationURL: folder.appendingPathComponent("none"))
    for path in [pipe, "/dev/null", folder.path, link.path] {
      #expect(throws: CheckpointError.self, "\(path)") { _ = try AtomicFile(path: path) }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["link", "pipe"])
  }
}
