import Foundation
import HatchlingModel
import TestSupport
import Testing

/// `--spiking` and `calibrate`, from outside.
@Suite struct SpikingCommandTests {
  private struct Summary: Decodable {
    struct Spiking: Decodable {
      let spikesPerToken: Double
      let synapticEventsPerToken: Double
      let hebbianEventsPerToken: Double
    }
    struct Totals: Decodable {
      let tokens: Int
      let loss: Double
      let messages: Int
      let updates: Int
      let spiking: Spiking?
    }
    let summary: Totals
  }

  private func summary(_ run: CommandRun) throws -> Summary.Totals {
    try #require(run.status == 0, "\(run.errors)")
    let last = try #require(run.output.split(separator: "\n").last)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Summary.self, from: Data(last.utf8)).summary
  }

  private let text = Array(
    "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n".utf8)

  private func smallModel(in folder: TemporaryFolder) throws -> String {
    let path = folder.path("small.safetensors")
    let sizes = Hyperparameters(neurons: 128, synapticDimension: 16, heads: 2, layers: 2, vocabulary: 128)
    try Weights.random(sizes, seed: 1).save(to: path)
    return path
  }

  /// The shipped network: scales from the text, from a file, saved states, both forms; the loss is near the exact one, and what is counted adds up.
  @Test func stepsOnSpikes() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("text", text)
    func step(_ options: String...) throws -> CommandRun {
      try CommandRun.run(["step", file, "--json"] + options)
    }
    let told = try step("--spiking", "few:3:10")
    let (exact, spiking) = (try summary(step()), try summary(told))
    #expect(exact.spiking == nil && exact.tokens == text.count)
    #expect(spiking.loss != exact.loss && abs(spiking.loss - exact.loss) < 0.02 * exact.loss)
    let counts = try #require(spiking.spiking)
    #expect(counts.spikesPerToken > 1000)
    #expect(abs(counts.synapticEventsPerToken * Double(text.count) - Double(spiking.messages)) < 1)
    #expect(abs(counts.hebbianEventsPerToken * Double(text.count) - Double(spiking.updates)) < 1)
    #expect(spiking.messages > exact.messages)
    #expect(told.errors.contains("scales from the text's \(text.count) tokens and"))
    // Scales from a file: the same for every text, so that a state can go on.
    let scales = folder.path("scales.json")
    let calibrated = try CommandRun.run(["calibrate", file, "--out", scales])
    #expect(calibrated.status == 0 && calibrated.output.contains("largest values in \(text.count) tokens"))
    let half = try folder.write("half", Array(text.prefix(30)))
    let rest = try folder.write("rest", Array(text.dropFirst(30)))
    let code = [
      "--spiking", "stochastic:32", "--seed", "5", "--scales", scales, "--scales-by", "particle", "--quiet",
    ]
    let whole = try CommandRun.run(["step", file, "--logits", folder.path("all.npy")] + code)
    let first = try CommandRun.run(["step", half, "--state-out", folder.path("s")] + code)
    let second = try CommandRun.run(
      ["step", rest, "--state-in", folder.path("s"), "--logits", folder.path("rest.npy")] + code)
    #expect(whole.status == 0 && first.status == 0 && second.status == 0, "\(whole.errors)\(second.errors)")
    let (all, tail) = (
      try Data(contentsOf: URL(fileURLWithPath: folder.path("all.npy"))),
      try Data(contentsOf: URL(fileURLWithPath: folder.path("rest.npy")))
    )
    #expect(tail.count > 4 * 256 * (text.count - 31) && all.suffix(1024 * 16) == tail.suffix(1024 * 16))
    // Another seed draws otherwise, and a state of other spikes is refused.
    let other = [
      "--spiking", "stochastic:32", "--seed", "6", "--scales", scales, "--scales-by", "particle", "--quiet",
    ]
    let refused = try CommandRun.run(["step", rest, "--state-in", folder.path("s")] + other)
    #expect(refused.status == 2 && refused.errors.contains("seed 5"), "\(refused.errors)")
    let rescaled = try CommandRun.run(["calibrate", rest, "--out", folder.path("other.json")])
    #expect(rescaled.status == 0)
    let foreign = try CommandRun.run(
      ["step", rest, "--state-in", folder.path("s")]
        + code.map { $0 == scales ? folder.path("other.json") : $0 })
    #expect(foreign.status == 2 && foreign.errors.contains("scales "), "\(foreign.errors)")
    let direct = try step(
      "--form", "direct", "--edges", "1e3", "--spiking", "few:3:10", "--model", smallModel(in: folder))
    #expect(try summary(direct).loss.isFinite)
    let verified = try CommandRun.run([
      "verify", file, "--tokens", "40", "--spiking", "binary:24", "--tolerance", "1e-4",
    ])
    #expect(verified.status == 0 && verified.output.contains("AGREE"), "\(verified.output)")
    #expect(
      try CommandRun.run(["verify", file, "--tokens", "40", "--spiking", "few:1:2", "--max-kl", "1e-6"])
        .status == 1)
    let written = try CommandRun.run([
      "generate", "--prompt", "Speak", "--count", "8", "--seed", "1", "--spiking", "few:3:10",
    ])
    #expect(written.status == 0 && written.output.utf8.count == 8, "\(written.errors)")
  }

  @Test func comparesCodes() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("text", text + text + text + text)
    let run = try CommandRun.run([
      "fidelity", file, "--segment", "40", "--spiking", "few:3:10", "--spiking", "rate:8", "--out",
      folder.path("out"),
    ])
    #expect(run.status == 0, "\(run.errors)")
    let rows = try folder.text("out/spikes.csv").split(separator: "\n")
    #expect(rows.count == 4 && rows[0].hasPrefix("code,") && rows[2].hasPrefix("few:3:10,10,"))
    #expect(run.output.contains("exact") && run.output.contains("rate:8"))
    let info = try CommandRun.run(["info", "--spiking"])
    #expect(info.status == 0 && info.output.contains("analog") && info.output.contains("rotated (x̃"))
  }

  /// A pruned graph's codes are compared with the graph on numbers, which is compared with the tensors; cutting as Dale's law would costs more than
  /// raising, which costs nothing.
  @Test func comparesCodesOfOtherGraphs() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("text", text + text + text + text)
    func rows(_ name: String, _ options: String...) throws -> [[String: Double]] {
      let run = try CommandRun.run(
        ["fidelity", file, "--segment", "40", "--spiking", "binary:24", "--out", folder.path(name)] + options)
      #expect(run.status == 0, "\(run.errors)")
      let lines = try folder.text("\(name)/spikes.csv").split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
      try #require(lines.count == 3)
      return lines.dropFirst().map { line in
        Dictionary(uniqueKeysWithValues: zip(lines[0], line.map { Double($0) ?? .nan }))
      }
    }
    let pruned = try rows("pruned", "--form", "direct", "--edges", "2e4")
    #expect((pruned[0]["mean_kl"] ?? .nan) > 0.1)
    #expect(abs(pruned[1]["mean_kl"] ?? .nan) < 1e-3)
    let cut = try rows("cut", "--dale", "cut")
    #expect((cut[0]["mean_kl"] ?? .nan) > 0.01 && abs(cut[1]["mean_kl"] ?? .nan) < 1e-3)
    let raised = try rows("raised", "--dale", "shift")
    #expect(abs(raised[0]["mean_kl"] ?? .nan) < 1e-6 && abs(raised[1]["mean_kl"] ?? .nan) < 1e-3)
    let curves = try CommandRun.run([
      "fidelity", file, "--segment", "40", "--edges", "1e3", "--dale", "cut", "--series", "dale=lot",
      "--model", smallModel(in: folder),
    ])
    #expect(curves.status == 0 && curves.output.contains("dale=cut") && curves.output.contains("dale=lot"))
  }

  @Test func badInputIsOneLine() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("text", text)
    func step(_ options: String...) throws -> CommandRun {
      try CommandRun.run(["step", file, "--quiet"] + options)
    }
    #expect(try step("--spiking", "rate:0").isOneLine("--spiking 'rate:0'"))
    #expect(try step("--spiking", "few:3:1000000").isOneLine("1 to 60"))
    #expect(try step("--spiking", "fast").isOneLine("few:M:T"))
    #expect(try step("--spiking", "few:3:10", "--engine", "tensor").isOneLine("--engine tensor"))
    #expect(try step("--spiking", "few:3:10", "--weights", "bf16").isOneLine("--weights"))
    #expect(try step("--spiking", "few:3:10", "--cut", "1:h1:n1").isOneLine("--cut"))
    #expect(try step("--spiking", "few:3:10", "--state-out", folder.path("s")).isOneLine("--scales"))
    #expect(try step("--spiking", "few:3:10", "--leak", "1").isOneLine("--leak"))
    #expect(try step("--scales", "x").isOneLine("--scales goes with --spiking"))
    #expect(try step("--spiking", "few:3:10", "--scales", folder.path("none")).isOneLine("none"))
    for (name, content, part) in [
      ("nan", #"{"model":"","form":"circuit","tokens":20,"largest":{"v":[[NaN]]}}"#, "holds no scales"),
      (
        "zero", #"{"model":"","form":"circuit","tokens":20,"largest":{"v":[[0,0],[0,0]]}}"#,
        "all scales of v are 0"
      ),
      ("minus", #"{"model":"","form":"circuit","tokens":20,"largest":{"v":[[-1]]}}"#, "negative"),
      ("few", #"{"model":"","form":"circuit","tokens":20,"largest":{"v":[[1]]}}"#, "other sizes"),
      ("text", "To be", "holds no scales"),
    ] {
      let scales = try folder.write(name, Array(content.utf8))
      #expect(try step("--spiking", "few:3:10", "--scales", scales).isOneLine(part), "\(name)")
    }
    let short = try folder.write("short", Array("To be".utf8))
    #expect(
      try CommandRun.run(["calibrate", short, "--out", folder.path("s.json")]).isOneLine("16 are needed"))
    #expect(!folder.names.contains("s.json"))
    #expect(try CommandRun.run(["fidelity", file]).isOneLine("--edges or --spiking"))
    #expect(
      try CommandRun.run(["fidelity", file, "--edges", "9", "--spiking", "rate:4"]).isOneLine("one study"))
    func fidelity(_ options: String...) throws -> CommandRun {
      try CommandRun.run(["fidelity", file, "--segment", "40"] + options)
    }
    let direct = ["--spiking", "rate:4", "--form", "direct", "--edges"]
    #expect(try CommandRun.run(["fidelity", file] + direct + ["9,10"]).isOneLine("one graph at a time"))
    #expect(try fidelity("--edges", "9", "--form", "direct").isOneLine("--form goes with --spiking"))
    #expect(try fidelity("--spiking", "rate:4", "--rescale").isOneLine("--form direct --edges M"))
    #expect(try fidelity("--edges", "9", "--dale", "shift").isOneLine("--dale shift"))
    #expect(try fidelity("--edges", "9", "--series", "dale=shift").isOneLine("dale=shift"))
  }
}
