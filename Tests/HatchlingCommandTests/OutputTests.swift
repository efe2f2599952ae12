import Foundation
import HatchlingCommands
import TestSupport
import Testing

/// Where results go is tried before the work, and nothing is left behind.
@Suite struct OutputTests {
  /// The model is missing in all of them, and yet the place that cannot be written is what is complained of.
  @Test func everyPlaceIsTriedBeforeTheModelIsRead() throws {
    let folder = try TemporaryFolder()
    let (text, file) = (try folder.write("text", Array("abcdefgh".utf8)), try folder.write("file", [1]))
    let model = ["--model", folder.path("missing.safetensors")]
    let calls: [(call: [String], option: String, ending: String)] = [
      (["step", "--text", "a"] + model, "--state-out", ""),
      (["step", "--text", "a"] + model, "--logits", ".npy"),
      (["generate", "--prompt", "a"] + model, "--state-out", ""),
      (["generate", "--prompt", "a"] + model, "--logits", ".npy"), (["compile"] + model, "--out", ".gexf"),
      (["degrees"] + model, "--out", ""),
      (["degrees", "--out", folder.path("d")] + model, "--export", ".csv"),
      (["fidelity", text, "--edges", "5"] + model, "--out", ""),
      (["explain", text, "--token", "3"] + model, "--out", ".csv"),
      (["merge", folder.path("missing"), folder.path("missing")], "--out", ".safetensors"),
      (["translate-corpus", folder.path("missing"), text, "--languages", "a,b"], "--out", ""),
      (["train", text, "--init", folder.path("missing")], "--out", ".safetensors"),
      (
        ["train", text, "--init", folder.path("missing"), "--out", folder.path("o.safetensors")], "--log",
        ".csv"
      ),
      (
        ["train", text, "--init", folder.path("missing"), "--out", folder.path("o.safetensors")],
        "--log-topology", ".csv"
      ),
    ]
    for (call, option, ending) in calls {
      let place = "\(file)/x\(ending)"
      let refused = try CommandRun.run(call + [option, place])
      #expect(refused.isOneLine("cannot write '\(file)"), "\(call) \(option): \(refused.errors)")
      let later = try CommandRun.run(call + [option, folder.path("new\(ending)")])
      #expect(later.isOneLine("missing"), "\(call) \(option): \(later.errors)")
      #expect(folder.names == ["file", "text"], "\(call) \(option): \(folder.names)")
    }
    let deep = try CommandRun.run(["degrees", "--out", folder.path("a/b/c")] + model)
    #expect(deep.isOneLine("missing.safetensors") && folder.names == ["file", "text"])
  }

  @Test func noOutputIsAnInputOrWrittenTwice() throws {
    let folder = try TemporaryFolder()
    let (text, link) = (try folder.write("text.npy", Array("abcdefgh".utf8)), folder.path("link.npy"))
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: text)
    let twice = folder.path("./new.npy")
    for call in [
      ["step", text, "--state-out", text], ["step", text, "--logits", link],
      ["step", "--text", "a", "--model", text, "--state-out", link],
      ["compile", "--model", folder.path("g.csv"), "--out", folder.path("g.csv")],
      ["explain", folder.path("g.csv"), "--token", "0", "--out", folder.path("g.csv")],
      [
        "degrees", "--graph", "sigma", text, "--out", folder.path("d"), "--export", folder.path("./g.csv"),
        "--model", folder.path("g.csv"),
      ],
    ] {
      try folder.write("g.csv", [1])
      let run = try CommandRun.run(call)
      #expect(run.isOneLine("one of the files to read"), "\(call): \(run.errors)")
    }
    let run = try CommandRun.run([
      "step", "--text", "a", "--state-out", folder.path("new.npy"), "--logits", twice,
    ])
    #expect(run.isOneLine("would be written twice"), "\(run.errors)")
    #expect(folder.names == ["g.csv", "link.npy", "text.npy"])
  }

  /// A state may be saved where it came from.
  @Test func aStateMayTakeThePlaceOfTheOneItGoesOnFrom() throws {
    let folder = try TemporaryFolder()
    let state = folder.path("state")
    #expect(try CommandRun.run(["step", "--text", "ab", "--quiet", "--state-out", state]).status == 0)
    #expect(
      try CommandRun.run(["step", "--text", "c", "--quiet", "--state-in", state, "--state-out", state]).status
        == 0)
    #expect(try CommandRun.run(["info", "--state", state]).output.contains("3 tokens read"))
  }
}
