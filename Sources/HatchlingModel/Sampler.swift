import Foundation
import HatchlingNumerics

/// Draws tokens: logits / temperature, then top-k (ties with the k-th stay), then softmax.
public struct Sampler: Sendable {
  /// 0 takes the most likely token.
  public let temperature: Double
  public let topK: Int?
  private var random: SeededRandom

  public init(temperature: Double, topK: Int? = nil, seed: UInt64) {
    (self.temperature, self.topK) = (temperature, topK)
    random = SeededRandom(seed: seed)
  }

  public mutating func draw<Scalar: NetworkScalar>(from logits: [Scalar]) -> Int {
    guard temperature > 0 else { return Predictions(logits: logits).mostLikely }
    let scaled = logits.map { Double($0) / temperature }
    let largest = scaled.max() ?? 0
    var threshold = -Double.infinity
    if let topK, topK < scaled.count { threshold = scaled.sorted(by: >)[topK - 1] }
    let shares = scaled.map { $0 >= threshold ? Foundation.exp($0 - largest) : 0 }
    var rest = random.uniform() * shares.reduce(0, +)
    var last = 0
    for (token, share) in shares.enumerated() where share > 0 {
      last = token
      rest -= share
      if rest < 0 { break }
    }
    return last
  }
}
