import Foundation
import TestSupport
import Testing

/// The command `record`, from outside.
@Suite struct RecordTests {
  private static let text = Array("To be, or not to be, that is the question.".utf8)

  private func events(_ output: String, _ name: String) throws -> Int {
    let object = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
    let recorded = try #require(object?["recorded"] as? [[String: Any]])
    return try #require(recorded.first { $0["name"] as? String == name }?["count"] as? Int)
  }

  @Test(arguments: [[], ["--form", "direct"], ["--engine", "tensor"]])
  func eventsAreAsManyAsStepCounts(with options: [String]) throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("text", Self.text)
    let out = folder.path("run.csv")
    let logits = [folder.path("a.npy"), folder.path("b.npy")]
    let record = try CommandRun.run(
      ["record", file, "--out", out, "--what", "x,y,gains", "--json", "--logits", logits[0]] + options)
    let step = try CommandRun.run(["step", file, "--json", "--logits", logits[1]] + options)
    #expect(record.status == 0 && step.status == 0, "\(record.errors)")
    var (x, y) = (0, 0)
    for line in step.output.split(separator: "\n").dropLast() {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      x += try #require(object?["active_x"] as? [Int]).reduce(0, +)
      y += try #require(object?["active_y"] as? [Int]).reduce(0, +)
    }
    #expect(x > 1000 && y > 100)
    #expect(try events(record.output, "x") == x && events(record.output, "y") == y)
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: logits[0]))
        == Data(contentsOf: URL(fileURLWithPath: logits[1])))
    let lines = try folder.text("run.csv").split(separator: "\n")
    #expect(lines.count { $0.contains(",x,") } == x && lines.count { $0.contains(",y,") } == y)
  }

  @Test func whatIsNotThereIsOneLine() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("text", Self.text)
    func record(_ out: String, _ options: String...) throws -> CommandRun {
      try CommandRun.run(["record", file, "--out", folder.path(out)] + options)
    }
    #expect(try record("a.csv", "--synapses", "9:h3:n1").isOneLine("no layer 9", "1 … 4"))
    #expect(try record("a.csv", "--synapses", "1:h3:n4096").isOneLine("no neuron 4096"))
    #expect(try record("a.csv", "--synapses", "1:h64:n1").isOneLine("no plastic synapse 1:h64:n1"))
    #expect(try record("a.csv", "--synapses", "1:n3:n1").isOneLine("'1:n3:n1' names no synapse", "2:h3:n12"))
    #expect(try record("a.csv", "--what", "x,q").isOneLine("'q'", "excitation_x"))
    #expect(try record("a.csv", "--what", "z").isOneLine("'z'", "circuit form"))
    #expect(try record("a.csv", "--layer", "5").isOneLine("no layer 5"))
    #expect(try record("a.csv", "--neurons", "7-3").isOneLine("'7-3' names no neuron"))
    #expect(try record("a.txt").isOneLine("a.txt", ".nwb"))
    #expect(try record("a.csv", "--token-ms", "0").isOneLine("milliseconds per token 0"))
    #expect(try record("a.csv", "--strongest", "0").isOneLine("the strongest synapses, 0", "--strongest"))
    #expect(try record("missing/a.csv").isOneLine("cannot write", "missing/a.csv"))
    #if HDF5
      #expect(try record("a.h5", "--what", "v", "--surprise-above", "1").isOneLine("constant time step"))
    #else
      #expect(try record("a.h5").isOneLine("without HDF5"))
    #endif
    // What stands beside an array is an output too.
    let json = try folder.write("a.json", Self.text)
    let over = try CommandRun.run(["record", json, "--out", folder.path("a.npy")])
    #expect(over.isOneLine("a.json", "would be overwritten"))
    #expect(try folder.names == ["a.json", "text"] && Array(folder.text("a.json").utf8) == Self.text)
  }

  /// Kill −9 leaves no file by the recording's name, an interrupt one that holds what was read.
  @Test func aKillLeavesNothingAndAnInterruptWhatWasRead() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("text", Array(repeating: Self.text, count: 5000).joined())
    func record(_ signal: Int32) throws -> CommandRun {
      try CommandRun.run([
        "record", file, "--out", folder.path("run.csv"), "--what", "y", "--layer", "2", "--threads", "1",
      ]) {
        let start = Date()
        while !folder.names.contains(where: { $0.hasPrefix("run.csv.partial") }),
          -start.timeIntervalSinceNow < 60
        {
          usleep(10_000)
        }
        usleep(500_000)
        kill($0.processIdentifier, signal)
      }
    }
    let killed = try record(SIGKILL)
    #expect(!killed.exited && !folder.names.contains("run.csv"))
    let interrupted = try record(SIGINT)
    #expect(interrupted.exited && interrupted.status == 128 + SIGINT, "\(interrupted.errors)")
    // What the killed one left is gone too.
    #expect(folder.names == ["run.csv", "text"])
    let rows = try folder.text("run.csv").split(separator: "\n").filter { !$0.hasPrefix("#") }.dropFirst()
      .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    // Every token has a row of its own, the last one too is whole, and the text goes on.
    let tokens = rows.count { $0[3] == "token" }
    #expect((2..<5000 * Self.text.count).contains(tokens) && rows.allSatisfy { $0.count == 6 })
    #expect(rows.last.map { Int($0[0]) } == tokens - 1 && rows.contains { $0[3] == "y" })
    #expect(interrupted.output.contains("written to"))
  }
}
