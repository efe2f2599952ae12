import HatchlingModel
import HatchlingNumerics

/// σ that a block finds, and what it leaves, from token neurons: σ_h(k, j) of token k is on all of its synapses. σ of synapses between neurons
/// goes with them through the block (`scanEdges`).
///
/// With σ as it was when the block began, neuron j has read λ_j^t σ(k, j) X̃_j(t) of it after t tokens: A_h(t) of token neurons has another
/// σ_hᵀ (Λ^t X̃(t)), `(V)`, which reaches neurons through G_y and hubs through F. Cost: `n V` multiplications per token for A, as many for
/// G_y A, twice that going back.
extension DirectStream {
  /// What the block finds in a layer: nothing at the beginning of a stream.
  func found(_ layer: Int) -> DirectLayerState<Scalar>? {
    position > 0 ? states?.found(layer, stream: index) : nil
  }

  /// Λ^t X̃ of a head's neurons, from its first row on, `(n / H, T)`: in the scratch product, or X̃ itself without damping.
  private func faded(_ clocks: DirectClocks<Scalar>, _ head: Int) -> UnsafePointer<Scalar> {
    let first = head * perHead
    guard clocks.powers != nil else { return UnsafePointer(scratch.rotated.base + first * block) }
    for neuron in first..<first + perHead {
      guard let powers = clocks.powers(of: neuron) else { continue }
      Scalar.times(
        scratch.rotated.base + neuron * block, powers, count: block,
        into: scratch.product.base + neuron * block)
    }
    return UnsafePointer(scratch.product.base + first * block)
  }

  /// Adds to G_y A (the tape's drive) and to F A (its heard) what is read of σ from tokens of earlier blocks.
  func hearCarried(_ weights: DirectWeights<Scalar>, _ clocks: DirectClocks<Scalar>, _ layer: Int) {
    guard let found = found(layer) else { return }
    let (tape, v) = (tapes[layer], sizes.vocabulary)
    forEachHead { head, first in
      let attention = tape.carried.base + head * v * block
      BLAS.multiply(
        found.tokens + head * perHead * v, transposed: true, by: faded(clocks, head), into: attention,
        m: v, n: block, k: perHead)
      BLAS.multiply(
        weights.tokensY.pointer + head * perHead * v, by: attention, into: tape.drive.base + first,
        m: perHead, n: block, k: v, beta: 1)
      guard hasHubs else { return }
      BLAS.multiply(
        weights.field.pointer + n * d, transposed: true, by: attention,
        into: tape.heard.base + head * d * block, m: d, n: block, k: v, beta: 1)
    }
  }

  /// From the gradients of G_y A and of F A to that of X̃ and of ln λ, both added; σ as the block began counts as a constant.
  func throughCarried(_ weights: DirectWeights<Scalar>, _ clocks: DirectClocks<Scalar>, _ layer: Int) {
    guard let found = found(layer) else { return }
    let (tape, v, attention) = (tapes[layer], sizes.vocabulary, scratch.carried.base)
    forEachHead { head, first in
      BLAS.multiply(
        weights.tokensY.pointer + head * perHead * v, transposed: true, by: tape.drive.base + first,
        into: attention, m: v, n: block, k: perHead)
      if hasHubs {
        BLAS.multiply(
          weights.field.pointer + n * d, by: tape.heard.base + head * d * block, into: attention, m: v,
          n: block, k: d, beta: 1)
      }
      let change = scratch.product.base + first
      BLAS.multiply(
        found.tokens + head * perHead * v, by: attention, into: change, m: perHead, n: block, k: v)
      for neuron in head * perHead..<(head + 1) * perHead { addFaded(clocks, neuron) }
    }
  }

  /// Adds the gradient of Λ^t X̃, in the scratch product, to that of a neuron's X̃, and to that of its ln λ.
  private func addFaded(_ clocks: DirectClocks<Scalar>, _ neuron: Int) {
    let row = neuron * block
    let (change, gradient) = (scratch.product.base + row, scratch.rotatedGradient.base + row)
    guard let powers = clocks.powers(of: neuron) else {
      for token in 0..<block { gradient[token] += change[token] }
      return
    }
    let rotated = scratch.rotated.base + row
    var kept: Scalar = 0
    for token in 0..<block {
      let part = change[token] * powers[token]
      gradient[token] += part
      kept += Scalar(token) * rotated[token] * part
    }
    keepGradient.base[neuron] += kept
  }

  /// Leaves σ from token neurons as the next block will find it: λ^T σ and λ^(T − t) ζ(t) X̃(t) of every token, its trace times what it met.
  func leaveTokens(_ clocks: DirectClocks<Scalar>, _ layer: Int) {
    guard let left = states?.left(layer, stream: index) else { return }
    let (v, found, trace) = (sizes.vocabulary, found(layer), input(of: layer).token)
    for neuron in 0..<n {
      let (row, powers) = (left.tokens + neuron * v, clocks.powers(of: neuron))
      if let found {
        let (old, kept) = (found.tokens + neuron * v, powers?[block] ?? 1)
        for token in 0..<v { row[token] = old[token] * kept }
      } else {
        row.update(repeating: 0, count: v)
      }
      let rotated = scratch.rotated.base + neuron * block
      for token in 0..<block where rotated[token] != 0 {
        row[tokens[token]] += trace.base[token] * rotated[token] * (powers?[block - token] ?? 1)
      }
    }
  }

  /// Adds to the gradients of token synapses of G_y into some neurons what came over σ of earlier blocks.
  func addCarried(_ own: Range<Int>, _ head: Int, _ layer: Int, into target: UnsafeMutablePointer<Scalar>) {
    guard found(layer) != nil, !own.isEmpty else { return }
    let (tape, v) = (tapes[layer], sizes.vocabulary)
    BLAS.multiply(
      tape.drive.base + own.lowerBound * block, by: tape.carried.base + head * v * block, transposedB: true,
      into: target + own.lowerBound * v, m: own.count, n: v, k: block, beta: 1)
  }

  /// Adds to the gradient of F of token neurons, `(V, d)`, what came over σ of earlier blocks.
  func addCarriedField(into target: UnsafeMutablePointer<Scalar>) {
    guard hasHubs else { return }
    let v = sizes.vocabulary
    for layer in 0..<sizes.layers where found(layer) != nil {
      for head in 0..<heads {
        BLAS.multiply(
          tapes[layer].carried.base + head * v * block, by: tapes[layer].heard.base + head * d * block,
          transposedB: true, into: target, m: v, n: d, k: block, beta: 1)
      }
    }
  }
}
