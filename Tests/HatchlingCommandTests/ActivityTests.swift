import Foundation
import HatchlingCompiler
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingCommands

/// `activity` and `memorise-corpus`: what they count on every engine, and from outside.
@Suite struct ActivityTests {
  private static let workers = Workers(threads: 2)

  private func network(_ sizes: Hyperparameters, seed: UInt64, damping: Bool = true) -> Network {
    .weights(Model(path: "made", weights: Weights.random(sizes, seed: seed, damping: damping)))
  }

  private func trace<Scalar: NetworkScalar>(
    _ network: Network, _ formulation: EngineDescription.Formulation, _ tokens: [[Int]],
    _ request: ActivityRequest = ActivityRequest(), in _: Scalar.Type
  ) throws -> ActivityTrace {
    let reader = try StreamReader<Scalar>(
      EngineDescription(formulation), network, workers: Self.workers)
    return try reader.activity(
      request, of: tokens.map { TokenStream(name: "made", tokens: $0) }, clocks: network.clocks,
      damping: network.damping)
  }

  /// Counts of every series, and who fired, are those of the recorded x and y of plain steps, on all engines.
  @Test func countsAreThoseOfXAndY() throws {
    for seed in 1...6 as ClosedRange<UInt64> {
      var sizes = Hyperparameters.random(seed: seed)
      sizes.layers = max(2, sizes.layers)
      let network = network(sizes, seed: seed)
      let texts = [
        randomTokens(23, vocabulary: sizes.vocabulary, seed: seed),
        randomTokens(9, vocabulary: sizes.vocabulary, seed: seed + 50),
      ]
      var request = ActivityRequest()
      request.buckets = 3
      for formulation in [EngineDescription.Formulation.circuit, .tensors, .direct(DirectOptions())] {
        let trace = try trace(network, formulation, texts, request, in: Double.self)
        let engine =
          try EngineDescription(formulation).network(of: network, workers: Self.workers).engine(
            workers: Self.workers) as any SteppingEngine<Double>
        var (place, compared) = (0, 0)
        for text in texts {
          engine.reset()
          for token in text {
            let loss = engine.position > 0 ? Predictions(logits: engine.logits).loss(of: token) : .nan
            #expect(trace.surprise[place] == loss || loss.isNaN && trace.surprise[place].isNaN)
            let layers = try engine.stepRecording(token).layers
            for (index, layer) in layers.enumerated() {
              for (quantity, values) in [(ActivitySeriesKey.Quantity.x, layer.x), (.y, layer.y)] {
                let fired = values.indices.filter { values[$0] > 0 }
                let key = ActivitySeriesKey(quantity: quantity, layer: index + 1, bucket: nil)
                #expect(trace.counts[key]?[place] == Int32(fired.count), "seed \(seed)")
                for bucket in trace.buckets.sizes.indices {
                  let part = ActivitySeriesKey(quantity: quantity, layer: index + 1, bucket: bucket)
                  let own = fired.count { trace.buckets.bucketOf[$0] == bucket }
                  #expect(trace.counts[part]?[place] == Int32(own))
                }
                let trains = try #require(trace.trains[key])
                let marked = values.indices.filter { trains.times($0).contains(place) }
                #expect(marked == fired)
                compared += fired.count
              }
            }
            place += 1
          }
        }
        #expect(compared > 100 && trace.tokens == texts.flatMap(\.self))
        #expect(trace.streams.map(\.tokens) == [0..<23, 23..<32])
      }
    }
  }

  /// In double the formulations agree, so their whole reports do.
  @Test func formulationsSayTheSame() throws {
    let sizes = Hyperparameters(neurons: 48, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 6)
    let network = network(sizes, seed: 3)
    var request = ActivityRequest()
    (request.segment, request.leftOut, request.resamples, request.synapses) = (40, 4, 50, 50)
    func lines(_ formulation: EngineDescription.Formulation) throws -> [String] {
      let reader = try StreamReader<Double>(EngineDescription(formulation), network, workers: Self.workers)
      return try reader.activityReport(
        request, of: [TokenStream(name: "made", tokens: randomTokens(300, vocabulary: 6, seed: 8))],
        network: network, model: "made", workers: Self.workers
      ).lines
    }
    let circuit = try lines(.circuit)
    #expect(circuit.count > 40 && circuit.contains { $0.hasPrefix("y, layer 2") })
    #expect(try circuit == lines(.tensors))
    #expect(try circuit == lines(.direct(DirectOptions())))
  }

