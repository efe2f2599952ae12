import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// What one layer leaves for the way back, of one stream. Rows are neurons or hubs, columns tokens.
struct DirectTape<Scalar: NetworkScalar> {
  /// X, `(n, T)`; what was added to it where x accumulates, else the same memory.
  let x, driven: NumberStorage<Scalar>
  /// G_y A before its gain; going back, the gradient of what drives X, or of G_y A where σ is on edges.
  let drive: NumberStorage<Scalar>
  /// G_y z of every token; going back, its gradient, or that of what drives X where σ is on edges.
  let answers: NumberStorage<Scalar>
  /// Y after dropout, and the trace that the layer leaves, `(n, T)`.
  let y, trace: NumberStorage<Scalar>
  /// What dropout multiplies Y by, `(n, T)`; nil without.
  let kept: NumberStorage<Scalar>?
  /// S, `(H, T, T)`, strictly lower.
  let scores: NumberStorage<Scalar>
  /// F A per head, `(H, d, T)`; going back, its gradient. A on the neurons, `(H, n, T)`, where σ is on edges.
  let heard, attention: NumberStorage<Scalar>
  /// What is read of σ from tokens of earlier blocks, `(H, V, T)`; nothing where no state is carried.
  let carried: NumberStorage<Scalar>
  /// F Y; going back, its gradient. F z after the layer. `(d, T)`.
  let encoded, field: NumberStorage<Scalar>
  /// 1 / g of A `(H, T)`, of Y and of the new trace, `(T)`.
  let heardGain, encodedGain, fieldGain: NumberStorage<Scalar>
  /// The trace of every token's own token neuron after the layer, `(T)`.
  let tokenTrace: NumberStorage<Scalar>

  init(_ sizes: Hyperparameters, block: Int, keepsPlastic: Bool, dropsOut: Bool, carries: Bool) {
    let (n, d, heads) = (sizes.neurons, sizes.synapticDimension, sizes.heads)
    func numbers(_ count: Int) -> NumberStorage<Scalar> { NumberStorage(zeros: count * block) }
    x = numbers(n)
    driven = sizes.variant.accumulatesActivity ? numbers(n) : x
    (drive, answers, y, trace) = (numbers(n), numbers(n), numbers(n), numbers(n))
    kept = dropsOut ? numbers(n) : nil
    scores = numbers(heads * block)
    heard = numbers(heads * d)
    attention = numbers(keepsPlastic ? heads * n : 0)
    carried = numbers(carries ? heads * sizes.vocabulary : 0)
    (encoded, field) = (numbers(d), numbers(d))
    (heardGain, encodedGain, fieldGain, tokenTrace) = (numbers(heads), numbers(1), numbers(1), numbers(1))
  }
}

/// cos φ and sin φ of every neuron at every token of a block, `(n, T)`.
struct DirectPhases<Scalar: NetworkScalar> {
  let cosines, sines: NumberStorage<Scalar>
  private let neurons, block: Int

  init(neurons: Int, block: Int) {
    (self.neurons, self.block) = (neurons, block)
    cosines = NumberStorage(zeros: neurons * block)
    sines = NumberStorage(zeros: neurons * block)
  }

  /// - Parameter position: of the block's first token since the stream's state was empty.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func fill(_ phases: Phases, from position: Int) {
    let row = NumberStorage<Scalar>(zeros: 2 * neurons)
    for token in 0..<block {
      phases.fill(cosines: row.base, sines: row.base + neurons, at: position + token)
      for neuron in 0..<neurons {
        cosines.base[neuron * block + token] = row.base[neuron]
        sines.base[neuron * block + token] = row.base[neurons + neuron]
      }
    }
  }
}

/// Phases and powers of λ of every neuron at every token of a block.
struct DirectClocks<Scalar: NetworkScalar> {
  /// Phases of a block at the beginning of a stream, and those of any other.
  let atStart: DirectPhases<Scalar>
  let phases: Phases
  let rotates: Bool
  /// λ^k by neuron, `(n, T + 1)`; nil without damping.
  let powers: NumberStorage<Scalar>?
  /// λ^−k by neuron, `(n, tile)`, 0 where λ is negligible; tokens per tile.
  let inverses: NumberStorage<Scalar>
  let tile: Int
  let block: Int

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  init(_ neurons: NeuronPopulation, block: Int) {
    let n = neurons.count
    self.block = block
    rotates = neurons.rotates
    phases = Phases(frequencies: neurons.frequencies)
    atStart = DirectPhases(neurons: n, block: block)
    if rotates { atStart.fill(phases, from: 0) }
    let decay = DecayPowers<Scalar>(damping: neurons.isDamped ? neurons.damping : nil, chunk: block)
    tile = decay.powers == nil ? block : decay.tile
    guard let table = decay.powers else {
      powers = nil
      inverses = NumberStorage(zeros: 1)
      return
    }
    let turned = NumberStorage<Scalar>(zeros: n * (block + 1))
    for token in 0...block {
      for neuron in 0..<n { turned.base[neuron * (block + 1) + token] = table.base[token * n + neuron] }
    }
    powers = turned
    inverses = NumberStorage(zeros: n * decay.tile)
    for token in 0..<decay.tile {
      for neuron in 0..<n {
        inverses.base[neuron * decay.tile + token] = decay.inverses.base[token * n + neuron]
      }
    }
  }

  /// λ^k of one neuron by k.
  func powers(of neuron: Int) -> UnsafePointer<Scalar>? {
    powers.map { UnsafePointer($0.base + neuron * (block + 1)) }
  }
}
