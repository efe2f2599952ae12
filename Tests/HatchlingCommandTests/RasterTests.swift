import Foundation
import HatchlingCompiler
import HatchlingDynamics
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingCommands

/// `raster` and `record --spikes` from outside, and what they count.
@Suite struct RasterTests {
  /// The control against all ways to place two to four spikes in seven steps.
  @Test func chanceIsTheMeanOverAllOrders() {
    var (intervals, sums) = (SpikeIntervals(span: 7), [Double](repeating: 0, count: 7))
    for (spikes, trains) in [(1, 5), (2, 3), (3, 2), (4, 1), (7, 1)] {
      var (own, ways) = ([Double](repeating: 0, count: 7), 0)
      for mask in 0..<128 where mask.nonzeroBitCount == spikes {
        let steps = (0..<7).filter { mask >> $0 & 1 == 1 }
        for (first, second) in zip(steps, steps.dropFirst()) { own[second - first] += 1 }
        ways += 1
      }
      for step in own.indices { sums[step] += Double(trains) * own[step] / Double(ways) }
      for _ in 0..<trains { intervals.add(trainOf: spikes) }
    }
    #expect(sums.reduce(0, +) > 10)
    for (expected, sum) in zip(intervals.expected, sums) { #expect(abs(expected - sum) < 1e-12) }
    #expect(abs(intervals.expected.reduce(0, +) - Double(3 * 1 + 2 * 2 + 3 + 6)) < 1e-12)
    #expect(SpikeIntervals(span: 1).expected == [0])
  }

  private func study(
    _ tokens: [Int], _ request: RasterRequest = RasterRequest(), code: String = "few:3:10"
  ) throws -> (report: RasterReport, counts: SpikeCounts) {
    let sizes = Hyperparameters(neurons: 64, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 7)
    let graph = try Compiler().circuit(from: Weights.random(sizes, seed: 4)).graph
    let scales = try SpikeScales.measured(graph, on: randomTokens(40, vocabulary: 7, seed: 1))
    let engine = try Run(spiking: graph, SpikingOptions(named: code), scales: scales)
    let report = try RasterStudy<Float>(request, of: tokens, on: engine).read { try engine.step($0) }
    #expect(engine.phaseObserver == nil)
    return (report, engine.executor.counts)
  }

  /// Rates are what the run itself counts; intervals are one fewer than spikes, train by train.
  @Test func ratesAndIntervalsAreThoseOfTheRun() throws {
    let tokens = randomTokens(30, vocabulary: 7, seed: 2)
    let (report, counts) = try study(tokens)
    var spikes: [Quantity: Int] = [.token: 30]
    for rate in report.rates { spikes[rate.slot.quantity, default: 0] += rate.spikes }
    #expect(spikes == counts.spikes)
    for rate in report.rates where rate.spikes > 0 {
      #expect(rate.firing <= rate.spikes && rate.spikes <= 3 * rate.firing && rate.inhibitory < rate.spikes)
      #expect(rate.everFired <= rate.slot.entries && rate.firing <= 30 * rate.everFired)
    }
    var compared = 0
    for own in report.intervals {
      let rates = report.rates.filter { $0.slot.name == own.quantity && $0.layer > 0 }
      let (all, phases, ever) = rates.reduce((0, 0, 0)) {
        ($0.0 + $1.spikes, $0.1 + $1.firing, $0.2 + $1.everFired)
      }
      let expected = own.unit == "tokens" ? phases - ever : all - phases
      #expect(own.intervals.total == expected, "\(own.quantity), \(own.unit)")
      #expect(abs(own.intervals.expected.reduce(0, +) - Double(expected)) < 1e-6)
      compared += expected
    }
    #expect(compared > 500)
    // The magnified token's spikes are what one more token adds.
    let before = try study(Array(tokens.dropLast())).counts.totalSpikes
    #expect(report.magnified == 29 && report.ticks.count == counts.totalSpikes - before - 1)
    #expect(report.firing.reduce(0) { $0 + $1.neurons.count } > 100)
  }

  /// Communities by size, neurons inside them by number, those alone above; everything else stays where it is.
  @Test func communitiesStandTogether() throws {
    let groups = RasterGroups(communities: [7, 0, 2, 0, 7, 0, 5])
    #expect(groups.groups.map(\.name) == ["community 1", "community 2", "alone"])
    #expect(groups.groups.map(\.count) == [3, 2, 2] && groups.place == [3, 0, 5, 1, 4, 2, 6])
    #expect((0..<7).map { groups.place(of: $0, .y, width: 7) } == groups.place)
    // Two rows of seven neurons and two tokens; hubs.
    #expect((7..<11).map { groups.place(of: $0, .attention, width: 9) } == [7, 8, 12, 9])
    #expect((0..<3).map { groups.place(of: $0, .v, width: 3) } == [0, 1, 2])
    let heads = RasterGroups(neurons: 6, heads: 2)
    #expect(heads.place == Array(0..<6) && heads.groups.map(\.count) == [3, 3] && !heads.areCommunities)
    // Of three pairs and one pair, 1 and 5 in one community and 0 and 4: two of four. By chance: everybody fires once, but 0 twice. Of ordered pairs
    // (5² − 7 = 18): community 1 has 2² − 2, community 2 3² − 5, alone none.
    let pairs = try #require(groups.pairsInside([[1, 5, 0], [0, 4], [3]].dropLast()))
    #expect(pairs.seen == 0.5 && abs(pairs.chance - 6.0 / 18) < 1e-12)
    #expect(groups.pairsInside([[1], []]) == nil)
  }

  /// Which order neurons are shown in changes no number but the share of pairs.
  @Test func ordersShowTheSameSpikes() throws {
    let tokens = randomTokens(20, vocabulary: 7, seed: 2)
    var request = RasterRequest()
    request.groups = RasterGroups(communities: (0..<64).map { $0 % 5 })
    let (plain, grouped) = (try study(tokens).report, try study(tokens, request).report)
    #expect(grouped.ticks == plain.ticks && grouped.rates.map(\.spikes) == plain.rates.map(\.spikes))
    #expect(plain.pairsInside == nil && grouped.groups.groups.map(\.count) == [13, 13, 13, 13, 12])
    let pairs = try #require(grouped.pairsInside)
    #expect(pairs.seen > 0.05 && pairs.seen < 0.6 && pairs.chance > 0.1 && pairs.chance < 0.4)
    #expect(Set(grouped.groups.place) == Set(0..<64))
  }

  @Test func whatIsNotThereIsRefused() throws {
    let sizes = Hyperparameters(neurons: 64, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 7)
    let exact = try CircuitEngine(Compiler().circuit(from: Weights.random(sizes, seed: 4)).graph)
    #expect(throws: RasterError.withoutSpikes) { try RasterStudy<Float>(RasterRequest(), of: [1], on: exact) }
    var request = RasterRequest()
    #expect(throws: RasterError.noText) { try study([], request) }
    request.token = 3
    #expect(throws: RasterError.noSuchToken(3, tokens: 3)) { try study([1, 2, 3], request) }
    (request.token, request.layer) = (0, 3)
    #expect(throws: RasterError.noSuchLayer(3, layers: 2)) { try study([1, 2, 3], request) }
  }

  private let text = Array("Speak, speak. It's \"so\"\\ `date`\n".utf8)

  @Test func drawsAndWrites() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("text", text)
    let code = ["--spiking", "few:2:8"]
    let run = try CommandRun.run(["raster", file, "--out", folder.path("r"), "--layer", "2"] + code)
    try #require(run.status == 0, "\(run.errors)")
    let drawn = run.output.contains("pictures in")
    #expect(drawn || run.output.contains("gnuplot is not installed"), "\(run.output)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("r"))
    for name in ["summary.json", "rates.csv", "intervals.csv", "token.gp", "text.dat"] {
      #expect(names.contains(name), "\(names)")
    }
    for name in ["token.svg", "token.png", "text.svg", "text.png", "intervals-tokens.svg"] {
      #expect(names.contains(name) == drawn, "\(names)")
    }
    // One line per layer and quantity, and what the readout hears; ticks of one layer.
    let rates = try folder.text("r/rates.csv").split(separator: "\n")
    #expect(rates.count == 1 + 4 * 5 + 1 && rates.last?.hasPrefix("v,readout,") == true)
    let layer2 = rates.filter { $0.split(separator: ",")[1] == "2" }
    #expect(layer2.count == 5)
    let ticks = try ["excitatory", "inhibitory"].flatMap {
      try folder.text("r/token-\($0).dat").split(separator: "\n").dropFirst()
    }
    #expect(ticks.count > 1000)
    let recorded = try CommandRun.run(
      ["record", file, "--spikes", "all", "--layer", "2", "--out", folder.path("a.csv")] + code)
    try #require(recorded.status == 0 && recorded.output.contains("spikes_rotated"), "\(recorded.errors)")
    let last = try folder.text("a.csv").split(separator: "\n").filter { $0.hasPrefix("\(text.count - 1),") }
    #expect(last.count - 1 == ticks.count)
    #if Topology
      let sizes = Hyperparameters(neurons: 256, synapticDimension: 16, heads: 4, layers: 2, vocabulary: 128)
      try Weights.random(sizes, seed: 1).save(to: folder.path("m.safetensors"))
      let grouped = try CommandRun.run(
        ["raster", file, "--out", folder.path("g"), "--by-community", "--json"]
          + ["--model", folder.path("m.safetensors")] + code)
      #expect(grouped.status == 0 && grouped.output.contains("\"communities\":["), "\(grouped.errors)")
      #expect(try folder.text("g/text.gp").contains(", by community"))
    #endif
    // Threads change no byte.
    func bytes(_ threads: String) throws -> Data {
      let path = folder.path("t\(threads).csv")
      let run = try CommandRun.run(
        ["record", file, "--spikes", "x,y", "--out", path, "--threads", threads] + code)
      #expect(run.status == 0, "\(run.errors)")
      return try Data(contentsOf: URL(fileURLWithPath: path))
    }
    let one = try bytes("1")
    #expect(one.count > 100_000)
    #expect(try bytes("2") == one)
  }

