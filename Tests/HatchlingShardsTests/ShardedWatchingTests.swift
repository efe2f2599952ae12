import HatchlingCompiler
import HatchlingDynamics
import HatchlingEquivalence
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import HatchlingShards
import HatchlingTensor
import TestSupport
import Testing

/// Whoever looks at a network that is spread over ranks sees what one process alone shows, on every rank.
@Suite(.timeLimit(.minutes(10))) struct ShardedWatchingTests {
  private static func weights(_ seed: Int, _ variant: Variant) -> Weights<Float> {
    let shapes = [(65, 3, 24), (130, 3, 24), (7, 1, 5), (33, 5, 9)]
    let (half, heads, d) = shapes[seed % shapes.count]
    let sizes = Hyperparameters(
      neurons: 2 * half * heads, synapticDimension: d, heads: heads, layers: 2, vocabulary: 9,
      variant: variant)
    var weights = Weights.random(sizes, seed: UInt64(seed), damping: seed % 2 == 0)
    if !variant.normalises { weights.encoder = weights.encoder.map { $0 * 1e-4 } }
    if seed % 4 == 3 {
      var mask = Matrix<UInt8>(rows: sizes.neurons, columns: d, repeatElement(1, count: sizes.neurons * d))
      mask[sizes.neurons - 1, 2] = 0
      weights.plasticSynapses = mask
    }
    return weights
  }

  private static func circuit<Scalar: NetworkScalar>(
    _ weights: Weights<Scalar>, _ ranks: Ranks?
  ) throws -> CircuitEngine<Scalar> {
    let own = ranks.map { weights.part(of: $0.rank, ranks: $0.size) } ?? weights
    return try CircuitEngine(
      Compiler().circuit(from: own, sum: ranks?.summing).graph, workers: Workers(threads: 1), ranks: ranks)
  }

  private static func tensors<Scalar: NetworkScalar>(
    _ weights: Weights<Scalar>, _ ranks: Ranks?
  ) -> TensorEngine<Scalar> {
    let own = ranks.map { weights.part(of: $0.rank, ranks: $0.size) } ?? weights
    return TensorEngine(own, workers: Workers(threads: 1), ranks: ranks)
  }

  /// Everything that probes show of a few tokens, as bits.
  private static func seen<Scalar: NetworkScalar>(by engine: any WatchableEngine<Scalar>, _ neurons: Int)
    -> [[UInt64]]
  {
    var seen: [[UInt64]] = []
    func look(_ probe: Probe) {
      guard
        (try? engine.attach(probe) { sample in
          seen.append(
            [UInt64(sample.round + 1), UInt64(sample.layer)] + sample.values.map { Double($0).bitPattern }
              + (sample.neurons ?? []).map { UInt64($0) })
        }) != nil
      else { return seen.append([]) }
    }
    let some = [neurons - 1, 0, neurons / 2, neurons / 3, neurons / 2 + 1]
    let d = engine.hyperparameters.synapticDimension
    let synapses = some.enumerated().map { PlasticSynapse(from: $0 % d, to: $1) }
    for entries in [nil, some] {
      for quantity in [Quantity.x, .rotated, .y, .driveX, .driveY] {
        look(Probe(.quantity(quantity, entries: entries), after: .end(.gate)))
      }
      for channel in [Channel.excitation, .inhibition] {
        look(Probe(.quantity(.driveX, channel: channel, entries: entries), after: .end(.drive)))
        look(Probe(.quantity(.driveY, channel: channel, entries: entries), after: .end(.gate)))
      }
    }
    for quantity in [Quantity.a, .v, .encoded, .gains] {
      look(Probe(.quantity(quantity), after: .end(.gate)))
    }
    look(Probe(.firing(.x), after: .end(.gate)))
    look(Probe(.firing(.y), after: .end(.gate)))
    look(Probe(.plasticWeights(synapses), after: .end(.gate)))
    look(Probe(.plasticWeights(), after: .end(.gate)))
    let missing = PlasticSynapse(from: 2, to: neurons - 1)
    for token in randomTokens(5, vocabulary: 9, seed: 3) { _ = try? engine.step(token) }
    engine.replacePlasticWeight(layer: 1, of: synapses[2]) { $0 + 1 }
    _ = try? engine.step(4)
    seen.append([engine.hasPlasticSynapse(missing) ? 1 : 0])
    seen.append(engine.plasticWeights(layer: 2, of: synapses).map { Double($0).bitPattern })
    seen.append(engine.logits.map { Double($0).bitPattern })
    return seen
  }

  @Test(arguments: Variant.allCases, 0..<4)
  func probesOfACircuitSeeAllNeurons(variant: Variant, seed: Int) throws {
    let weights = Self.weights(seed, variant)
    let n = weights.hyperparameters.neurons
    let alone = Self.seen(by: try Self.circuit(weights, nil), n)
    #expect(alone.count(where: { $0.count > n }) > 40, "too little was seen")
    for size in [1, 2, 3, 7] {
      let spread = ThreadRank.run(size) { ranks in
        (try? Self.circuit(weights, ranks)).map { Self.seen(by: $0, n) } ?? []
      }
      for (rank, seen) in spread.enumerated() {
        #expect(seen.count == alone.count)
        let different = zip(seen, alone).enumerated().filter { $1.0 != $1.1 }.map(\.offset)
        #expect(different.isEmpty, "seed \(seed), \(variant): rank \(rank) of \(size) sees others")
      }
    }
  }

  /// Tensors on ranks add in the circuit's order: the same bits for every number of ranks, and one process to rounding.
  @Test(arguments: Variant.allCases, 0..<2)
  func tensorsOnRanksAreOneNetwork(variant: Variant, seed: Int) throws {
    let weights = Self.weights(seed, variant).converted(to: Double.self)
    let n = weights.hyperparameters.neurons
    let alone = Self.seen(by: Self.tensors(weights, nil), n)
    let first = ThreadRank.run(1) { Self.seen(by: Self.tensors(weights, $0), n) }[0]
    let (ours, theirs) = (
      first.last?.map(Double.init(bitPattern:)) ?? [], alone.last?.map(Double.init(bitPattern:)) ?? []
    )
    #expect(relativeDifference(ours, theirs) <= 1e-12 && theirs.contains { $0 != 0 })
    for size in [2, 3, 4, 7] {
      for seen in ThreadRank.run(size, { Self.seen(by: Self.tensors(weights, $0), n) }) {
        let different = zip(seen, first).enumerated().filter { $1.0 != $1.1 }.map(\.offset)
        #expect(seen.count == first.count && different.isEmpty, "seed \(seed), \(variant): \(size) ranks")
      }
    }
  }

  /// A tensor that is no number stops all ranks at one place.
  @Test func tensorsStopTogether() throws {
    var weights = Self.weights(1, .released)
    weights.decoderX[700, 3] = 3e38
    weights.decoderX[700, 4] = 3e38
    let broken = weights
    @Sendable func failure(_ ranks: Ranks?) -> String {
      let engine = Self.tensors(broken, ranks)
      do {
        for token in 0..<9 { try engine.step(token) }
        return "none"
      } catch { return "\(error)" }
    }
    let alone = failure(nil)
    #expect(alone.contains("not a finite number"))
    for said in ThreadRank.run(3, { failure($0) }) { #expect(said == alone) }
  }

  private static func report<Scalar: NetworkScalar>(
    _ weights: Weights<Scalar>, _ other: Weights<Scalar>, _ ranks: Ranks
  ) -> EquivalenceReport? {
    guard let circuit = try? circuit(weights, ranks) else { return nil }
    var check = Equivalence(graph: circuit, tensors: tensors(other, ranks), among: ranks)
    try? check.run(over: randomTokens(70, vocabulary: 9, seed: 8))
    return check.report
  }

  /// Graph and tensors agree wherever their neurons are, and one changed weight is found in the same place.
  @Test(arguments: Variant.allCases, 0..<3)
  func verificationSaysTheSameOnAllRanks(variant: Variant, seed: Int) throws {
    let weights = Self.weights(seed, variant).converted(to: Double.self)
    var changed = weights
    let neuron = weights.hyperparameters.neurons * 3 / 4
    for hub in 0..<weights.hyperparameters.synapticDimension { changed.decoderX[neuron, hub] *= 1.001 }
    let broken = changed
    let reports = [1, 2, 3, 7].flatMap { ThreadRank.run($0) { Self.report(weights, weights, $0) } }
    let first = try #require(reports[0])
    #expect(first.agree && first.tokens == 70, "seed \(seed), \(variant)")
    #expect(reports.allSatisfy { $0 == first }, "seed \(seed), \(variant)")
    let divided = [1, 2, 3, 7].flatMap { ThreadRank.run($0) { Self.report(broken, weights, $0) } }
    let other = try #require(divided[0])
    #expect(!other.agree && other.firstDivergence?.index == neuron, "seed \(seed), \(variant)")
    #expect(divided.allSatisfy { $0 == other }, "seed \(seed), \(variant)")
  }

  /// Segments of a text are shared out; what they cost is one process's to the last bit.
  @Test func fidelityIsSharedOut() throws {
    let weights = Self.weights(0, .released)
    let text = randomTokens(300, vocabulary: 9, seed: 2)
    @Sendable func measure(_ ranks: Ranks?) -> [Double] {
      let workers = Workers(threads: 2)
      guard
        let fidelity = try? Fidelity(
          weights, tokens: text, segment: 23, limit: 250, ranks: ranks, workers: workers),
        let measure = try? fidelity.measure({ try Self.circuit(weights, nil) })
      else { return [] }
      return measure.segmentLosses + measure.segmentDivergences + fidelity.referenceLosses
        + [measure.messages, measure.updates, measure.activeX, measure.activeY, measure.top1Agreement]
    }
    let alone = measure(nil)
    #expect(alone.count == 3 * 11 + 5 && alone.allSatisfy { $0.isFinite && $0 != 0 })
    for size in [1, 2, 3, 7, 13] {
      for found in ThreadRank.run(size, { measure($0) }) { #expect(found == alone, "\(size) ranks") }
    }
  }
}