  /// Overlaps of ρ, recomputed from attention states; with damping 1 nothing is left by damping alone.
  @Test func overlapsAreThoseOfTheState() throws {
    let sizes = Hyperparameters(neurons: 24, synapticDimension: 6, heads: 2, layers: 2, vocabulary: 5)
    let network = network(sizes, seed: 9)
    let tokens = randomTokens(20, vocabulary: 5, seed: 4)
    let memory = try trace(network, .circuit, [tokens], in: Double.self).memory
    #expect(memory.rows.map(\.since) == [1, 2, 4, 8])
    let engine =
      try EngineDescription(.tensors).network(of: network, workers: Self.workers).engine(
        workers: Self.workers) as any SteppingEngine<Double>
    var states: [Matrix<Double>] = []
    for token in tokens {
      try engine.step(token)
      states.append(engine.attentionState(layer: 2))
    }
    let before = states[9]
    for row in memory.rows {
      let after = states[9 + row.since]
      var (product, norm, left) = (0.0, 0.0, 0.0)
      for place in 0..<before.count {
        let (was, now) = (before.pointer[place], after.pointer[place])
        product += was * now
        norm += was * was
        left += was * was * pow(1 - Double(network.damping[place / 6]), Double(row.since))
      }
      #expect(abs(row.overlap[1] - product / norm) < 1e-4 && abs(row.damped[1] - left / norm) < 1e-4)
    }
    // Where nobody writes, damping alone is what happens: no token is read twice as loud.
    #expect(memory.concentration.count == 2 && memory.concentration[0].count == 24 * 6)
  }

  /// Of a network whose neurons never fire after the first tokens the overlap is what damping leaves.
  @Test func withoutWritesDampingAloneIsLeft() throws {
    let sizes = Hyperparameters(neurons: 24, synapticDimension: 6, heads: 1, layers: 1, vocabulary: 3)
    var weights = Weights<Float>.random(sizes, seed: 2, damping: true)
    // Token 2 drives nobody: x = (D_x v)₊ with v along a direction that D_x does not hear.
    let rows = (0..<24).map { weights.decoderX.row($0) }
    let values = rows.flatMap { row in (0..<6).map { $0 < 2 ? row[$0] : 0 } }
    weights.decoderX = Matrix(rows: 24, columns: 6, values)
    let embedding: [Float] = (0..<2).flatMap { token in (0..<6).map { weights.embedding.row(token)[$0] } }
    weights.embedding = Matrix(rows: 3, columns: 6, embedding + [0, 0, 1, -1, 2, -2])
    let network = Network.weights(Model(path: "made", weights: weights))
    let tokens = [0, 1, 0, 1, 1, 0, 2, 2, 2, 2, 2, 2]
    let memory = try trace(network, .circuit, [tokens], in: Double.self).memory
    #expect(memory.rows.map(\.since) == [1, 2, 4])
    for row in memory.rows {
      #expect(abs(row.overlap[0] - row.damped[0]) < 1e-5 && row.overlap[0] > 0 && row.overlap[0] < 1)
    }
  }

