import HatchlingCompiler
import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics
import HatchlingShards
import TestSupport
import Testing

@testable import HatchlingExecution

/// What is planned from sizes is what ranks count and executors hold, and stays a number for sizes that nobody has.
@Suite(.timeLimit(.minutes(5))) struct ScalePlanTests {
  /// Odd heads, fewer blocks than ranks, screens and deferral.
  private static let shapes = [
    (half: 65, heads: 3, d: 24, layers: 2), (7, 1, 5, 3), (300, 1, 33, 2), (33, 5, 9, 2), (500, 4, 64, 1),
    (1025, 2, 256, 4),
  ]

  private static func sizes(_ shape: Int, _ variant: Variant) -> Hyperparameters {
    let (half, heads, d, layers) = shapes[shape]
    return Hyperparameters(
      neurons: 2 * half * heads, synapticDimension: d, heads: heads, layers: layers, vocabulary: 9,
      variant: variant)
  }

  /// What a rank counts for a token, and what its executor holds.
  private struct Held: Sendable {
    var traffic = RankTraffic()
    var neurons = 0
    var (plastic, histories, perNeuron, clocks) = (0, 0, 0, 0)
    var (screens, defers) = (false, false)
  }

  private static func held<Scalar: NetworkScalar>(_ weights: Weights<Scalar>, _ ranks: Ranks) -> Held? {
    let own = weights.part(of: ranks.rank, ranks: ranks.size)
    let graph = try? Compiler().circuit(from: own, sum: ranks.summing).graph
    guard let graph, let engine = try? CircuitEngine(graph, workers: Workers(threads: 1), ranks: ranks) else {
      return nil
    }
    let before = ranks.traffic
    for token in 0..<3 { guard (try? engine.step(token)) != nil else { return nil } }
    let (executor, number) = (engine.executor, MemoryLayout<Scalar>.size)
    var held = Held()
    held.traffic = ranks.traffic - before
    held.neurons = graph.neuronCount
    for layer in executor.plastic {
      held.plastic += layer.weights.count * number + (layer.stamps?.count ?? 0) * 8
      held.histories += ((layer.history?.count ?? 0) + (layer.fields?.count ?? 0)) * number
    }
    let (lists, scratch, neurons, layout) = (
      executor.lists, executor.scratch, graph.neurons, executor.layout
    )
    let numbers = [executor.x, executor.y, scratch.drives, lists.sent, lists.answers]
    let places = [scratch.possible, scratch.sums, lists.fired, lists.listening, lists.answering]
    let fixed =
      neurons.frequencies.count + neurons.damping.count + neurons.partners.count + layout.clockOfNeuron.count
      + (layout.outDegrees[.encoder]?.each.count ?? 0) + graph.plastic.neuronDegrees.count
    held.perNeuron =
      numbers.reduce(0) { $0 + $1.count * number } + places.reduce(0) { $0 + $1.count * 4 } + fixed * 4
      + neurons.leads.count
    held.clocks =
      layout.clocks.count * 8 + (executor.cosines.count + executor.sines.count) * number
      + own.frequencies.count * 4
    (held.screens, held.defers) = (executor.screens != nil, executor.defersWrites)
    return held
  }

  @Test(arguments: 0..<6, [1, 2, 3, 4, 7, 8, 11])
  func aPlanIsWhatRanksCountAndHold(shape: Int, ranks: Int) throws {
    for (index, variant) in Variant.allCases.enumerated() {
      let sizes = Self.sizes(shape, variant)
      var weights = Weights.random(
        sizes, seed: UInt64(shape), damping: (shape + index) % 2 == 0 && shape != 5)
      if !variant.normalises { weights.encoder = weights.encoder.map { $0 * 1e-4 } }
      // Large networks take long on many threads.
      let ways: [ExchangeWay] =
        shape == 5 ? (ranks < 8 ? [.gather] : []) : ranks < 8 ? [.gather, .reduce] : [.reduce]
      for way in ways {
        try Self.compare(weights, ranks, way, "shape \(shape), \(variant), \(ranks) ranks, \(way)")
      }
      if shape < 5 && ranks < 8 {
        try Self.compare(
          weights.converted(to: Double.self), ranks, .best(ranks: ranks),
          "shape \(shape), \(variant), \(ranks) ranks, double")
      }
    }
  }

  private static func compare<Scalar: NetworkScalar>(
    _ weights: Weights<Scalar>, _ ranks: Int, _ way: ExchangeWay, _ place: String
  ) throws {
    let (sizes, number) = (weights.hyperparameters, MemoryLayout<Scalar>.size)
    var network = PlannedNetwork(sizes, bytesPerNumber: number)
    network.isDamped = weights.damping?.contains { $0 != 0 } ?? false
    let plan = try ScalePlan(network, ranks: ranks, way: way)
    let found = ThreadRank.run(ranks, way: way) { Self.held(weights, $0) }.compactMap { $0 }
    try #require(found.count == ranks, "\(place): a rank failed")
    // Traffic: of every rank where they give, of the first and the busiest where they meet.
    let shares = PlannedShares(sizes, ranks: ranks, cut: .built, readWidth: network.readWidth)
    let given = PlannedTraffic.given(shares, network, ranks: ranks)
    let all = given.busy + Array(repeating: given.idle, count: ranks - shares.busy)
    if way == .gather {
      #expect(all.sorted() == found.map { Double($0.traffic.sent) / 3 }.sorted(), "\(place)")
    }
    let planned = plan.traffic()
    #expect(planned.sent == Double(found[0].traffic.sent) / 3, "\(place)")
    #expect(planned.received == Double(found[0].traffic.received) / 3, "\(place)")
    #expect(planned.mostReceived == found.map { Double($0.traffic.received) / 3 }.max(), "\(place)")
    #expect(planned.exchanges == Double(found[0].traffic.gathers) / 3, "\(place)")
    // Memory, of the rank that has the most neurons.
    let most = try #require(found.max { $0.neurons < $1.neurons })
    #expect(plan.neurons == most.neurons, "\(place)")
    #expect(plan.memory.plastic == Double(most.plastic), "\(place)")
    #expect(plan.memory.histories == Double(most.histories), "\(place)")
    #expect(plan.memory.frequencies == Double(most.clocks), "\(place)")
    let damping = network.isDamped ? most.neurons * (4 + 8 + 48 * number) : 0
    #expect(plan.memory.neurons == Double(most.perNeuron + damping), "\(place)")
    #expect(network.choice.screens == most.screens && network.choice.defers == most.defers, "\(place)")
    #expect((plan.memory.screens > 0) == most.screens && (plan.memory.histories > 0) == most.defers)
  }

  /// The shape that is there for screens and deferral has them, the others do not.
  @Test func largeNetworksScreenAndDefer() {
    for shape in Self.shapes.indices {
      let choice = PlannedNetwork(Self.sizes(shape, .released)).choice
      #expect(choice.screens == (shape == 5) && choice.defers == (shape == 5))
    }
  }

  @Test(arguments: [1e9, 8.6e10, 1e12, 1e15])
  func sizesThatNobodyHasStayNumbers(neurons: Double) throws {
    let sizes = Hyperparameters(
      neurons: Int(neurons), synapticDimension: 1_000_000, heads: 4, layers: 1_000_000, vocabulary: 256)
    let constants = MachineConstants(exchange: .init(latency: 1e-6, bandwidth: 1e10), rows: 1e11)
    var before = Double.infinity
    for ranks in [1, 2, 7, 64, 4096, 65_536] {
      let plan = try ScalePlan(PlannedNetwork(sizes), ranks: ranks, cut: .finer)
      let time = try #require(plan.time(constants, .gather))
      let reduced = try #require(plan.time(constants, .reduce))
      #expect(time.total.isFinite && reduced.total.isFinite && plan.gathered.received.isFinite)
      #expect(plan.memory.plastic < before && plan.memory.anonymous > 0)
      #expect(Double(plan.neurons) * Double(plan.busyRanks) >= neurons)
      before = plan.memory.plastic
    }
  }

  /// A finer cut changes nothing while there are blocks for all; then traffic grows with the ranks, and a reduction's with their logarithm.
  @Test func aFinerCutIsForMoreRanksThanBlocks() throws {
    let network = PlannedNetwork(
      Hyperparameters(neurons: 1 << 24, synapticDimension: 256, heads: 4, layers: 4, vocabulary: 256))
    for ranks in [1, 3, 64] {
      let (built, finer) = (
        try ScalePlan(network, ranks: ranks), try ScalePlan(network, ranks: ranks, cut: .finer)
      )
      #expect(built.neurons == finer.neurons && built.gathered == finer.gathered && built.blocks == 64)
    }
    let built = try ScalePlan(network, ranks: 256)
    #expect(built.busyRanks == 64 && built.neurons == 1 << 18)
    let (few, many) = (
      try ScalePlan(network, ranks: 256, cut: .finer), try ScalePlan(network, ranks: 4096, cut: .finer)
    )
    #expect(few.busyRanks == 256 && few.neurons == 1 << 16 && many.neurons == 1 << 12)
    #expect((15.9...16.1).contains(many.gathered.received / few.gathered.received))
    // Of every layer E y and what was read, head by head; a rank of 4096 meets four others more, with a piece of one head each.
    let (token, more) = (8 * (2 * 4 + 3), 256 + 16 + 256 + 2)
    #expect(many.reduced.received - few.reduced.received == Double(4 * (4 * 4 * more + token)))
    #expect(few.way == .reduce && few.time(Self.fast)?.latency == few.time(Self.fast, .reduce)?.latency)
    #expect(many.gathered.steps == 12 && few.reduced.steps == 8)
    // Four heads of 1025 blocks, of 4094 neurons: one rank has two.
    let odd = try ScalePlan(network, ranks: 4099, cut: .finer)
    #expect(odd.blocks == 4100 && odd.busyRanks == 4099 && odd.neurons == 2 * 4094)
  }

  private static let fast = MachineConstants(exchange: .init(latency: 1e-6, bandwidth: 1e10), rows: 1e11)

  /// Worse constants never make a token faster, and each has a part of the time to itself.
  @Test func timeFollowsItsConstants() throws {
    let plan = try ScalePlan(
      PlannedNetwork(
        Hyperparameters(neurons: 32_768, synapticDimension: 256, heads: 4, layers: 4, vocabulary: 256)),
      ranks: 4)
    let best = MachineConstants(
      exchange: .init(latency: 1e-6, bandwidth: 1e10), rows: 2e10, codes: 3e10, perNeuron: 1e-9)
    let changes: [(inout MachineConstants) -> Void] = [
      { $0.exchange?.latency *= 3 }, { $0.exchange?.bandwidth /= 3 }, { $0.rows /= 3 }, { $0.codes /= 3 },
      { $0.perNeuron *= 3 },
    ]
    for way in ExchangeWay.allCases {
      let time = try #require(plan.time(best, way))
      let sum = time.memory + time.neurons + time.latency + time.bandwidth
      #expect(abs(time.total / sum - 1) < 1e-12)
      for change in changes {
        var worse = best
        change(&worse)
        let slower = try #require(plan.time(worse, way))
        #expect(slower.total > time.total && slower.total < 3 * time.total)
      }
    }
    #expect(plan.time(MachineConstants(exchange: nil, rows: 1e10)) == nil)
    let latency = try #require(plan.time(best)).latency
    #expect(abs(latency - 9 * 2 * 1e-6) < 1e-15)
  }

  /// Active neurons cost bytes: all of them, with what a dense step of float reads and writes.
  @Test func allActiveReadsAllRows() {
    let sizes = Hyperparameters(neurons: 128, synapticDimension: 8, heads: 2, layers: 3, vocabulary: 5)
    let shares = PlannedShares(sizes, ranks: 1, cut: .built, readWidth: 8)
    let all = PlannedBytes(PlannedNetwork(sizes, activity: PlannedActivity(x: 1, y: 1)), shares)
    #expect(all.codes == 0 && all.neurons == 384 && all.rows == Double(4 * (384 * 5 * 8 + 5 * 8)))
    let none = PlannedBytes(PlannedNetwork(sizes, activity: PlannedActivity(x: 0, y: 0)), shares)
    #expect(none.rows == Double(4 * (384 * 8 + 5 * 8)))
  }

  @Test func aLineIsFoundAgain() throws {
    let points = [100.0, 1000, 4000, 64_000].map { (received: $0, seconds: 6e-6 + $0 / 2e9) }
    let found = try #require(ExchangeConstants.fitted(to: points, steps: 2))
    #expect(abs(found.latency - 3e-6) < 1e-12 && abs(found.bandwidth - 2e9) < 1)
    // Larger exchanges that are no slower.
    let flat = try #require(ExchangeConstants.fitted(to: [(100, 1e-5), (1000, 1e-5)], steps: 1))
    #expect(flat.bandwidth == 1e8 && flat.latency >= 0)
    #expect(ExchangeConstants.fitted(to: [], steps: 1) == nil)
    #expect(ExchangeConstants.fitted(to: [(100, 0)], steps: 1) == nil)
  }

  /// Ranks measure together, and agree.
  @Test func ranksMeasureTheirExchanges() throws {
    for way in ExchangeWay.allCases {
      let found = ThreadRank.run(3, way: way) {
        ExchangeConstants.measured(among: $0, sizes: [64, 4096], repeats: 5)
      }
      let first = try #require(found[0])
      #expect(found.count == 3 && found.allSatisfy { $0 == first })
      #expect(first.latency >= 0 && first.bandwidth > 0 && first.bandwidth.isFinite)
    }
    #expect(ThreadRank.run(1) { ExchangeConstants.measured(among: $0, sizes: [64], repeats: 2) } == [nil])
  }

  @Test(arguments: [true, false])
  func aMachineIsMeasured(large: Bool) {
    let sizes = Hyperparameters(
      neurons: large ? 65_536 : 64, synapticDimension: large ? 64 : 5, heads: 2, layers: 4, vocabulary: 9)
    let network = PlannedNetwork(sizes, bytesPerNumber: large ? 4 : 8)
    #expect(network.choice.screens == large && network.choice.defers == large)
    let measured =
      large
      ? MachineProbe<Float>(network, neurons: 512, bytes: 4 << 20, workers: Workers(threads: 2)).measure(
        seconds: 0.05)
      : MachineProbe<Double>(network, neurons: 512, bytes: 1 << 20, workers: Workers(threads: 2)).measure(
        seconds: 0.05)
    for rate in [measured.rows, measured.codes] { #expect(rate > 1e6 && rate < 1e14) }
    #expect(measured.perNeuron > 0 && measured.perNeuron < 1e-3 && measured.exchange == nil)
  }

  @Test func sizesThatNoNetworkHasAreRefused() {
    func message(_ change: (inout Hyperparameters) -> Void, ranks: Int = 2) -> String {
      var sizes = Hyperparameters(neurons: 64, synapticDimension: 4, heads: 2, layers: 1, vocabulary: 3)
      change(&sizes)
      do {
        _ = try ScalePlan(PlannedNetwork(sizes), ranks: ranks)
        return "nothing was refused"
      } catch { return error.description }
    }
    #expect(message({ _ in }) == "nothing was refused")
    #expect(message({ $0.neurons = 0 }).hasPrefix("neurons 0: 1 to"))
    #expect(message({ $0.neurons = .max }).hasPrefix("neurons \(Int.max): 1 to"))
    #expect(message({ $0.synapticDimension = -1 }).hasPrefix("d -1: 1 to"))
    #expect(message({ $0.heads = .max }).hasPrefix("heads \(Int.max)"))
    #expect(message({ $0.layers = 0 }).hasPrefix("layers 0"))
    #expect(message({ $0.vocabulary = .max }).hasPrefix("vocabulary \(Int.max)"))
    #expect(message({ _ in }, ranks: 0).hasPrefix("ranks 0"))
    #expect(message({ $0.neurons = 66 }).contains("a multiple of 4 is needed"))
  }
}
