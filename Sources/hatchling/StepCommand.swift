import ArgumentParser
import Foundation
import HatchlingModel
import HatchlingNumerics

struct StepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Feeds the bytes of a text one token at a time and says what the network did.",
    discussion:
      "Several FILEs are several streams; the state is reset between them. A .npy FILE is an array of token numbers."
  )

  @OptionGroup var options: SteppingOptions

  @Option(help: "The text itself.")
  var text: String?

  @Argument(help: "Files to read, or - for standard input.")
  var files: [String] = []

  @Flag(help: "Only the summary.")
  var quiet = false

  @Option(
    help: ArgumentHelp(
      "Score only what follows this tag, up to the next <F: or <T:. '<T:' is the translated side of a translation stream, '<T:fr>' its French part.",
      valueName: "tag"))
  var onlyAfter: String?

  func validate() throws {
    if let onlyAfter, onlyAfter.isEmpty {
      throw ValidationError("--only-after '': a tag is needed, as in '<T:'")
    }
  }

  func run() throws {
    switch options.precision {
    case .float: try run(Float.self)
    case .double: try run(Double.self)
    }
  }

  private func run<Scalar: NetworkScalar>(_: Scalar.Type) throws {
    let workers = options.workers
    let model = try options.model.load(workers: workers)
    let streams = try TextSource.streams(
      text: text, files: files, vocabulary: model.hyperparameters.vocabulary)
    let masks = try scoredTokens(of: streams)
    let stepper = try Stepper<Scalar>(options, model, workers: workers)
    var summary = StepSummary(model.hyperparameters, onlyAfter: onlyAfter)
    var progress = Progress("token", total: streams.reduce(0) { $0 + $1.tokens.count })
    if !options.json && !quiet { Output.line(StepLine.header) }
    for (index, stream) in streams.enumerated() {
      if index > 0 { try stepper.rewind() }
      for (offset, token) in stream.tokens.enumerated() {
        let hasPrediction = stepper.engine.position > 0
        let loss = hasPrediction ? Predictions(logits: stepper.engine.logits).loss(of: token) : nil
        let position = stepper.engine.position
        let start = ContinuousClock.now
        let activity = try stepper.step(token)
        let isScored = masks?[index][offset]
        summary.add(
          activity, loss: isScored == false ? nil : loss, duration: ContinuousClock.now - start)
        if quiet {
          progress.update(summary.tokens)
        } else {
          let line = StepLine(
            stream: streams.count > 1 ? index : nil, position: position, token: token, loss: loss,
            isScored: isScored, predictions: Predictions(logits: stepper.engine.logits), activity: activity)
          if options.json { try Output.json(line) } else { Output.line(line.text) }
        }
      }
    }
    try stepper.finish()
    if options.json {
      try Output.json(["summary": summary])
    } else {
      Output.lines(summary.lines)
    }
  }
}

extension StepCommand {
  /// With `--only-after`, which tokens count; a text without any is a mistake, not a loss of nothing.
  private func scoredTokens(of streams: [TokenStream]) throws -> [[Bool]]? {
    guard let onlyAfter else { return nil }
    let masks = streams.map { ScoredRegions(after: onlyAfter).mask($0.tokens) }
    guard masks.contains(where: { $0.contains(true) }) else {
      throw OptionError.bad(
        "--only-after '\(onlyAfter)': nothing follows such a tag in \(streams.map(\.name).joined(separator: ", "))"
      )
    }
    return masks
  }
}

/// What is said of one token.
struct StepLine: Encodable {
  struct Candidate: Encodable {
    let token: Int
    let probability: Double
  }

  let stream: Int?
  let position: Int
  let token: Int
  let loss: Double?
  /// Whether the token counts; nil without `--only-after`.
  let scored: Bool?
  let top: [Candidate]
  let activeX: [Int]
  let activeY: [Int]
  let messages: Int
  let updates: Int
  let broadcasts: Int

  enum CodingKeys: String, CodingKey {
    case stream, position, token, loss, scored, top, messages, updates, broadcasts
    case activeX = "active_x"
    case activeY = "active_y"
  }

  init(
    stream: Int?, position: Int, token: Int, loss: Double?, isScored: Bool? = nil, predictions: Predictions,
    activity: StepActivity
  ) {
    self.stream = stream
    self.position = position
    self.token = token
    self.loss = loss.flatMap(finite)
    scored = isScored
    top = predictions.top(5).map { Candidate(token: $0.token, probability: $0.probability) }
    activeX = activity.activeX
    activeY = activity.activeY
    messages = activity.messages
    updates = activity.updates
    broadcasts = activity.broadcasts
  }

