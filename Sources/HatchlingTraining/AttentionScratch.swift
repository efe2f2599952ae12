import HatchlingModel
import HatchlingNumerics

/// Memory of the chunks that are worked on at the same time, one set per lane.
final class AttentionScratch<Scalar: NetworkScalar> {
  /// Lanes work on streams and heads in turn; their number depends on sizes alone.
  let lanes: Int
  /// Per lane `(chunk, N)`: X̃; X̃ times powers of λ; keys times factors; gradients of queries and of keys; a product on its way.
  let rotated, queries, keys, queryGradient, keyGradient, product: NumberStorage<Scalar>
  /// Per lane `(chunk, chunk)`: the gradient of the scores, and its symmetric sum.
  let scoreGradient, symmetric: NumberStorage<Scalar>
  /// Per lane twice `(N, d)`: the gradient of ρ at the end and at the beginning of a chunk.
  let stateGradient: NumberStorage<Scalar>
  private let perChunk, perScore, perState: Int

  init(_ sizes: Hyperparameters, _ shape: PassShape) {
    lanes = min(8, shape.batch * sizes.heads)
    perChunk = shape.chunk * sizes.neuronsPerHead
    perScore = shape.chunk * shape.chunk
    perState = 2 * sizes.neuronsPerHead * sizes.synapticDimension
    let lanes = self.lanes
    let (chunks, scores, states) = (lanes * perChunk, lanes * perScore, lanes * perState)
    rotated = NumberStorage(zeros: chunks)
    queries = NumberStorage(zeros: chunks)
    keys = NumberStorage(zeros: chunks)
    queryGradient = NumberStorage(zeros: chunks)
    keyGradient = NumberStorage(zeros: chunks)
    product = NumberStorage(zeros: chunks)
    scoreGradient = NumberStorage(zeros: scores)
    symmetric = NumberStorage(zeros: scores)
    stateGradient = NumberStorage(zeros: states)
  }

  /// One lane's own part.
  struct Lane {
    let rotated, queries, keys, queryGradient, keyGradient, product: UnsafeMutablePointer<Scalar>
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
    let (chunk, score) = (index * perChunk, index * perScore)
    let state = stateGradient.base + index * perState
    return Lane(
      rotated: rotated.base + chunk, queries: queries.base + chunk, keys: keys.base + chunk,
      queryGradient: queryGradient.base + chunk, keyGradient: keyGradient.base + chunk,
      product: product.base + chunk,
      scoreGradient: scoreGradient.base + score, symmetric: symmetric.base + score, laterState: state,
      earlierState: state + perState / 2)
  }
}

/// One chunk of one stream and head: where its numbers lie in the arrays of a layer.
struct AttentionChunk {
  let stream: Int
  let head: Int
  /// Number of the chunk in its block.
  let index: Int
  /// First token inside the block, and how many.
  let first: Int
  let count: Int
}

extension TrainingPass {
  /// Runs `body` for every stream and head, each on one lane.
  func forEachStreamAndHead(_ body: (Int, Int, AttentionScratch<Scalar>.Lane) -> Void) {
    let units = shape.batch * sizes.heads
    workers.run(blocks: scratch.lanes) { index in
      let lane = scratch.lane(index)
      for unit in stride(from: index, to: units, by: scratch.lanes) {
        body(unit / sizes.heads, unit % sizes.heads, lane)
      }
    }
  }

  func chunk(_ index: Int, stream: Int, head: Int) -> AttentionChunk {
    let first = index * shape.chunk
    return AttentionChunk(
      stream: stream, head: head, index: index, first: first, count: min(shape.chunk, shape.block - first))
  }

  /// Number of the chunk's first row.
  func row(_ chunk: AttentionChunk) -> Int { chunk.stream * shape.block + chunk.first }

  /// ρ of a stream and head at the beginning of chunk `index`, `(N, d)`.
  func state(_ layer: Int, _ index: Int, stream: Int, head: Int) -> UnsafeMutablePointer<Scalar> {
    let (n, d) = (sizes.neurons, sizes.synapticDimension)
    return tapes[layer].states.base + ((index * shape.batch + stream) * n + head * sizes.neuronsPerHead) * d
  }

  /// The chunk's scores, rows `shape.chunk` apart.
  func scores(_ layer: Int, _ chunk: AttentionChunk) -> UnsafeMutablePointer<Scalar> {
    tapes[layer].scores.base
      + ((chunk.stream * sizes.heads + chunk.head) * shape.block + chunk.first) * shape.chunk
  }

  /// X̃ = R_t X of the chunk's head, `(count, N)`.
  func rotate(_ layer: Int, _ chunk: AttentionChunk, into target: UnsafeMutablePointer<Scalar>) {
    let (n, perHead) = (sizes.neurons, sizes.neuronsPerHead)
    for token in 0..<chunk.count {
      let row = row(chunk) + token
      let x = tapes[layer].x.base + row * n + chunk.head * perHead
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
    into target: UnsafeMutablePointer<Scalar>,
    exponent: (Int) -> Int
  ) -> UnsafeMutablePointer<Scalar> {
    let perHead = sizes.neuronsPerHead
    for token in 0..<chunk.count {
      guard let power = decay.power(exponent(token), from: chunk.head * perHead) else { return source }
      Scalar.times(source + token * perHead, power, count: perHead, into: target + token * perHead)
    }
    return target
  }

  /// ρ at the beginning of a block.
  func beginStates(_ layer: Int, _ states: StreamStates<Scalar>?) {
    guard let states else { return }
    let count = shape.batch * sizes.neurons * sizes.synapticDimension
    tapes[layer].states.base.update(from: states.layers[layer].base, count: count)
  }

  /// ρ at the end of a block goes to the next.
  func endStates(_ layer: Int, _ states: StreamStates<Scalar>?) {
    guard let states else { return }
    let count = shape.batch * sizes.neurons * sizes.synapticDimension
    states.layers[layer].base.update(from: tapes[layer].states.base + shape.chunks * count, count: count)
  }
}
