import HatchlingModel
import HatchlingNumerics

/// Attention of a block, what it finds from earlier ones aside: A_h = Σ_{τ<t} z_τ ⟨X̃_τ, Λ^(t−τ) X̃_t⟩_h.
extension DirectStream {
  /// G_s complete: A is never formed. G_y A_h = Σ_τ S(t, τ) G_y z_τ for the neurons of head h, and F A_h likewise.
  func attendOverTokens(
    _ weights: DirectWeights<Scalar>, _ wiring: DirectWiring<Scalar>, _ clocks: DirectClocks<Scalar>,
    _ layer: Int
  ) {
    let (tape, from) = (tapes[layer], input(of: layer))
    sum(wiring.y, weights.weightsY, layer, tokenY, into: tape.answers)
    forEachHead { head, first in
      score(clocks, layer, head)
      hear(tape.answers.base + first, from: from.field.base, layer, head)
    }
  }

  /// G_s on the synapses of G_x and of all tokens: σ goes along its synapse, and A is on the nodes.
  func attendOverEdges(
    _ weights: DirectWeights<Scalar>, _ wiring: DirectWiring<Scalar>, _ clocks: DirectClocks<Scalar>,
    _ layer: Int
  ) {
    let (tape, from) = (tapes[layer], input(of: layer))
    // Token neurons reach every neuron, so theirs is attention over tokens, of their own traces.
    tokenAnswers(from.token, into: scratch.product.base)
    tokenHeard(from.token)
    forEachHead { head, first in
      score(clocks, layer, head)
      hear(scratch.product.base + first, from: scratch.heard.base, layer, head)
    }
    hearCarried(weights, clocks, layer)
    leaveTokens(clocks, layer)
    // Neurons have no trace before the first layer: σ between them stays 0 there.
    guard layer > 0 else { return }
    scanEdges(wiring, clocks, layer)
    forEachHead { head, first in
      let attention = tape.attention.base + head * n * block
      Scalar.edgeSums(
        offsets: wiring.y.offsets.base + head * perHead, sources: wiring.y.sources.base,
        weights: weights.weightsY.pointer, rows: perHead, of: attention, columns: block,
        into: tape.drive.base + first)
      BLAS.multiply(
        weights.field.pointer, transposed: true, by: attention, into: tape.heard.base + head * d * block,
        m: d,
        n: block, k: n, beta: 1)
    }
  }

  /// σ between neurons goes along its synapse: A on the neurons, and what σ is as the next block begins.
  private func scanEdges(_ wiring: DirectWiring<Scalar>, _ clocks: DirectClocks<Scalar>, _ layer: Int) {
    let (heard, trace) = (tapes[layer].attention.base, input(of: layer).trace.base)
    let (found, left) = (found(layer)?.edges, states?.left(layer, stream: index).edges)
    let lanes = scratch.lanes
    lanes.heard.base.update(repeating: 0, count: lanes.heard.count)
    Scalar.toLanes(trace, count: n, columns: block, into: lanes.trace.base)
    forEachBand(of: wiring.x) { target, places in
      Scalar.scanEdges(
        scratch.rotated.base + target * block, columns: block, keeps: clocks.powers(of: target),
        sources: wiring.x.sources.base + places.lowerBound, count: places.count, z: lanes.trace.base,
        before: found.map { UnsafePointer($0 + places.lowerBound) },
        into: lanes.heard.base + target / perHead * n * lanes.width,
        after: left.map { $0 + places.lowerBound }, scratch: lanes.walk.base)
    }
    Scalar.fromLanes(lanes.heard.base, count: heads * n, columns: block, added: false, into: heard)
  }

  /// Calls `body` with every neuron and its synapses from a band of sources, band after band: what sources say and hear of a band stays in
  /// the cache, where all rows of a stream would not.
  @inline(__always)
  func forEachBand(of lists: PlacedLists, _ body: (_ target: Int, _ places: Range<Int>) -> Void) {
    let (next, offsets, sources) = (scratch.lanes.next.base, lists.offsets.base, lists.sources.base)
    next.update(from: offsets, count: n)
    for first in stride(from: 0, to: n, by: band) {
      for target in 0..<n {
        let start = next[target]
        var end = start
        while end < offsets[target + 1], sources[end] < first + band { end += 1 }
        next[target] = end
        if start < end { body(target, start..<end) }
      }
    }
  }

