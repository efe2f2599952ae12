import HatchlingCompiler
import HatchlingDynamics
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

/// Many streams at once compute, to the last bit, what each computes alone.
@Suite struct ParallelStreamsTests {
  /// B = 1 … 7, texts of different lengths, one that pauses, all variants, with and without screens, deferred writes, damping and rotation.
  @Test(arguments: Variant.allCases, 1...7)
  func everyStreamIsTheStreamAlone(variant: Variant, count: Int) throws {
    for seed in [count, count + 7] {
      let sizes = seed == count ? Self.severalBlocks(variant) : .random(seed: UInt64(seed), variant: variant)
      var weights = Weights.random(sizes, seed: UInt64(seed), rotates: seed % 4 != 1, damping: seed % 2 == 0)
      // Without LN, random activity grows with every token: keep it small.
      if !variant.normalises { weights.encoder = weights.encoder.map { $0 * 1e-4 } }
      let options = CircuitEngineOptions(screens: seed % 3 != 1, defersWrites: seed % 5 < 3)
      try compare(weights, count, options, seed: seed)
      try compare(weights.converted(to: Double.self), count, options, seed: seed)
    }
  }

  private static func severalBlocks(_ variant: Variant) -> Hyperparameters {
    Hyperparameters(
      neurons: 3 * 130, synapticDimension: 24, heads: 3, layers: 2, vocabulary: 9, variant: variant)
  }

  private func texts(_ count: Int, vocabulary: Int, seed: Int) -> [[Int]] {
    (0..<count).map {
      randomTokens(20 + (seed + 5 * $0) % 21, vocabulary: vocabulary, seed: UInt64(seed + $0))
    }
  }

