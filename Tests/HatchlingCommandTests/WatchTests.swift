import Foundation
import HatchlingActivity
import HatchlingCompiler
import HatchlingExecution
import HatchlingModel
import TestSupport
import Testing

@testable import HatchlingCommands

/// `watch`, and interventions of other commands, from outside.
@Suite struct WatchTests {
  @Test func aTextCannotCommandTheTerminal() throws {
    let text = Array("a\u{1B}[31m\r\u{202E}é✓".utf8) + [0xFF, 0x9B, 10]
    let glyphs = WatchReport.glyphs(of: text.map(Int.init))
    #expect(glyphs.count == text.count)
    #expect(
      glyphs == [
        "a", "x1B", "[", "3", "1", "m", "\\r", "xE2", "x80", "xAE", "", "é", "", "", "✓", "xFF", "x9B", "\\n",
      ])
    let sizes = Hyperparameters(
      neurons: 32, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 256, variant: .released)
    let engine = try CircuitEngine(Compiler().circuit(from: Weights.random(sizes, seed: 4)).graph)
    let synapse = try ParticleNames(of: engine).synapse("2:h3:n12")
    let report = WatchReport(
      try WatchedText(text.map(Int.init), synapses: [synapse], neurons: [], on: engine))
    let (coloured, plain) = (report.lines(inColour: true).joined(), report.lines(inColour: false).joined())
    #expect(!plain.unicodeScalars.contains { $0.value < 32 || $0.value == 0x9B || $0.value == 0x202E })
    // Nothing but colours and their end.
    let rest = coloured.replacing(/\u{1B}\[(38;2;0;0;0;48;2;\d+;\d+;\d+|0)m/, with: "")
    #expect(
      rest.count < coloured.count && !rest.unicodeScalars.contains { $0.value < 32 || $0.value == 0x202E })
  }

  @Test func tablesPicturesAndErrors() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("text", Array("To be, or not to be".utf8))
    let csv = try CommandRun.run(
      ["watch", file, "--synapse", "2:h3:n12", "--neuron", "1:n7", "--out", folder.path("w.csv")])
    #expect(csv.status == 0 && !csv.output.contains("\u{1B}"), "\(csv.errors)")
    let lines = try folder.text("w.csv").split(separator: "\n")
    #expect(lines.count == 1 + 2 * 19 && lines[0].hasPrefix("item,position,token,surprise,strength"))
    #expect(!csv.output.contains(" -0\n") && !csv.output.contains(" -0 "))
    let drawn = try CommandRun.run(
      ["watch", file, "--form", "direct", "--synapse", "2:n3:n12", "--out", folder.path("p.svg")])
    #expect(drawn.status == 0, "\(drawn.errors)")
    #expect(folder.names.contains("p.gp") && folder.names.contains("p.svg") == drawn.output.contains("drawn"))
    func watch(_ options: String...) throws -> CommandRun { try CommandRun.run(["watch", file] + options) }
    #expect(try watch().isOneLine("--synapse L:PRE:POST"))
    #expect(try watch("--neuron", "5:n1").isOneLine("no layer 5"))
    #expect(try watch("--synapse", "1:h1:n4096").isOneLine("no neuron 4096"))
    #expect(try watch("--synapse", "1:h99:n1").isOneLine("no plastic synapse"))
    #expect(try watch("--neuron", "1:n1", "--out", "a.gif").isOneLine("a.gif"))
    // What lies beside a picture is written too.
    let script = try folder.write("q.gp", Array("To be".utf8))
    #expect(
      try CommandRun.run(["watch", script, "--neuron", "1:n1", "--out", folder.path("q.svg")]).isOneLine(
        "q.gp"))
    #expect(try folder.text("q.gp") == "To be")
  }

  /// Colours reach a terminal, and what the text says does not: `script` is a terminal.
  @Test(.enabled(if: access("/usr/bin/script", X_OK) == 0, "needs script of bsdutils"))
  func aTerminalSeesColoursAndNothingElse() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("text", Array("To\u{1B}[5mbe".utf8))
    let command = "'\(CommandRun.binary.path)' watch '\(file)' --synapse 2:h3:n12"
    func seen(_ environment: [String: String]) throws -> String {
      let run = try CommandRun.run(
        ["-qec", command, "/dev/null"], program: "/usr/bin/script", environment: environment)
      #expect(run.status == 0, "\(run.output)")
      return run.output
    }
    let coloured = try seen(["NO_COLOR": ""])
    #expect(coloured.contains("\u{1B}[38;2;0;0;0;48;2;") && !coloured.contains("\u{1B}[5m"))
    #expect(!coloured.contains("\\u{1B}"))
    #expect(try !seen(["NO_COLOR": "1"]).contains("\u{1B}[38"))
  }

  @Test func interventionsAreReportedBesideControls() throws {
    let text = ["--text", "First Citizen: Before we"]
    let run = try CommandRun.run(
      ["step", "--quiet", "--json", "--cut", "1:h61:n653", "--silence", "7", "--controls", "3"] + text)
    #expect(run.status == 0, "\(run.errors)")
    let last = try #require(run.output.split(separator: "\n").last)
    let object = try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any]
    let report = try #require(object?["interventions"] as? [String: Any])
    let touched = try #require(report["touched"] as? [String: Any])
    let divergence = try #require(touched["mean_kl"] as? Double)
    #expect(divergence > 0 && (report["controls"] as? [Any])?.count == 3 && report["tokens"] as? Int == 24)
    let plain = try CommandRun.run(["step", "--quiet"] + text)
    #expect(!plain.output.contains("untouched"))
    let agree = try CommandRun.run(
      ["verify", "--cut", "1:h61:n653", "--set", "2:h3:n12=0.5@9", "--controls", "0"] + text)
    #expect(agree.status == 0 && agree.output.contains("AGREE"), "\(agree.output)\(agree.errors)")
    func step(_ options: String...) throws -> CommandRun {
      try CommandRun.run(["step", "--quiet"] + text + options)
    }
    let folder = try TemporaryFolder()
    let file = try folder.write("text", Array("To be".utf8))
    #expect(try CommandRun.run(["step", file, file, "--cut", "1:h1:n1"]).isOneLine("give one FILE"))
    #expect(try step("--cut", "9:h1:n1").isOneLine("no layer 9"))
    #expect(try step("--silence", "4096").isOneLine("no neuron 4096"))
    #expect(try step("--set", "1:h1:n1=2").isOneLine("'1:h1:n1=2' sets nothing"))
    #expect(try step("--set", "1:h1:n99999=2@1").isOneLine("no neuron 99999"))
  }
}
