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
    let dead = Process()
    dead.executableURL = URL(fileURLWithPath: "/bin/true")
    try dead.run()
    dead.waitUntilExit()
    for name in [
      "out.partial-\(dead.processIdentifier)-1", "out.partial-\(getpid())-1", "out.partial-x", "out",
    ] {
      try Data().write(to: folder.appendingPathComponent(name))
    }
    let file = try AtomicFile(path: folder.appendingPathComponent("out").path)
    try file.commit()
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
        "out", "out.partial-\(getpid())-1", "out.partial-x",
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
