import Foundation
import HatchlingNumerics

/// What logits say about the next token. Everything in double, stable for logits of any size.
public struct Predictions: Sendable {
  /// log p of every token, in nats, `(V)`.
  public let logProbabilities: [Double]

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public init<Scalar: NetworkScalar>(logits: [Scalar]) {
    let values = logits.map { Double($0) }
    let largest = values.max() ?? 0
    let logSum = Foundation.log(values.reduce(0) { $0 + Foundation.exp($1 - largest) }) + largest
    logProbabilities = values.map { $0 - logSum }
  }

  /// Cross-entropy of the token that came, in nats.
  public func loss(of token: Int) -> Double { -logProbabilities[token] }

  /// The most likely token; the first of equals.
  public var mostLikely: Int {
    logProbabilities.indices.max { logProbabilities[$0] < logProbabilities[$1] } ?? 0
  }

  /// The `count` most likely tokens, most likely first, equals in token order.
  public func top(_ count: Int) -> [(token: Int, probability: Double)] {
    logProbabilities.indices.sorted { (logProbabilities[$1], $0) < (logProbabilities[$0], $1) }
      .prefix(count).map { ($0, Foundation.exp(logProbabilities[$0])) }
  }

  /// KL(self ‖ other) in nats.
  public func divergence(from other: Predictions) -> Double {
    zip(logProbabilities, other.logProbabilities).reduce(0) { $0 + Foundation.exp($1.0) * ($1.0 - $1.1) }
  }
}

extension SteppingEngine {
  /// The loss of the next token in nats; nil before the first, of which nothing is predicted, and for what is no token.
  package func surprise(of token: Int) -> Double? {
    let logits = logits
    guard position > 0, logits.indices.contains(token) else { return nil }
    return Predictions(logits: logits).loss(of: token)
  }
}
