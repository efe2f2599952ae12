import HatchlingModel
import HatchlingNumerics

/// The way back through a block: gradients of traces, activity and field, layer by layer; those of weights are left in the tapes.
extension DirectStream {
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func backward(
    _ weights: DirectWeights<Scalar>, _ wiring: DirectWiring<Scalar>, _ clocks: DirectClocks<Scalar>
  ) {
    for gradient in [tokenXGradient, tokenYGradient, tokenFieldGradient, scratch.trace, scratch.activity] {
      gradient.base.update(repeating: 0, count: gradient.count)
    }
    scratch.tokenTrace.base.update(repeating: 0, count: block)
    keepGradient.base.update(repeating: 0, count: n)
    // F z behind the last layer speaks through the readout alone.
    if hasHubs {
      BLAS.multiply(
        weights.readout.pointer, by: surprise.base, transposedB: true, into: scratch.field.base, m: d,
        n: block,
        k: sizes.vocabulary)
    } else {
      beginWithoutHubs(weights)
    }
    for layer in (0..<sizes.layers).reversed() {
      throughTrace(weights, layer)
      throughFiring(layer)
      rotate(clocks, layer)
      if keepsPlastic {
        throughEdges(weights, wiring, clocks, layer)
      } else {
        throughTokens(clocks, layer)
      }
      throughDrive(wiring, clocks, layer)
    }
    throughBeginning()
  }

  /// From the gradients of the new trace to those of Y (in `scratch.fired`), of F Y (in the tape) and of the trace before.
  private func throughTrace(_ weights: DirectWeights<Scalar>, _ layer: Int) {
    let tape = tapes[layer]
    let (trace, token, field) = (scratch.trace.base, scratch.tokenTrace.base, scratch.field.base)
    let (sums, gain) = (scratch.sums.base, tape.encodedGain.base)
    if !sizes.variant.accumulatesActivity {
      // The gain meets trace, token trace and field alike: ∂/∂gain = Σ gradient · value / gain.
      let outer = tape.fieldGain.base
      columnSums(trace, tape.trace.base, rows: n, into: sums)
      Scalar.addTimes(token, tape.tokenTrace.base, count: block, into: sums)
      for hub in stride(from: 0, to: d * block, by: block) {
        Scalar.addTimes(field + hub, tape.field.base + hub, count: block, into: sums)
      }
      for index in 0..<block { sums[index] /= outer[index] }
      scaleRows(trace, outer, rows: n)
      scaleRows(token, outer, rows: 1)
      scaleRows(field, outer, rows: d)
      // The tape's field carries the gain: values before it are field / gain.
      for index in 0..<block { sums[index] /= outer[index] }
      throughGain(sums, outer, of: tape.field.base, into: field)
      if !hasHubs { throughPoolOfTrace(layer) }
    }
    // Y / g(Y) and F Y / g(Y).
    columnSums(trace, tape.y.base, rows: n, into: sums)
    let encoded = tape.encoded.base
    let encodedGradient = scratch.heard.base
    for hub in stride(from: 0, to: d * block, by: block) {
      Scalar.addTimes(field + hub, encoded + hub, count: block, into: sums)
      Scalar.times(field + hub, gain, count: block, into: encodedGradient + hub)
    }
    throughGain(sums, gain, of: encoded, into: encodedGradient)
    encoded.update(from: encodedGradient, count: d * block)
    for row in stride(from: 0, to: n * block, by: block) {
      Scalar.times(trace + row, gain, count: block, into: scratch.fired.base + row)
    }
    if !hasHubs { throughPool(.encoding, sums, gain, of: tape.y.base, rows: n, into: scratch.fired.base) }
    BLAS.multiply(
      weights.field.pointer, by: encoded, into: scratch.fired.base, m: n, n: block, k: d, beta: 1)
    if let kept = tape.kept {
      Scalar.times(scratch.fired.base, kept.base, count: n * block, into: scratch.fired.base)
    }
    if sizes.variant.accumulatesActivity {
      // Nothing of the trace before is left in the new one.
      trace.update(repeating: 0, count: n * block)
      token.update(repeating: 0, count: block)
      field.update(repeating: 0, count: d * block)
    }
  }

