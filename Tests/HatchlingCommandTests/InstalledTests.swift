import Foundation
import HatchlingNumerics
import Testing

/// The program away from the place where it was built, and what it says of itself.
@Suite struct InstalledTests {
  private func shipped(_ name: String) -> String {
    CommandRun.binary.deletingLastPathComponent()
      .appendingPathComponent("hatchling_HatchlingModel.resources/\(name).safetensors").path
  }

  /// A copy of the program in `bin/` of a new folder, which holds nothing else.
  private func installed() throws -> (folder: TemporaryFolder, program: String) {
    let folder = try TemporaryFolder()
    let program = folder.path("bin/hatchling")
    try FileManager.default.createDirectory(atPath: folder.path("bin"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: CommandRun.binary.path, toPath: program)
    return (folder, program)
  }

  @Test(arguments: ["bin/hatchling_HatchlingModel.resources", "bin", "share/hatchling"])
  func theNetworkIsFoundNearTheProgram(place: String) throws {
    let (folder, program) = try installed()
    try FileManager.default.createDirectory(atPath: folder.path(place), withIntermediateDirectories: true)
    let link = folder.path("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: program)
    for (shippedName, call) in [
      ("shipped", ["info"]), ("shipped", ["info", "--model", "shipped"]),
      ("sparse", ["info", "--model", "sparse"]),
    ] {
      let network = folder.path("\(place)/\(shippedName).safetensors")
      if !FileManager.default.fileExists(atPath: network) {
        try FileManager.default.copyItem(atPath: shipped(shippedName), toPath: network)
      }
      for name in [program, link] {
        let run = try CommandRun.run(call, program: name)
        let word = shippedName == "sparse" ? "graph" : "model"
        #expect(run.status == 0 && run.output.hasPrefix("\(word)         \(network)\n"), "\(run.errors)")
      }
    }
  }

  @Test(arguments: [
    ["info"], ["step", "--text", "a"], ["generate", "--prompt", "a"], ["verify", "--text", "ab"],
    ["info", "--rounds"],
  ])
  func aMissingNetworkIsAnError(call: [String]) throws {
    let (folder, program) = try installed()
    let places = ["bin/hatchling_HatchlingModel.resources", "bin", "share/hatchling"].map {
      folder.path("\($0)/shipped.safetensors")
    }
    let run = try CommandRun.run(call, program: program)
    #expect(run.isOneLine(places[0], places[1], places[2], "(--model FILE)"), "\(run.errors)")
  }

  @Test func theVersionIsALinePerFact() throws {
    let run = try CommandRun.run(["--version"])
    let facts = run.output.split(separator: "\n")
    #expect(run.status == 0 && facts.count == 5)
    #expect(facts.first?.wholeMatch(of: /hatchling \d+\.\d+\.\d+/) != nil)
    #expect(facts.contains("commit    unknown"))
    #expect(facts.contains("kernels   \(Machine.current.kernels)"))
    #expect(facts.contains("BLAS      \(BLAS.core.library), core \(BLAS.core.name)"))
    #if Topology
      #expect(facts.contains { $0.hasPrefix("topology  with igraph") })
    #else
      #expect(facts.contains { $0.hasPrefix("topology  without igraph") })
    #endif
  }
}
