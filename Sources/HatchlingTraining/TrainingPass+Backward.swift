import HatchlingModel
import HatchlingNumerics

extension TrainingPass {
  /// The gradient of the last forward pass's loss, every entry of `gradients` written.
  ///
  /// - Parameter detach: keys and values count as constants (§7.2).
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  package func gradients(
    _ weights: Weights<Scalar>, _ batch: TrainingBatch, detach: Bool = false,
    into gradients: inout Gradients<Scalar>
  ) {
    let targets = GradientTargets(&gradients)
    backward.damping.base.update(repeating: 0, count: backward.damping.count)
    gradientOfReadout(weights, targets)
    if sizes.variant.accumulatesActivity {
      backward.activity.base.update(repeating: 0, count: backward.activity.count)
    }
    for layer in (0..<sizes.layers).reversed() {
      gradientOfField(layer)
      workers.run(blocks: tiles.count) { gradientOfY(weights, layer, tile: $0, targets) }
      gradientOfHeard(weights, layer)
      attendBackward(layer, detach: detach)
      workers.run(blocks: tiles.count) { gradientOfX(layer, tile: $0, targets) }
      sumGradientOfField(weights, layer, detach: detach)
    }
    gradientOfEmbedding(batch, targets)
    for stream in 0..<shape.batch {
      let own = backward.damping.base + stream * n
      for neuron in 0..<n { targets.damping[neuron] += own[neuron] }
    }
  }

  /// dW_out = vᵀ dlogits, dv = dlogits W_outᵀ.
  private func gradientOfReadout(_ weights: Weights<Scalar>, _ targets: GradientTargets<Scalar>) {
    let vocabulary = sizes.vocabulary
    let last = tapes[sizes.layers - 1].field
    forEachRowRange { rows in
      BLAS.multiply(
        surprise.base + rows.lowerBound * vocabulary, by: weights.readout.pointer, transposedB: true,
        into: backward.field.base + rows.lowerBound * d, m: rows.count, n: d, k: vocabulary)
    }
    let columns = 64
    workers.run(blocks: (vocabulary + columns - 1) / columns) { unit in
      let first = unit * columns
      BLAS.multiply(
        last.base, transposed: true, leading: d, by: surprise.base + first, leadingB: vocabulary,
        into: targets.readout + first, leadingC: vocabulary, m: d, n: min(columns, vocabulary - first),
        k: shape.rows)
    }
  }

  /// Through LN(v + LN(E y)): the gradient of E y, and of the residual.
  private func gradientOfField(_ layer: Int) {
    let (tape, variant) = (tapes[layer], sizes.variant)
    forEachRowRange { rows in
      for row in rows {
        let (field, encoded) = (backward.field.base + row * d, backward.encoded.base + row * d)
        if !variant.accumulatesActivity {
          LayerNorm.backward(
            field, normalised: tape.field.base + row * d, gain: tape.fieldGain.base[row], count: d,
            if: variant.normalises)
        }
        encoded.update(from: field, count: d)
        LayerNorm.backward(
          encoded, normalised: tape.encoded.base + row * d, gain: tape.encodedGain.base[row], count: d,
          if: variant.normalises)
        if variant.accumulatesActivity { field.update(repeating: 0, count: d) }
      }
    }
  }

  /// Of E, of D_y, and beside the list of firing neurons: of D_y LN(a), and of x through the gate.
  private func gradientOfY(
    _ weights: Weights<Scalar>, _ layer: Int, tile index: Int, _ targets: GradientTargets<Scalar>
  ) {
    let (tile, tape) = (tiles[index], tapes[layer])
    let (offsets, start) = (tape.firing.offsets(of: index), tape.firing.start(of: tile))
    let list = tape.firing.neurons.base + start
    let (toGate, toX) = (backward.gate.base + start, backward.drive.base + start)
    for row in 0..<shape.rows where offsets[row] < offsets[row + 1] {
      let (first, count) = (offsets[row], offsets[row + 1] - offsets[row])
      let encoded = backward.encoded.base + row * d
      Scalar.dotList(
        weights.encoder.row(tile.first), list + first, count: count, encoded, d: d, into: toGate + first)
      Scalar.times(toGate + first, tape.gate.base + start + first, count: count, into: toX + first)
      Scalar.times(toGate + first, tape.drive.base + start + first, count: count, into: toGate + first)
      Scalar.hebb(
        targets.encoder + tile.first * d, list + first, tape.y.base + start + first, count: count, encoded,
        d: d)
      Scalar.hebb(
        targets.decoderY + tile.first * d, list + first, toGate + first, count: count,
        tape.heard.base + (row * sizes.heads + tile.head) * d, d: d)
    }
  }

