import HatchlingModel
import HatchlingNumerics

/// Chunked linear attention, forward.
extension TrainingPass {
  /// a_h = Σ_{τ<t} v_τ ⟨x̃_τ, Λ^(t−τ) x̃_t⟩_h for all tokens, then LN.
  func attend(_ layer: Int) {
    let heads = sizes.heads
    forEachStreamAndHead { stream, head, lane in
      for index in 0..<shape.chunks {
        let chunk = chunk(index, layer, stream: stream, head: head)
        rotate(chunk, into: lane.rotated)
        read(chunk, lane)
        score(chunk, lane)
        hear(chunk)
        if carries || index + 1 < shape.chunks { write(chunk, lane) }
        for row in row(chunk)..<row(chunk) + chunk.count {
          let place = row * heads + head
          tapes[layer].heardGain.base[place] = LayerNorm.apply(
            tapes[layer].heard.base + place * d, count: d, if: sizes.variant.normalises)
        }
      }
    }
  }

  /// Whether ρ is all zero at the beginning of the chunk.
  func startsEmpty(_ chunk: AttentionChunk) -> Bool { chunk.index == 0 && beganEmpty[chunk.stream] }

  /// a = what the chunk's tokens read from ρ as it was before the chunk.
  private func read(_ chunk: AttentionChunk, _ lane: Lane) {
    let heard = tapes[chunk.layer].heard.base + (row(chunk) * sizes.heads + chunk.head) * d
    guard !startsEmpty(chunk) else {
      for token in 0..<chunk.count { (heard + token * sizes.heads * d).update(repeating: 0, count: d) }
      return
    }
    let queries = damped(lane.rotated, chunk, into: lane.queries) { $0 }
    BLAS.multiply(
      queries, by: state(before: chunk), into: heard,
      leadingC: sizes.heads * d, m: chunk.count, n: d, k: perHead)
  }

  /// The strictly lower scores of the chunk, tile by tile; the rest of the square is zero.
  private func score(_ chunk: AttentionChunk, _ lane: Lane) {
    let scores = scores(chunk)
    forEachTile(chunk) { tile in
      let (queries, keys) = tileFactors(chunk, tile, lane)
      BLAS.multiply(
        queries, by: keys, transposedB: true, into: scores + tile.lowerBound * shape.chunk,
        leadingC: shape.chunk, m: tile.count, n: tile.upperBound, k: perHead)
      for token in tile {
        (scores + token * shape.chunk + token).update(repeating: 0, count: shape.chunk - token)
      }
    }
  }

  func forEachTile(_ chunk: AttentionChunk, _ body: (Range<Int>) -> Void) {
    for first in stride(from: 0, to: chunk.count, by: decay.tile) {
      body(first..<min(first + decay.tile, chunk.count))
    }
  }

  /// Queries of a tile and the keys of everything up to its end, times their factors; X̃ itself without damping.
  func tileFactors(
    _ chunk: AttentionChunk, _ tile: Range<Int>, _ lane: Lane
  ) -> (queries: UnsafeMutablePointer<Scalar>, keys: UnsafeMutablePointer<Scalar>) {
    let first = chunk.head * perHead
    for token in tile {
      guard let power = decay.power(token - tile.lowerBound, from: first) else {
        return (lane.rotated + tile.lowerBound * perHead, lane.rotated)
      }
      Scalar.times(
        lane.rotated + token * perHead, power, count: perHead, into: lane.queries + token * perHead)
    }
    for token in 0..<tile.upperBound {
      guard let factor = decay.keyFactor(token, reference: tile.lowerBound, from: first) else { continue }
      Scalar.times(lane.rotated + token * perHead, factor, count: perHead, into: lane.keys + token * perHead)
    }
    return (lane.queries + tile.lowerBound * perHead, lane.keys)
  }

  /// a += scores V.
  private func hear(_ chunk: AttentionChunk) {
    let field = input(of: chunk.layer).base + row(chunk) * d
    let heard = tapes[chunk.layer].heard.base + (row(chunk) * sizes.heads + chunk.head) * d
    BLAS.multiply(
      scores(chunk), leading: shape.chunk, by: field, into: heard, leadingC: sizes.heads * d,
      m: chunk.count, n: d, k: chunk.count, beta: 1)
  }

  /// The next chunk's ρ = Λ^c ρ + Σ_τ Λ^(c−τ) x̃_τ v_τᵀ, c the number of tokens.
  private func write(_ chunk: AttentionChunk, _ lane: Lane) {
    let before = state(before: chunk)
    let after = state(after: chunk)
    let isEmpty = startsEmpty(chunk)
    if !isEmpty { keep(before, chunk, into: after) }
    let keys = damped(lane.rotated, chunk, into: lane.keys) { chunk.count - $0 }
    BLAS.multiply(
      keys, transposed: true, by: input(of: chunk.layer).base + row(chunk) * d, into: after, m: perHead, n: d,
      k: chunk.count, beta: isEmpty ? 0 : 1)
  }

  /// target = Λ^c source, `(N, d)`, c the number of the chunk's tokens.
  func keep(
    _ source: UnsafeMutablePointer<Scalar>, _ chunk: AttentionChunk, into target: UnsafeMutablePointer<Scalar>
  ) {
    guard let power = decay.power(chunk.count, from: chunk.head * perHead) else {
      return target.update(from: source, count: perHead * d)
    }
    for neuron in 0..<perHead {
      let (from, to, factor) = (source + neuron * d, target + neuron * d, power[neuron])
      for hub in 0..<d { to[hub] = from[hub] * factor }
    }
  }
}