  func scaleRows(
    _ values: UnsafeMutablePointer<Scalar>, _ factors: UnsafePointer<Scalar>, rows: Int
  ) {
    for row in stride(from: 0, to: rows * block, by: block) {
      Scalar.times(values + row, factors, count: block, into: values + row)
    }
  }

  /// From the gradient of Y to those of G_y A (in the tape's drive), of X (added) and of F A (in the tape's heard).
  private func throughFiring(_ layer: Int) {
    let tape = tapes[layer]
    if !sizes.variant.accumulatesActivity { scratch.activity.base.update(repeating: 0, count: n * block) }
    forEachHead { head, first in
      let (gain, heard) = (tape.heardGain.base + head * block, tape.heard.base + head * d * block)
      scratch.sums.base.update(repeating: 0, count: block)
      if !hasHubs { keepListeners(layer, head) }
      for row in stride(from: first, to: first + perHead * block, by: block) {
        Scalar.fireBack(
          tape.drive.base + row, tape.x.base + row, gains: gain, gradient: scratch.fired.base + row,
          columns: block, toX: scratch.activity.base + row, toGains: scratch.sums.base)
      }
      if !hasHubs {
        throughPool(
          .attention, head: head, scratch.sums.base, gain, of: scratch.product.base + first, rows: perHead,
          into: tape.drive.base + first)
      }
      scratch.own.base.update(repeating: 0, count: d * block)
      throughGain(scratch.sums.base, gain, of: heard, into: scratch.own.base)
      heard.update(from: scratch.own.base, count: d * block)
    }
  }

  /// G_s complete: gradients of S, of G_y z (in the tape's answers), of F z, and of X̃.
  private func throughTokens(_ clocks: DirectClocks<Scalar>, _ layer: Int) {
    let (tape, from) = (tapes[layer], input(of: layer))
    forEachHead { head, first in
      gradientOfScores(layer, head, answers: tape.answers.base + first, field: from.field.base)
      spread(layer, head, toAnswers: tape.answers.base + first, toField: scratch.field.base)
      throughScores(clocks, head)
    }
  }

  /// dS = strictly lower part of (G_y z)ᵀ d(G_y A) + (F z)ᵀ d(F A), `(T, T)`.
  private func gradientOfScores(
    _ layer: Int, _ head: Int, answers: UnsafePointer<Scalar>, field: UnsafePointer<Scalar>
  ) {
    let (tape, scores) = (tapes[layer], scratch.scores.base)
    BLAS.multiply(
      tape.drive.base + head * perHead * block, transposed: true, by: answers, into: scores, m: block,
      n: block,
      k: perHead)
    BLAS.multiply(
      tape.heard.base + head * d * block, transposed: true, by: field, into: scores, m: block, n: block, k: d,
      beta: 1)
    for token in 0..<block { (scores + token * block + token).update(repeating: 0, count: block - token) }
  }

  /// The gradients of G_y z, and of F z (added): what a token said, through everybody who heard it.
  private func spread(
    _ layer: Int, _ head: Int, toAnswers answers: UnsafeMutablePointer<Scalar>,
    toField field: UnsafeMutablePointer<Scalar>
  ) {
    let tape = tapes[layer]
    let scores = tape.scores.base + head * block * block
    BLAS.multiply(
      tape.drive.base + head * perHead * block, by: scores, into: answers, m: perHead, n: block, k: block)
    BLAS.multiply(
      tape.heard.base + head * d * block, by: scores, into: field, m: d, n: block, k: block, beta: 1)
  }

  /// The gradient of X̃ from that of S; with damping also that of ln λ.
  private func throughScores(_ clocks: DirectClocks<Scalar>, _ head: Int) {
    let (scores, first) = (scratch.scores.base, head * perHead * block)
    let gradient = scratch.rotatedGradient.base + first
    guard clocks.powers != nil else {
      let symmetric = scratch.symmetric.base
      for later in 0..<block {
        for earlier in 0...later {
          symmetric[later * block + earlier] = scores[later * block + earlier]
          symmetric[earlier * block + later] = scores[later * block + earlier]
        }
      }
      return BLAS.multiply(
        scratch.rotated.base + first, by: symmetric, into: gradient, m: perHead, n: block, k: block)
    }
    gradient.update(repeating: 0, count: perHead * block)
    for start in stride(from: 0, to: block, by: clocks.tile) {
      let tile = start..<min(start + clocks.tile, block)
      let (queries, keys) = factors(clocks, head, tile)
      let (part, product) = (scores + start * block, scratch.product.base)
      BLAS.multiply(
        keys, leading: block, by: part, transposedB: true, leadingB: block, into: product, leadingC: block,
        m: perHead, n: tile.count, k: tile.upperBound)
      addDamped(product, clocks, head, tile, asQueries: true)
      BLAS.multiply(
        queries + start, leading: block, by: part, leadingB: block, into: product, leadingC: block,
        m: perHead,
        n: tile.upperBound, k: tile.count)
      addDamped(product, clocks, head, tile, asQueries: false)
    }
  }

