import HatchlingModel
import HatchlingNumerics

extension TrainingPass {
  /// Reads a batch and returns its loss; everything that ``gradients(_:_:detach:into:)`` needs stays in the pass.
  ///
  /// - Parameters:
  ///   - states: ρ of every stream, gone on from and left at the end of the block; nil begins and ends with nothing.
  ///   - first: the number of the batch's first stream among those of `states`.
  ///   - dropout: nil silences nothing.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  package func forward(
    _ weights: Weights<Scalar>, _ batch: TrainingBatch, states: StreamStates<Scalar>? = nil,
    from first: Int = 0, dropout: Dropout? = nil
  ) -> PassResult {
    precondition(weights.hyperparameters == sizes, "the weights are of another size")
    precondition(batch.tokens.count == shape.rows && batch.positions.count == shape.batch)
    decay = DecayPowers(damping: weights.damping, chunk: shape.chunk)
    carries = states != nil
    let streams = first..<first + shape.batch
    beganEmpty =
      states.map { Array($0.isEmpty[streams]) } ?? [Bool](repeating: true, count: shape.batch)
    fillPhases(weights, batch)
    embed(weights, batch)
    for layer in 0..<sizes.layers {
      workers.run(blocks: tiles.count) { activateX(weights, layer, tile: $0) }
      beginStates(layer, states, first)
      attend(layer)
      workers.run(blocks: tiles.count) { activateY(weights, layer, tile: $0, dropout) }
      updateField(weights, layer)
      endStates(layer, states, first)
    }
    states?.isEmpty.replaceSubrange(streams, with: repeatElement(false, count: shape.batch))
    let loss = predict(weights, batch)
    let all = Double(shape.rows * n)
    return PassResult(
      loss: loss, activeX: tapes.map { Double($0.listening.count(tiles: tiles.count)) / all },
      activeY: tapes.map { Double($0.firing.count(tiles: tiles.count)) / all })
  }

  private func fillPhases(_ weights: Weights<Scalar>, _ batch: TrainingBatch) {
    let phases = Phases(frequencies: weights.frequencies)
    rotates = phases.rotates
    guard rotates else { return }
    forEachRowRange { rows in
      for row in rows {
        phases.fill(
          cosines: cosines.base + row * perHead, sines: sines.base + row * perHead,
          at: batch.positions[row / shape.block] + row % shape.block)
      }
    }
  }

  /// v₀ = LN(emb[token]).
  private func embed(_ weights: Weights<Scalar>, _ batch: TrainingBatch) {
    for (row, token) in batch.tokens.enumerated() {
      (embedded.base + row * d).update(from: weights.embedding.row(token), count: d)
      embeddedGain.base[row] = LayerNorm.apply(
        embedded.base + row * d, count: d, if: sizes.variant.normalises)
    }
  }

  /// x = (D_x v)₊, added to the last layer's where x accumulates, and the lists of who fires.
  private func activateX(_ weights: Weights<Scalar>, _ layer: Int, tile index: Int) {
    let (tile, tape) = (tiles[index], tapes[layer])
    let x = tape.x.base + tile.first
    BLAS.multiply(
      input(of: layer).base, by: weights.decoderX.row(tile.first), transposedB: true, into: x, leadingC: n,
      m: shape.rows, n: tile.count, k: d)
    let accumulates = sizes.variant.accumulatesActivity
    let driven = (offsets: tape.driven.offsets(of: index), list: tape.driven.list(of: tile))
    let listening = (offsets: tape.listening.offsets(of: index), list: tape.listening.list(of: tile))
    var (drivenCount, listeningCount) = (0, 0)
    for row in 0..<shape.rows {
      driven.offsets[row] = drivenCount
      drivenCount += Scalar.reluList(x + row * n, count: tile.count, into: driven.list + drivenCount)
      guard accumulates else { continue }
      if layer > 0 {
        let previous = tapes[layer - 1].x.base + tile.first + row * n
        for neuron in 0..<tile.count { x[row * n + neuron] += previous[neuron] }
      }
      listening.offsets[row] = listeningCount
      listeningCount += Scalar.positiveList(
        x + row * n, count: tile.count, into: listening.list + listeningCount)
    }
    driven.offsets[shape.rows] = drivenCount
    if accumulates { listening.offsets[shape.rows] = listeningCount }
  }

  /// y = (D_y LN(a))₊ ⊙ x for the neurons that listen, less what dropout silences.
  private func activateY(_ weights: Weights<Scalar>, _ layer: Int, tile index: Int, _ dropout: Dropout?) {
    let (tile, tape) = (tiles[index], tapes[layer])
    let decoder = weights.decoderY.row(tile.first)
    let start = tape.firing.start(of: tile)
    let list = tape.listening.list(of: tile)
    let (heardFrom, firingFrom) = (tape.listening.offsets(of: index), tape.firing.offsets(of: index))
    let threshold = dropout.map { UInt64($0.rate * 0x1p64) } ?? 0
    let factor = dropout.map { Scalar(1 / (1 - $0.rate)) } ?? 1
    let answers = backward.gate.base + start  // free until the backward pass
    var count = 0
    for row in 0..<shape.rows {
      firingFrom[row] = count
      let entries = heardFrom[row]..<heardFrom[row + 1]
      Scalar.dotList(
        decoder, list + entries.lowerBound, count: entries.count,
        tape.heard.base + (row * sizes.heads + tile.head) * d, d: d, into: answers)
      let x = tape.x.base + row * n + tile.first
      let key = dropout?.key(layer: layer, row: row) ?? 0
      for (place, entry) in entries.enumerated() where answers[place] > 0 {
        let neuron = list[entry]
        if threshold > 0, Dropout.mix(key &+ UInt64(tile.first + Int(neuron))) < threshold { continue }
        tape.firing.neurons.base[start + count] = neuron
        tape.gate.base[start + count] = answers[place] * factor
        tape.drive.base[start + count] = x[Int(neuron)] * factor
        tape.y.base[start + count] = answers[place] * factor * x[Int(neuron)]
        count += 1
      }
    }
    firingFrom[shape.rows] = count
  }

  /// v ← LN(v + LN(E y)), or LN(E y) without a residual.
  private func updateField(_ weights: Weights<Scalar>, _ layer: Int) {
    let (tape, variant) = (tapes[layer], sizes.variant)
    let before = input(of: layer)
    forEachRowRange { rows in
      (tape.encoded.base + rows.lowerBound * d).update(repeating: 0, count: rows.count * d)
      addActive(tape.firing, tape.y, weights.encoder, rows, into: { tape.encoded.base + $0 * d })
      for row in rows {
        let (encoded, field) = (tape.encoded.base + row * d, tape.field.base + row * d)
        tape.encodedGain.base[row] = LayerNorm.apply(encoded, count: d, if: variant.normalises)
        if variant.accumulatesActivity {
          field.update(from: encoded, count: d)
        } else {
          let residual = before.base + row * d
          for hub in 0..<d { field[hub] = residual[hub] + encoded[hub] }
          tape.fieldGain.base[row] = LayerNorm.apply(field, count: d, if: variant.normalises)
        }
      }
    }
  }

  /// target(row) += Σ over active neurons of value · row of `matrix`, tile by tile in order.
  func addActive(
    _ active: ActiveNeurons<Scalar>, _ values: NumberStorage<Scalar>, _ matrix: Matrix<Scalar>,
    _ rows: Range<Int>, heads: Range<Int>? = nil, into target: (Int) -> UnsafeMutablePointer<Scalar>
  ) {
    for (index, tile) in tiles.enumerated() where heads?.contains(tile.head) ?? true {
      let (offsets, start) = (active.offsets(of: index), active.start(of: tile))
      for row in rows where offsets[row] < offsets[row + 1] {
        Scalar.addRows(
          matrix.row(tile.first), active.neurons.base + start + offsets[row],
          values.base + start + offsets[row], count: offsets[row + 1] - offsets[row], d: d, into: target(row))
      }
    }
  }

  /// Logits, their loss, and its gradient with respect to them.
  private func predict(_ weights: Weights<Scalar>, _ batch: TrainingBatch) -> Double {
    let vocabulary = sizes.vocabulary
    let last = tapes[sizes.layers - 1].field
    let share = 1 / Scalar(shape.rows)
    forEachRowRange { rows in
      BLAS.multiply(
        last.base + rows.lowerBound * d, by: weights.readout.pointer,
        into: surprise.base + rows.lowerBound * vocabulary, m: rows.count, n: vocabulary, k: d)
      for row in rows {
        lossPerRow.base[row] = CrossEntropy.lossAndGradient(
          surprise.base + row * vocabulary, count: vocabulary, target: batch.targets[row], share: share)
      }
    }
    var sum = 0.0
    for row in 0..<shape.rows { sum += lossPerRow.base[row] }
    return sum / Double(shape.rows)
  }
}

/// −log softmax(logits)[target], nats.
enum CrossEntropy {
  /// Returns the loss and replaces the logits by `share` · (softmax(logits) − target).
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  static func lossAndGradient<Scalar: NetworkScalar>(
    _ logits: UnsafeMutablePointer<Scalar>, count: Int, target: Int, share: Scalar
  ) -> Double {
    var largest = logits[0]
    for index in 1..<max(1, count) where logits[index] > largest { largest = logits[index] }
    let own = Double(logits[target] - largest)
    var sum = 0.0
    for index in 0..<count {
      let value = Scalar.exp(logits[index] - largest)
      logits[index] = value
      sum += Double(value)
    }
    let factor = share * Scalar(1 / sum)
    for index in 0..<count { logits[index] *= factor }
    logits[target] -= share
    return Double.log(sum) - own
  }
}
