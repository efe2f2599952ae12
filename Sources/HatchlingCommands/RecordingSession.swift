import Foundation
import HatchlingActivity
import HatchlingCheckpoint
import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// What a recording is to hold; synapses may be chosen by what a first reading leaves on them.
public struct RecordingOrder: Sendable {
  public var request: RecordingRequest
  public var synapses: [SynapseChoice] = []
  /// Tokens of the first stream after which synapses are chosen; nil for all of it.
  public var choosesAfter: Int?

  public init(_ request: RecordingRequest) { self.request = request }
}

extension StreamReader {
  /// Reads streams, each from the beginning, and records them into one file.
  ///
  /// Where ranks share out the neurons, all read and look, and the first one writes.
  /// Before, up to 400 tokens are read without recording, to say what recording costs; and what is needed to choose synapses.
  /// - Parameters:
  ///   - afterToken: called with the number of tokens done.
  ///   - isOver: asked before every token; the file holds what was read until then.
  /// - Throws: `ActivityError`, `ProbeError`, `TokenError`, `CheckpointError`.
  public func record(
    _ order: RecordingOrder, of streams: [TokenStream], to path: String, model: String,
    afterToken: (Int) -> Void = { _ in }, isOver: () -> Bool = { false }
  ) throws -> RecordingReport {
    let (engine, format) = (watchable, try RecordingFormat(path: path))
    var request = order.request
    request.synapses += try chosenSynapses(order, of: streams[0].tokens)
    let rehearsed = streams[0].tokens.prefix(400)
    // Whoever reads first fetches the weights from the file: that is not counted.
    for token in rehearsed.prefix(16) { _ = try advance(token) }
    try rewind()
    let start = ThreadTime.now
    // Loss included: reading alone tells it too.
    for token in rehearsed {
      _ = engine.surprise(of: token)
      _ = try advance(token)
    }
    let rehearsal = ThreadTime.now - start
    try rewind()
    let recorder = try Recorder(
      request, on: engine, model: model, streams: streams.map { ($0.name, $0.tokens.count) })
    defer { recorder.detach() }
    let writer = try ranks.together {
      ranks?.speaks == false ? nil : try fileWriter(format, at: path, recorder.description)
    }
    var report = RecordingReport(path: path, recorder.description)
    report.rehearsal = (rehearsed.count, rehearsal)
    let (begin, beginOfThread) = (ContinuousClock.now, ThreadTime.now)
    reading: for (index, stream) in streams.enumerated() {
      if index > 0 { try rewind() }
      for token in stream.tokens {
        if isOver() { break reading }
        let seen = try recorder.read(token) { try step($0) }
        if let frame = seen.frame { try writer?.append(frame) }
        report.add(seen.frame, surprise: seen.surprise)
        if report.tokens == rehearsed.count {
          report.recordedRehearsal = ThreadTime.now - beginOfThread
        }
        afterToken(report.tokens)
      }
    }
    try ranks.together { try writer?.finish() }
    report.writingSeconds = (writer as? ConcurrentActivityWriter<Scalar>)?.writingSeconds
    report.finish(after: (ContinuousClock.now - begin).inSeconds)
    return report
  }

  /// Where a core has nothing to compute files are written beside the reading.
  private func fileWriter(
    _ format: RecordingFormat, at path: String, _ description: RecordingDescription
  ) throws -> any ActivityWriter<Scalar> {
    let writer = try format.writer(to: path, description, Scalar.self)
    return threads < ProcessInfo.processInfo.activeProcessorCount ? ConcurrentActivityWriter(writer) : writer
  }

  private func chosenSynapses(_ order: RecordingOrder, of tokens: [Int]) throws -> [LayerSynapse] {
    if order.synapses.contains(where: \.dependsOnState) {
      for token in tokens.prefix(order.choosesAfter ?? .max) { _ = try advance(token) }
    }
    let chosen = try order.synapses.flatMap {
      try $0.synapses(of: watchable, layers: order.request.layers)
    }
    try rewind()
    return chosen
  }
}

