import Foundation
import HatchlingNumerics
import TestSupport
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

  /// The bilingual network is no part of the package: it lies in `models` of the checkout that holds the build, or where an installation has
  /// the others. The repository's own is looked at, too.
  @Test func theBilingualNetworkIsFoundBesideItsBuild() throws {
    let own = try CommandRun.run(["info", "--model", "europarl"])
    let isInACheckout = CommandRun.binary.path.contains("/.build")
    #expect(
      !isInACheckout || own.status == 0 && own.output.contains("/models/europarl.safetensors\n"), "\(own)")
    for place in [".build-any/platform/release", "bin"] {
      let folder = try TemporaryFolder()
      let program = folder.path("\(place)/hatchling")
      for made in [place, "models", "share/hatchling"] {
        try FileManager.default.createDirectory(atPath: folder.path(made), withIntermediateDirectories: true)
      }
      try FileManager.default.copyItem(atPath: CommandRun.binary.path, toPath: program)
      let missing = try CommandRun.run(["info", "--model", "europarl"], program: program)
      #expect(missing.isOneLine("europarl.safetensors", "--model FILE"), "\(missing.errors)")
      let (inCheckout, installed) = (
        folder.path("models/europarl.safetensors"), folder.path("share/hatchling/europarl.safetensors")
      )
      try FileManager.default.copyItem(atPath: shipped("shipped"), toPath: inCheckout)
      let beside = try CommandRun.run(["info", "--model", "europarl"], program: program)
      if place == "bin" {
        #expect(beside.status == 2, "a folder named models is any folder's")
        try FileManager.default.copyItem(atPath: shipped("shipped"), toPath: installed)
        let found = try CommandRun.run(["info", "--model", "europarl"], program: program)
        #expect(found.output.hasPrefix("model         \(installed)\n"), "\(found.errors)")
      } else {
        #expect(beside.output.hasPrefix("model         \(inCheckout)\n"), "\(beside.errors)")
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
