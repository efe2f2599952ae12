import Foundation
import TestSupport
import Testing

/// `explain` from outside, on the network that comes with the program.
@Suite struct ExplainTests {
  private static let text = "First Citizen:\nBefore we proceed any further, hear me speak.\n"

  @Test func sumsAreExactAndCutsComeTrue() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("text", Array(Self.text.utf8))
    let run = try CommandRun.run(
      [
        "explain", file, "--token", "40", "--check", "100", "--top", "5", "--json", "--neuron", "2:n7",
        "--out",
        folder.path("c.csv"),
      ])
    #expect(run.status == 0, "\(run.errors)")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    func number(_ name: String, _ object: [String: Any]) throws -> Double {
      try #require(object[name] as? Double, "\(name)")
    }
    let explained = try #require(object["explained"] as? [String: Any])
    #expect(
      explained["reason"] as? String == "follows"
        && explained["token"] as? Int == Int(Array(Self.text.utf8)[41]))
    let (sum, logit) = (try number("exact_sum", object), try number("logit", explained))
    #expect(abs(sum - logit) <= 1e-12 * abs(logit) && abs(logit) > 0.1)
    #expect(try number("engine_difference", object) < 1e-11)
    #expect(try number("engine_cut_difference", object) < 1e-10)
    for (kind, least) in [("plastic_synapses", 0.98), ("fixed_synapses", 0.9), ("neurons", 0.8)] {
      let group = try #require(object[kind] as? [String: Any])
      let check = try #require(group["cut_strongest"] as? [String: Any])
      #expect(try number("r_squared", check) > least && check["count"] as? Int == 100, "\(kind)")
      #expect((group["strongest"] as? [Any])?.count == 5)
    }
    let drive = try #require((object["drives"] as? [[String: Any]])?.first)
    let layers = try #require(drive["drive_x_of_layers"] as? [Double])
    let driveX = try number("drive_x_of_token", drive) + layers.reduce(0, +)
    #expect(abs(driveX - (try number("drive_x", drive))) < 1e-12)
    let lines = try folder.text("c.csv").split(separator: "\n").map(String.init)
    #expect(lines.first == "part,kind,layer,name,share,gradient,measured,flips")
    #expect(lines.allSatisfy { $0.count { $0 == "," } == 7 })
    #expect(lines.count { $0.hasPrefix("strongest,plastic") } == 100)
    #expect(lines.count { $0.hasPrefix("earlier,") } == 4 * 40)
    var exact = 0.0
    for line in lines where line.hasPrefix("exact,") {
      exact += Double(line.split(separator: ",", omittingEmptySubsequences: false)[4]) ?? .nan
    }
    #expect(abs(exact - logit) <= 1e-9)
  }

  /// The same from a saved state; tokens count on.
  @Test func aSavedStateGoesOn() throws {
    let folder = try TemporaryFolder()
    let bytes = Array(Self.text.utf8)
    let (head, tail) = (
      try folder.write("head", bytes.prefix(30)), try folder.write("tail", bytes.dropFirst(30))
    )
    let state = folder.path("s")
    #expect(
      try CommandRun.run(["step", head, "--quiet", "--precision", "double", "--state-out", state]).status == 0
    )
    func value(_ arguments: String...) throws -> Double {
      let run = try CommandRun.run(["explain", "--token", "40", "--check", "0", "--json"] + arguments)
      #expect(run.status == 0, "\(run.errors)")
      let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
      return try #require((object?["explained"] as? [String: Any])?["logit"] as? Double)
    }
    let (whole, rest) = (
      try value(try folder.write("text", bytes)), try value(tail, "--state-in", state)
    )
    #expect(abs(whole - rest) < 1e-10)
    let before = try CommandRun.run(["explain", tail, "--state-in", state, "--token", "29"])
    #expect(before.isOneLine("no token 29", "30 to 60", "--token"))
    let narrow = folder.path("f")
    #expect(try CommandRun.run(["step", head, "--quiet", "--state-out", narrow]).status == 0)
    #expect(
      try CommandRun.run(["explain", tail, "--state-in", narrow, "--token", "40"]).isOneLine(
        "precision 'float'", "--state-in"))
  }

  @Test func tablesAndErrors() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("text", Array("To be, or not to be\u{1B}[31m".utf8))
    let run = try CommandRun.run(
      [
        "explain", file, "--token", "23", "--check", "10", "--top", "3", "--predicts", "␣", "--against",
        "x0A",
      ])
    #expect(run.status == 0 && !run.output.contains("\u{1B}"), "\(run.errors)")
    #expect(run.output.contains("less that of '\\n'") && run.output.contains("R²"))
    let last = try CommandRun.run(["explain", file, "--token", "23", "--check", "0", "--layer", "2"])
    #expect(last.output.contains("the most likely one") && !last.output.contains("R²"), "\(last.errors)")
    let first = try CommandRun.run(["explain", file, "--token", "0", "--check", "10"])
    #expect(first.status == 0 && first.output.contains("plastic synapses: the 0"), "\(first.errors)")
    func explain(_ options: String...) throws -> CommandRun {
      try CommandRun.run(["explain", file] + options)
    }
    #expect(try explain("--token", "24").isOneLine("no token 24", "0 to 23", "--token"))
    #expect(try explain().isOneLine("--token"))
    #expect(try explain("--token", "3", "--predicts", "ab").isOneLine("--predicts", "'ab' is not one byte"))
    #expect(try explain("--token", "3", "--against", "").isOneLine("--against", "'' is not one byte"))
    #expect(try explain("--token", "3", "--predicts", "t256").isOneLine("token 256", "--predicts"))
    #expect(try explain("--token", "3", "--layer", "5").isOneLine("no layer 5"))
    #expect(try explain("--token", "3", "--neuron", "1:n4096").isOneLine("no neuron 4096"))
    #expect(try explain("--token", "3", "--out", "c.txt").isOneLine("--out 'c.txt'"))
    #expect(try explain("--token", "3", "--model", "sparse").isOneLine("neuron graph"))
    #expect(try explain("--token", "3", "--spiking", "few:3:10").isOneLine("--spiking"))
    #expect(folder.names == ["text"])
  }
}