  @Test func badInputIsOneLine() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("text", text)
    func raster(_ options: String...) throws -> CommandRun {
      try CommandRun.run(["raster", file, "--out", folder.path("r")] + options)
    }
    #expect(try raster().isOneLine("--spiking"))
    let picture = folder.path("ras.svg")
    let asked = try CommandRun.run(["raster", file, "--out", picture, "--spiking", "few:2:8"])
    #expect(asked.isOneLine("ras.svg' would be a folder", "without .svg"), "\(asked.errors)")
    #expect(!folder.names.contains("ras.svg"))
    #expect(try raster("--spiking", "few:2:8", "--magnify", "999").isOneLine("999"))
    #expect(try raster("--spiking", "few:2:8", "--magnify", "-1").isOneLine("--magnify"))
    #expect(try raster("--spiking", "few:2:8", "--layer", "9").isOneLine("9"))
    #expect(try raster("--spiking", "few:2:8", "--tokens", "0").isOneLine("--tokens"))
    #if !Topology
      let grouped = try raster("--spiking", "few:2:8", "--by-community")
      #expect(grouped.isOneLine("igraph"))
    #endif
    #expect(try CommandRun.run(["raster", file, "--spiking", "few:2:8", "--out", file]).isOneLine("text"))
    #expect(!folder.names.contains("r"))
    func record(_ options: String...) throws -> CommandRun { try CommandRun.run(["record", file] + options) }
    #expect(try record("--spikes", "v", "--out", folder.path("a.csv")).isOneLine("--spikes v", "--spiking"))
    // Behind the line that says where scales come from.
    let unknown = try record("--spiking", "few:2:8", "--spikes", "z", "--out", folder.path("a.csv"))
    let complaint = unknown.errors.split(separator: "\n").last ?? ""
    #expect(unknown.status == 2 && complaint.contains("'z'") && complaint.contains("v, x, rotated, a, y do"))
    #expect(!folder.names.contains { $0.hasPrefix("a.") })
  }
}