  private func compare<Scalar: NetworkScalar>(
    _ weights: Weights<Scalar>, _ count: Int, _ options: CircuitEngineOptions, seed: Int
  ) throws {
    var graph = try Compiler().circuit(from: weights).graph
    if seed % 4 == 3 { try graph.remove(.plastic, from: .hub(1), to: .neuron(1)) }
    let texts = texts(count, vocabulary: weights.hyperparameters.vocabulary, seed: seed)
    let alone = try texts.map { _ in try CircuitEngine(graph, workers: Workers(threads: 1), options: options)
    }
    let streams = try CircuitStreams(
      graph, count: count, workers: Workers(threads: 1 + seed % 3), options: options)
    #expect(streams.sharesOutStreams, "a small network")
    streams.sharesOutStreams = seed % 2 == 0
    var compared = 0
    for place in 0..<41 {
      // Every third stream waits at some tokens: positions differ.
      var tokens = texts.map { $0.indices.contains(place) ? $0[place] : nil }
      for stream in tokens.indices where (place + stream) % 3 == 0 && place < 9 { tokens[stream] = nil }
      let results = streams.step(tokens)
      for (stream, token) in tokens.enumerated() {
        guard let token else {
          #expect(results[stream] == nil)
          continue
        }
        let activity = try alone[stream].step(token)
        #expect(try results[stream]?.get() == activity, "stream \(stream), token \(place), seed \(seed)")
        #expect(
          isSame(streams.streams[stream].logits, alone[stream].logits),
          "stream \(stream), token \(place), seed \(seed)")
        compared += 1
      }
    }
    #expect(compared > 10 * count)
    for (stream, engine) in zip(streams.streams, alone) {
      try expectSame(stream.save(), engine.save(), "seed \(seed)")
      #expect(seed != count || engine.logits.contains { $0 != 0 }, "a silent network")
    }
  }

  /// Saved in the group and restored alone, and the other way round, in the middle of a text.
  @Test(arguments: Variant.allCases)
  func statesPassBetweenStreamsAndEngines(variant: Variant) throws {
    let weights = Weights.random(Self.severalBlocks(variant), seed: 8, damping: true)
    let graph = try Compiler().circuit(from: weights).graph
    let options = CircuitEngineOptions(screens: true, defersWrites: true)
    let streams = try CircuitStreams(graph, count: 3, workers: Workers(threads: 2), options: options)
    let texts = (0..<3).map { randomTokens(60, vocabulary: 9, seed: UInt64($0)) }
    let whole = try texts.map { text in
      let engine = try CircuitEngine(graph, options: options)
      for token in text { try engine.step(token) }
      return engine
    }
    for place in 0..<21 { for result in streams.step(texts.map { $0[place] }) { _ = try result?.get() } }
    let single = try CircuitEngine(graph, options: options)
    try single.restore(streams.streams[1].save())
    for token in texts[1][21..<40] { try single.step(token) }
    // Stream 2 goes on with the text that stream 1 began.
    try streams.streams[2].restore(single.save())
    for place in 40..<60 { _ = try streams.step([nil, nil, texts[1][place]])[2]?.get() }
    try expectSame(streams.streams[2].save(), whole[1].save(), "stream 1, then alone, then stream 2")
    for place in 21..<60 { _ = try streams.step([texts[0][place], nil, nil])[0]?.get() }
    try expectSame(streams.streams[0].save(), whole[0].save(), "stream 0")
    streams.streams[0].reset()
    for place in 0..<60 { _ = try streams.step([texts[2][place], nil, nil])[0]?.get() }
    try expectSame(streams.streams[0].save(), whole[2].save(), "stream 0, read anew")
  }

  /// Passages of random lengths, some of them none, whoever is looked into and however threads share the work: what is read, in which order it is
  /// said, and the states are those of engines that are alone.
  @Test(arguments: 0..<24)
  func aPassageIsItsTokens(seed: Int) throws {
    let sizes = Self.severalBlocks(Variant.allCases[seed % 2])
    let weights = Weights.random(sizes, seed: 6, damping: seed % 3 == 0)
    let graph = try Compiler().circuit(from: weights).graph
    let streams = try CircuitStreams(graph, count: 1 + seed % 5, workers: Workers(threads: 1 + seed % 3))
    streams.sharesOutStreams = seed % 4 != 3
    let alone = try streams.streams.map { _ in try CircuitEngine(graph, workers: Workers(threads: 1)) }
    var (looks, random, read) = (0, SeededRandom(seed: UInt64(seed)), 0)
    if seed % 6 == 0 {
      try streams.streams[0].attach(Probe(.quantity(.x), after: .end(.drive))) { _ in looks += 1 }
    }
    for round in 0..<6 {
      let passages = alone.indices.map { stream -> ArraySlice<Int> in
        let length = Int.random(in: 0...9, using: &random)
        return randomTokens(length, vocabulary: 9, seed: UInt64(10 * round + stream))[...]
      }
      // By stream: what was said before and after each token.
      var said = alone.map { _ in [(place: Int, position: Int, activity: StepActivity?)]() }
      let errors = said.withUnsafeMutableBufferPointer { said in
        streams.read(passages) {
          said[$0].append(($1, streams.streams[$0].position, nil))
        } after: {
          said[$0].append(($1, streams.streams[$0].position, $2))
        }
      }
      #expect(errors.count == alone.count && errors.allSatisfy { $0 == nil }, "seed \(seed)")
      for (stream, passage) in passages.enumerated() {
        try #require(said[stream].count == 2 * passage.count, "seed \(seed), stream \(stream)")
        for (place, token) in passage.enumerated() {
          let (before, after) = (said[stream][2 * place], said[stream][2 * place + 1])
          #expect(before.place == place && before.activity == nil)
          #expect(before.position == alone[stream].position)
          let activity = try alone[stream].step(token)
          #expect(after.place == place && after.activity == activity)
          #expect(after.position == alone[stream].position)
          read += 1
        }
      }
    }
    #expect(read > 6 && (seed % 6 != 0) == (looks == 0), "seed \(seed)")
    for (stream, engine) in zip(streams.streams, alone) {
      try expectSame(stream.save(), engine.save(), "seed \(seed)")
    }
  }

  /// A passage ends at the token that cannot be read; the other passages are read to their ends.
  @Test(arguments: [true, false])
  func aPassageEndsWhereItsStreamFails(sharesOutStreams: Bool) throws {
    let weights = Weights.random(Self.severalBlocks(.released), seed: 4)
    let streams = try CircuitStreams(
      Compiler().circuit(from: weights).graph, count: 3, workers: Workers(threads: 2))
    streams.sharesOutStreams = sharesOutStreams
    var said = [0, 0, 0]
    let errors = said.withUnsafeMutableBufferPointer { said in
      streams.read([[1, 2, 3, 4], [1, 2, 9, 3], [5, 6]]) { _, _ in
      } after: { stream, _, _ in
        said[stream] += 1
      }
    }
    #expect(said == [4, 2, 2] && streams.streams.map(\.position) == [4, 2, 2])
    #expect(errors[0] == nil && errors[2] == nil && errors[1]?.stream == 1 && errors[1]?.cause is TokenError)
  }

  /// A stream that overflows says so and drops out; the others do not notice. A token that is not in the alphabet is refused likewise.
  @Test(arguments: 1...3)
  func aStreamThatFailsIsNamedAndTheOthersGoOn(threads: Int) throws {
    var weights = Weights.random(Self.severalBlocks(.normfree), seed: 4)
    // Only who reads token 8 meets numbers that float cannot hold.
    let huge = weights.embedding.columns
    weights.embedding = Matrix(
      rows: 9, columns: huge,
      weights.embedding.elements.enumerated().map { $0 / huge == 8 ? $1 * 1e38 : $1 })
    let graph = try Compiler().circuit(from: weights).graph
    let streams = try CircuitStreams(graph, count: 4, workers: Workers(threads: threads))
    let alone = try (0..<4).map { _ in try CircuitEngine(graph, workers: Workers(threads: 1)) }
    for (place, tokens) in [[1, 2, 3, 4], [2, 8, 4, 5], [3, nil, 9, 6], [4, nil, 5, 7]].enumerated() {
      let results = streams.step(tokens)
      for (stream, token) in tokens.enumerated() {
        guard let token else { continue }
        do {
          let activity = try alone[stream].step(token)
          #expect(try results[stream]?.get() == activity)
          #expect(isSame(streams.streams[stream].logits, alone[stream].logits))
        } catch {
          #expect((stream, place) == (1, 1) || (stream, place) == (2, 2))
          #expect(place == 1 ? error is NotFiniteError : error is TokenError)
          guard case .failure(let found)? = results[stream] else {
            Issue.record("stream \(stream) went on")
            continue
          }
          #expect(found.stream == stream && "\(found)" == "stream \(stream): \(error)")
        }
      }
    }
    #expect(alone.map(\.position) == [4, 1, 3, 4] && streams.streams.map(\.position) == [4, 1, 3, 4])
    for stream in [0, 2, 3] {
      try expectSame(streams.streams[stream].save(), alone[stream].save(), "stream \(stream)")
    }
  }

  /// One stream is looked into: its probe sees what it sees alone, and all numbers stay.
  @Test func aWatchedStreamIsStillAStream() throws {
    let weights = Weights.random(Self.severalBlocks(.released), seed: 5, damping: true)
    let graph = try Compiler().circuit(from: weights).graph
    let (streams, alone) = (try CircuitStreams(graph, count: 3), try CircuitEngine(graph))
    var (seen, expected): ([[Float]], [[Float]]) = ([], [])
    let probe = Probe(.quantity(.x), after: .end(.drive))
    try streams.streams[1].attach(probe) { seen.append($0.values) }
    try alone.attach(probe) { expected.append($0.values) }
    for token in randomTokens(12, vocabulary: 9, seed: 5) {
      for result in streams.step([token, token, token]) { _ = try result?.get() }
      try alone.step(token)
    }
    #expect(seen.count == 24 && seen == expected)
    for stream in streams.streams { try expectSame(stream.save(), alone.save(), "watched") }
  }

  /// Executors without blocks read side by side.
  @Test func directGraphsAndTensorsReadSideBySide() throws {
    let weights = Weights.random(.random(seed: 3), seed: 3, damping: true)
    let (workers, graph) = (Workers(threads: 2), try Compiler().direct(from: weights).graph)
    try compare(try (0..<6).map { _ in try DirectEngine(graph, workers: workers) }, weights, workers)
    try compare((0..<6).map { _ in TensorEngine(weights, workers: workers) }, weights, workers)
  }

  private func compare<Engine: Executor>(
    _ engines: [Run<Engine>], _ weights: Weights<Float>, _ workers: Workers
  ) throws {
    let (streams, alone) = (ParallelStreams(Array(engines[..<3]), workers: workers), Array(engines[3...]))
    let texts = texts(3, vocabulary: weights.hyperparameters.vocabulary, seed: 3)
    for place in 0..<41 {
      let tokens = texts.map { $0.indices.contains(place) ? $0[place] : nil }
      let results = streams.step(tokens)
      for (stream, token) in tokens.enumerated() {
        let expected = try token.map { try alone[stream].step($0) }
        #expect(try results[stream]?.get() == expected)
        #expect(isSame(streams.streams[stream].logits, alone[stream].logits))
      }
    }
    #expect(streams.streams.map(\.position) == texts.map(\.count))
    for (stream, engine) in zip(streams.streams, alone) { try expectSame(stream.save(), engine.save(), "") }
  }
}

/// Equal to the last bit, and finite.
private func isSame<Scalar: NetworkScalar>(_ found: [Scalar], _ expected: [Scalar]) -> Bool {
  found == expected && !found.isEmpty && found.allSatisfy(\.isFinite)
}

private func expectSame(_ found: SavedState, _ expected: SavedState, _ place: String) throws {
  #expect(found.position == expected.position && found.identity == expected.identity, "\(place)")
  #expect(!expected.arrays.isEmpty && found.arrays.keys.sorted() == expected.arrays.keys.sorted(), "\(place)")
  for (name, array) in expected.arrays {
    let isEqual =
      switch (found.arrays[name], array) {
      case (.float(let one), .float(let other)): isSame(one.elements, other.elements)
      case (.double(let one), .double(let other)): isSame(one.elements, other.elements)
      case (.int(let one), .int(let other)): one.elements == other.elements && !one.elements.isEmpty
      default: false
      }
    #expect(isEqual, "\(name), \(place)")
  }
}
