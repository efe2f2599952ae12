import Foundation
import HatchlingCheckpoint
import HatchlingCompiler
import HatchlingDynamics
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import HatchlingShards
import TestSupport
import Testing

/// A circuit whose neurons are spread over ranks computes, counts and saves to the last bit what one process alone does.
@Suite(.timeLimit(.minutes(10))) struct ShardedCircuitTests {
  /// What a run leaves: logits and counts of every token, the bytes of the state file.
  struct Trace: Equatable, Sendable {
    var logits: [[UInt64]] = []
    var activity: [StepActivity] = []
    var state: [UInt8] = []
    var failure = ""
  }

  /// Variants, heads of many sizes, more ranks than blocks, screens, deferred writes, damping, rotation, threads.
  @Test(arguments: Variant.allCases, [1, 2, 3, 4, 7])
  func ranksGiveTheBitsOfOneProcess(variant: Variant, ranks: Int) throws {
    for seed in 0..<6 {
      let (weights, options) = (try weights(variant, seed: seed), Self.options(seed))
      try compare(weights, ranks, options, "seed \(seed), \(variant), \(ranks) ranks")
      try compare(
        weights.converted(to: Double.self), ranks, options, "seed \(seed), \(variant), \(ranks) ranks, double"
      )
    }
  }

  /// The same where ranks meet in pairs, as many of them do and others when they are told.
  @Test(arguments: Variant.allCases, [2, 3, 7, 8, 11])
  func ranksThatMeetInPairsGiveTheBitsOfOneProcess(variant: Variant, ranks: Int) throws {
    for seed in ranks % 2..<6 where seed % 2 == ranks % 2 {
      try compare(
        weights(variant, seed: seed), ranks, way: .reduce, Self.options(seed),
        "seed \(seed), \(variant), \(ranks) ranks")
    }
  }

  private static func options(_ seed: Int) -> CircuitEngineOptions {
    CircuitEngineOptions(screens: seed % 2 == 0, defersWrites: seed % 3 != 1)
  }

  private func weights(_ variant: Variant, seed: Int) throws -> Weights<Float> {
    let shapes = [(65, 3, 24), (130, 3, 24), (7, 1, 5), (300, 1, 33), (33, 5, 9), (500, 4, 64)]
    let (half, heads, d) = shapes[seed % shapes.count]
    let sizes = Hyperparameters(
      neurons: 2 * half * heads, synapticDimension: d, heads: heads, layers: 2, vocabulary: 9,
      variant: variant)
    var weights = Weights.random(sizes, seed: UInt64(seed), rotates: seed % 4 != 1, damping: seed % 2 == 0)
    if !variant.normalises { weights.encoder = weights.encoder.map { $0 * 1e-4 } }
    if seed % 3 == 1 {
      // What only some ranks have: missing synapses of every kind, and few enough in one place for lists.
      for row in 0..<sizes.neurons / 2 {
        for column in 0..<d where (row + column) % 4 != 0 { weights.decoderX[row, column] = 0 }
        for column in 0..<d where (row + column) % 5 == 0 { weights.decoderY[row, column] = 0 }
      }
      var mask = Matrix<UInt8>(rows: sizes.neurons, columns: d, repeatElement(1, count: sizes.neurons * d))
      mask[1, 2] = 0
      weights.plasticSynapses = seed == 1 ? mask : nil
      weights.damping = (0..<sizes.neurons).map { $0 == sizes.neurons - 1 ? 0.25 : 0 }
    }
    return weights
  }

  private func compare<Scalar: NetworkScalar>(
    _ weights: Weights<Scalar>, _ ranks: Int, way: ExchangeWay? = nil, _ options: CircuitEngineOptions,
    _ place: String
  ) throws {
    let folder = NSTemporaryDirectory() + "shards-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let tokens = randomTokens(37, vocabulary: weights.hyperparameters.vocabulary, seed: 5)
    let alone = Self.trace(weights, nil, tokens, options, "\(folder)/alone")
    #expect(alone.failure.isEmpty && alone.logits.count == 37 && !alone.state.isEmpty, "\(place)")
    #expect(alone.activity.contains { $0.messages > 0 && $0.updates > 0 }, "\(place)")
    let spread = ThreadRank.run(ranks, way: way) {
      Self.trace(weights, $0, tokens, options, "\(folder)/ranks")
    }
    for (rank, trace) in spread.enumerated() {
      #expect(trace.failure.isEmpty, "\(place), rank \(rank)")
      #expect(trace.logits == alone.logits, "\(place), rank \(rank)")
      #expect(trace.activity == alone.activity, "\(place), rank \(rank)")
    }
    #expect(spread.first?.state == alone.state, "\(place): the state")
    // Half on these ranks, half on others.
    let half = tokens.count / 2
    let others = ranks % 3 + 1
    _ = ThreadRank.run(ranks, way: way) {
      Self.trace(weights, $0, Array(tokens[..<half]), options, "\(folder)/half")
    }
    let rest = ThreadRank.run(others) {
      Self.trace(weights, $0, Array(tokens[half...]), options, "\(folder)/rest", from: "\(folder)/half")
    }
    #expect(rest.first?.failure == "", "\(place)")
    #expect(rest.first?.logits == Array(alone.logits[half...]), "\(place), then \(others) ranks")
    #expect(rest.first?.state == alone.state, "\(place), then \(others) ranks: the state")
  }

  /// Reads tokens on one of the ranks, or alone.
  private static func trace<Scalar: NetworkScalar>(
    _ weights: Weights<Scalar>, _ ranks: Ranks?, _ tokens: [Int], _ options: CircuitEngineOptions,
    _ path: String? = nil, from start: String? = nil
  ) -> Trace {
    var trace = Trace()
    do {
      let own = ranks.map { weights.part(of: $0.rank, ranks: $0.size) } ?? weights
      let graph = try Compiler().circuit(
        from: own, fingerprint: "f", sum: ranks?.summing
      ).graph
      let engine = try CircuitEngine(
        graph, workers: Workers(threads: 1 + (ranks?.rank ?? 1) % 2), options: options, ranks: ranks)
      if let start { try engine.restore(StateFile.read(start, only: own.part)) }
      for token in tokens {
        trace.activity.append(try engine.step(token))
        trace.logits.append(engine.logits.map { Double($0).bitPattern })
      }
      guard let path else { return trace }
      if let ranks, let part = own.part {
        try StateFile.write(engine.save(), of: part, to: path, among: ranks)
      } else {
        try StateFile.write(engine.save(), to: path)
      }
      trace.state = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
    } catch { trace.failure = "\(error)" }
    return trace
  }

  /// Bytes per token as `docs/scale.md` counts them, where every rank has one block of neurons and ranks outnumber heads, or are as many: pieces of a
  /// of every head, with deferred writes 16 overlaps more, E y of every rank, a word in every message; at the end the counts.
  @Test(arguments: [(4, ExchangeWay.gather), (4, .reduce), (8, .gather), (8, .reduce)], [false, true])
  func trafficIsWhatTheFormulaSays(_ job: (ranks: Int, way: ExchangeWay), defers: Bool) throws {
    let (heads, d, layers) = (4, 8, 3)
    let sizes = Hyperparameters(
      neurons: job.ranks * 64, synapticDimension: d, heads: heads, layers: layers, vocabulary: 5,
      variant: .released)
    try #require(BlockShares(sizes, ranks: 1).blocks.count == job.ranks)
    let weights = Weights.random(sizes, seed: 1)
    let traffic = ThreadRank.run(job.ranks, way: job.way) { ranks -> RankTraffic? in
      let graph = try? Compiler().circuit(
        from: weights.part(of: ranks.rank, ranks: ranks.size), sum: ranks.summing
      ).graph
      let options = CircuitEngineOptions(defersWrites: defers)
      guard let graph, let engine = try? CircuitEngine(graph, options: options, ranks: ranks) else {
        return nil
      }
      let before = ranks.traffic
      for token in 0..<5 { _ = try? engine.step(token) }
      return ranks.traffic - before
    }
    let (read, counts) = (d + (defers ? 16 : 0), 8 * (2 * layers + 3))
    for traffic in traffic {
      #expect(traffic?.gathers == 5 * (2 * layers + 1))
      switch job.way {
      case .gather:
        let own = 5 * (layers * (read + d + 2) * 4 + counts)
        #expect(traffic?.sent == own && traffic?.received == (job.ranks - 1) * own)
      case .reduce:
        // a of a head until all of it is added, then of one head and of two; E y every time.
        let meetings = job.ranks == 4 ? 2 : 3
        let own = 5 * (layers * ((meetings + 1) * read + meetings * (d + 2)) * 4 + meetings * counts)
        #expect(traffic?.sent == own && traffic?.received == own)
      }
    }
  }

  /// A number that is none stops all ranks at one place, whoever has it.
  @Test(arguments: Variant.allCases, 0..<6)
  func allRanksStopWhereOneProcessStops(variant: Variant, seed: Int) throws {
    let sizes = Hyperparameters(
      neurons: 260, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 7, variant: variant)
    var weights = Weights.random(sizes, seed: UInt64(seed))
    // In a few neurons alone.
    for row in 190 + seed..<192 + seed {
      for column in 0..<8 {
        let (x, y) = (weights.decoderX[row, column], weights.decoderY[row, column])
        weights.decoderX[row, column] = seed % 2 == 0 ? (x < 0 ? -3e38 : 3e38) : x
        weights.decoderY[row, column] = seed % 3 == 1 ? (y < 0 ? -3e38 : 3e38) : y * 1e19
      }
    }
    let tokens = randomTokens(9, vocabulary: 7, seed: UInt64(seed))
    let broken = weights
    let alone = Self.trace(broken, nil, tokens, CircuitEngineOptions())
    for (ranks, way) in [(3, ExchangeWay.gather), (3, .reduce), (4, .reduce)] {
      let traces = ThreadRank.run(ranks, way: way) { Self.trace(broken, $0, tokens, CircuitEngineOptions()) }
      #expect(traces.allSatisfy { $0 == alone }, "seed \(seed): \(ranks) ranks, \(way)")
    }
    #expect(
      alone.failure.contains("not a finite number") || seed % 2 == 1, "seed \(seed): nothing was broken")
  }
}
