import HatchlingModel
import HatchlingNumerics

/// Memory of the chunks that are worked on at the same time, one set per lane.
final class AttentionScratch<Scalar: NetworkScalar> {
  /// Lanes work on streams and heads in turn; their number depends on sizes alone.
  let lanes: Int
  private let chunk, score, state: Int
  private let storage: NumberStorage<Scalar>

  init(_ sizes: Hyperparameters, _ shape: PassShape) {
    lanes = min(8, shape.batch * sizes.heads)
    chunk = shape.chunk * sizes.neuronsPerHead
    score = shape.chunk * shape.chunk
    state = sizes.neuronsPerHead * sizes.synapticDimension
    storage = NumberStorage(zeros: lanes * (6 * chunk + 2 * score + 2 * state))
  }

  /// One lane's own part.
  struct Lane {
    /// `(chunk, N)`: X̃; X̃ times powers of λ; keys times factors; gradients of queries and of keys; a product on its way.
    let rotated, queries, keys, queryGradient, keyGradient, product: UnsafeMutablePointer<Scalar>
    /// `(chunk, chunk)`: the gradient of the scores, and its symmetric sum.
    let scoreGradient, symmetric: UnsafeMutablePointer<Scalar>
    /// The gradients of ρ at the end and at the beginning of the chunk, `(N, d)`.
    private(set) var laterState, earlierState: UnsafeMutablePointer<Scalar>

    /// For the chunk before: what was the beginning is its end.
    var exchanged: Lane {
      var lane = self
      (lane.laterState, lane.earlierState) = (earlierState, laterState)
      return lane
    }
  }

  func lane(_ index: Int) -> Lane {
    var next = storage.base + index * (storage.count / lanes)
    func take(_ count: Int) -> UnsafeMutablePointer<Scalar> {
      defer { next += count }
      return next
    }
    return Lane(
      rotated: take(chunk), queries: take(chunk), keys: take(chunk), queryGradient: take(chunk),
      keyGradient: take(chunk), product: take(chunk), scoreGradient: take(score), symmetric: take(score),
      laterState: take(state), earlierState: take(state))
  }
}

/// One chunk of one stream and head: where its numbers lie in the arrays of a layer.
struct AttentionChunk {
  let layer, stream, head: Int
  /// Number of the chunk in its block.
  let index: Int
  /// First token inside the block, and how many.
  let first, count: Int
}

extension TrainingPass {
  typealias Lane = AttentionScratch<Scalar>.Lane

  /// Runs `body` for every stream and head, each on one lane.
  func forEachStreamAndHead(_ body: (Int, Int, Lane) -> Void) {
    let units = shape.batch * sizes.heads
    workers.run(blocks: scratch.lanes) { index in
      let lane = scratch.lane(index)
      for unit in stride(from: index, to: units, by: scratch.lanes) {
        body(unit / sizes.heads, unit % sizes.heads, lane)
      }
    }
  }

  func chunk(_ index: Int, _ layer: Int, stream: Int, head: Int) -> AttentionChunk {
    let first = index * shape.chunk
    return AttentionChunk(
      layer: layer, stream: stream, head: head, index: index, first: first,
      count: min(shape.chunk, shape.block - first))
  }

  /// Number of the chunk's first row.
  func row(_ chunk: AttentionChunk) -> Int { chunk.stream * shape.block + chunk.first }

  /// ρ of the chunk's stream and head at its beginning and at its end, `(N, d)`.
  func state(before chunk: AttentionChunk) -> UnsafeMutablePointer<Scalar> {
    let neuron =
      (chunk.index * shape.batch + chunk.stream) * n + chunk.head * perHead
    return tapes[chunk.layer].states.base + neuron * d
  }
  func state(after chunk: AttentionChunk) -> UnsafeMutablePointer<Scalar> {
    state(before: chunk) + shape.batch * n * d
  }

  /// The chunk's scores, rows `shape.chunk` apart.
  func scores(_ chunk: AttentionChunk) -> UnsafeMutablePointer<Scalar> {
    tapes[chunk.layer].scores.base
      + ((chunk.stream * sizes.heads + chunk.head) * shape.block + chunk.first) * shape.chunk
  }

  /// X̃ = R_t X of the chunk's head, `(count, N)`.
  func rotate(_ chunk: AttentionChunk, into target: UnsafeMutablePointer<Scalar>) {
    for token in 0..<chunk.count {
      let row = row(chunk) + token
      let x = tapes[chunk.layer].x.base + row * n + chunk.head * perHead
      if rotates {
        Scalar.rotate(
          x, cosines.base + row * perHead, sines.base + row * perHead, count: perHead,
          into: target + token * perHead)
      } else {
        (target + token * perHead).update(from: x, count: perHead)
      }
    }
  }

  /// target(token) = source(token) ⊙ λ^exponent(token), `(count, N)`; returns `source` itself without damping.
  func damped(
    _ source: UnsafeMutablePointer<Scalar>, _ chunk: AttentionChunk,
    into target: UnsafeMutablePointer<Scalar>, exponent: (Int) -> Int
  ) -> UnsafeMutablePointer<Scalar> {
    for token in 0..<chunk.count {
      guard let power = decay.power(exponent(token), from: chunk.head * perHead) else { return source }
      Scalar.times(source + token * perHead, power, count: perHead, into: target + token * perHead)
    }
    return target
  }

  /// ρ at the beginning of a block.
  func beginStates(_ layer: Int, _ states: StreamStates<Scalar>?, _ stream: Int) {
    guard let before = states?.base(layer, stream: stream) else { return }
    tapes[layer].states.base.update(from: before, count: shape.batch * n * d)
  }

  /// ρ at the end of a block goes to the next.
  func endStates(_ layer: Int, _ states: StreamStates<Scalar>?, _ stream: Int) {
    guard let after = states?.base(layer, stream: stream) else { return }
    let count = shape.batch * n * d
    after.update(from: tapes[layer].states.base + shape.chunks * count, count: count)
  }
}