/// What was recorded, and what that cost.
public struct RecordingReport: Encodable, Sendable {
  private let path: String
  private let titles: [String]
  private let kinds: [ActivitySeries.Kind]
  private let time: String
  public private(set) var tokens = 0
  public private(set) var recordedTokens = 0
  /// Numbers of every series.
  private var counts: [Int]
  private var loss = (sum: 0.0, count: 0)
  private var seconds = 0.0
  private var bytes = 0
  /// Tokens that were read without recording first, and how long that took.
  var rehearsal = (tokens: 0, seconds: 0.0)
  /// How long the same tokens took while they were recorded.
  var recordedRehearsal: Double?
  /// Of the thread that wrote the file, where that was another one.
  var writingSeconds: Double?

  init(path: String, _ description: RecordingDescription) {
    self.path = path
    titles = description.series.map(\.name)
    kinds = description.series.map(\.kind)
    time = description.timeInWords
    counts = Array(repeating: 0, count: description.series.count)
  }

  mutating func add<Scalar>(_ frame: ActivityFrame<Scalar>?, surprise: Double?) {
    tokens += 1
    if let surprise { loss = (loss.sum + surprise, loss.count + 1) }
    guard let frame else { return }
    recordedTokens += 1
    for sample in frame.samples { counts[sample.series] += sample.values.count }
  }

  mutating func finish(after seconds: Double) {
    self.seconds = seconds
    var status = stat()
    bytes = stat(path.systemPath, &status) == 0 ? Int(status.st_size) : 0
  }

  /// Mean loss in nats; NaN when no token had a prediction before it.
  public var meanLoss: Double { loss.sum / Double(loss.count) }

  /// What recording cost beside reading alone, as a fraction: the same first tokens, timed twice. NaN where too few were read.
  public var overhead: Double {
    guard rehearsal.tokens >= 16, let recordedRehearsal else { return .nan }
    return recordedRehearsal / rehearsal.seconds - 1
  }

  /// What the thread that wrote the file did, beside reading alone, as a fraction; nil where the reading thread wrote.
  public var writing: Double? {
    writingSeconds.map { $0 / Double(tokens) / (rehearsal.seconds / Double(rehearsal.tokens)) }
  }

  /// How many numbers were recorded of each name, over all layers.
  public var recorded: [(name: String, kind: ActivitySeries.Kind, count: Int)] {
    var found: [(name: String, kind: ActivitySeries.Kind, count: Int)] = []
    for (index, title) in titles.enumerated() {
      if let place = found.firstIndex(where: { $0.name == title }) {
        found[place].count += counts[index]
      } else {
        found.append((title, kinds[index], counts[index]))
      }
    }
    return found
  }

  public func encode(to encoder: any Encoder) throws {
    let numbers = recorded.map {
      ["name": $0.name, "kind": "\($0.kind)", "count": $0.count] as JSONObject
    }
    let object: JSONObject = [
      "out": path, "tokens": tokens, "recorded_tokens": recordedTokens, "loss": meanLoss, "recorded": numbers,
      "bytes": bytes, "seconds": seconds, "overhead": overhead, "overhead_tokens": rehearsal.tokens,
      "writing": writing, "time": time,
    ]
    try object.encode(to: encoder)
  }

  public var lines: [String] {
    let cost =
      overhead.isFinite
      ? "\(decimal(overhead * 100, 1)) % of the time without, over the first \(grouped(rehearsal.tokens)) tokens"
      : "– (too few tokens to tell)"
    let beside = writing.map { ", and \(decimal($0 * 100, 1)) % on the thread that writes" } ?? ""
    return [
      "tokens             \(grouped(tokens)), \(grouped(recordedTokens)) of them recorded",
      "mean loss          \(decimal(meanLoss)) nats",
    ]
      + recorded.map {
        "\(padded($0.name, 18, right: false)) \(grouped($0.count)) \($0.kind == .samples ? "numbers" : "\($0.kind)")"
      }
      + [
        "time               \(time)",
        "tokens per second  \(decimal(Double(tokens) / seconds, 1))", "overhead           \(cost)\(beside)",
        "written to         \(path), \(grouped(bytes)) bytes",
      ]
  }
}
