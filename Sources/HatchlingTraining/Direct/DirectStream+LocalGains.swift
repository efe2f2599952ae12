import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// Gains of a graph without hubs, g(w) = sqrt(κ² ‖w‖² / N + ε) over the N particles of a pool, and its readout R; forward and back.
extension DirectStream {
  // MARK: Forward

  /// κ² / N of all pools, and z = 1_k / g(1_k), which is the same for every token.
  func beginPools(_ weights: DirectWeights<Scalar>) {
    let nodes = n + sizes.vocabulary
    for place in 0..<pools.count {
      let count = (1...heads).contains(place) ? perHead : nodes
      pools.base[place] = Double.exp(2 * Double(weights.logGains?.pointer[place] ?? 0)) / Double(count)
    }
    scratch.squares.base.update(repeating: 1, count: block)
    poolGains(.embedding, into: tokenGain.base)
  }

  /// squares(t) += Σ over `rows` rows of values², in double.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func addSquares(of values: UnsafePointer<Scalar>, rows: Int, toZero: Bool = false) {
    let squares = scratch.squares.base
    if toZero { squares.update(repeating: 0, count: block) }
    for row in 0..<rows {
      let values = values + row * block
      for token in 0..<block {
        let value = Double(values[token])
        squares[token] += value * value
      }
    }
  }

  /// 1 / g of the squares in the scratch, `(T)`; 1 in networks without normalisers.
  func poolGains(_ kind: NormaliserKind, head: Int = 0, into gains: UnsafeMutablePointer<Scalar>) {
    guard sizes.variant.normalises else { return gains.update(repeating: 1, count: block) }
    let pool = pools.base[kind.place(head: head, of: heads)]
    for token in 0..<block {
      gains[token] = Scalar(1 / (pool * scratch.squares.base[token] + NormaliserNode.epsilon).squareRoot())
    }
  }

  /// The drives of the neurons of a head that listen, X > 0, and 0 for others; in the scratch, at the neurons' rows.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func keepListeners(_ layer: Int, _ head: Int) {
    let (tape, first) = (tapes[layer], head * perHead * block)
    let (drive, x, heard) = (tape.drive.base + first, tape.x.base + first, scratch.product.base + first)
    for index in 0..<perHead * block { heard[index] = x[index] > 0 ? drive[index] : 0 }
  }

  func gainOfListeners(_ layer: Int, _ head: Int, into gain: UnsafeMutablePointer<Scalar>) {
    keepListeners(layer, head)
    addSquares(of: scratch.product.base + head * perHead * block, rows: perHead, toZero: true)
    poolGains(.attention, head: head, into: gain)
  }

  /// z ← (z + Y / g(Y)) / g(z + Y / g(Y)).
  func keepTraceByPool(_ layer: Int) {
    let (tape, before, gain) = (tapes[layer], input(of: layer), tapes[layer].fieldGain.base)
    gain.update(repeating: 1, count: block)
    for row in stride(from: 0, to: n * block, by: block) {
      Scalar.keepTrace(
        before.trace.base + row, tape.y.base + row, gainsOfY: tape.encodedGain.base, gains: gain,
        columns: block, into: tape.trace.base + row)
    }
    addSquares(of: tape.trace.base, rows: n, toZero: true)
    addSquares(of: before.token.base, rows: 1)
    poolGains(.residual, into: gain)
    scaleRows(tape.trace.base, gain, rows: n)
    Scalar.times(before.token.base, gain, count: block, into: tape.tokenTrace.base)
  }

  /// Rᵀ z of every token, `(T, V)`.
  func readTrace(_ weights: DirectWeights<Scalar>) {
    let (tape, v) = (tapes[sizes.layers - 1], sizes.vocabulary)
    BLAS.multiply(
      tape.trace.base, transposed: true, by: weights.readout.pointer, into: surprise.base, m: block, n: v,
      k: n)
    for token in 0..<block {
      let (row, logits) = (weights.readout.row(n + tokens[token]), surprise.base + token * v)
      for readout in 0..<v { logits[readout] += tape.tokenTrace.base[token] * row[readout] }
    }
  }

  // MARK: Back

  /// The gradients of the last traces, through the readout.
  func beginWithoutHubs(_ weights: DirectWeights<Scalar>) {
    gainGradient.base.update(repeating: 0, count: gainGradient.count)
    let v = sizes.vocabulary
    BLAS.multiply(
      weights.readout.pointer, by: surprise.base, transposedB: true, into: scratch.trace.base, m: n,
      n: block, k: v)
    for token in 0..<block {
      let (row, surprise) = (weights.readout.row(n + tokens[token]), surprise.base + token * v)
      scratch.tokenTrace.base[token] = (0..<v).reduce(0) { $0 + row[$1] * surprise[$1] }
    }
  }

  /// Adds the gradient of R at the tokens' own neurons, `(V, V)`.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func addTokenReadout(into target: UnsafeMutablePointer<Scalar>) {
    let (trace, v) = (tapes[sizes.layers - 1].tokenTrace.base, sizes.vocabulary)
    for token in 0..<block {
      let (row, surprise) = (target + tokens[token] * v, surprise.base + token * v)
      for readout in 0..<v { row[readout] += trace[token] * surprise[readout] }
    }
  }

  /// What the gain of a pool makes of its own gradient `change`, `(T)`: with κ² S / N = g² − ε, that of ln κ is −change (1/g − ε/g³), and
  /// that of the pool's `values` −change κ² / N / g³ times themselves, added to `gradient`.
  func throughPool(
    _ kind: NormaliserKind, head: Int = 0, _ change: UnsafePointer<Scalar>, _ gain: UnsafePointer<Scalar>,
    of values: UnsafePointer<Scalar>, rows: Int, into gradient: UnsafeMutablePointer<Scalar>
  ) {
    guard sizes.variant.normalises else { return }
    takeFactors(kind, head: head, change, gain)
    for row in stride(from: 0, to: rows * block, by: block) {
      Scalar.addTimes(values + row, scratch.factors.base, count: block, into: gradient + row)
    }
  }

  /// The gradient of a pool's ln κ is noted, and what values are multiplied by for theirs is in `scratch.factors`.
  func takeFactors(
    _ kind: NormaliserKind, head: Int = 0, _ change: UnsafePointer<Scalar>, _ gain: UnsafePointer<Scalar>
  ) {
    let place = kind.place(head: head, of: heads)
    var sum = 0.0
    for token in 0..<block {
      let (change, gain) = (Double(change[token]), Double(gain[token]))
      scratch.factors.base[token] = Scalar(-change * gain * gain * gain * pools.base[place])
      sum -= change * gain * (1 - NormaliserNode.epsilon * gain * gain)
    }
    gainGradient.base[place] += sum
  }

  /// The residual's gain, whose gradient over itself is in `scratch.sums`: values before it are the tape's traces / gain, with which the
  /// sums are divided already.
  func throughPoolOfTrace(_ layer: Int) {
    guard sizes.variant.normalises else { return }
    let (tape, sums) = (tapes[layer], scratch.sums.base)
    let gain = tape.fieldGain.base
    for token in 0..<block { sums[token] *= gain[token] }
    takeFactors(.residual, sums, gain)
    for token in 0..<block { scratch.factors.base[token] /= gain[token] }
    for row in stride(from: 0, to: n * block, by: block) {
      Scalar.addTimes(
        tape.trace.base + row, scratch.factors.base, count: block, into: scratch.trace.base + row)
    }
    Scalar.addTimes(tape.tokenTrace.base, scratch.factors.base, count: block, into: scratch.tokenTrace.base)
  }
}
