import Foundation
import TestSupport
import Testing

/// The built command with real files and wrong ones: standard output, one line on standard error, exit status.
@Suite struct CommandTests {
  private func run(_ arguments: String..., environment: [String: String] = [:]) throws -> CommandRun {
    try CommandRun.run(arguments, environment: environment)
  }

  private func run(_ arguments: [String]) throws -> CommandRun { try CommandRun.run(arguments) }

  private func json(_ line: some StringProtocol) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }

  @Test func stepWritesALinePerTokenAndASummary() throws {
    let result = try run("step", "--text", "hello", "--json")
    #expect(result.status == 0 && result.errors.isEmpty)
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 6)
    let first = try json(lines[0])
    #expect(first["loss"] is NSNull && first["position"] as? Int == 0 && first["token"] as? Int == 104)
    #expect(
      (first["messages"] as? Int ?? 0) > 0
        && (first["active_x"] as? [Int])?.count == (first["active_y"] as? [Int])?.count)
    let summary = try #require(try json(lines[5])["summary"] as? [String: Any])
    #expect(summary["tokens"] as? Int == 5 && summary["loss"] is Double)
  }

  @Test func verifyAgreesAndANudgeFails() throws {
    #expect(try run("verify", "--text", "To be, or not to be", "--precision", "double").status == 0)
    let nudged = try run("verify", "--text", "To be, or not to be", "--nudge", "readout:h1:o5:2", "--json")
    #expect(nudged.status == 1)
    let place = try #require(try json(nudged.output)["first_divergence"] as? [String: Any])
    #expect(
      place["quantity"] as? String == "logits" && place["token"] as? Int == 0 && place["index"] as? Int == 5)
  }

  /// A weight that changes after the last comparison would change nothing, and the check would say that all agrees.
  @Test func aPlasticNudgeNeedsATokenAfterIt() throws {
    func verify(_ text: String, _ form: String, _ nudge: String) throws -> CommandRun {
      try run("verify", "--text", text, "--form", form, "--nudge", nudge)
    }
    for (text, form, nudge) in [
      ("To be", "circuit", "plastic:h1:n1175:10:4:1"), ("To be", "circuit", "plastic:h1:n1175:10:99:1"),
      ("To be", "direct", "plastic:t84:n1175:10:4:1"), ("T", "circuit", "plastic:h1:n1175:10:0:1"),
    ] {
      let refused = try verify(text, form, nudge)
      #expect(refused.status == 2 && refused.output.isEmpty, "\(nudge): \(refused.output)")
      #expect(refused.errors.contains(nudge) && refused.errors.split(separator: "\n").count == 1)
    }
    for token in [0, 3] {
      #expect(try verify("To be", "circuit", "plastic:h1:n1175:10:\(token):1").status == 1)
    }
  }

  @Test func reducedWeightsAreJudgedByTheirPredictions() throws {
    let text = "To be, or not to be, that is the question"
    let judged = try run("verify", "--text", text, "--weights", "int8", "--json")
    #expect(judged.status == 0 && judged.errors.isEmpty)
    let report = try json(judged.output)
    #expect(report["agree"] as? Bool == true && report["max_kl"] as? Double == 0.05)
    #expect((report["mean_kl"] as? Double ?? 0) > 0 && report["loss_change"] is Double)
    let promised = [
      "tokens", "agree", "tolerance", "quantities", "first_divergence", "top1_agreement", "mean_kl",
      "loss_tensor", "loss_graph",
    ]
    #expect(promised.allSatisfy { report[$0] != nil })
    #expect(report["tolerance"] as? Double == 0.05 && report["first_divergence"] is NSNull)
    // A single token has no loss: null, not a key that is missing.
    let single = try json(try run("verify", "--text", "a", "--weights", "bf16", "--json").output)
    #expect(promised.allSatisfy { single[$0] != nil })
    #expect(single["loss_tensor"] is NSNull && single["loss_change"] is NSNull)
    #expect(try run("verify", "--text", text, "--weights", "int8", "--max-kl", "0").status == 1)
    #expect(try run("verify", "--text", text, "--weights", "bf16").status == 0)
    let state = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).state")
      .path
    defer { try? FileManager.default.removeItem(atPath: state) }
    #expect(try run("step", "--text", text, "--weights", "bf16", "--quiet", "--state-out", state).status == 0)
    let other = try run("step", "--text", text, "--state-in", state)
    #expect(other.status == 2 && other.errors.contains("options 'bf16'"))
  }

  /// One arithmetic, whatever the processor: AVX-512 and AVX2 to the last bit, plain processors, which round products, nearly.
  @Test func kernelsOfOlderProcessorsDoTheSame() throws {
    let folder = FileManager.default.temporaryDirectory
    var logits: [String: Data] = [:]
    for kernels in ["best", "avx512", "avx2", "plain"] {
      let path = folder.appendingPathComponent("\(UUID().uuidString).npy")
      defer { try? FileManager.default.removeItem(at: path) }
      let result = try run(
        "step", "--text", "To be, or not to be, that is", "--quiet", "--logits", path.path,
        environment: ["HATCHLING_KERNELS": kernels])
      #expect(result.status == 0)
      logits[kernels] = try Data(contentsOf: path).dropFirst(128)
    }
    #expect(logits["best"] == logits["avx2"] && logits["best"] == logits["avx512"])
    func floats(_ data: Data?) -> [Float] {
      (data.map { Array($0) } ?? []).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }
    let (best, plain) = (floats(logits["best"]), floats(logits["plain"]))
    #expect(best.count == 28 * 256 && best.count == plain.count)
    #expect(zip(best, plain).allSatisfy { abs($0 - $1) <= 1e-3 })
  }

  @Test func savedStatesGoOnAndThreadsDoNotMatter() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "hatchling-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    for engine in ["graph", "tensor"] {
      let whole = try run(
        "step", "--text", "abcdefgh", "--engine", engine, "--threads", "1", "--logits", path("whole.npy"),
        "--state-out", path("whole.state"))
      #expect(whole.status == 0)
      #expect(
        try run(
          "step", "--text", "abc", "--engine", engine, "--threads", "2", "--state-out", path("half.state")
        ).status == 0)
      let rest = try run(
        "step", "--text", "defgh", "--engine", engine, "--state-in", path("half.state"), "--state-out",
        path("rest.state"), "--logits", path("rest.npy"))
      #expect(rest.status == 0)
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: path("whole.state")))
          == Data(contentsOf: URL(fileURLWithPath: path("rest.state"))))
      let (all, tail) = (
        try Data(contentsOf: URL(fileURLWithPath: path("whole.npy"))),
        try Data(contentsOf: URL(fileURLWithPath: path("rest.npy")))
      )
      #expect(tail.count > 1000 && all.suffix(tail.count - 128) == tail.suffix(tail.count - 128))
      #expect(try run("info", "--state", path("rest.state"), "--json").output.contains("\"position\":8"))
    }
    let wrong = try run("step", "--text", "x", "--precision", "double", "--state-in", path("rest.state"))
    #expect(wrong.status == 2 && wrong.errors.contains("engine"))
  }

  @Test func badUsageAndBadInputAreOneLineAndStatusTwo() throws {
    let folder = NSTemporaryDirectory()
    let calls: [[String]] = [
      ["step"], ["step", "--text", ""], ["step", "/nowhere/at/all"], ["step", folder],
      ["step", "--text", "a", "--threads", "0"],
      ["step", "--text", "a", "--model", "/nowhere"], ["verify"], ["nonsense"], ["step", "--frobnicate"],
      ["generate", "--prompt", "a", "--temperature", "-1"], ["compile", "--out", "/tmp/x.unknown"],
      ["compile", "--out", "/nowhere/x.csv"], ["step", "--text", "a", "--logits", "/nowhere/x.npy"],
      ["verify", "--text", "ab", "--max-kl", "1"], ["step", "--text", "a", "--weights", "int4"],
      ["step", "--text", "a", "--weights", "int8", "--precision", "double"],
      ["step", "--text", "a", "--weights", "bf16", "--engine", "tensor"],
      ["verify", "--text", "ab", "--nudge", "x:h1:n99999999:2"], ["verify", "--text", "ab", "--nudge", "q"],
      ["step", "--text", "a", "--edges", "5"], ["compile", "--out", "x.csv", "--threshold", "1"],
    ]
    for call in calls {
      let result = try run(call)
      #expect(result.exited && result.status == 2, "\(call): \(result.errors)")
      #expect(result.errors.split(separator: "\n").count == 1, "\(call): \(result.errors)")
      #expect(!result.errors.contains("CommandError"), "\(call): \(result.errors)")
    }
  }

  @Test func generateRepeatsWithASeed() throws {
    let first = try run("generate", "--prompt", "ROMEO:", "--count", "40", "--seed", "7")
    let second = try run("generate", "--prompt", "ROMEO:", "--count", "40", "--seed", "7")
    #expect(first.status == 0 && !first.output.isEmpty && first.output == second.output)
    #expect(try run("generate", "--prompt", "ROMEO:", "--count", "5").errors.contains("seed"))
  }

  @Test func compileAndDegreesWriteWholeFiles() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "hatchling-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let degrees = try run("degrees", "--graph", "circuit", "--out", folder.path, "--json")
    #expect(degrees.status == 0)
    let summary = try json(degrees.output)
    let edges = try #require(summary["edges"] as? Int)
    let lines = try String(contentsOf: folder.appendingPathComponent("edges.csv"), encoding: .utf8).split(
      separator: "\n")
    #expect(lines.count == edges + 1)
    let compiled = try run("compile", "--out", folder.appendingPathComponent("circuit.csv").path)
    #expect(compiled.status == 0 && compiled.output.contains("split"))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.contains("circuit.csv") && !names.contains { $0.contains("partial") })
  }

  @Test func theCircuitRefusesOptionsThatDoNotApply() throws {
    let folder = try TemporaryFolder()
    for options in [
      ["--head", "1"], ["--sign", "excitatory"], ["--threshold", "0.1"], ["--edges", "5"], ["--uncentred"],
      ["--unweighted"], ["--bootstrap", "100"], ["--modularity-edges", "5"], ["--seed", "1"],
      ["--frame", "current"], ["--layer", "1"], ["--text", "a"],
      ["--layout", "--export", folder.path("g.csv")],
    ] {
      let result = try CommandRun.run(
        ["degrees", "--graph", "circuit", "--out", folder.path("out")] + options)
      #expect(result.isOneLine(options[0]), "\(options): \(result.errors)")
    }
    #expect(folder.names.isEmpty)
    let two = try CommandRun.run(
      ["degrees", "--graph", "circuit", "--out", folder.path("out"), "--head", "1", "--edges", "1e3"])
    #expect(two.isOneLine("--head, --edges"), "\(two.errors)")
  }

  @Test func theDirectFormStepsVerifiesPrunesAndSaves() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "hatchling-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    #expect(
      try run("verify", "--text", "To be", "--form", "direct", "--precision", "double").status == 0)
    // T, the first token, drives neuron 1175 of the shipped model more than any other.
    let nudged = try run(
      "verify", "--text", "To be", "--form", "direct", "--nudge", "x:t84:n1175:1.5", "--json")
    #expect(nudged.status == 1)
    let place = try #require(try json(nudged.output)["first_divergence"] as? [String: Any])
    #expect(place["quantity"] as? String == "x" && place["token"] as? Int == 0)
    #expect(place["layer"] as? Int == 1 && place["index"] as? Int == 1175)
    let pruned = ["--form", "direct", "--edges", "2e4", "--prune-tokens"]
    func step(_ text: String, _ more: String...) throws -> CommandRun {
      try run(["step", "--text", text, "--json"] + pruned + more)
    }
    #expect(try step("abcd", "--state-out", path("whole")).status == 0)
    #expect(try step("ab", "--state-out", path("half"), "--threads", "1").status == 0)
    #expect(try step("cd", "--state-in", path("half"), "--state-out", path("rest")).status == 0)
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: path("whole")))
        == Data(contentsOf: URL(fileURLWithPath: path("rest"))))
    let other = try run(
      "step", "--text", "x", "--form", "direct", "--edges", "3e4", "--state-in", path("half"))
    #expect(other.status == 2 && other.errors.contains("options"))
    let compiled = try run(["compile", "--out", path("g.csv")] + pruned)
    #expect(compiled.status == 0 && compiled.output.contains("prune"))
    let edges = try String(contentsOf: folder.appendingPathComponent("g.csv"), encoding: .utf8).split(
      separator: "\n")
    #expect(edges.dropFirst().count { $0.contains(",x,") || $0.contains(",token_x,") } == 20_000)
  }

  /// A long prompt, which the circuit may read in chunks, is read by the direct form too.
  @Test func bothFormsContinueALongPromptAlike() throws {
    let prompt = "To be, or not to be: that is the question: Whether 'tis nobler in the mind to suffer"
    let common = ["generate", "--prompt", prompt, "--count", "6", "--temperature", "0"]
    let circuit = try run(common)
    let direct = try run(common + ["--form", "direct"])
    #expect(circuit.status == 0 && direct.status == 0 && !circuit.output.isEmpty)
    #expect(circuit.output == direct.output)
  }

  @Test func fidelityReportsARowPerNumberOfEdges() throws {
    let text = String(repeating: "To be, or not to be: that is the question. ", count: 3)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).txt")
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let result = try run(
      "fidelity", file.path, "--edges", "0,1e5", "--segment", "16", "--tokens", "32", "--json", "--series",
      "complete")
    #expect(result.status == 0)
    let rows = try result.output.split(separator: "\n").map(json)
    #expect(rows.map { $0["edges"] as? Int } == [nil, 0, 100_000, 0, 100_000])
    #expect(rows[0]["edges_x"] as? Int == 4096 * 4096 && rows[2]["edges_x"] as? Int == 100_000)
    let losses = try rows.map { try #require($0["loss"] as? Double) }
    #expect(losses[0] < losses[2] && rows[0]["top1_agreement"] as? Double == 1)
  }

  @Test func optionsOfTheDirectFormAreChecked() throws {
    for call in [
      ["step", "--text", "a", "--edges", "5"], ["step", "--text", "a", "--form", "direct", "--hubs", "3"],
      ["step", "--text", "a", "--form", "direct", "--edges", "5", "--threshold", "1"],
      ["step", "--text", "a", "--form", "direct", "--edges", "5", "--hubs", "65"],
      ["step", "--text", "a", "--form", "direct", "--threshold", "-1"],
      ["step", "--text", "a", "--form", "direct", "--edges", "x"],
      ["verify", "--text", "a", "--form", "direct", "--nudge", "x:h1:n2:2"],
      ["fidelity", "--edges", "5"], ["fidelity", "/nowhere", "--edges", "5"],
      ["fidelity", "/nowhere", "--edges", "5,,6"],
      ["fidelity", "/nowhere", "--edges", "5", "--series", "odd"],
    ] {
      let result = try run(call)
      #expect(
        result.status == 2 && result.errors.split(separator: "\n").count == 1, "\(call): \(result.errors)")
    }
  }
}
