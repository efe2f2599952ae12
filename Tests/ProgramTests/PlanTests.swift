import Foundation
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

/// `hatchling plan`: sizes in, costs out, and one line for what cannot be planned.
@Suite(.timeLimit(.minutes(5))) struct PlanTests {
  private static let constants = ["--latency", "2", "--bandwidth", "10", "--memory-bandwidth", "20"]

  private func objects(_ run: CommandRun) throws -> [[String: Any]] {
    try run.output.split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test func sizesThatNoFileHasArePlanned() throws {
    let sizes = ["--neurons", "1e9", "--d", "256", "--layers", "8", "--heads", "4", "--vocabulary", "256"]
    let run = try CommandRun.run(
      ["plan", "--json", "--finer", "--ranks", "1,64,4096"] + sizes + Self.constants)
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    let plans = try objects(run)
    try #require(plans.count == 3)
    #expect(plans.map { $0["ranks"] as? Int } == [1, 64, 4096])
    #expect(plans.map { $0["busy_ranks"] as? Int } == [1, 64, 4096])
    #expect(plans.map { $0["exchange"] as? String } == ["gather", "reduce", "reduce"])
    let memory = plans.compactMap { $0["memory_bytes"] as? Double }
    #expect(memory.count == 3 && memory[0] > 60 * memory[1] && memory[1] > 40 * memory[2])
    // ρ, 4 · 8 · 10⁹ · 256 bytes.
    #expect((plans[0]["memory"] as? [String: Double])?["plastic"] == 8.192e12)
    for plan in plans {
      let gather = try #require(plan["gather"] as? [String: Any])
      #expect(
        try #require(gather["seconds_per_token"] as? Double) > 0
          && gather["exchanges_per_token"] as? Int == 17)
    }
  }

  @Test func moreRanksThanBlocksAreSaidToBeIdle() throws {
    let run = try CommandRun.run(["plan", "--ranks", "100"])
    #expect(run.status == 0 && run.output.contains("only 64 of 100 ranks have neurons"), "\(run.output)")
    #expect(run.output.contains("not known"))
    let finer = try CommandRun.run(["plan", "--ranks", "100", "--finer"])
    #expect(finer.status == 0 && finer.output.contains("100 blocks are assumed"), "\(finer.output)")
  }

  /// One process alone measures its own speed, runs the network and sets it against the plan.
  @Test func aNetworkIsSetAgainstItsPlan() throws {
    let folder = try TemporaryFolder()
    let sizes = Hyperparameters(neurons: 4096, synapticDimension: 64, heads: 2, layers: 2, vocabulary: 256)
    try Weights.random(sizes, seed: 1).save(to: folder.path("m.safetensors"))
    let arguments = ["plan", "--calibrate", "--tokens", "20", "--model", folder.path("m.safetensors")]
    let run = try CommandRun.run(arguments + ["--json"])
    #expect(run.status == 0, "\(run.errors)")
    let plan = try #require(try objects(run).first)
    let measured = try #require(plan["measured"] as? [String: Any])
    #expect(measured["tokens"] as? Int == 20)
    #expect(try #require(measured["seconds_per_token"] as? Double) > 0)
    let (held, planned) = (
      try #require(measured["memory_bytes"] as? Double), try #require(plan["memory_bytes"] as? Double)
    )
    // The program itself is most of it here.
    #expect(held > 5e6 && planned > 5e6 && planned < 2 * held && held < 2 * planned)
    let text = try CommandRun.run(arguments)
    #expect(text.status == 0 && text.output.contains("of it") && text.output.contains("(measured)"))
  }

  @Test(arguments: [
    (["--ranks", "0"], "--ranks '0'"), (["--ranks", "1,x"], "--ranks 'x'"),
    (["--neurons", "7"], "--neurons"),
    (["--latency", "2"], "--bandwidth"), (["--bandwidth", "0", "--latency", "1"], "--bandwidth 0.0"),
    (["--latency", "-1", "--bandwidth", "2"], "--latency -1.0"),
    (["--memory-bandwidth", "nan"], "--memory-bandwidth"),
    (["--memory-bandwidth", "3", "--ranks", "2"], "--latency"), (["--active-x", "2"], "--active-x 2.0"),
    (["text"], "'text'"), (["--tokens", "3"], "--calibrate"), (["--d", "0"], "--d 0"),
    (["--heads", "1e9"], "--heads 1000000000"),
    (["--model", "/nowhere"], "/nowhere"),
  ])
  func whatCannotBePlannedIsOneLine(arguments: [String], part: String) throws {
    let run = try CommandRun.run(["plan"] + arguments)
    #expect(run.isOneLine(part), "\(arguments): \(run.errors)")
  }
}