  /// `loss` must be there, null for the first token.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(stream, forKey: .stream)
    try container.encode(position, forKey: .position)
    try container.encode(token, forKey: .token)
    try container.encode(loss, forKey: .loss)
    try container.encodeIfPresent(scored, forKey: .scored)
    try container.encode(top, forKey: .top)
    try container.encode(activeX, forKey: .activeX)
    try container.encode(activeY, forKey: .activeY)
    try container.encode(messages, forKey: .messages)
    try container.encode(updates, forKey: .updates)
    try container.encode(broadcasts, forKey: .broadcasts)
  }

  static let header =
    "position  token   loss    next  sure   active x by layer         active y by layer       messages"

  var text: String {
    let next = top.first.map { (readable($0.token), decimal($0.probability * 100, 0) + " %") } ?? ("–", "–")
    let x = activeX.map(String.init).joined(separator: " ")
    let y = activeY.map(String.init).joined(separator: " ")
    return padded(String(position), 8) + "  " + padded(readable(token), 5) + "  "
      + padded(loss.map { decimal($0, 3) } ?? "–", 6)
      + "  " + padded(next.0, 5) + "  " + padded(next.1, 5) + "  " + padded(x, 24, right: false) + "  "
      + padded(y, 20, right: false) + "  " + padded(grouped(messages), 10)
  }
}

/// What is said of all tokens together.
struct StepSummary: Encodable {
  private let sizes: Hyperparameters
  private let onlyAfter: String?
  private(set) var tokens = 0
  private var scored = 0
  private var lossSum = 0.0
  private var activeX: Int = 0
  private var activeY: Int = 0
  private var messages = 0
  private var updates = 0
  private var broadcasts = 0
  private var seconds = 0.0

  init(_ sizes: Hyperparameters, onlyAfter: String? = nil) {
    self.sizes = sizes
    self.onlyAfter = onlyAfter
  }

  mutating func add(_ activity: StepActivity, loss: Double?, duration: Duration) {
    tokens += 1
    if let loss {
      scored += 1
      lossSum += loss
    }
    activeX += activity.activeX.reduce(0, +)
    activeY += activity.activeY.reduce(0, +)
    messages += activity.messages
    updates += activity.updates
    broadcasts += activity.broadcasts
    seconds += duration.inSeconds
  }

  /// Mean cross-entropy in nats; nil when no token had a prediction before it.
  var loss: Double? { scored > 0 ? finite(lossSum / Double(scored)) : nil }
  private var bits: Double? { loss.map { $0 / Foundation.log(2) } }
  private var perplexity: Double? { loss.map(Foundation.exp).flatMap(finite) }
  private var rate: Double? { seconds > 0 ? finite(Double(tokens) / seconds) : nil }
  private func fraction(_ count: Int) -> Double {
    Double(count) / Double(max(1, tokens * sizes.layers * sizes.neurons))
  }

  enum CodingKeys: String, CodingKey {
    case tokens, loss, perplexity, seconds, messages, updates, broadcasts
    case bitsPerByte = "bits_per_byte"
    case tokensPerSecond = "tokens_per_second"
    case activeX = "active_x"
    case activeY = "active_y"
    case messagesPerToken = "messages_per_token"
    case scoredTokens = "scored_tokens"
    case onlyAfter = "only_after"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(tokens, forKey: .tokens)
    try container.encode(scored, forKey: .scoredTokens)
    try container.encodeIfPresent(onlyAfter, forKey: .onlyAfter)
    try container.encode(loss, forKey: .loss)
    try container.encode(bits, forKey: .bitsPerByte)
    try container.encode(perplexity, forKey: .perplexity)
    try container.encode(seconds, forKey: .seconds)
    try container.encode(rate, forKey: .tokensPerSecond)
    try container.encode(fraction(activeX), forKey: .activeX)
    try container.encode(fraction(activeY), forKey: .activeY)
    try container.encode(messages, forKey: .messages)
    try container.encode(Double(messages) / Double(max(1, tokens)), forKey: .messagesPerToken)
    try container.encode(updates, forKey: .updates)
    try container.encode(broadcasts, forKey: .broadcasts)
  }

  var lines: [String] {
    let lossText =
      loss.map {
        "\(decimal($0)) nats, \(decimal(bits ?? .nan)) bits per byte, perplexity \(decimal(perplexity ?? .nan, 3))"
      } ?? "– (one token has no prediction before it)"
    let scope = onlyAfter.map { ", of \(grouped(scored)) tokens after \($0)" } ?? ""
    return [
      "tokens             \(grouped(tokens))",
      "mean loss          \(lossText)\(scope)",
      "activity           x \(decimal(fraction(activeX) * 100, 1)) %, y \(decimal(fraction(activeY) * 100, 1)) % of \(grouped(sizes.neurons)) neurons",
      "messages           \(grouped(messages)), \(grouped(messages / max(1, tokens))) per token",
      "Hebbian updates    \(grouped(updates))",
      "tokens per second  \(decimal(rate ?? .nan, 1))",
    ]
  }
}
