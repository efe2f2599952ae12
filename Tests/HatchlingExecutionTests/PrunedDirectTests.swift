import HatchlingCompiler
import HatchlingDynamics
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

/// Pruned direct graphs against the interpreter, which walks over the kept synapses one by one, and against the unpruned form.
@Suite struct PrunedDirectTests {
  private static func weights(_ seed: Int, _ variant: Variant = .released) -> Weights<Double> {
    let sizes = Hyperparameters(
      neurons: 36, synapticDimension: 7, heads: 1 + seed % 3, layers: 3, vocabulary: 9, variant: variant)
    var weights = Weights.random(sizes, seed: UInt64(seed), rotates: seed % 4 != 1, damping: seed % 2 == 0)
    if !variant.normalises { weights.encoder = weights.encoder.map { $0 * 0.01 } }
    return weights.converted(to: Double.self)
  }

  /// For tests of which threads are not the question.
  private let one = Workers(threads: 1)

  private static let options: [DirectOptions] = [
    DirectOptions(),
    DirectOptions(kept: .strongest(0)),
    DirectOptions(kept: .strongest(90), plastic: .complete),
    DirectOptions(kept: .strongest(400)),
    DirectOptions(kept: .strongest(700), prunesTokens: true, plastic: .complete),
    DirectOptions(kept: .strongest(5)),
    DirectOptions(kept: .strongestPerNeuron(200), prunesTokens: true),
    DirectOptions(kept: .strongestPerNeuron(200), rescales: true),
    DirectOptions(kept: .atLeast(0.7), excitatoryOnly: true, prunesTokens: true),
    DirectOptions(kept: .atLeast(0), hubs: 3),
    DirectOptions(kept: .strongest(150), hubs: 3),
    DirectOptions(kept: .strongest(150), plastic: .complete, hubs: 7),
  ]

  /// The largest difference, relative to the largest number where that exceeds 1.
  private func scaledDifference(_ a: [Double], _ b: [Double]) -> Double {
    absoluteDifference(a, b) / b.reduce(1) { max($0, abs($1)) }
  }

  @Test(arguments: Variant.allCases, 0..<options.count)
  func engineAndInterpreterAgreeOnValuesAndCounts(variant: Variant, index: Int) throws {
    let graph = try Compiler().direct(
      from: Self.weights(index, variant), options: Self.options[index], workers: Workers(threads: 1)
    ).graph
    let engine = try DirectEngine(graph, workers: Workers(threads: 1 + index % 2))
    let interpreter = try Run.interpreting(graph, rules: DragonRules<Double>.self)
    var fired = 0
    for token in randomTokens(14, vocabulary: 9, seed: UInt64(index)) {
      let (activity, layers) = try engine.stepRecording(token)
      let (expected, plainLayers) = try interpreter.stepRecording(token)
      #expect(activity == expected, "counts, options \(index), token \(engine.position)")
      for (layer, other) in try paired(layers, plainLayers) {
        #expect(scaledDifference(layer.x, other.x) <= 1e-9, "x, options \(index)")
        #expect(scaledDifference(layer.a, other.a) <= 1e-9, "F A, options \(index)")
        #expect(scaledDifference(layer.y, other.y) <= 1e-9, "y, options \(index)")
        #expect(scaledDifference(layer.v, other.v) <= 1e-9, "F z, options \(index)")
      }
      #expect(scaledDifference(engine.logits, interpreter.logits) <= 1e-9, "logits, options \(index)")
      fired += activity.activeX.reduce(0, +)
    }
    #expect(fired > 0)
    for layer in 1...graph.layers {
      var (found, expected): ([Double], [Double]) = ([0], [0])
      for neuron in 0..<graph.neuronCount {
        for node in 0..<graph.nodeCount {
          let weight = engine.plasticWeight(
            layer: layer, from: graph.particle(node), to: NeuronIndex(neuron))
          #expect((weight != nil) == graph.plastic.contains(node, NeuronIndex(neuron)))
          found.append(weight ?? 0)
          expected.append(interpreter.executor.plastic[layer - 1][neuron, node])
        }
      }
      #expect(scaledDifference(found, expected) <= 1e-9, "σ of layer \(layer), options \(index)")
    }
  }

