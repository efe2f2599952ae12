import Foundation
import HatchlingModel
import TestSupport
import Testing

/// `hatchling train` with real files: what it writes, interruptions, and mistakes.
@Suite(.serialized) struct TrainTests {
  static let sizes = [
    "--n", "64", "--d", "16", "--heads", "2", "--layers", "2", "--block", "32", "--batch", "2", "--threads",
    "1",
  ]

  func train(
    _ folder: TemporaryFolder, _ more: [String], text: String? = nil,
    during: ((Process) throws -> Void)? = nil
  ) throws -> CommandRun {
    let path = try text ?? folder.write("text", wordyText)
    return try CommandRun.run(["train", path] + more, during: during)
  }

  func data(_ folder: TemporaryFolder, _ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: folder.path(name)))
  }

  /// Every column of a log but the times.
  func columns(_ folder: TemporaryFolder, _ name: String) throws -> [String] {
    try folder.text(name).split(separator: "\n").map { line in
      let values = line.split(separator: ",", omittingEmptySubsequences: false)
      return (values[0...1] + values[3...7] + values[9...]).joined(separator: ",")
    }
  }

  @Test func trainsLogsAndWritesWhereItCameFrom() throws {
    let folder = try TemporaryFolder()
    let run = try train(
      folder,
      Self.sizes + [
        "--out", folder.path("m.safetensors"), "--steps", "120", "--log", folder.path("m.csv"),
        "--log-topology", folder.path("topology.csv"),
      ])
    try #require(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    // Of two blocks of each stream, the least there is.
    #expect(run.output.contains("held out, the first 128 of them read at every validation"))
    let lines = try folder.text("m.csv").split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    #expect(lines.count == 121 && lines.allSatisfy { $0.count == 11 })
    #expect(lines[0][0] == "step" && lines[120][0] == "120" && lines[120][1] == String(120 * 64))
    let losses = try lines.dropFirst().map { try #require(Double($0[4])) }
    #expect(losses[0] > 5.3 && losses[119] < 4.6)
    // A twentieth of the run between validations; the held-out loss falls, too.
    let validations = lines.dropFirst().filter { !$0[9].isEmpty }
    #expect(validations.count == 20 && validations.allSatisfy { Int($0[0]).map { $0 % 6 == 0 } ?? false })
    #expect(try #require(Double(validations[19][9])) < 4.6)
    #expect(run.output.contains("memory     up to") && run.output.contains("  | "))
    let info = try CommandRun.run(["info", "--model", folder.path("m.safetensors"), "--json"])
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(info.output.utf8)) as? [String: Any])
    let metadata = try #require(object["metadata"] as? [String: String])
    #expect(metadata["training.data"]?.contains("text, \(wordyText.count) bytes, sha256 ") == true)
    #expect(metadata["training.flags"]?.contains("--block 32 --batch 2 --lr 0.001") == true)
    #expect(
      metadata["training.steps"] == "120" && metadata["training.version"]?.hasPrefix("hatchling ") == true)
    #expect(object["damped"] as? Bool == true && object["n"] as? Int == 64)
    #expect(!folder.names.contains { $0.contains("partial") } && folder.names.contains("m.checkpoint"))
    let structure = try folder.text("topology.csv").split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    #expect(structure.count == 21 && structure[20][0] == "120" && structure[20][3] == "366")
    #expect((Double(structure[20][5]) ?? 0) > 0 && (Double(structure[20][1]) ?? 0) > 0)
    #expect(folder.names.contains("topology.svg") && folder.names.contains("m.png"))
    // What was trained predicts the text better than the untrained network's 5.5.
    let step = try CommandRun.run(
      [
        "step", folder.path("text"), "--model", folder.path("m.safetensors"), "--quiet", "--json", "--engine",
        "tensor",
      ])
    let stepped = try #require(
      try JSONSerialization.jsonObject(with: Data(step.output.utf8)) as? [String: Any])
    let loss = try #require((stepped["summary"] as? [String: Any])?["loss"] as? Double)
    #expect(loss < 4.7)
  }

  @Test func threadsDoNotChangeABitAndSeedsDo() throws {
    let folder = try TemporaryFolder()
    func run(_ name: String, _ more: String...) throws {
      let flags = ["--steps", "40", "--sample", "0", "--out", folder.path(name + ".safetensors")]
      let run = try train(folder, Self.sizes + flags + ["--log", folder.path(name + ".csv")] + more)
      try #require(run.status == 0, "\(run.errors)")
    }
    try run("one", "--threads", "1")
    try run("two", "--threads", "2")
    try run("seed", "--threads", "1", "--seed", "2")
    #expect(try data(folder, "two.safetensors") == data(folder, "one.safetensors"))
    #expect(try columns(folder, "two.csv") == columns(folder, "one.csv"))
    #expect(try data(folder, "seed.safetensors") != data(folder, "one.safetensors"))
  }

  @Test func aLossThatIsNoNumberStopsTheRunWithADiagnosis() throws {
    let folder = try TemporaryFolder()
    let sizes = Hyperparameters(neurons: 8, synapticDimension: 4, heads: 2, layers: 2, vocabulary: 256)
    var weights = Weights<Float>.random(sizes, seed: 3)
    weights.readout = weights.readout.map { $0 * 1e38 }
    try weights.save(to: folder.path("huge.safetensors"))
    let run = try train(
      folder,
      [
        "--init", folder.path("huge.safetensors"), "--out", folder.path("m.safetensors"), "--steps", "20",
        "--block", "32", "--batch", "2", "--threads", "1", "--log", folder.path("m.csv"), "--sample", "0",
      ])
    #expect(run.exited && run.status == 2, "\(run.output)")
    let errors = run.errors.split(separator: "\n")
    #expect(
      errors.count == 1 && run.errors.contains("step 1:") && run.errors.contains("--lr"), "\(run.errors)")
    #expect(try folder.text("m.csv").hasPrefix("step,"))
    #expect(!folder.names.contains("m.safetensors") && !folder.names.contains { $0.contains("partial") })
  }

  @Test func aDiskThatTakesNoMoreIsOneLineAndNothingIsLost() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("text", wordyText)
    let flags = Self.sizes + ["--steps", "10", "--sample", "0", "--out", folder.path("m.safetensors")]
    try #require(try CommandRun.run(["train", text] + flags).status == 0)
    let (model, checkpoint) = (try data(folder, "m.safetensors"), try data(folder, "m.checkpoint"))
    // No file may grow beyond 64 blocks: smaller than the model.
    let limited = try CommandRun.run(
      ["-c", "ulimit -f 64; exec \"$@\"", "sh", CommandRun.binary.path, "train", text] + flags,
      program: "/bin/sh")
    #expect(limited.exited && limited.status == 2 && limited.errors.split(separator: "\n").count == 1)
    #expect(limited.errors.contains("cannot write"), "\(limited.errors)")
    #expect(try data(folder, "m.safetensors") == model && data(folder, "m.checkpoint") == checkpoint)
    #expect(folder.names == ["m.checkpoint", "m.safetensors", "text"])
  }

  @Test func mistakesAreOneLineEach() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("text", wordyText)
    let out = folder.path("m.safetensors")
    let base = ["train", text, "--out", out, "--sample", "0", "--steps", "3"] + Self.sizes
    try #require(try CommandRun.run(base + ["--layers", "2"]).status == 0)
    let (model, checkpoint) = (try data(folder, "m.safetensors"), folder.path("m.checkpoint"))
    let damaged = try folder.write(
      "damaged", try Data(contentsOf: URL(fileURLWithPath: checkpoint)).dropLast(9))
    let changed = try folder.write("changed", wordyText.reversed())
    let empty = try folder.write("empty", "".utf8)
    let short = try folder.write("short", "too short".utf8)
    let note = try folder.write("note.csv", "a,b\n1,2\n".utf8)
    let other = folder.path("other.safetensors")
    let go = ["train", text, "--out", other, "--sample", "0"]
    let cases: [([String], String)] = [
      (["train", "--out", other], "text"), (["train", folder.path("none"), "--out", other], "none"),
      (["train", folder.url.path, "--out", other], "directory"), (["train", empty, "--out", other], "empty"),
      (["train", short, "--out", other], "--block"), (["train", text], "--out"),
      (["train", text, "--out", folder.path("m.pt")], ".safetensors"),
      (["train", text, "--out", folder.path("none/m.safetensors")], "none/m.safetensors"),
      (go + ["--n", "0"], "--n"), (go + ["--n", "62", "--heads", "4"], "multiple of 8"),
      (go + ["--heads", "0"], "--heads"),
      (go + ["--d", "0"], "--d"), (go + ["--layers", "0"], "--layers"),
      (go + ["--n", "100000000"], "memory"),
      (go + ["--block", "1000000", "--batch", "4096"], "memory"),
      (go + ["--n", "9999999999999999999"], "--n"),
      (go + ["--variant", "other"], "other"), (go + ["--block", "0"], "--block"),
      (go + ["--batch", "-1"], "--batch"),
      (go + ["--chunk", "0"], "--chunk"), (go + ["--steps", "0"], "--steps"),
      (go + ["--minutes", "0"], "--minutes"),
      (go + ["--steps", "1", "--minutes", "1"], "exclude"), (go + ["--lr", "0"], "--lr"),
      (go + ["--lr", "nan"], "--lr"),
      (go + ["--lr", "inf"], "--lr"), (go + ["--warmup", "-1"], "--warmup"),
      (go + ["--steps", "5", "--warmup", "6"], "--warmup"),
      (go + ["--weight-decay", "-0.1"], "--weight-decay"),
      (go + ["--weight-decay", "nan"], "--weight-decay"),
      (go + ["--clip", "-1"], "--clip"), (go + ["--clip", "inf"], "--clip"),
      (go + ["--dropout", "1"], "--dropout"),
      (go + ["--dropout", "nan"], "--dropout"), (go + ["--damping", "1.5"], "--damping"),
      (go + ["--damping", "some"], "some"), (go + ["--validation", "1"], "--validation"),
      (go + ["--validation", "0.999"], "--block"), (go + ["--validate-every", "0"], "--validate-every"),
      (go + ["--validation-bytes", "0"], "--validation-bytes 0"),
      (go + ["--validation-bytes", "31"], "--validation-bytes 31"),
      (go + ["--validation-bytes", "-1"], "--validation-bytes"),
      (go + ["--resume", checkpoint, "--validation-bytes", "all"], "--validation-bytes all"),
      (go + ["--no-carry", "--passage", "9"], "--passage"),
      (go + ["--carry", "--no-carry"], "'--no-carry' had already been set with flag '--carry'"),
      (go + ["--lr", "10"], "--lr 10.0"),
      (["train", "-", "-", "--out", other], "'-'"),
      (go + ["--resume", checkpoint, "--validate-every", "2"], "validate-every"),
      (go + ["--threads", "0"], "--threads"), (go + ["--sample", "-1"], "--sample"),
      (go + ["--log", "m.txt"], "--log"),
      (go + ["--log", folder.path("none/m.csv")], "none/m.csv"),
      (go + ["--init", folder.path("none")], "none"),
      (go + ["--init", text], "text"), (go + ["--init", out, "--n", "128"], "n 64"),
      (go + ["--init", out, "--d", "8"], "d 16"),
      (go + ["--init", out, "--resume", checkpoint], "exclude"),
      (go + ["--resume", folder.path("none")], "none"),
      (go + ["--resume", out], "no checkpoint"), (go + ["--resume", damaged], "damaged"),
      (["train", changed, "--out", other, "--resume", checkpoint], "text"),
      (go + ["--resume", checkpoint, "--n", "128"], "--n 128"),
      (go + ["--resume", checkpoint, "--layers", "3"], "--layers 3"),
      (go + ["--resume", checkpoint, "--lr", "0.5"], "--lr 0.5"),
      (go + ["--resume", checkpoint, "--steps", "9"], "--steps 9"),
      (go + ["--resume", checkpoint, "--minutes", "9"], "--minutes"),
      (go + ["--resume", checkpoint, "--detach"], "detach"),
      (go + ["--resume", checkpoint, "--validation", "0.2"], "validation"),
      (go + ["--resume", checkpoint, "--log", note], "not a log of hatchling train"),
    ]
    for (arguments, part) in cases {
      let run = try CommandRun.run(arguments)
      #expect(
        run.isOneLine(part), "\(arguments.dropFirst()): status \(run.status), \(run.errors)\(run.output)")
    }
    #expect(try data(folder, "m.safetensors") == model && folder.text("note.csv") == "a,b\n1,2\n")
    #expect(
      folder.names == [
        "changed", "damaged", "empty", "m.checkpoint", "m.safetensors", "note.csv", "short", "text",
      ])
  }

  @Test func whatIsReadIsNeverOverwritten() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("text.csv", wordyText)
    let model = folder.path("m.safetensors")
    let flags = Self.sizes + ["--steps", "2", "--sample", "0"]
    try #require(try CommandRun.run(["train", text, "--out", model] + flags).status == 0)
    let before = try (data(folder, "m.safetensors"), data(folder, "m.checkpoint"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("link.csv"), withDestinationPath: folder.path("text.csv"))
    let other = folder.path("o.safetensors")
    let note = try folder.write("note.csv", "a,b\n1,2\n".utf8)
    let cases: [([String], String)] = [
      (["--out", other, "--log", text], "the text"),
      (["--out", other, "--log", folder.path("link.csv")], "the text"),
      (["--out", other, "--log-topology", folder.path("./text.csv")], "the text"),
      (["--out", other, "--log", note], "not a log"),
      (["--out", other, "--log-topology", note], "not a topology log"),
      (
        [
          "--out", other, "--log", folder.path("a.csv"), "--log-topology",
          folder.path("../\(folder.url.lastPathComponent)/a.csv"),
        ], "--log"
      ),
      (["--out", model, "--init", model], "--init"),
    ]
    for (arguments, part) in cases {
      let run = try CommandRun.run(["train", text] + arguments + ["--steps", "2", "--sample", "0"])
      #expect(run.isOneLine(part), "\(arguments): status \(run.status), \(run.errors)\(run.output)")
    }
    #expect(try folder.text("text.csv") == String(decoding: wordyText, as: UTF8.self))
    #expect(try folder.text("note.csv") == "a,b\n1,2\n")
    #expect(try data(folder, "m.safetensors") == before.0 && data(folder, "m.checkpoint") == before.1)
    #expect(!folder.names.contains("o.safetensors"))
  }

  @Test func heldOutBytesThatTheNetworkHasNoTokenForAreNamed() throws {
    let folder = try TemporaryFolder()
    let sizes = Hyperparameters(neurons: 8, synapticDimension: 4, heads: 2, layers: 2, vocabulary: 128)
    try Weights<Float>.random(sizes, seed: 3).save(to: folder.path("ascii.safetensors"))
    var text = wordyText
    text[text.count - 5] = 0xC3
    let path = try folder.write("text", text)
    let run = try CommandRun.run([
      "train", path, "--init", folder.path("ascii.safetensors"), "--out", folder.path("m.safetensors"),
      "--block", "32", "--batch", "2", "--steps", "2",
    ])
    #expect(run.isOneLine("'text': token 195 at offset \(text.count - 5)"), "\(run.errors)")
  }

  @Test func dampingIsKeptSetOrTakenAway() throws {
    let folder = try TemporaryFolder()
    func run(_ name: String, _ more: [String]) throws -> (damped: Bool?, flags: String?) {
      let out = folder.path("\(name).safetensors")
      let run = try train(folder, ["--steps", "2", "--sample", "0", "--block", "32", "--out", out] + more)
      try #require(run.status == 0, "\(run.errors)")
      let info = try CommandRun.run(["info", "--model", out, "--json"])
      let object = try JSONSerialization.jsonObject(with: Data(info.output.utf8)) as? [String: Any]
      return (object?["damped"] as? Bool, (object?["metadata"] as? [String: String])?["training.flags"])
    }
    let sizes = ["--n", "64", "--d", "16", "--heads", "2", "--layers", "2"]
    let learned = try run("learned", sizes)
    #expect(learned.damped == true && learned.flags?.contains("--damping learned") == true)
    let from = ["--init", folder.path("learned.safetensors")]
    let kept = try run("kept", from)
    #expect(kept.damped == true && kept.flags?.contains("--damping") == false)
    let none = try run("none", from + ["--damping", "none"])
    #expect(none.damped == false && none.flags?.contains("--damping none") == true)
  }

  @Test func goesOnFromAModelWithAFreshOptimiser() throws {
    let folder = try TemporaryFolder()
    try #require(
      try train(
        folder, Self.sizes + ["--out", folder.path("a.safetensors"), "--steps", "200", "--sample", "0"]
      ).status == 0)
    let run = try train(
      folder,
      [
        "--init", folder.path("a.safetensors"), "--out", folder.path("b.safetensors"), "--steps", "20",
        "--sample", "0",
        "--block", "32", "--batch", "2", "--validate-every", "1", "--log", folder.path("b.csv"),
        "--validation", "0",
      ])
    try #require(run.status == 0, "\(run.errors)")
    let first = try #require(try folder.text("b.csv").split(separator: "\n").dropFirst().first)
    let loss = try #require(Double(first.split(separator: ",", omittingEmptySubsequences: false)[4]))
    #expect(loss < 4, "the run began anew")
    let info = try CommandRun.run(["info", "--model", folder.path("b.safetensors"), "--json"])
    #expect(info.output.contains("a.safetensors, fingerprint ") && info.output.contains("\"n\":64"))
  }
}
