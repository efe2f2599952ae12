import Foundation
import HatchlingModel
import HatchlingNumerics

/// What is said of one token.
public struct StepLine: Encodable, Sendable {
  public struct Candidate: Encodable, Sendable {
    public let token: Int
    public let probability: Double
  }

  public let stream: Int?
  public let position: Int
  public let token: Int
  /// In nats; null for the first token.
  @OrNull public private(set) var loss: Double?
  /// Whether the token counts; nil where all do.
  public let scored: Bool?
  public let top: [Candidate]
  public let activeX: [Int]
  public let activeY: [Int]
  public let messages: Int
  public let updates: Int
  public let broadcasts: Int

  public init(
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

  /// The head of the table.
  public static let header =
    "position  token   loss    next  sure   active x by layer         active y by layer       messages"

  /// The row of the table.
  public var text: String {
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
public struct StepSummary: Encodable, Sendable {
  private let sizes: Hyperparameters
  private let onlyAfter: String?
  public private(set) var tokens = 0
  private var scored = 0
  private var lossSum = 0.0
  private var activeX: Int = 0
  private var activeY: Int = 0
  private var messages = 0
  private var updates = 0
  private var broadcasts = 0
  private var seconds = 0.0

  public init(_ sizes: Hyperparameters, onlyAfter: String? = nil) {
    self.sizes = sizes
    self.onlyAfter = onlyAfter
  }

  /// - Parameter loss: nil for a token that is not scored.
  public mutating func add(_ activity: StepActivity, loss: Double?, duration: Duration) {
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
  public var loss: Double? { scored > 0 ? finite(lossSum / Double(scored)) : nil }
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

  public func encode(to encoder: any Encoder) throws {
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

  /// The summary as a person reads it.
  public var lines: [String] {
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
