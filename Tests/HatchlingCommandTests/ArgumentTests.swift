import Foundation
import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import hatchling

/// Arguments arrive byte for byte, and nothing that they or files say reaches a terminal as more than text.
@Suite struct ArgumentTests {
  private static let accent = "\u{301}x"

  @Test(arguments: [
    (["--count", "-3"], ["--count=-3"]), (["--text", "- a"], ["--text=- a"]),
    (["--text", "---"], ["--text=---"]),
    (["--text="], ["--text", ""]), (["--text", ""], ["--text", ""]), (["--text", "-"], ["--text", "-"]),
    (["--text", "--json"], ["--text", "--json"]), (["--text", "-h"], ["--text", "-h"]),
    (["--text=--json"], ["--text=--json"]), (["--text=a=b"], ["--text=a=b"]),
    (["--text", "-- a"], ["--text=-- a"]),
    (["--text=" + accent, "-"], ["--text", accent, "-"]),
    (["--quiet", "--", "--text", "-3"], ["--quiet", "--", "--text", "-3"]),
    (["a", "-3", "--n", "-3", "-3"], ["a", "-3", "--n=-3", "-3"]), ([], []),
  ]) func valuesStayWithTheirOptions(given: [String], prepared: [String]) {
    let result = Arguments.prepared(given)
    #expect(result.map { Array($0.utf8) } == prepared.map { Array($0.utf8) }, "\(result)")
  }

  @Test func textIsBytes() throws {
    func tokens(_ last: String, _ option: String = "--text") throws -> [Int] {
      let run = try CommandRun.run(["step", "--json", option], last: last)
      #expect(run.status == 0, "\(run.errors)")
      let lines = try run.output.split(separator: "\n").dropLast().map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      }
      return try lines.map { try #require($0["token"] as? Int) }
    }
    #expect(try tokens("a\\377\\200b\\303") == [97, 255, 128, 98, 195])
    #expect(try tokens("\\364\\217\\272\\200") == [0xF4, 0x8F, 0xBA, 0x80])
    #expect(try tokens("- \\377") == [45, 32, 255])
    #expect(try tokens("\\314\\201x") == [0xCC, 0x81, 120])
    let prompt = try CommandRun.run(
      ["generate", "--count", "0", "--prompt-by", "graph", "--prompt"], last: "\\377-\\200")
    #expect(prompt.status == 0 && prompt.output.isEmpty)
  }