  /// G_y of the tokens' own neurons times their traces, `(n, T)`; F of them goes to the scratch heard.
  func tokenAnswers(_ trace: NumberStorage<Scalar>, into answers: UnsafeMutablePointer<Scalar>) {
    for row in stride(from: 0, to: n * block, by: block) {
      Scalar.times(tokenY.base + row, trace.base, count: block, into: answers + row)
    }
  }
  func tokenHeard(_ trace: NumberStorage<Scalar>) {
    for hub in stride(from: 0, to: d * block, by: block) {
      Scalar.times(tokenField.base + hub, trace.base, count: block, into: scratch.heard.base + hub)
    }
  }

  /// G_y A and F A of one head from S and what every token had to say.
  private func hear(
    _ answers: UnsafePointer<Scalar>, from field: UnsafePointer<Scalar>, _ layer: Int, _ head: Int
  ) {
    let tape = tapes[layer]
    let scores = tape.scores.base + head * block * block
    BLAS.multiply(
      answers, by: scores, transposedB: true, into: tape.drive.base + head * perHead * block, m: perHead,
      n: block, k: block)
    BLAS.multiply(
      field, by: scores, transposedB: true, into: tape.heard.base + head * d * block, m: d, n: block, k: block
    )
  }

  /// S(t, τ) = ⟨X̃_τ, Λ^(t−τ) X̃_t⟩_h for τ < t, else 0.
  private func score(_ clocks: DirectClocks<Scalar>, _ layer: Int, _ head: Int) {
    let scores = tapes[layer].scores.base + head * block * block
    for first in stride(from: 0, to: block, by: clocks.tile) {
      let tile = first..<min(first + clocks.tile, block)
      let (queries, keys) = factors(clocks, head, tile)
      BLAS.multiply(
        queries + first, transposed: true, leading: block, by: keys, leadingB: block,
        into: scores + first * block, leadingC: block, m: tile.count, n: tile.upperBound, k: perHead)
      for token in tile { (scores + token * block + token).update(repeating: 0, count: block - token) }
    }
  }

  /// Queries of a tile of tokens and keys of all tokens up to its end with their powers of λ, rows `block` apart; X̃ without damping.
  func factors(
    _ clocks: DirectClocks<Scalar>, _ head: Int, _ tile: Range<Int>
  ) -> (queries: UnsafeMutablePointer<Scalar>, keys: UnsafeMutablePointer<Scalar>) {
    let first = head * perHead
    let rotated = scratch.rotated.base + first * block
    guard clocks.powers != nil else { return (rotated, rotated) }
    for neuron in first..<first + perHead {
      let row = neuron * block
      forEachFactor(clocks, neuron, tile) { token, query, key in
        if let query { scratch.queries.base[row + token] = scratch.rotated.base[row + token] * query }
        scratch.keys.base[row + token] = scratch.rotated.base[row + token] * key
      }
    }
    return (scratch.queries.base + first * block, scratch.keys.base + first * block)
  }

  /// What multiplies a neuron's X̃ as key of every token up to the tile's end, and as query inside the tile.
  @inline(__always)
  func forEachFactor(
    _ clocks: DirectClocks<Scalar>, _ neuron: Int, _ tile: Range<Int>,
    _ body: (_ token: Int, _ query: Scalar?, _ key: Scalar) -> Void
  ) {
    guard let powers = clocks.powers(of: neuron) else { return }
    let inverses = clocks.inverses.base + neuron * clocks.tile
    for token in 0..<tile.lowerBound { body(token, nil, powers[tile.lowerBound - token]) }
    for token in tile { body(token, powers[token - tile.lowerBound], inverses[token - tile.lowerBound]) }
  }
}
