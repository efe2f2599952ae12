import Foundation
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingTraining

/// Runs of the direct graph: the same bits whatever happens on the way, synapses that come and go, and what is refused.
@Suite struct DirectTrainerTests {
  static let sizes = Hyperparameters(neurons: 48, synapticDimension: 12, heads: 2, layers: 3, vocabulary: 256)
  static let text = [UInt8](String(repeating: "a king and a queen, a prince and a crown. ", count: 60).utf8)

  static func options(_ change: (inout TrainingOptions) -> Void = { _ in }) -> TrainingOptions {
    var options = TrainingOptions()
    (options.block, options.batch, options.steps, options.carry) = (24, 3, 24, false)
    (options.warmup, options.dropout, options.damping) = (2, 0.1, .learned)
    change(&options)
    return options
  }

  static func trainer(
    _ rewiring: Rewiring? = nil, keeps: Bool = false, threads: Int = 1,
    _ options: TrainingOptions = Self.options()
  ) throws -> DirectTrainer<Float> {
    try DirectTrainer(
      try .untrained(sizes, edges: 300, keepsPlastic: keeps, seed: 5), text: text, options: options,
      rewiring: rewiring, workers: Workers(threads: threads))
  }

  /// All trained numbers and where the synapses are.
  static func bits(_ trainer: DirectTrainer<Float>) -> [[UInt32]] {
    trainer.weights.trained.map { $0.elements.map(\.bitPattern) }
      + [trainer.weights.neurons.damping.map(\.bitPattern)]
      + [trainer.weights.edgesX, trainer.weights.edgesY].map { $0.sources.map { UInt32($0) } }
  }

  static let rewirings: [Rewiring?] = [nil, Rewiring(.gradient, every: 3), Rewiring(.random, every: 4)]

  /// σ on all pairs; on kept edges; carried on them through passages, so that streams begin anew at different updates.
  enum Plasticity: CaseIterable { case complete, kept, carried }