  @Test func fileNamesAreBytes() throws {
    let folder = try TemporaryFolder()
    let odd = folder.url.path + "/" + String(anyBytes: [0x66, 0xE9])
    try Folder.make(odd)
    defer {
      for name in Folder.names(in: odd) ?? [] { unlink("\(odd)/\(name)".systemPath) }
      Folder.remove([odd])
    }
    let sizes = Hyperparameters(neurons: 32, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 256)
    try Weights.random(sizes, seed: 1).save(to: odd + "/m.safetensors")
    func run(_ arguments: String..., last: String) throws -> CommandRun {
      try CommandRun.run(arguments, last: last, in: folder.url.path)
    }
    #expect(
      try run("info", "--model", last: "f\\351/m.safetensors").output.hasPrefix(
        "model         f\\xE9/m.safetensors\n"))
    #expect(try run("step", "--text", "abc", "--quiet", "--state-out", last: "f\\351/state").status == 0)
    #expect(try run("info", "--state", last: "f\\351/state").output.contains("3 tokens read"))
    #expect(try run("step", "--text", "abc", "--quiet", "--logits", last: "f\\351/\\377.npy").status == 0)
    #expect(try run("step", "--quiet", last: "f\\351/\\377.npy").isOneLine("f\\xE9/\\xFF.npy"))
    let missing = try run("step", last: "f\\351/none")
    #expect(missing.isOneLine("'f\\xE9/none'", "No such file"), "\(missing.errors)")
    try Weights.random(sizes, seed: 1).save(to: folder.path("m.safetensors"))
    let degrees = try run(
      "degrees", "--model", "m.safetensors", "--bootstrap", "0", "--edges", "100", "--out", last: "f\\351")
    #expect(degrees.status == 0, "\(degrees.errors)")
    let names = Set(Folder.names(in: odd)?.map(\.escaped) ?? [])
    #expect(
      names.isSuperset(of: ["m.safetensors", "state", "\\xFF.npy", "summary.json", "degrees.gp"]), "\(names)")
    if degrees.output.contains("pictures in") { #expect(names.contains("degrees.svg")) }
  }

  /// Swift's own list of arguments comes from /proc.
  @Test(
    .enabled(
      if: (try? CommandRun.run(["-m", "true"], program: "/usr/bin/unshare").status) == 0,
      "needs a mount namespace"))
  func nothingNeedsProc() throws {
    let script = "umount -l /proc && exec \"$0\" step --text abc --quiet"
    for _ in 0..<5 {
      let run = try CommandRun.run(
        ["-m", "/bin/sh", "-c", script, CommandRun.binary.path], program: "/usr/bin/unshare")
      #expect(run.status == 0 && run.output.hasPrefix("tokens             3\n"), "\(run.errors)")
    }
  }

  @Test func whatFilesSayIsOnlyText() throws {
    let folder = try TemporaryFolder()
    let evil = "\u{1B}[2J\u{9B}31m\u{7}\u{202E}\u{7F}"
    let path = folder.path("model\(evil).safetensors")
    let sizes = Hyperparameters(neurons: 32, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 256)
    try Weights.random(sizes, seed: 1).save(to: path, metadata: ["note\(evil)": "said \(evil)\r\nmore"])
    let text = try folder.write("text", Array("abcdefgh".utf8))
    for call in [
      ["info", "--model", path], ["info", "--model", path, "--json"], ["info", "--state", path],
      ["step", "--text", "a", "--model", path + "x"],
      ["merge", path, path, "--out", folder.path("\(evil).safetensors")],
      ["degrees", "--graph", "circuit", "--model", path, "--out", folder.path("d" + evil)],
      [
        "train", text, "--out", folder.path("t\(evil).safetensors"), "--steps", "1", "--n", "32", "--d", "8",
        "--block", "2", "--log", folder.path("\(evil).csv"),
      ],
      ["compile", "--model", path, "--out", folder.path("\(evil).csv")],
      ["step", "--text", "a", "--model" + evil],
      ["step", "--text", "a", "--threads", evil], ["fidelity", text, "--edges", "5" + evil, "--model", path],
    ] {
      let run = try CommandRun.run(call)
      #expect(run.exited && !(run.output + run.errors).isEmpty)
      let raw = (run.output + run.errors).unicodeScalars.filter { $0 != "\n" && $0.needsEscape }
      #expect(raw.isEmpty, "\(call[0]): \(raw.map(\.value)) in \((run.output + run.errors).escaped)")
    }
    let json = try CommandRun.run(["info", "--model", path, "--json"])
    let report = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    #expect(report?["path"] as? String == path)
  }

  @Test func generatedBytesAreTextOnATerminal() {
    func shown(_ bytes: [UInt8]) -> String {
      var text = TerminalText()
      return bytes.map { text.take($0) }.joined() + text.end()
    }
    let plain = "To be,\n\tor nöt 漢🙂 "
    #expect(shown(Array(plain.utf8)) == plain)
    #expect(shown([0x1B, 0x5B, 0x32, 0x4A, 0x0D]) == "\\u{1B}[2J\\r")
    #expect(shown([0xC2, 0x9B, 0x61, 0xE2, 0x82, 0x62, 0xC3, 0xC3, 0xA9]) == "\\u{9B}a\\xE2\\x82b\\xC3é")
    var random = SeededRandom(seed: 2)
    for _ in 0..<2000 {
      let bytes = (0..<8).map { _ in UInt8.random(in: 0...255, using: &random) }
      let raw = shown(bytes).unicodeScalars.filter { $0 != "\n" && $0 != "\t" && $0.needsEscape }
      #expect(raw.isEmpty && !shown(bytes).isEmpty, "\(bytes)")
    }
  }
}
