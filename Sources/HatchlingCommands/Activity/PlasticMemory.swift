import Foundation
import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// How long plastic weights stay what they are: the half-lives that damping gives, and what is left of ρ after some tokens.
///
/// In every stream ρ at half of its length is kept, and looked at again 1, 2, 4, 8 … tokens later: its overlap with what it was,
/// ⟨ρ_later, ρ⟩ / ⟨ρ, ρ⟩, per layer. Damping alone would leave Σ_i (1 − u_i)^k ‖ρ_i‖² / ‖ρ‖².
struct PlasticMemory: Sendable {
  /// u of every neuron, `(n)`.
  let damping: [Float]
  let layers: Int
  /// Sums over streams by tokens since: per layer the overlap, and what damping alone leaves.
  private(set) var overlaps: [Int: (overlap: [Double], damped: [Double], streams: Int)] = [:]
  /// ρ at the end of the first stream, per layer.
  private(set) var concentration: [Concentration] = []
  /// The most streams that are looked at: each look is a copy of all plastic weights.
  private static var mostStreams: Int { 8 }

  /// ρ, or σ of a graph without hubs.
  private(set) var name = "ρ"
  private var streams = 0
  private var tokens = 0
  /// ρ of all layers at half of the stream.
  private var kept: [[Float]] = []

  init(damping: [Float], layers: Int) { (self.damping, self.layers) = (damping, layers) }

  mutating func begin(tokens: Int) {
    (self.tokens, kept) = (tokens, [])
    streams += 1
  }

  mutating func look<Scalar: NetworkScalar>(at engine: any WatchableEngine<Scalar>, after read: Int) {
    func state() -> [[Float]] {
      (1...layers).map { layer in engine.attentionState(layer: layer).map { Float($0) }.numbers }
    }
    if !engine.schedule.hasHubs { name = "σ" }
    if streams == 1 && read == tokens { concentration = state().map(Concentration.init) }
    guard streams <= Self.mostStreams, tokens >= 2 else { return }
    let since = read - tokens / 2
    if since == 0 {
      kept = state()
    } else if since > 0, since & (since - 1) == 0 {
      note(state(), since: since)
    }
  }

  private mutating func note(_ now: [[Float]], since: Int) {
    var entry =
      overlaps[since]
      ?? (
        [Double](repeating: 0, count: layers), [Double](repeating: 0, count: layers), 0
      )
    for layer in 0..<layers {
      let width = kept[layer].count / damping.count
      var (product, norm, left) = (0.0, 0.0, 0.0)
      for neuron in damping.indices {
        var (own, ownNorm) = (0.0, 0.0)
        for place in neuron * width..<(neuron + 1) * width {
          own += Double(kept[layer][place]) * Double(now[layer][place])
          ownNorm += Double(kept[layer][place]) * Double(kept[layer][place])
        }
        product += own
        norm += ownNorm
        left += ownNorm * pow(1 - Double(damping[neuron]), Double(since))
      }
      entry.overlap[layer] += product / norm
      entry.damped[layer] += left / norm
    }
    entry.streams += 1
    overlaps[since] = entry
  }

  /// One row per distance, ascending: tokens since, and per layer the mean overlap and what damping alone leaves.
  var rows: [(since: Int, overlap: [Double], damped: [Double])] {
    overlaps.sorted { $0.key < $1.key }.map { since, sums in
      let count = Double(sums.streams)
      return (since, sums.overlap.map { $0 / count }, sums.damped.map { $0 / count })
    }
  }

  /// Tokens until half of a plastic weight is left, of every neuron: ln ½ / ln(1 − u). Infinite without damping, 0 for u = 1.
  var halfLives: [Double] { damping.map(Self.halfLife) }

  static func halfLife(_ u: Float) -> Double {
    u <= 0 ? .infinity : u >= 1 ? 0 : log(0.5) / log1p(-Double(u))
  }

  /// A quantile of the half-lives; the lower one of two.
  func halfLife(quantile: Double) -> Double {
    let sorted = halfLives.sorted()
    return sorted.isEmpty ? .nan : sorted[Int(quantile * Double(sorted.count - 1))]
  }

  /// Tokens until the overlap of a layer falls below ½, on a straight line between two looks in log tokens; nil where it does not.
  func measuredHalfLife(layer: Int) -> Double? {
    let rows = rows
    guard let place = rows.firstIndex(where: { $0.overlap[layer] < 0.5 }) else { return nil }
    guard place > 0 else { return Double(rows[0].since) }
    let (before, after) = (rows[place - 1], rows[place])
    let share = (before.overlap[layer] - 0.5) / (before.overlap[layer] - after.overlap[layer])
    return Double(before.since) * pow(Double(after.since) / Double(before.since), share)
  }
}

extension Matrix {
  /// Row after row.
  fileprivate var numbers: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