  @Test(arguments: Variant.allCases, 0..<4)
  func aThresholdOfZeroIsTheUnprunedGraph(variant: Variant, seed: Int) throws {
    let weights = Self.weights(seed, variant)
    let exact = try Compiler().direct(from: weights, workers: one).graph
    for prunesTokens in [false, true] {
      let options = DirectOptions(kept: .atLeast(0), prunesTokens: prunesTokens)
      let pruned = try Compiler().direct(from: weights, options: options, workers: one).graph
      #expect(pruned.plastic == .complete)
      for kind in DirectGraph<Float>.kinds { #expect(pruned.count(of: kind) == exact.count(of: kind)) }
      let (a, b) = (try DirectEngine(pruned, workers: one), try DirectEngine(exact, workers: one))
      for token in randomTokens(30, vocabulary: 9, seed: UInt64(seed)) {
        #expect(try a.step(token) == b.step(token), "seed \(seed)")
        #expect(relativeDifference(a.logits, b.logits) <= 1e-10, "seed \(seed)")
      }
    }
  }

  /// d hubs for what was cut: any pruned graph is exact again.
  @Test(arguments: Variant.allCases, [0, 1, 60, 500])
  func hubsForWhatWasCutMakeAPrunedGraphExact(variant: Variant, edges: Int) throws {
    let weights = Self.weights(2, variant)
    let options = DirectOptions(kept: .strongest(edges), plastic: .complete, hubs: 7)
    let engine = try DirectEngine(
      Compiler().direct(from: weights, options: options, workers: one).graph, workers: one)
    let tensors = TensorEngine(weights, workers: Workers(threads: 1))
    for token in randomTokens(40, vocabulary: 9, seed: 5) {
      try engine.step(token)
      try tensors.step(token)
      #expect(relativeDifference(engine.logits, tensors.logits) <= 1e-10, "token \(engine.position)")
    }
  }

  @Test func threadsAndWatchingRoundsChangeNoBit() throws {
    let sizes = Hyperparameters(
      neurons: 700, synapticDimension: 16, heads: 2, layers: 3, vocabulary: 40)
    let weights = Weights.random(sizes, seed: 8, damping: true)
    let all = [
      DirectOptions(), DirectOptions(kept: .strongest(30_000)),
      DirectOptions(kept: .strongest(3000), plastic: .complete, hubs: 4),
    ]
    for options in all {
      let graphs = try (1...3).map {
        try Compiler().direct(from: weights, options: options, workers: Workers(threads: $0)).graph
      }
      let engines = try (1...3).map { try DirectEngine(graphs[$0 - 1], workers: Workers(threads: $0)) }
      let watched = try DirectEngine(graphs[0], workers: Workers(threads: 1))
      var rounds: [Int] = []
      try watchEveryPlace(of: watched) { rounds.append($0) }
      for token in randomTokens(12, vocabulary: 40, seed: 8) {
        rounds = []
        let activity = try watched.step(token)
        #expect(rounds == everyPlace(layers: 3))
        for engine in engines {
          #expect(try engine.step(token) == activity)
          #expect(engine.logits == watched.logits)
        }
      }
      for layer in 1...3 {
        let expected = watched.attentionState(layer: layer).elements
        for engine in engines { #expect(engine.attentionState(layer: layer).elements == expected) }
      }
    }
  }

  @Test(arguments: 0..<4)
  func savingAndRestoringAtAnyTokenChangesNothing(index: Int) throws {
    let weights = Weights.random(
      Hyperparameters(neurons: 60, synapticDimension: 8, heads: 2, layers: 3, vocabulary: 70),
      seed: 3, damping: index % 2 == 0)
    let options = index < 2 ? DirectOptions() : DirectOptions(kept: .strongest(900))
    let graph = try Compiler().direct(from: weights, options: options, workers: one).graph
    let tokens = randomTokens(40, vocabulary: 70, seed: 3)
    for split in [0, 1, 7, 39] {
      let (engine, other) = (try DirectEngine(graph, workers: one), try DirectEngine(graph, workers: one))
      for (position, token) in tokens.enumerated() {
        if position == split { try other.restore(engine.save()) }
        try engine.step(token)
        guard position >= split else { continue }
        try other.step(token)
        #expect(other.logits == engine.logits, "token \(position), split at \(split)")
      }
      #expect(other.position == 40)
      #expect(other.attentionState(layer: 3).elements == engine.attentionState(layer: 3).elements)
    }
  }

  @Test func statesOfOtherGraphsAndDamagedOnesAreRefused() throws {
    let weights = Self.weights(2).converted(to: Float.self)
    func engine(_ options: DirectOptions) throws -> DirectEngine<Float> {
      try DirectEngine(
        Compiler().direct(from: weights, options: options, workers: one).graph, workers: one)
    }
    let (exact, pruned) = (try engine(DirectOptions()), try engine(DirectOptions(kept: .strongest(50))))
    for engine in [exact, pruned] { for token in [1, 2, 1] { try engine.step(token) } }
    #expect(throws: StateError.self) { try pruned.restore(exact.save()) }
    #expect(throws: StateError.self) {
      try engine(DirectOptions(kept: .strongest(51))).restore(pruned.save())
    }
    let circuit = try CircuitEngine(Compiler().circuit(from: weights).graph)
    #expect(throws: StateError.self) { try circuit.restore(exact.save()) }

    let saved = exact.save()
    func refuses(
      _ engine: DirectEngine<Float>, _ error: StateError? = nil, _ change: (inout SavedState) -> Void
    ) {
      var state = saved
      change(&state)
      if let error {
        #expect(throws: error) { try engine.restore(state) }
      } else {
        #expect(throws: StateError.self) { try engine.restore(state) }
      }
      #expect(engine.position == 3 && engine.logits == exact.logits, "a refused state changes nothing")
    }
    refuses(exact) { $0.arrays["columns.2"] = .int(Matrix(rows: 1, columns: 1, [Int64.max])) }
    refuses(exact) { $0.arrays["nodes.1"] = .int(Matrix(rows: 1, columns: 2, [5, 5])) }
    refuses(exact) { $0.arrays["nodes.1"] = .int(Matrix(rows: 1, columns: 2, [5, 45])) }
    refuses(exact, .missingArray("plastic.1")) { $0.arrays["plastic.1"] = nil }
    refuses(exact, .impossibleStamp(layer: 1, neuron: 4, position: 3)) {
      var stamps = Matrix<Int64>(rows: 1, columns: 36)
      stamps[0, 4] = 9
      $0.arrays["stamps.1"] = .int(stamps)
    }
    let before = pruned.logits
    var state = pruned.save()
    state.arrays["plastic.1"] = nil
    #expect(throws: StateError.missingArray("plastic.1")) { try pruned.restore(state) }
    #expect(pruned.logits == before && pruned.position == 3)
  }

  @Test func aRunWhoseStateDoesNotFitIsRefused() throws {
    let weights = Self.weights(1)
    // (L − 1) n (n + V) + n V doubles.
    let needed = (2 * 36 * 45 + 36 * 9) * 8
    let graph = try Compiler().direct(from: weights, workers: one).graph
    #expect(throws: Never.self) { try DirectEngine(graph, memory: 2 * needed) }
    #expect(throws: DirectError.stateTooLarge(needed: needed, limit: needed - 1)) {
      try DirectEngine(graph, memory: 2 * needed - 1)
    }
    let message = DirectError.stateTooLarge(needed: 3 << 30, limit: 1 << 30).description
    for way in ["3.0 GiB", "keep fewer synapses", "run the circuit"] { #expect(message.contains(way)) }
    let options = DirectOptions(kept: .strongest(100))
    let pruned = try Compiler().direct(from: weights, options: options, workers: one).graph
    #expect(throws: DirectError.stateTooLarge(needed: 3 * (100 + 36 * 9) * 8, limit: 100)) {
      try DirectEngine(pruned, memory: 200)
    }
    #expect(throws: CompilerError.expansionTooLarge(needed: 2 * 36 * 45 * 8, limit: 1000)) {
      try Compiler().direct(from: weights, memory: 2000)
    }
    // n = 32 768 as in the paper: 8 layers of 10⁹ synapses.
    let paper = Hyperparameters(
      neurons: 32_768, synapticDimension: 256, heads: 4, layers: 8, vocabulary: 256)
    let bytes = DirectError.stateBytes(paper, plasticSynapses: nil, bytesPerWeight: 4)
    #expect(bytes == (7 * 32_768 * 33_024 + 32_768 * 256) * 4)
  }

  /// σ takes memory for what was written only: layer 1 has a column per token that was read.
  @Test func onlyWrittenColumnsAreStored() throws {
    let engine = try DirectEngine(Compiler().direct(from: Self.weights(3)).graph, workers: one)
    for token in [4, 2, 4, 2] { try engine.step(token) }
    #expect(try engine.save().integers("columns.1", rows: 1, columns: 1)[0, 0] == 2)
    var found: Set<Int> = []
    engine.forEachPlasticWeight(layer: 1) { node, _, _ in found.insert(node) }
    #expect(found == [36 + 2, 36 + 4])
  }
}
