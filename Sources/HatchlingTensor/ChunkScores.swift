import HatchlingModel
import HatchlingNumerics

/// Attention inside a chunk: A_h += (strictly lower part of X̃ U^(t−τ) X̃ᵀ) V.
///
/// Damping multiplies the score of (t, τ) neuron by neuron with (1 − u)^(t−τ). Written as (1 − u)^(t−r) · (1 − u)^(r−τ) with a
/// reference token r between them, τ < r ≤ t, both factors are at most 1: nothing overflows, for any 0 ≤ u ≤ 1. The tile on the
/// diagonal is halved until one token is left.
final class ChunkScores<Scalar: NetworkScalar> {
  /// Tokens per tile of scores.
  private static var tile: Int { 32 }
  private let sizes: Hyperparameters
  private let powers: NumberStorage<Scalar>?
  /// `(H, tokens, tokens)`.
  private let scores: NumberStorage<Scalar>
  /// Scaled queries and keys of one head and tile, `(H · tiles, 2 · tile, N)`; empty without damping.
  private let scaled: NumberStorage<Scalar>

  init(_ sizes: Hyperparameters, capacity: Int, powers: NumberStorage<Scalar>?) {
    self.sizes = sizes
    self.powers = powers
    scores = NumberStorage(zeros: sizes.heads * capacity * capacity)
    let tiles = (capacity + Self.tile - 1) / Self.tile
    scaled = NumberStorage(
      zeros: powers == nil ? 0 : sizes.heads * tiles * 2 * Self.tile * sizes.neuronsPerHead)
  }

  /// - Parameters:
  ///   - activity: X̃, `(tokens, n)`.
  ///   - field: V, `(tokens, d)`.
  ///   - attention: `(H, tokens, d)`: added to.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func attend(
    _ activity: UnsafePointer<Scalar>, _ field: UnsafePointer<Scalar>, _ count: Int,
    into attention: UnsafeMutablePointer<Scalar>, _ workers: Workers
  ) {
    let d = sizes.synapticDimension
    let tiles = (count + Self.tile - 1) / Self.tile
    workers.run(blocks: sizes.heads * tiles) { unit in
      let (head, first) = (unit / tiles, unit % tiles * Self.tile)
      let rows = first..<min(first + Self.tile, count)
      let target = scores.base + head * count * count
      score(activity + head * sizes.neuronsPerHead, head, rows, count, unit, into: target)
      for t in rows { for later in t..<rows.upperBound { target[t * count + later] = 0 } }
      let sums = attention + (head * count + first) * d
      BLAS.multiply(
        target + first * count, leading: count, by: field, into: sums, m: rows.count, n: d,
        k: rows.upperBound, beta: 1)
    }
  }

  /// The scores of the tokens `rows` of one head with all tokens before them.
  private func score(
    _ activity: UnsafePointer<Scalar>, _ head: Int, _ rows: Range<Int>, _ count: Int, _ unit: Int,
    into scores: UnsafeMutablePointer<Scalar>
  ) {
    guard powers != nil else {
      return BLAS.multiply(
        activity + rows.lowerBound * sizes.neurons, leading: sizes.neurons, by: activity, transposedB: true,
        leadingB: sizes.neurons, into: scores + rows.lowerBound * count, leadingC: count, m: rows.count,
        n: rows.upperBound, k: sizes.neuronsPerHead)
    }
    let room = scaled.base + unit * 2 * Self.tile * sizes.neuronsPerHead
    for first in stride(from: 0, to: rows.lowerBound, by: Self.tile) {
      let keys = first..<min(first + Self.tile, rows.lowerBound)
      product(activity, head, rows, keys, reference: rows.lowerBound, count, room, into: scores)
    }
    scoreDiagonal(activity, head, rows, count, room, into: scores)
  }

  private func scoreDiagonal(
    _ activity: UnsafePointer<Scalar>, _ head: Int, _ rows: Range<Int>, _ count: Int,
    _ room: UnsafeMutablePointer<Scalar>, into scores: UnsafeMutablePointer<Scalar>
  ) {
    guard rows.count > 1 else { return }
    let middle = rows.lowerBound + rows.count / 2
    let (earlier, later) = (rows.lowerBound..<middle, middle..<rows.upperBound)
    scoreDiagonal(activity, head, earlier, count, room, into: scores)
    scoreDiagonal(activity, head, later, count, room, into: scores)
    product(activity, head, later, earlier, reference: middle, count, room, into: scores)
  }

  /// scores[t, τ] = Σ_i x̃_t,i (1−u_i)^(t−r) · (1−u_i)^(r−τ) x̃_τ,i for t in `queries`, τ in `keys`, r the reference.
  private func product(
    _ activity: UnsafePointer<Scalar>, _ head: Int, _ queries: Range<Int>, _ keys: Range<Int>,
    reference: Int, _ count: Int, _ room: UnsafeMutablePointer<Scalar>,
    into scores: UnsafeMutablePointer<Scalar>
  ) {
    let perHead = sizes.neuronsPerHead
    let scaledKeys = room + queries.count * perHead
    for (row, t) in queries.enumerated() {
      scale(activity, head, t, exponent: t - reference, into: room + row * perHead)
    }
    for (row, t) in keys.enumerated() {
      scale(activity, head, t, exponent: reference - t, into: scaledKeys + row * perHead)
    }
    BLAS.multiply(
      room, by: scaledKeys, transposedB: true,
      into: scores + queries.lowerBound * count + keys.lowerBound, leadingC: count, m: queries.count,
      n: keys.count, k: perHead)
  }

  private func scale(
    _ activity: UnsafePointer<Scalar>, _ head: Int, _ t: Int, exponent: Int,
    into target: UnsafeMutablePointer<Scalar>
  ) {
    guard let powers else { return }
    let source = activity + t * sizes.neurons
    let keep = powers.base + exponent * sizes.neurons + head * sizes.neuronsPerHead
    for neuron in 0..<sizes.neuronsPerHead { target[neuron] = source[neuron] * keep[neuron] }
  }
}
