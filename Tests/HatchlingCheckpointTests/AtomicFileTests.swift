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
    let path = folder.appendingPathComponent("out").path
    // A process number says nothing: it may be another's by now, or count in another container.
    let left = ["out.partial-\(getpid())-1", "out.partial-1-2", "out.partial-\(Int32.max)-3"]
    let others = ["out.partial-x", "out.partial-7", "out.partial-7-x", "other.partial-\(Int32.max)-3"]
    for name in left + others { try Data().write(to: folder.appendingPathComponent(name)) }
    let first = try AtomicFile(path: path)
    try first.write("first")
    let second = try AtomicFile(path: path)
    try second.write("second")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.count == others.count + 2 && Set(names).isSuperset(of: others))
    // Whoever is last has the name; both are whole.
    try second.commit()
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "second")
    try first.commit()
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "first")
    let after = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(after.sorted() == (others + ["out"]).sorted())
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
