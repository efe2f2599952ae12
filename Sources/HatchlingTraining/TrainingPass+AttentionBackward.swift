import HatchlingModel
import HatchlingNumerics

/// Chunked linear attention, backward: chunks in reverse, the gradient of ρ handed from each to the one before.
extension TrainingPass {
  /// The gradients of x and of v through attention, from the gradient of a; per stream that of u.
  func attendBackward(_ layer: Int, detach: Bool) {
    // With damping, u needs the gradient of keys even where keys themselves count as constants.
    let followsKeys = !detach || decay.powers != nil
    forEachStreamAndHead { stream, head, given in
      var lane = given
      for index in (0..<shape.chunks).reversed() {
        let chunk = chunk(index, layer, stream: stream, head: head)
        rotate(chunk, into: lane.rotated)
        gradientOfScores(chunk, lane)
        gradientThroughRead(chunk, lane)
        if decay.powers == nil {
          gradientThroughScores(chunk, lane, detach: detach)
        } else {
          gradientThroughDampedScores(chunk, lane)
        }
        if followsKeys {
          gradientThroughWrite(chunk, lane)
          gradientOfDamping(chunk, lane)
          if index > 0 { gradientOfState(chunk, lane) }
        }
        handDown(chunk, lane, detach: detach)
        lane = lane.exchanged
      }
    }
  }

  private func gradientOfHeard(_ chunk: AttentionChunk) -> UnsafeMutablePointer<Scalar> {
    backward.heard.base + (row(chunk) * sizes.heads + chunk.head) * d
  }

  /// Whether anything after the chunk reads the ρ that it leaves.
  private func isReadLater(_ chunk: AttentionChunk) -> Bool { chunk.index + 1 < shape.chunks }

  /// dS = strictly lower part of dA Vᵀ, and dV = Sᵀ dA.
  private func gradientOfScores(_ chunk: AttentionChunk, _ lane: Lane) {
    let stride = sizes.heads * d
    let heard = gradientOfHeard(chunk)
    BLAS.multiply(
      heard, leading: stride, by: input(of: chunk.layer).base + row(chunk) * d, transposedB: true,
      into: lane.scoreGradient, leadingC: shape.chunk, m: chunk.count, n: chunk.count, k: d)
    for token in 0..<chunk.count {
      (lane.scoreGradient + token * shape.chunk + token).update(repeating: 0, count: chunk.count - token)
    }
    BLAS.multiply(
      scores(chunk), transposed: true, leading: shape.chunk, by: heard, leadingB: stride,
      into: share(chunk), m: chunk.count, n: d, k: chunk.count)
  }

  /// This head's share of the gradient of v, `(count, d)`.
  private func share(_ chunk: AttentionChunk) -> UnsafeMutablePointer<Scalar> {
    backward.shares.base + (chunk.head * shape.rows + row(chunk)) * d
  }

  /// dQ = (dA ρᵀ) Λ^k.
  private func gradientThroughRead(_ chunk: AttentionChunk, _ lane: Lane) {
    guard !startsEmpty(chunk) else {
      return lane.queryGradient.update(repeating: 0, count: chunk.count * perHead)
    }
    BLAS.multiply(
      gradientOfHeard(chunk), leading: sizes.heads * d, by: state(before: chunk), transposedB: true,
      into: lane.queryGradient, m: chunk.count, n: perHead, k: d)
    _ = damped(lane.queryGradient, chunk, into: lane.queryGradient) { $0 }
  }

  /// dX̃ += (dS + dSᵀ) X̃, queries and keys being the same numbers; dS X̃ alone when keys are constants.
  private func gradientThroughScores(_ chunk: AttentionChunk, _ lane: Lane, detach: Bool) {
    for later in 0..<chunk.count {
      for earlier in 0...later {
        let value = lane.scoreGradient[later * shape.chunk + earlier]
        lane.symmetric[later * shape.chunk + earlier] = value
        lane.symmetric[earlier * shape.chunk + later] = detach ? 0 : value
      }
    }
    BLAS.multiply(
      lane.symmetric, leading: shape.chunk, by: lane.rotated, into: lane.queryGradient, m: chunk.count,
      n: perHead, k: chunk.count, beta: 1)
  }

  /// As ``gradientThroughScores(_:_:detach:)`` with damping: queries and keys apart, tile by tile.
  private func gradientThroughDampedScores(_ chunk: AttentionChunk, _ lane: Lane) {
    let first = chunk.head * perHead
    lane.keyGradient.update(repeating: 0, count: chunk.count * perHead)
    forEachTile(chunk) { tile in
      let (queries, keys) = tileFactors(chunk, tile, lane)
      let gradient = lane.scoreGradient + tile.lowerBound * shape.chunk
      BLAS.multiply(
        gradient, leading: shape.chunk, by: keys, into: lane.product, m: tile.count, n: perHead,
        k: tile.upperBound)
      for token in tile {
        guard let power = decay.power(token - tile.lowerBound, from: first) else { continue }
        Scalar.addTimes(
          lane.product + (token - tile.lowerBound) * perHead, power, count: perHead,
          into: lane.queryGradient + token * perHead)
      }
      BLAS.multiply(
        gradient, transposed: true, leading: shape.chunk, by: queries, into: lane.product,
        m: tile.upperBound, n: perHead, k: tile.count)
      for token in 0..<tile.upperBound {
        guard let factor = decay.keyFactor(token, reference: tile.lowerBound, from: first) else { continue }
        Scalar.addTimes(
          lane.product + token * perHead, factor, count: perHead, into: lane.keyGradient + token * perHead)
      }
    }
  }

