import HatchlingModel
import HatchlingNumerics

/// The rounds of Table 1 for a whole block, in direct form.
extension DirectStream {
  /// Reads a block, from an empty state or with the state between blocks; everything that the way back needs stays in the tapes.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func forward(
    _ weights: DirectWeights<Scalar>, _ wiring: DirectWiring<Scalar>, _ clocks: DirectClocks<Scalar>,
    tokens: [Int], targets: [Int], position: Int, states: DirectStates<Scalar>?, share: Double,
    dropout: (Dropout, firstRow: Int)?
  ) {
    (self.tokens, self.position, self.states) = (tokens, position, states)
    turn(clocks)
    begin(weights)
    for layer in 0..<sizes.layers {
      activateX(weights, wiring, layer)
      rotate(clocks, layer)
      if keepsPlastic {
        attendOverEdges(weights, wiring, clocks, layer)
      } else {
        attendOverTokens(weights, wiring, clocks, layer)
      }
      activateY(layer, dropout)
      keepTrace(weights, layer)
    }
    predict(weights, targets, share)
  }

  /// z = 1_k / g(1_k), and what token neurons send.
  private func begin(_ weights: DirectWeights<Scalar>) {
    let v = sizes.vocabulary
    for (from, to) in [(weights.tokensX, tokenX), (weights.tokensY, tokenY)] {
      for neuron in 0..<n {
        let (row, target) = (from.pointer + neuron * v, to.base + neuron * block)
        for token in 0..<block { target[token] = row[tokens[token]] }
      }
    }
    for token in 0..<block {
      let row = weights.field.row(n + tokens[token])
      for hub in 0..<d { tokenField.base[hub * block + token] = row[hub] }
    }
    if hasHubs { gains(of: tokenField.base, into: tokenGain.base) } else { beginPools(weights) }
    for hub in 0..<d {
      Scalar.times(
        tokenField.base + hub * block, tokenGain.base, count: block, into: firstField.base + hub * block)
    }
  }

  /// Round 4l − 1: X = (G_x z)₊, added to the last layer's where x accumulates.
  private func activateX(_ weights: DirectWeights<Scalar>, _ wiring: DirectWiring<Scalar>, _ layer: Int) {
    let tape = tapes[layer]
    sum(wiring.x, weights.weightsX, layer, tokenX, into: tape.driven)
    let (driven, x) = (tape.driven.base, tape.x.base)
    var active = 0
    if sizes.variant.accumulatesActivity {
      let before = layer == 0 ? noTrace.base : tapes[layer - 1].x.base
      for index in 0..<n * block {
        driven[index] = Swift.max(0, driven[index])
        x[index] = before[index] + driven[index]
        active += x[index] > 0 ? 1 : 0
      }
    } else {
      for index in 0..<n * block {
        active += driven[index] > 0 ? 1 : 0
        driven[index] = Swift.max(0, driven[index])
      }
    }
    activeX[layer] = active
  }

  /// What arrives at every neuron of the trace before a layer, `(n, T)`. Before the first only token neurons have one.
  func sum(
    _ lists: PlacedLists, _ weights: Matrix<Scalar>, _ layer: Int, _ tokenSynapses: NumberStorage<Scalar>,
    into sums: NumberStorage<Scalar>
  ) {
    let from = input(of: layer)
    guard layer > 0 else {
      for row in stride(from: 0, to: n * block, by: block) {
        Scalar.times(tokenSynapses.base + row, from.token.base, count: block, into: sums.base + row)
      }
      return
    }
    Scalar.edgeSums(
      offsets: lists.offsets.base, sources: lists.sources.base, weights: weights.pointer, rows: n,
      of: from.trace.base, columns: block,
      base: (UnsafePointer(tokenSynapses.base), UnsafePointer(from.token.base)), into: sums.base)
  }

  /// X̃ = R_t X.
  func rotate(_ clocks: DirectClocks<Scalar>, _ layer: Int) {
    let (x, rotated) = (tapes[layer].x.base, scratch.rotated.base)
    guard clocks.rotates, let phases else { return rotated.update(from: x, count: n * block) }
    for row in stride(from: 0, to: n * block, by: 2 * block) {
      Scalar.rotateRows(
        x + row, phases.cosines.base + row, phases.sines.base + row, columns: block, into: rotated + row)
    }
  }

  /// Round 4l + 2: Y = (G_y A / g(A))₊ ⊙ X, less what dropout silences.
  private func activateY(_ layer: Int, _ dropout: (Dropout, firstRow: Int)?) {
    let tape = tapes[layer]
    forEachHead { head, first in
      let gain = tape.heardGain.base + head * block
      if hasHubs {
        gains(of: tape.heard.base + head * d * block, into: gain)
      } else {
        gainOfListeners(layer, head, into: gain)
      }
      for row in stride(from: first, to: first + perHead * block, by: block) {
        Scalar.fire(
          tape.drive.base + row, tape.x.base + row, gains: gain, columns: block, into: tape.y.base + row)
      }
    }
    if let (dropout, firstRow) = dropout, let kept = tape.kept {
      let (threshold, factor) = (UInt64(dropout.rate * 0x1p64), Scalar(1 / (1 - dropout.rate)))
      for token in 0..<block {
        let key = dropout.key(layer: layer, row: firstRow + token)
        for neuron in 0..<n {
          let isSilenced = Dropout.mix(key &+ UInt64(neuron)) < threshold
          kept.base[neuron * block + token] = isSilenced ? 0 : factor
        }
      }
      Scalar.times(tape.y.base, kept.base, count: n * block, into: tape.y.base)
    }
    var active = 0
    let y = tape.y.base
    for index in 0..<n * block { active += y[index] > 0 ? 1 : 0 }
    activeY[layer] = active
  }

  /// z ← (z + Y / g(Y)) / g(z + Y / g(Y)), or Y / g(Y) where x accumulates; F z along with it.
  private func keepTrace(_ weights: DirectWeights<Scalar>, _ layer: Int) {
    let (tape, before) = (tapes[layer], input(of: layer))
    BLAS.multiply(
      weights.field.pointer, transposed: true, by: tape.y.base, into: tape.encoded.base, m: d, n: block, k: n)
    if hasHubs {
      gains(of: tape.encoded.base, into: tape.encodedGain.base)
    } else {
      addSquares(of: tape.y.base, rows: n, toZero: true)
      poolGains(.encoding, into: tape.encodedGain.base)
    }
    let (gain, field) = (tape.encodedGain.base, tape.field.base)
    for hub in stride(from: 0, to: d * block, by: block) {
      Scalar.times(tape.encoded.base + hub, gain, count: block, into: field + hub)
    }
    if sizes.variant.accumulatesActivity {
      tape.fieldGain.base.update(repeating: 1, count: block)
      for row in stride(from: 0, to: n * block, by: block) {
        Scalar.times(tape.y.base + row, gain, count: block, into: tape.trace.base + row)
      }
      return tape.tokenTrace.base.update(repeating: 0, count: block)
    }
    guard hasHubs else { return keepTraceByPool(layer) }
    for index in 0..<d * block { field[index] += before.field.base[index] }
    let outer = tape.fieldGain.base
    gains(of: field, into: outer)
    for hub in stride(from: 0, to: d * block, by: block) {
      Scalar.times(field + hub, outer, count: block, into: field + hub)
    }
    for row in stride(from: 0, to: n * block, by: block) {
      Scalar.keepTrace(
        before.trace.base + row, tape.y.base + row, gainsOfY: gain, gains: outer, columns: block,
        into: tape.trace.base + row)
    }
    Scalar.times(before.token.base, outer, count: block, into: tape.tokenTrace.base)
  }

  /// logits = W_outᵀ F z, or Rᵀ z, their loss and its gradient.
  private func predict(_ weights: DirectWeights<Scalar>, _ targets: [Int], _ share: Double) {
    let v = sizes.vocabulary
    if hasHubs {
      BLAS.multiply(
        tapes[sizes.layers - 1].field.base, transposed: true, by: weights.readout.pointer,
        into: surprise.base,
        m: block, n: v, k: d)
    } else {
      readTrace(weights)
    }
    losses = (0..<block).map { token in
      CrossEntropy.lossAndGradient(
        surprise.base + token * v, count: v, target: targets[token], share: Scalar(share))
    }
    loss = losses.reduce(0, +)
  }
}