  /// Adds the gradients of queries or keys, times their powers of λ, to X̃'s. ln λ counts every factor λ^k once per k: a query at t has
  /// t, a key at τ has −τ.
  private func addDamped(
    _ product: UnsafePointer<Scalar>, _ clocks: DirectClocks<Scalar>, _ head: Int, _ tile: Range<Int>,
    asQueries: Bool
  ) {
    for local in 0..<perHead {
      let neuron = head * perHead + local
      let (x, gradient) = (
        scratch.rotated.base + neuron * block, scratch.rotatedGradient.base + neuron * block
      )
      let row = product + local * block
      var kept: Scalar = 0
      forEachFactor(clocks, neuron, tile) { token, query, key in
        let change: Scalar
        if asQueries {
          guard let query else { return }
          change = row[token - tile.lowerBound] * query
          kept += Scalar(token) * x[token] * change
        } else {
          change = row[token] * key
          kept -= Scalar(token) * x[token] * change
        }
        gradient[token] += change
      }
      keepGradient.base[neuron] += kept
    }
  }

  /// G_s on edges: gradients of A, of z (added), of X̃, and through attention over tokens of their own neurons.
  private func throughEdges(
    _ weights: DirectWeights<Scalar>, _ wiring: DirectWiring<Scalar>, _ clocks: DirectClocks<Scalar>,
    _ layer: Int
  ) {
    let (tape, from) = (tapes[layer], input(of: layer))
    throughTokensOwn(clocks, layer)
    throughCarried(weights, clocks, layer)
    // Neurons have no trace before the first layer: σ between them stays 0 there.
    guard layer > 0 else { return }
    forEachHead { head, first in
      let attention = scratch.attention.base + head * n * block
      if hasHubs {
        BLAS.multiply(
          weights.field.pointer, by: tape.heard.base + head * d * block, into: attention, m: n, n: block, k: d
        )
      } else {
        attention.update(repeating: 0, count: n * block)
      }
      let turned = wiring.turnedY[head]
      Scalar.edgeSums(
        offsets: turned.lists.offsets.base, sources: turned.lists.sources.base, weights: turned.weights.base,
        rows: n, of: tape.drive.base, columns: block, into: attention)
    }
    scanBack(wiring, clocks, layer)
  }

  /// From the gradient of A on the neurons, in the scratch, along every synapse to those of z, of X̃ and of ln λ, all added.
  private func scanBack(_ wiring: DirectWiring<Scalar>, _ clocks: DirectClocks<Scalar>, _ layer: Int) {
    let (lanes, found) = (scratch.lanes, found(layer)?.edges)
    Scalar.toLanes(input(of: layer).trace.base, count: n, columns: block, into: lanes.trace.base)
    Scalar.toLanes(scratch.attention.base, count: heads * n, columns: block, into: lanes.heard.base)
    lanes.traceGradient.base.update(repeating: 0, count: lanes.traceGradient.count)
    forEachBand(of: wiring.x) { target, places in
      Scalar.scanEdgesBack(
        scratch.rotated.base + target * block, columns: block, keeps: clocks.powers(of: target),
        sources: wiring.x.sources.base + places.lowerBound, count: places.count, z: lanes.trace.base,
        before: found.map { UnsafePointer($0 + places.lowerBound) },
        heard: lanes.heard.base + target / perHead * n * lanes.width, toZ: lanes.traceGradient.base,
        toX: scratch.rotatedGradient.base + target * block, toKeep: keepGradient.base + target,
        scratch: lanes.walk.base)
    }
    Scalar.fromLanes(
      lanes.traceGradient.base, count: n, columns: block, added: true, into: scratch.trace.base)
  }

