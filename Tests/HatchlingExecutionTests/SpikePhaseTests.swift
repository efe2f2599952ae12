import HatchlingCompiler
import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingExecution

/// The spikes inside a token as an observer sees them: what travelled, and nothing else.
@Suite struct SpikePhaseTests {
  private struct Spike: Equatable {
    let quantity: Quantity
    let layer, substep, entry: Int
    let weight: Double

    init(_ quantity: Quantity, _ layer: Int, _ substep: Int, _ entry: Int, _ weight: Double) {
      (self.quantity, self.layer, self.substep) = (quantity, layer, substep)
      (self.entry, self.weight) = (entry, weight)
    }
  }

  private static func spikes<Scalar>(_ phase: SpikePhase<Scalar>) -> [Spike] {
    (0..<phase.substeps).flatMap { substep in
      phase.spikes(at: substep).map {
        Spike(phase.quantity, phase.layer, substep, Int(phase.entries[$0]), Double(phase.weights[$0]))
      }
    }
  }

  /// The network and scales of ``SpikeCodeTests/givesTheSpikesWorkedOutOnPaper()``: three neurons, two hubs, two binary digits.
  @Test func showsTheSpikesWorkedOutOnPaper() throws {
    let engine = try SpikeCodeTests.engineOnPaper()
    var (seen, phases): ([Spike], [Quantity]) = ([], [])
    engine.phaseObserver = { phase in
      seen += Self.spikes(phase)
      phases.append(phase.quantity)
    }
    // h0 says 1 at once; x = (1, 0, 1) is half of its scale: the second sub-step. Nothing is stored yet.
    try engine.step(0)
    let common = [
      Spike(.token, 0, 0, 0, 1), Spike(.v, 1, 0, 0, 1), Spike(.x, 1, 1, 0, 1), Spike(.x, 1, 1, 2, 1),
      Spike(.rotated, 1, 1, 0, 1), Spike(.rotated, 1, 1, 2, 1),
    ]
    #expect(seen == common)
    // Phases without a spike are phases: a and y are silent, and v has nothing to say to the readout.
    #expect(phases == [.token, .v, .x, .rotated, .heard, .y, .v])
    seen = []
    // h0 says a = 2 at once, n0 answers y = 2 at once, h1 tells the readout 4 at once.
    try engine.step(0)
    #expect(seen == common + [Spike(.heard, 1, 0, 0, 2), Spike(.y, 1, 0, 0, 2), Spike(.v, 0, 0, 1, 4)])
    seen = []
    // a = 4 is more than can be said: 2 + 1. y = 3 is 2 + 1, E y = 6 is 4 + 2.
    try engine.step(0)
    #expect(
      seen == common + [
        Spike(.heard, 1, 0, 0, 2), Spike(.heard, 1, 1, 0, 1), Spike(.y, 1, 0, 0, 2), Spike(.y, 1, 1, 0, 1),
        Spike(.v, 0, 0, 1, 4), Spike(.v, 0, 1, 1, 2),
      ])
    let slots = engine.phaseSlots
    #expect(slots.map(\.name) == ["token", "v", "x", "rotated", "a", "y", "v"])
    #expect(slots.map(\.substeps) == [1, 2, 2, 2, 2, 2, 2] && slots.map(\.entries) == [2, 2, 3, 3, 2, 3, 2])
    seen = []
    engine.phaseObserver = nil
    try engine.step(0)
    #expect(seen.isEmpty)
  }

  /// Every spike that is counted is seen and no other: by quantity, by connection and layer over the synapses that all hear, over σ; what a particle
  /// says is the sum of its spikes; the bits of everything stay; and the order does not depend on threads.
  @Test(
    arguments: ["few:3:10", "binary:7", "rate:9", "stochastic:12", "graded"], [GraphForm.circuit, .direct])
  func spikesAreThoseThatAreCounted(code: String, form: GraphForm) throws {
    let sizes = Hyperparameters(neurons: 300, synapticDimension: 20, heads: 2, layers: 2, vocabulary: 11)
    let weights = Weights.random(sizes, seed: 5, damping: true)
    let (tokens, options) = (randomTokens(12, vocabulary: 11, seed: 3), try SpikingOptions(named: code))
    switch form {
    case .circuit:
      let graph = try Compiler().circuit(from: weights).graph
      let scales = try SpikeScales.measured(graph, on: tokens + tokens)
      try Self.compare(graph, tokens) { try Run(spiking: graph, options, scales: scales, workers: $0) }
    case .direct:
      let graph = try Compiler().direct(
        from: weights, options: DirectOptions(kept: .strongest(20_000)), workers: Workers(threads: 1)
      ).graph
      let scales = try SpikeScales.measured(graph, on: tokens + tokens)
      try Self.compare(graph, tokens) { try Run(spiking: graph, options, scales: scales, workers: $0) }
    }
  }

  private static func compare<Graph: ExecutableGraph>(
    _ graph: Graph, _ tokens: [Int], _ make: (Workers) throws -> SpikingEngine<Graph>
  ) throws where Graph.Scalar == Float {
    let (watched, plain, two) = (
      try make(Workers(threads: 1)), try make(Workers(threads: 1)), try make(Workers(threads: 2))
    )
    var (phases, others): ([SpikePhase<Float>], [SpikePhase<Float>]) = ([], [])
    watched.phaseObserver = { phases.append($0) }
    two.phaseObserver = { others.append($0) }
    var said = 0
    for token in tokens {
      let before = phases.count
      let (activity, layers) = try watched.stepRecording(token)
      #expect(try plain.step(token) == activity && watched.logits == plain.logits)
      try two.step(token)
      for (layer, quantities) in layers.enumerated() {
        for (quantity, values) in [(Quantity.x, quantities.x), (.y, quantities.y)] {
          let phase = try #require(
            phases[before...].first { $0.quantity == quantity && $0.layer == layer + 1 })
          var sums = [Float](repeating: 0, count: values.count)
          for (entry, weight) in zip(phase.entries, phase.weights) { sums[Int(entry)] += weight }
          #expect(sums == values)
          said += values.count { $0 != 0 }
        }
      }
    }
    #expect(said > 100)
    for layer in 1...2 {
      #expect(watched.attentionState(layer: layer).elements == plain.attentionState(layer: layer).elements)
    }
    let counts = watched.executor.counts
    #expect(counts == plain.executor.counts)
    #expect(phases.map(spikes) == others.map(spikes) && phases.map(\.ends) == others.map(\.ends))
    try check(counts, against: phases, graph)
    let slots = watched.phaseSlots
    for phase in phases {
      let slot = try #require(slots.first { $0.holds(phase.quantity, layer: phase.layer) })
      #expect(slot.substeps == phase.substeps && phase.entries.allSatisfy { Int($0) < slot.entries })
      for substep in 0..<phase.substeps {
        let entries = phase.spikes(at: substep).map { phase.entries[$0] }
        #expect(zip(entries, entries.dropFirst()).allSatisfy { $0 < $1 })
      }
    }
  }

  private static func check<Graph: ExecutableGraph>(
    _ counts: SpikeCounts, against phases: [SpikePhase<Float>], _ graph: Graph
  ) throws {
    var spikes: [Quantity: Int] = [:]
    for phase in phases { spikes[phase.quantity, default: 0] += phase.entries.count }
    #expect(spikes == counts.spikes && counts.totalSpikes > 500)
    var compared = 0
    let places =
      [(0, graph.schedule.input), (0, graph.schedule.readout)]
      + (1...graph.schedule.layers).map { ($0, graph.schedule.layerOperations) }
    for (layer, operations) in places {
      for case .send(let from, let over, _, nil, let traffic) in operations where traffic != .nothing {
        var degrees: [Int: Int] = [:]
        graph.forEachWire(of: over) { source, _, weight in degrees[source, default: 0] += weight != 0 ? 1 : 0
        }
        let rows = from.isPerHead ? graph.hyperparameters.heads : 1
        let width = graph.count(of: from) / rows
        // The token fires before round −1, v speaks to the readout: both have layer 0, over other connections.
        let own = phases.filter { $0.quantity == from && $0.layer == layer }
        let expected = own.reduce(0) {
          $0 + $1.entries.reduce(0) { $0 + degrees[Int($1) % width, default: 0] }
        }
        let events = counts.events.reduce(0) {
          $0 + ($1.key.path == .fixed(over) && $1.key.layer == layer ? $1.value : 0)
        }
        // F carries several quantities in a layer of the direct form.
        let isShared = operations.count { if case .send(_, over, _, _, _) = $0 { true } else { false } } > 1
        #expect(isShared ? events >= expected : events == expected, "\(over.rawValue), layer \(layer)")
        compared += expected
      }
      guard graph.schedule.form == .circuit, layer > 0 else { continue }
      let fired = phases.filter { $0.quantity == .rotated && $0.layer == layer }
      let read = counts.events.first { $0.key.path == .read && $0.key.layer == layer }
      #expect(
        read?.value == fired.reduce(0) { $0 + $1.entries.count } * graph.hyperparameters.synapticDimension)
    }
    #expect(compared > 5000)
  }
}