  /// Of a_h, through D_y and LN.
  private func gradientOfHeard(_ weights: Weights<Scalar>, _ layer: Int) {
    let (tape, heads) = (tapes[layer], sizes.heads)
    forEachRowRange { rows in
      (backward.heard.base + rows.lowerBound * heads * d).update(repeating: 0, count: rows.count * heads * d)
      for head in 0..<heads {
        addActive(tape.firing, backward.gate, weights.decoderY, rows, heads: head..<head + 1) {
          backward.heard.base + ($0 * heads + head) * d
        }
        for row in rows {
          let place = row * heads + head
          LayerNorm.backward(
            backward.heard.base + place * d, normalised: tape.heard.base + place * d,
            gain: tape.heardGain.base[place], count: d, if: sizes.variant.normalises)
        }
      }
    }
  }

  /// Of D_x, and beside the list of driven neurons: of D_x v.
  private func gradientOfX(_ layer: Int, tile index: Int, _ targets: GradientTargets<Scalar>) {
    let (tile, tape) = (tiles[index], tapes[layer])
    let (firingFrom, firingStart) = (tape.firing.offsets(of: index), tape.firing.start(of: tile))
    let (drivenFrom, drivenStart) = (tape.driven.offsets(of: index), tape.driven.start(of: tile))
    let toDrive = backward.gate.base + drivenStart  // what lay there has been used
    let field = input(of: layer).base
    for row in 0..<shape.rows {
      let gradient = backward.activity.base + row * n + tile.first
      for entry in firingFrom[row]..<firingFrom[row + 1] {
        gradient[Int(tape.firing.neurons.base[firingStart + entry])] +=
          backward.drive.base[firingStart + entry]
      }
      let (first, count) = (drivenFrom[row], drivenFrom[row + 1] - drivenFrom[row])
      let list = tape.driven.neurons.base + drivenStart + first
      for entry in 0..<count { toDrive[first + entry] = gradient[Int(list[entry])] }
      Scalar.hebb(
        targets.decoderX + tile.first * d, list, toDrive + first, count: count, field + row * d, d: d)
    }
  }

  /// dv += what came through attention, head by head, and through D_x.
  private func sumGradientOfField(_ weights: Weights<Scalar>, _ layer: Int, detach: Bool) {
    let tape = tapes[layer]
    forEachRowRange { rows in
      let (first, count) = (rows.lowerBound * d, rows.count * d)
      for head in 0..<sizes.heads where !detach {
        let share = backward.shares.base + head * shape.rows * d
        for entry in first..<first + count { backward.field.base[entry] += share[entry] }
      }
      addActive(tape.driven, backward.gate, weights.decoderX, rows) { backward.field.base + $0 * d }
    }
  }

  /// Through LN(emb[token]).
  private func gradientOfEmbedding(_ batch: TrainingBatch, _ targets: GradientTargets<Scalar>) {
    for (row, token) in batch.tokens.enumerated() {
      let field = backward.field.base + row * d
      LayerNorm.backward(
        field, normalised: embedded.base + row * d, gain: embeddedGain.base[row], count: d,
        if: sizes.variant.normalises)
      for hub in 0..<d { targets.embedding[token * d + hub] += field[hub] }
    }
  }
}

/// Write access to all gradients, taken once, so that tiles write theirs side by side.
struct GradientTargets<Scalar: NetworkScalar>: @unchecked Sendable {
  // Every tile writes rows of its own neurons.
  let decoderX, decoderY, encoder, embedding, readout, damping: UnsafeMutablePointer<Scalar>

  /// Every entry becomes zero.
  init(_ gradients: inout Gradients<Scalar>) {
    func clear(_ matrix: inout Matrix<Scalar>) -> UnsafeMutablePointer<Scalar> {
      let base = matrix.mutablePointer()
      base.update(repeating: 0, count: matrix.count)
      return base
    }
    decoderX = clear(&gradients.decoderX)
    decoderY = clear(&gradients.decoderY)
    encoder = clear(&gradients.encoder)
    embedding = clear(&gradients.embedding)
    readout = clear(&gradients.readout)
    damping = clear(&gradients.damping)
  }
}