  /// As ``throughTokens(_:_:)`` for what the tokens' own neurons said.
  private func throughTokensOwn(_ clocks: DirectClocks<Scalar>, _ layer: Int) {
    let from = input(of: layer)
    let answers = scratch.attention.base  // free until A's gradient is taken
    tokenAnswers(from.token, into: answers)
    tokenHeard(from.token)
    let own = scratch.own.base
    own.update(repeating: 0, count: d * block)
    forEachHead { head, first in
      gradientOfScores(layer, head, answers: answers + first, field: scratch.heard.base)
      spread(layer, head, toAnswers: scratch.fired.base + first, toField: own)
      throughScores(clocks, head)
    }
    // Both are traces times constants of the block.
    for row in stride(from: 0, to: n * block, by: block) {
      Scalar.addTimes(
        scratch.fired.base + row, from.token.base, count: block, into: tokenYGradient.base + row)
      Scalar.addTimes(
        scratch.fired.base + row, tokenY.base + row, count: block, into: scratch.tokenTrace.base)
    }
    for hub in stride(from: 0, to: d * block, by: block) {
      Scalar.addTimes(own + hub, from.token.base, count: block, into: tokenFieldGradient.base + hub)
      Scalar.addTimes(own + hub, tokenField.base + hub, count: block, into: scratch.tokenTrace.base)
    }
  }

  /// dX += Rᵀ dX̃; through the threshold to the gradient of what drives X; from there to z and to token synapses.
  private func throughDrive(_ wiring: DirectWiring<Scalar>, _ clocks: DirectClocks<Scalar>, _ layer: Int) {
    let (tape, from) = (tapes[layer], input(of: layer))
    let (activity, rotated) = (scratch.activity.base, scratch.rotatedGradient.base)
    if clocks.rotates, let phases {
      for row in stride(from: 0, to: n * block, by: 2 * block) {
        Scalar.addRotatedBack(
          rotated + row, phases.cosines.base + row, phases.sines.base + row, columns: block,
          into: activity + row)
      }
    } else {
      for index in 0..<n * block { activity[index] += rotated[index] }
    }
    // Where σ is on edges the drive still holds the gradient of G_y A, and answers is free.
    let change = (keepsPlastic ? tape.answers : tape.drive).base
    let driven = tape.driven.base
    for index in 0..<n * block { change[index] = driven[index] > 0 ? activity[index] : 0 }
    hand(change, tokenX, tokenXGradient, wiring.turnedX, from, hasTrace: layer > 0)
    if !keepsPlastic {
      hand(tape.answers.base, tokenY, tokenYGradient, wiring.turnedY[0], from, hasTrace: layer > 0)
    }
  }

  /// From the gradient of G z to those of z, of the tokens' traces and of token synapses, all added.
  private func hand(
    _ change: UnsafePointer<Scalar>, _ synapses: NumberStorage<Scalar>, _ gradient: NumberStorage<Scalar>,
    _ turned: TurnedLists<Scalar>,
    _ from: (trace: NumberStorage<Scalar>, token: NumberStorage<Scalar>, field: NumberStorage<Scalar>),
    hasTrace: Bool
  ) {
    for row in stride(from: 0, to: n * block, by: block) {
      Scalar.addTimes(change + row, from.token.base, count: block, into: gradient.base + row)
      Scalar.addTimes(change + row, synapses.base + row, count: block, into: scratch.tokenTrace.base)
    }
    guard hasTrace else { return }
    Scalar.edgeSums(
      offsets: turned.lists.offsets.base, sources: turned.lists.sources.base, weights: turned.weights.base,
      rows: n,
      of: change, columns: block, into: scratch.trace.base)
  }

  /// z = 1_k / g(1_k) and F z: to F of the tokens' own neurons.
  private func throughBeginning() {
    let (sums, gain, field) = (scratch.sums.base, tokenGain.base, scratch.field.base)
    sums.update(from: scratch.tokenTrace.base, count: block)
    for hub in stride(from: 0, to: d * block, by: block) {
      Scalar.addTimes(field + hub, tokenField.base + hub, count: block, into: sums)
      Scalar.addTimes(field + hub, gain, count: block, into: tokenFieldGradient.base + hub)
    }
    throughGain(sums, gain, of: tokenField.base, into: tokenFieldGradient.base)
    if !hasHubs && sizes.variant.normalises { takeFactors(.embedding, sums, gain) }
  }
}