  @Test func segmentsCanBeginAnew() throws {
    let sizes = Hyperparameters(neurons: 16, synapticDimension: 4, heads: 1, layers: 2, vocabulary: 4)
    let network = network(sizes, seed: 5)
    var request = ActivityRequest()
    (request.segment, request.leftOut, request.startsAnew) = (10, 2, true)
    let text = randomTokens(37, vocabulary: 4, seed: 1)
    let cut = try trace(network, .circuit, [text], request, in: Float.self)
    request.startsAnew = false
    let parts = [0, 10, 20].map { (start: Int) -> [Int] in Array(text[start..<start + 10]) }
    let read = try trace(network, .circuit, parts, request, in: Float.self)
    #expect(cut.counts == read.counts && cut.streams == read.streams && cut.tokens == Array(text[..<30]))
    request.startsAnew = true
    request.segment = 40
    #expect(throws: ActivityStudyError.tooShort(tokens: 37, needed: 40)) {
      try trace(network, .circuit, [text], request, in: Float.self)
    }
  }

  // MARK: The memorising task

  /// The three showings of four letters after a warm-up of three.
  private static func shown(_ text: [UInt8]) -> [[UInt8]] {
    [3, 7, 11].map { (start: Int) -> [UInt8] in Array(text[start..<start + 4]) }
  }

  @Test func wordsAreShownAgain() throws {
    var task = MemorisingTask()
    (task.warmUp, task.word, task.showings, task.letters) = (3, 4, 3, 5)
    var random = SeededRandom(seed: 1)
    var words = Set<[UInt8]>()
    for _ in 0..<50 {
      let text = task.episode(&random)
      #expect(text.count == 15 && task.period == 15 && Array(text[..<3]) == Array("abc".utf8))
      let shown = Self.shown(text)
      let isOfFiveLetters = shown[0].allSatisfy { 97 <= $0 && $0 <= 101 }
      #expect(shown[0] == shown[1] && shown[1] == shown[2] && isOfFiveLetters)
      words.insert(shown[0])
    }
    #expect(words.count > 40)
    task.isFresh = true
    #expect(Set(Self.shown(task.episode(&random))).count == 3)
    #expect((0..<15).map(task.showing) == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3])
    task.word = 0
    #expect(throws: ActivityStudyError.self) { try task.check() }
  }

  /// Two episodes after one that is left out; loss and activity as they were put in.
  @Test func showingsAreAveraged() throws {
    var task = MemorisingTask()
    (task.warmUp, task.word, task.showings) = (1, 2, 3)
    // Loss k at the k-th showing, half as many neurons at every later one.
    let showings = [0, 1, 1, 2, 2, 3, 3]
    let surprise = (0..<21).map { $0 == 0 ? Double.nan : 4 - Double(showings[$0 % 7]) }
    let y = (0..<21).map { $0 < 7 ? Int32(99) : [Int32(5), 8, 4, 2][showings[$0 % 7]] }
    let sizes = Hyperparameters(neurons: 100, synapticDimension: 4, heads: 1, layers: 1, vocabulary: 4)
    let (kx, ky) = (
      ActivitySeriesKey(quantity: .x, layer: 1, bucket: nil),
      ActivitySeriesKey(quantity: .y, layer: 1, bucket: nil)
    )
    let trace = ActivityTrace(
      sizes: sizes, streams: [.init(name: "made", tokens: 0..<21)], tokens: [Int](repeating: 0, count: 21),
      surprise: surprise, buckets: ClockBuckets([Float](repeating: 0.1, count: 100), buckets: 1),
      counts: [kx: [Int32](repeating: 10, count: 21), ky: y], trains: [:],
      memory: PlasticMemory(damping: [0], layers: 1))
    let report = try EpisodeReport(trace, task, ActivityRequest())
    #expect(report.episodes == 2 && report.places.count == 7)
    #expect(report.showings.map(\.loss) == [4, 3, 2, 1])
    #expect(report.showings.map { $0.active[1] } == [0.05, 0.08, 0.04, 0.02])
    #expect(report.ratios[0].value == 1 && abs(report.ratios[1].value - 8.0 / 3) < 1e-12)
    #expect(report.lossDrop.value == 1.5 && report.lossDrop.low == 1.5)
    task.word = 9
    #expect(throws: ActivityStudyError.noEpisodes(tokens: 21, period: 28)) {
      try EpisodeReport(trace, task, ActivityRequest())
    }
  }

  // MARK: From outside

  @Test func theCommandsWork() throws {
    let folder = try TemporaryFolder()
    let sizes = Hyperparameters(neurons: 32, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 128)
    try Weights.random(sizes, seed: 1, damping: true).save(to: folder.path("m.safetensors"))
    let small = ["--warm-up", "3", "--word", "4", "--showings", "3"]
    let made = try CommandRun.run(
      ["memorise-corpus", "--out", folder.path("task"), "--episodes", "40", "--letters", "6"] + small)
    #expect(
      made.status == 0 && made.output.contains("40 episodes of 15 letters, 600 bytes"), "\(made.errors)")
    let arguments =
      [
        "activity", folder.path("task"), "--model", folder.path("m.safetensors"), "--resamples", "40",
        "--pairs", "30",
      ]
    let run = try CommandRun.run(
      arguments + ["--as-task", "--leave-out", "15", "--out", folder.path("r")] + small)
    try #require(run.status == 0, "\(run.errors)")
    for part in ["showing 3", "same byte", "by clock", "half-life", "Gini", "synapse, layer 2"] {
      #expect(run.output.contains(part), "\(part)")
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("r"))
    for name in ActivityReport.tables + ["summary.json", "surprise.gp", "episodes.dat"] {
      #expect(names.contains(name), "\(names)")
    }
    #expect(names.contains("surprise.svg") == run.output.contains("pictures in"))
    #expect(try folder.text("r/tokens.csv").split(separator: "\n").count == 601)
    #expect(try folder.text("r/episodes.csv").split(separator: "\n").count == 16)
    // The JSON is whole, the same for any number of threads, and differs for another network.
    func json(_ more: String...) throws -> [String: Any] {
      let run = try CommandRun.run(arguments + ["--segment", "50", "--json"] + more)
      try #require(run.status == 0, "\(run.errors)")
      return try #require(
        try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    }
    let one = try json("--threads", "1")
    #expect((one["surprise"] as? [Any])?.count == 4 + 4 * 8 && (one["sigma"] as? [Any])?.count == 3)
    #expect(NSDictionary(dictionary: one) == NSDictionary(dictionary: try json("--threads", "2")))
    #expect(NSDictionary(dictionary: one) != NSDictionary(dictionary: try json("--untrained", "1")))
  }

  @Test func whatCannotBeDoneIsOneLine() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("text", Array(String(repeating: "to be or not ", count: 10).utf8))
    func activity(_ more: String...) throws -> CommandRun { try CommandRun.run(["activity", text] + more) }
    #expect(try activity().isOneLine("too few", "--segment"))
    #expect(try activity("--segment", "0").isOneLine("--segment"))
    #expect(try activity("--segment", "20", "--anew", "--leave-out", "30").isOneLine("--leave-out"))
    #expect(try activity("--segment", "20", "--as-task").isOneLine("episodes", "--showings"))
    #expect(try activity("--sigma-after", "x").isOneLine("--sigma-after"))
    #expect(try activity("--as-task", "--word", "0").isOneLine("--word"))
    #expect(try activity("--model", "sparse", "--untrained", "1").isOneLine("neuron graph"))
    #expect(try activity("--segment", "20", "--out", text).isOneLine("text"))
    #expect(
      try CommandRun.run(["memorise-corpus", "--out", folder.path("o"), "--episodes", "0"]).isOneLine(
        "--episodes"))
  }
}