  /// dK += (V dρ'ᵀ) Λ^(c−τ) and dV += K̂ dρ', with dρ' the gradient of the ρ that the chunk leaves.
  private func gradientThroughWrite(_ chunk: AttentionChunk, _ lane: Lane) {
    guard isReadLater(chunk) else { return }
    let field = input(of: chunk.layer).base + row(chunk) * d
    let keys = damped(lane.rotated, chunk, into: lane.keys) { chunk.count - $0 }
    BLAS.multiply(keys, by: lane.laterState, into: share(chunk), m: chunk.count, n: d, k: perHead, beta: 1)
    guard decay.powers != nil else {
      return BLAS.multiply(
        field, by: lane.laterState, transposedB: true, into: lane.queryGradient, m: chunk.count, n: perHead,
        k: d, beta: 1)
    }
    BLAS.multiply(
      field, by: lane.laterState, transposedB: true, into: lane.product, m: chunk.count, n: perHead, k: d)
    for token in 0..<chunk.count {
      guard let power = decay.power(chunk.count - token, from: chunk.head * perHead) else { continue }
      Scalar.addTimes(
        lane.product + token * perHead, power, count: perHead, into: lane.keyGradient + token * perHead)
    }
  }

  /// dρ = Λ^c dρ' + Q̂ᵀ dA.
  private func gradientOfState(_ chunk: AttentionChunk, _ lane: Lane) {
    if isReadLater(chunk) { keep(lane.laterState, chunk, into: lane.earlierState) }
    let queries = damped(lane.rotated, chunk, into: lane.queries) { $0 }
    BLAS.multiply(
      queries, transposed: true, by: gradientOfHeard(chunk), leadingB: sizes.heads * d,
      into: lane.earlierState, m: perHead, n: d, k: chunk.count, beta: isReadLater(chunk) ? 1 : 0)
  }

  /// λ ∂/∂λ counts every factor λ^e once per e: Σ_k k x̃_k (dq_k − dk_k) + c ⟨ρ', dρ'⟩, neuron by neuron, where dq and dk are the
  /// gradients as queries and as keys.
  private func gradientOfDamping(_ chunk: AttentionChunk, _ lane: Lane) {
    guard let keep = decay.power(1, from: chunk.head * perHead) else { return }
    let sums = lane.product
    sums.update(repeating: 0, count: perHead)
    for token in 1..<max(1, chunk.count) {
      let (x, query, key) = (
        lane.rotated + token * perHead, lane.queryGradient + token * perHead,
        lane.keyGradient + token * perHead
      )
      let distance = Scalar(token)
      for neuron in 0..<perHead { sums[neuron] += distance * x[neuron] * (query[neuron] - key[neuron]) }
    }
    if isReadLater(chunk) {
      let after = state(after: chunk)
      let distance = Scalar(chunk.count)
      for neuron in 0..<perHead {
        var sum: Scalar = 0
        for hub in neuron * d..<(neuron + 1) * d { sum += after[hub] * lane.laterState[hub] }
        sums[neuron] += distance * sum
      }
    }
    let target = backward.damping.base + chunk.stream * n + chunk.head * perHead
    for neuron in 0..<perHead where keep[neuron] != 0 { target[neuron] -= sums[neuron] / keep[neuron] }
  }

  /// dX = R_tᵀ dX̃.
  private func handDown(_ chunk: AttentionChunk, _ lane: Lane, detach: Bool) {
    let addsKeys = decay.powers != nil && !detach
    // Where x accumulates, later layers have handed something down.
    let accumulates = sizes.variant.accumulatesActivity
    for token in 0..<chunk.count {
      let row = row(chunk) + token
      let gradient = lane.queryGradient + token * perHead
      if addsKeys {
        let keys = lane.keyGradient + token * perHead
        for neuron in 0..<perHead { gradient[neuron] += keys[neuron] }
      }
      let target = backward.activity.base + row * n + chunk.head * perHead
      let turned = accumulates ? lane.product : target
      if rotates {
        Scalar.rotateBack(
          gradient, cosines.base + row * perHead, sines.base + row * perHead, count: perHead, into: turned)
      } else {
        turned.update(from: gradient, count: perHead)
      }
      if accumulates { for neuron in 0..<perHead { target[neuron] += turned[neuron] } }
    }
  }
}