  @Test(arguments: rewirings, Plasticity.allCases)
  func interruptionAndThreadsChangeNoBit(_ rewiring: Rewiring?, _ plasticity: Plasticity) throws {
    let keeps = plasticity != .complete
    let options = Self.options {
      if plasticity == .carried { ($0.carry, $0.passage) = (true, 100) }
    }
    let whole = try Self.trainer(rewiring, keeps: keeps, options)
    for _ in 0..<24 { _ = try whole.update() }
    let path = NSTemporaryDirectory() + "direct-\(UUID().uuidString).checkpoint"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let first = try Self.trainer(rewiring, keeps: keeps, threads: 3, options)
    for _ in 0..<11 { _ = try first.update() }
    first.keepAsBest()
    try first.saveCheckpoint(to: path, progress: TrainingProgress())
    let best = Self.bits(first)
    let (second, _) = try DirectTrainer<Float>.resume(
      from: path, text: Self.text, workers: Workers(threads: 2))
    #expect(second.best.map { $0.trained.map { $0.elements.map(\.bitPattern) } } == Array(best.prefix(6)))
    while second.step < 24 { _ = try second.update() }
    #expect(Self.bits(second) == Self.bits(whole))
    #expect(
      try Self.bits(Self.trainer(rewiring, keeps: keeps, options)) != Self.bits(whole), "nothing was learned")
  }

  /// Held-out text is read as training reads; with nothing learned in between, twice the same, and training streams go on where they were.
  @Test func validationCarriesAndLeavesStreamsAlone() throws {
    let options = Self.options { ($0.carry, $0.passage) = (true, 100) }
    let (read, other) = (
      try Self.trainer(nil, keeps: true, options), try Self.trainer(nil, keeps: true, options)
    )
    for _ in 0..<4 { _ = (try read.update(), try other.update()) }
    let (first, second) = (try #require(try read.validate(Self.text)), try read.validate(Self.text))
    #expect(first.loss == second?.loss)
    // Three streams of 35 blocks; what the first block of each says is not counted.
    let blocks = (Self.text.count - 1) / 24 / 3
    #expect(first.bytes == 3 * 24 * (blocks - 1))
    let inBlocks = try DirectTrainer(read.weights, text: Self.text, options: Self.options())
    #expect(try inBlocks.validate(Self.text)?.loss != first.loss)
    for _ in 0..<4 { _ = (try read.update(), try other.update()) }
    #expect(Self.bits(read) == Self.bits(other))
  }

  /// A checkpoint without what streams carry, or with that of other synapses, is refused.
  @Test func aCheckpointMustHoldWhatStreamsCarry() throws {
    let path = NSTemporaryDirectory() + "direct-\(UUID().uuidString).checkpoint"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let trainer = try Self.trainer(nil, keeps: true, Self.options { $0.carry = true })
    _ = try trainer.update()
    try trainer.saveCheckpoint(to: path, progress: TrainingProgress())
    let state = try StateFile.read(path)
    let carried = state.arrays.keys.filter { $0.hasPrefix("carried.") }.sorted()
    #expect(carried == (2...3).map { "carried.edges.\($0)" } + (1...3).map { "carried.tokens.\($0)" })
    for name in carried {
      for wrong in [nil, StateArray.make(Matrix<Float>(rows: 3, columns: 299))] {
        var arrays = state.arrays
        arrays[name] = wrong
        try StateFile.write(
          SavedState(identity: state.identity, position: state.position, arrays: arrays), to: path)
        #expect(throws: StateError.self) { try DirectTrainer<Float>.resume(from: path, text: Self.text) }
      }
    }
  }

  /// An update that exchanges synapses leaves no σ of one that went at one that came.
  @Test func newSynapsesBeginWithoutSigma() throws {
    let trainer = try Self.trainer(
      Rewiring(.random, every: 3), keeps: true, Self.options { ($0.carry, $0.passage) = (true, 1000) })
    for _ in 0..<2 { _ = try trainer.update() }
    let old = trainer.weights.edgesX
    _ = try trainer.update()
    let new = trainer.weights.edgesX
    let states = try #require(trainer.states)
    var (came, stayed, filled) = (0, 0, 0)
    for target in 0..<Self.sizes.neurons {
      for place in new.offsets[target]..<new.offsets[target + 1] {
        let sigmas = (0..<3).flatMap { stream in
          (1..<3).compactMap { states.found($0, stream: stream).edges?[place] }
        }
        #expect(sigmas.count == 6)
        if old.position(target: target, source: Int(new.sources[place])) == nil {
          came += 1
          #expect(sigmas.allSatisfy { $0 == 0 })
        } else {
          stayed += 1
          filled += sigmas.contains { $0 != 0 } ? 1 : 0
        }
      }
    }
    #expect(came > 50 && filled > stayed / 4, "\(came) came, \(filled) of \(stayed) have a σ")
  }

  /// Synapses that stay keep their σ, new ones begin at 0.
  @Test func exchangesKeepWhatStreamsCarry() throws {
    let weights = try DirectWeights<Float>.untrained(Self.sizes, edges: 300, keepsPlastic: true, seed: 3)
    let states = DirectStates(weights, batch: 2)
    for stream in 0..<2 {
      for place in 0..<300 { states.found(2, stream: stream).edges?[place] = Float(place + 1) }
    }
    let n = Self.sizes.neurons
    let exchange = SynapseExchange(weights.edgesX, weights.weightsX, sources: n, dropping: 40) { taken in
      (0..<n * n).filter { !taken.contains($0) }.prefix(40).map { GrownSynapse(place: $0) }
    }
    states.move(exchange)
    for stream in 0..<2 {
      let moved = try #require(states.found(2, stream: stream).edges)
      let values = (0..<300).map { moved[$0] }
      #expect(values == exchange.origins.map { Float($0 + 1) })
      #expect(values.count { $0 == 0 } == 40)
    }
  }

  @Test func aNetworkLearns() throws {
    let trainer = try Self.trainer(nil, Self.options { $0.steps = 150 })
    let before = try #require(try trainer.validate(Self.text)).loss
    while trainer.step < 150 { _ = try trainer.update() }
    let after = try #require(try trainer.validate(Self.text)).loss
    #expect(after < before - 1.5, "from \(before) to \(after)")
  }

  /// As many synapses as before; those that stay keep their weights, new ones begin at 0.
  @Test(arguments: 1...20)
  func exchangesKeepWhatStays(_ seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let n = Int.random(in: 5...40, using: &random)
    let edges = Int.random(in: 1...n * n / 2, using: &random)
    let places = SynapseExchange.random(edges, among: n * n, taken: [], &random)
    #expect(Set(places).count == edges)
    var lists = EdgeLists(offsets: [0], sources: places.map { Int32($0 % n) })
    for target in 0..<n { lists.offsets.append(places.count { $0 / n <= target }) }
    let weights = Matrix<Double>(rows: 1, columns: edges, (0..<edges).map { _ in random.normal() })
    let dropped = Int.random(in: 0...edges, using: &random)
    var taken: [Int] = []
    let exchange = SynapseExchange(lists, weights, sources: n, dropping: dropped) { kept in
      taken = kept
      return SynapseExchange.random(dropped, among: n * n, taken: kept, &random).map {
        GrownSynapse(place: $0)
      }
    }
    #expect(exchange.edges.violation(sourceCount: n) == nil)
    #expect(exchange.edges.count == edges)
    let moved = exchange.moved(weights)
    let weakest = weights.elements.map(\.magnitude).sorted()
    var survivors = 0
    for target in 0..<n {
      for place in exchange.edges.offsets[target]..<exchange.edges.offsets[target + 1] {
        let source = Int(exchange.edges.sources[place])
        let old = lists.position(target: target, source: source)
        if exchange.origins[place] < 0 {
          #expect(moved.pointer[place] == 0)
        } else {
          survivors += 1
          #expect(old.map { weights.pointer[$0] } == moved.pointer[place])
          #expect(moved.pointer[place].magnitude >= weakest[max(0, dropped - 1)])
        }
      }
    }
    #expect(survivors == edges - dropped && taken.count == survivors)
  }

  /// Growth by gradient looks at what a missing synapse would have: the gradient of a graph that has it, with weight 0.
  @Test(arguments: [false, true], [1, 2, 3])
  func theGradientOfAMissingSynapseIsThatOfASynapseOfWeightZero(_ keeps: Bool, _ seed: UInt64) throws {
    let sparse = try DirectWeights<Double>.untrained(Self.sizes, edges: 400, keepsPlastic: keeps, seed: seed)
    let n = sparse.sizes.neurons
    var whole = sparse
    let all = EdgeLists(
      offsets: (0...n).map { $0 * n }, sources: (0..<n * n).map { Int32($0 % n) })
    // σ on kept edges follows G_x, which must stay; G_y may be filled up.
    func filled(_ edges: EdgeLists, _ weights: Matrix<Double>) -> Matrix<Double> {
      var dense = Matrix<Double>(rows: 1, columns: n * n)
      for target in 0..<n {
        for place in edges.offsets[target]..<edges.offsets[target + 1] {
          dense[0, target * n + Int(edges.sources[place])] = weights.pointer[place]
        }
      }
      return dense
    }
    (whole.edgesY, whole.weightsY) = (all, filled(sparse.edgesY, sparse.weightsY))
    if !keeps { (whole.edgesX, whole.weightsX) = (all, filled(sparse.edgesX, sparse.weightsX)) }
    let batch = TrainingBatch(
      tokens: randomTokens(60, vocabulary: 256, seed: seed),
      targets: randomTokens(60, vocabulary: 256, seed: seed + 9),
      positions: [0, 0])
    func run(_ weights: DirectWeights<Double>) -> (DirectPass<Double>, DirectGradients<Double>) {
      let pass = DirectPass(weights, batch: 2, block: 30, workers: Workers(threads: 2))
      _ = pass.forward(weights, batch)
      var gradients = DirectGradients(weights)
      pass.gradients(weights, into: &gradients)
      return (pass, gradients)
    }
    let (pass, _) = run(sparse)
    let (_, expected) = run(whole)
    for isX in keeps ? [false] : [true, false] {
      let edges = isX ? sparse.edgesX : sparse.edgesY
      let taken = (0..<n).flatMap { target in
        edges.sources[edges.offsets[target]..<edges.offsets[target + 1]].map { target * n + Int($0) }
      }
      let values = expected.all[isX ? 0 : 1]
      let missing = Set(0..<n * n).subtracting(taken)
      let order = missing.sorted {
        let (a, b) = (values.pointer[$0].magnitude, values.pointer[$1].magnitude)
        return a != b ? a > b : $0 < $1
      }
      #expect(values.pointer[order[49]] != 0)
      // Sums run in another order: places whose gradients differ by rounding may change places.
      let grown = pass.steepest(50, ofX: isX, taken: taken)
      #expect(grown.allSatisfy { $0.isInhibitory == (values.pointer[$0.place] > 0) })
      let found = grown.map(\.place)
      #expect(found.count == 50 && Set(found).intersection(taken).isEmpty)
      #expect(Set(found).subtracting(order.prefix(50)).count <= 1)
    }
  }

  @Test func whatCannotBeTrainedIsRefused() throws {
    #expect(throws: DirectTrainingError.carriesAllPairs) {
      try Self.trainer(Self.options { $0.carry = true })
    }
    #expect(throws: DirectTrainingError.detaches) { try Self.trainer(Self.options { $0.detach = true }) }
    for rewiring in [
      Rewiring(.random, every: 0), Rewiring(.gradient, drop: 0), Rewiring(.gradient, drop: .nan),
      Rewiring(.random, until: 2),
    ] {
      #expect(throws: DirectTrainingError.self) { try Self.trainer(rewiring) }
    }
    #expect(throws: DirectTrainingError.self) {
      try DirectWeights<Float>.untrained(Self.sizes, edges: 48 * 48 + 1, keepsPlastic: false, seed: 1)
    }
    var graph = try Self.trainer(keeps: true).weights.graph()
    graph.plastic.remove(source: 50, neuron: 1, neurons: 48, sources: 48 + 256)
    #expect(throws: DirectTrainingError.plasticIsNotOfX) { try DirectWeights(graph) }
    let path = NSTemporaryDirectory() + "direct-\(UUID().uuidString).checkpoint"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Self.trainer().saveCheckpoint(to: path, progress: TrainingProgress())
    #expect(throws: TrainingError.self) {
      try DirectTrainer<Float>.resume(from: path, text: Self.text.reversed())
    }
    #expect(throws: TrainingError.self) { try Trainer<Float>.resume(from: path, text: Self.text) }
    #expect(throws: StateError.self) { try DirectTrainer<Double>.resume(from: path, text: Self.text) }
  }

  static func trainer(_ options: TrainingOptions) throws -> DirectTrainer<Float> { try trainer(nil, options) }
}
