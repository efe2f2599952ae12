import Foundation
import HatchlingCheckpoint
import HatchlingModel
import TestSupport
import Testing

/// What the commands say about files that people have.
@Suite struct FileTests {
  private let cases = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("HatchlingCheckpointTests/Fixtures/cases")

  private func path(_ name: String) -> String { cases.appendingPathComponent(name + ".pt").path }

  @Test func infoNamesThePrefixAndEscapesWhatItShows() throws {
    let two = path("two-networks")
    #expect(try CommandRun.run(["info", "--model", two]).isOneLine("--prefix", "model, ema.module"))
    let run = try CommandRun.run(["info", "--model", two, "--prefix", "ema"])
    #expect(run.status == 0 && run.output.contains("prefix ema.module."))
    let json = try CommandRun.run(["info", "--model", two, "--prefix", "ema", "--json"])
    #expect(json.output.contains("\"prefix\":\"ema.module.\""))

    let folder = try TemporaryFolder()
    let header = #"{"__metadata__":{"n\u001b[2J":"a\nmodel fake\u0007"}}"#
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    let file = try folder.write("evil\u{1B}[31m.safetensors", length + Array(header.utf8))
    #expect(
      try CommandRun.run(["info", "--model", file]).isOneLine("evil\\u{1B}[31m.safetensors", "encoder"))
    let state =
      #"{"__metadata__":{"format":"hatchling-state-1","model":"\u001b[2J","engine":"a\nb","form":"","precision":"float","variant":"released","options":"","position":"1"}}"#
    let size = withUnsafeBytes(of: UInt64(state.utf8.count).littleEndian) { Array($0) }
    let saved = try folder.write("state", size + Array(state.utf8))
    let shown = try CommandRun.run(["info", "--state", saved])
    #expect(shown.status == 0 && shown.output.contains("a\\nb") && !shown.output.contains("\u{1B}"))
  }

  @Test func trainingBeginsWithOneOfSeveralNetworks() throws {
    let folder = try TemporaryFolder()
    // Its alphabet has five tokens.
    let text = try folder.write("text", (0..<40).map { UInt8($0 * $0 % 5) })
    let run = [
      "train", text, "--out", folder.path("m.safetensors"), "--steps", "1", "--block", "4", "--batch", "1",
      "--validation", "0",
    ]
    let two = run + ["--init", path("two-networks")]
    #expect(try CommandRun.run(two).isOneLine("--prefix", "model, ema.module"))
    #expect(try CommandRun.run(run + ["--prefix", "ema"]).isOneLine("--prefix", "--init"))
    #expect(try CommandRun.run(two + ["--prefix", "ema"]).status == 0)
    #expect(folder.names == ["m.checkpoint", "m.safetensors", "text"])
  }

  /// A network as SONATA is the same network; without HDF5 it is not written.
  @Test func aNetworkGoesThroughSONATA() throws {
    let folder = try TemporaryFolder()
    let net = folder.path("net.h5")
    let compiled = try CommandRun.run(["compile", "--out", net])
    #if HDF5
      #expect(compiled.status == 0, "\(compiled.errors)")
      func result(_ model: [String], _ name: String) throws -> Data {
        let run = try CommandRun.run(
          ["step", "--text", "To be, or not", "--quiet", "--state-out", folder.path(name)] + model)
        #expect(run.status == 0, "\(run.errors)")
        return try Data(contentsOf: folder.url.appendingPathComponent(name))
      }
      #expect(try result([], "own") == result(["--model", net], "its"))
      let other = try CommandRun.run(["info", "--model", net, "--layers", "7"])
      #expect(
        other.isOneLine("network as SONATA, which says itself how many layers", "--layers"), "\(other.errors)"
      )
      let direct = folder.path("direct.h5")
      #expect(
        try CommandRun.run(["compile", "--form", "direct", "--edges", "500", "--out", direct]).status == 0)
      #expect(try CommandRun.run(["info", "--model", direct]).isOneLine("direct.h5", "only a circuit"))
      let recording = folder.path("run.h5")
      #expect(try CommandRun.run(["record", "--text", "To be", "--out", recording]).status == 0)
      #expect(try CommandRun.run(["info", "--model", recording]).isOneLine("run.h5", "HDF5"))
      try checkOtherCommands(in: folder)
      let broken = try Data(contentsOf: URL(fileURLWithPath: net)).prefix(5000)
      let cut = try folder.write("cut.h5", Array(broken))
      #expect(try CommandRun.run(["info", "--model", cut]).isOneLine("cut.h5"))
    #else
      #expect(compiled.isOneLine("without HDF5", "net.h5"), "\(compiled.errors)")
      #expect(folder.names.isEmpty)
    #endif
  }

  /// What wants weights takes them from a circuit as SONATA too.
  private func checkOtherCommands(in folder: TemporaryFolder) throws {
    let (one, same) = (folder.path("one.safetensors"), folder.path("one.h5"))
    let sizes = Hyperparameters(neurons: 32, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 16)
    try Weights.random(sizes, seed: 4).save(to: one)
    #expect(try CommandRun.run(["compile", "--model", one, "--out", same]).status == 0)
    func merged(_ model: String) throws -> [String: [Float]] {
      let out = folder.path("merged.safetensors")
      let run = try CommandRun.run(["merge", model, model, "--out", out])
      #expect(run.status == 0, "\(run.errors)")
      return try CheckpointFile.open(out).tensors.mapValues(\.floats)
    }
    let expected = try merged(one)
    #expect(try merged(same) == expected && expected["encoder"]?.count == 2 * 32 * 8)
    let plan = try CommandRun.run(["plan", "--model", same])
    #expect(plan.status == 0 && plan.output.contains("32"), "\(plan.errors)")
  }

  @Test func mergeNamesTheFileAndKeepsItsInputs() throws {
    let folder = try TemporaryFolder()
    let (one, link) = (folder.path("one.safetensors"), folder.path("link.safetensors"))
    let model = path("probe")
    #expect(try CommandRun.run(["merge", model, model, "--out", one]).status == 0)
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: one)
    let before = try Data(contentsOf: URL(fileURLWithPath: one))
    for out in [one, link, folder.path("./one.safetensors")] {
      #expect(
        try CommandRun.run(["merge", model, one, "--out", out]).isOneLine("one of the files to read", one))
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: one)) == before)
    let other = folder.path("other.safetensors")
    let run = try CommandRun.run(["merge", model, path("two-configs"), "--layers", "4", "--out", other])
    #expect(run.status == 0)
    #expect(
      try CommandRun.run(["merge", model, other, "--out", folder.path("x.safetensors")]).isOneLine(
        "'\(other)' has L = 4"))
    #expect(
      try CommandRun.run([
        "merge", path("two-networks"), path("two-networks"), "--prefix", "ema", "--out", one,
      ]).status == 0)
  }

  @Test func aCorpusSaysWhyNothingIsLeft() throws {
    let folder = try TemporaryFolder()
    let a = try folder.write("a", "one <T:xx>\n\nthree\n".utf8)
    let b = try folder.write("b", "un\ndeux\n<F:fr> trois\n".utf8)
    let run = try CommandRun.run([
      "translate-corpus", a, b, "--languages", "en,fr", "--out", folder.path("out"),
    ])
    #expect(
      run.isOneLine("no pair is left of the 3", "1 with an empty side", "2 with <F: or <T: in the text"))
    #expect(!FileManager.default.fileExists(atPath: folder.path("out")))
  }
}
