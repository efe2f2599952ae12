import Foundation
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

extension StreamReader {
  /// Steps over streams, each from the beginning (``rewind()``), many at once where that is faster; what is said comes stream by stream.
  ///
  /// - Parameters:
  ///   - masks: which tokens of each stream count towards the loss; nil for all.
  ///   - tag: what the tokens that count stand after, for the summary.
  ///   - afterToken: called with the number of tokens done, once for some that are read at once.
  ///   - show: called with every token; nil saves making its line.
  /// - Throws: `TokenError`, with several streams as ``TextReadingError``, and what `show` throws.
  public func report(
    on streams: [TokenStream], counting masks: [[Bool]]? = nil, onlyAfter tag: String? = nil,
    afterToken: (Int) -> Void, show: ((StepLine) throws -> Void)?
  ) throws -> StepSummary {
    var summary = StepSummary(sizes: engine.hyperparameters, onlyAfter: tag)
    let before = ranks?.traffic
    try read(streams) { stream, offset, engine in
      engine.surprise(of: streams[stream].tokens[offset])
    } note: { token, loss -> (StepActivity, loss: Double?, line: StepLine?) in
      let isScored = masks?[token.stream][token.offset]
      let line = show.map { _ in
        StepLine(
          stream: streams.count > 1 ? token.stream : nil, position: token.engine.position - 1,
          token: streams[token.stream].tokens[token.offset], loss: loss, isScored: isScored,
          top: Predictions(logits: token.engine.logits).top(5), activity: token.activity)
      }
      return (token.activity, isScored == false ? nil : loss, line)
    } afterTokens: {
      afterToken($0)
    } tell: { told, duration in
      let (activity, loss, line) = told
      summary.add(activity, loss: loss, duration: duration)
      if let line { try show?(line) }
    }
    summary.spiking = SpikingReport(of: engine)
    if let ranks, let before {
      summary.ranks = RankReport(ranks: ranks.size, traffic: ranks.traffic - before, tokens: summary.tokens)
    }
    return summary
  }
}

/// What is said of one token.
public struct StepLine: Encodable, Sendable {
  /// Nil for a single stream.
  let stream: Int?
  let position: Int
  let token: Int
  /// In nats; nil for the first token.
  let loss: Double?
  /// Whether the token counts; nil where all do.
  let isScored: Bool?
  let top: [(token: Int, probability: Double)]
  let activity: StepActivity

  public func encode(to encoder: any Encoder) throws {
    var object: JSONObject = [
      "position": position, "token": token, "loss": loss,
      "top": top.map { ["token": $0.token, "probability": $0.probability] as JSONObject },
      "active_x": activity.activeX, "active_y": activity.activeY, "messages": activity.messages,
      "updates": activity.updates, "broadcasts": activity.broadcasts,
    ]
    object.append(
      JSONObject(omittingNil: [
        "stream": stream, "scored": isScored, "spikes": activity.spikes > 0 ? activity.spikes : nil,
      ]))
    try object.encode(to: encoder)
  }

  /// The head of the table.
  public static let header =
    "position  token   loss    next  sure   active x by layer         active y by layer       messages"

  /// The row of the table.
  public var text: String {
    let next = top.first.map { (readable($0.token), decimal($0.probability * 100, 0) + " %") } ?? ("–", "–")
    let x = activity.activeX.map(String.init).joined(separator: " ")
    let y = activity.activeY.map(String.init).joined(separator: " ")
    return padded(String(position), 8) + "  " + padded(readable(token), 5) + "  "
      + padded(decimal(loss ?? .nan, 3), 6) + "  " + padded(next.0, 5) + "  " + padded(next.1, 5) + "  "
      + padded(x, 24, right: false) + "  " + padded(y, 20, right: false) + "  "
      + padded(grouped(activity.messages), 10)
  }
}

/// What is said of all tokens together.
public struct StepSummary: Encodable, Sendable {
  let sizes: Hyperparameters
  let onlyAfter: String?
  public private(set) var tokens = 0
  private var scored = 0
  private var lossSum = 0.0
  private var (activeX, activeY) = (0, 0)
  private var (messages, updates, broadcasts) = (0, 0, 0)
  private var seconds = 0.0
  /// On spikes, what they did.
  public internal(set) var spiking: SpikingReport?
  /// Among ranks, what the first of them got from the others.
  public internal(set) var ranks: RankReport?

  init(sizes: Hyperparameters, onlyAfter: String?) { (self.sizes, self.onlyAfter) = (sizes, onlyAfter) }

  /// - Parameter loss: nil for a token that is not scored.
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

  /// Mean cross-entropy in nats; NaN when no token had a prediction before it.
  public var loss: Double { lossSum / Double(scored) }
  private var bits: Double { loss / Foundation.log(2) }
  private var perplexity: Double { Foundation.exp(loss) }
  private var rate: Double { Double(tokens) / seconds }
  private func fraction(_ count: Int) -> Double {
    Double(count) / Double(max(1, tokens * sizes.layers * sizes.neurons))
  }

  public func encode(to encoder: any Encoder) throws {
    var object: JSONObject = [
      "tokens": tokens, "scored_tokens": scored, "loss": loss, "bits_per_byte": bits,
      "perplexity": perplexity, "seconds": seconds, "tokens_per_second": rate,
      "active_x": fraction(activeX), "active_y": fraction(activeY), "messages": messages,
      "messages_per_token": Double(messages) / Double(max(1, tokens)), "updates": updates,
      "broadcasts": broadcasts,
    ]
    object.append(JSONObject(omittingNil: ["only_after": onlyAfter, "spiking": spiking, "ranks": ranks]))
    try object.encode(to: encoder)
  }

  /// The summary as a person reads it.
  public var lines: [String] {
    let text =
      loss.isFinite
      ? "\(decimal(loss)) nats, \(decimal(bits)) bits per byte, perplexity \(decimal(perplexity, 3))"
      : "– (one token has no prediction before it)"
    let scope = onlyAfter.map { ", of \(grouped(scored)) tokens after \($0)" } ?? ""
    return [
      "tokens             \(grouped(tokens))",
      "mean loss          \(text)\(scope)",
      "activity           x \(decimal(fraction(activeX) * 100, 1)) %, y \(decimal(fraction(activeY) * 100, 1)) % of \(grouped(sizes.neurons)) neurons",
      "messages           \(grouped(messages)), \(grouped(messages / max(1, tokens))) per token",
      "Hebbian updates    \(grouped(updates))",
      "tokens per second  \(decimal(rate, 1))",
    ] + (spiking?.lines ?? []) + (ranks?.lines ?? [])
  }
}

/// What the ranks of a job exchanged while they read, as one of them saw it.
public struct RankReport: Encodable, Sendable {
  let ranks: Int
  let traffic: RankTraffic
  let tokens: Int

  private func perToken(_ count: Int) -> Double { Double(count) / Double(max(1, tokens)) }

  public func encode(to encoder: any Encoder) throws {
    let object: JSONObject = [
      "count": ranks, "exchanges_per_token": perToken(traffic.gathers),
      "bytes_sent_per_token": perToken(traffic.sent), "bytes_received_per_token": perToken(traffic.received),
      "seconds": traffic.seconds,
    ]
    try object.encode(to: encoder)
  }

  /// The report as a person reads it.
  public var lines: [String] {
    let microseconds = traffic.seconds / Double(max(1, tokens)) * 1e6
    return [
      "ranks              \(ranks); per token the first gets \(grouped(Int(perToken(traffic.received)))) bytes in \(decimal(perToken(traffic.gathers), 0)) exchanges, \(decimal(microseconds, 1)) µs"
    ]
  }
}
