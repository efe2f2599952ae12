import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// The equations, one token at a time.
extension TensorExecutor {
  /// Wherever a probe may look, a kernel ends.
  public var kernels: [Kernel<TensorExecutor>] {
    let parts = schedule.parts
    return [
      Kernel("receive", schedule.input) { executor, _, _ in executor.receiveToken() },
      Kernel("hear", parts.hear) { executor, _, _ in executor.runBlocks { block, _ in executor.hear(block) }
      },
      Kernel("activate, rotate", parts.turn) { $0.activateAndRotate(&$2) },
      Kernel("read", parts.read) { executor, layer, _ in executor.exchange(layer, reads: true, writes: false)
      },
      Kernel("write", parts.write) { executor, layer, _ in
        executor.exchange(layer, reads: false, writes: true)
      },
      Kernel("forget", parts.forget) { executor, layer, _ in executor.forget(layer) },
      Kernel(
        "activate, rotate, read, write, forget",
        parts.hear + parts.turn + parts.read + parts.write + parts.forget
      ) { $0.activateRotateReadAndWrite($1, &$2) },
      Kernel("listen", parts.listen) { executor, _, _ in executor.listen() },
      Kernel("gate, encode", parts.gate) { $0.gateAndEncode(&$2) },
      Kernel("update the field", parts.field) { executor, _, _ in executor.updateField() },
      Kernel("read out", schedule.readout) { $0.readOut(&$2) },
    ]
  }

  func runBlocks(_ body: (NeuronBlock, Int) -> Void) {
    let first = ownBlocks.lowerBound
    workers.run(blocks: ownBlocks.count) { body(blocks[first + $0], first + $0) }
  }

  /// v₀ = LN(emb).
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func receiveToken() {
    v.base.update(from: weights.embedding.row(token), count: hyperparameters.synapticDimension)
    normalise(v.base, place: 0)
  }

  /// D_x v of one block.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func hear(_ block: NeuronBlock) {
    let first = block.neurons.lowerBound
    BLAS.multiply(
      weights.decoderX.row(first), rows: block.neurons.count, columns: hyperparameters.synapticDimension,
      by: v.base, into: driveX.base + first)
  }

  /// x = (D_x v)₊, added up in Definition 4; x̃ = R_t x.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func activateAndRotate(_ activity: inout StepActivity) {
    runBlocks { block, _ in self.activateAndRotate(block) }
    activity.activeX.append(countPositive(x))
  }

  private func activateAndRotate(_ block: NeuronBlock) {
    let accumulates = schedule.variant.accumulatesActivity
    for neuron in block.neurons {
      let drive = max(0, driveX.base[neuron])
      x.base[neuron] = accumulates ? x.base[neuron] + drive : drive
    }
    let first = block.neurons.lowerBound
    rotate(x.base + first, into: rotated.base + first, block, cosines.base, sines.base)
  }

  /// a_h = ρ_h x̃ (read first), ρ ← ρ + v x̃ᵀ (then write).
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func exchange(_ layer: Int, reads: Bool, writes: Bool) {
    let rho = attention[layer - 1].mutablePointer()
    runBlocks { block, index in
      if reads { self.read(rho, block, index) }
      if writes { self.write(rho, block) }
    }
    if reads { addReads() }
  }

  /// ρ ← ρ Λ.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func forget(_ layer: Int) {
    guard keep != nil else { return }
    let rho = attention[layer - 1].mutablePointer()
    runBlocks { block, _ in self.forget(rho, block) }
  }

  /// Everything up to the damping, block by block in one go.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func activateRotateReadAndWrite(_ layer: Int, _ activity: inout StepActivity) {
    let rho = attention[layer - 1].mutablePointer()
    runBlocks { block, index in
      self.hear(block)
      self.activateAndRotate(block)
      self.read(rho, block, index)
      self.write(rho, block, forgets: true)
    }
    activity.activeX.append(countPositive(x))
    addReads()
  }

  private func read(_ rho: UnsafePointer<Scalar>, _ block: NeuronBlock, _ index: Int) {
    let (first, d) = (block.neurons.lowerBound, hyperparameters.synapticDimension)
    BLAS.multiply(
      rho + first * d, transposed: true, rows: block.neurons.count, columns: d, by: rotated.base + first,
      into: partial.base + index * d)
  }

  private func addReads() {
    let d = hyperparameters.synapticDimension
    exchange?.completeRead()
    for (head, blocks) in blocksOfHead.enumerated() {
      if let sum = sum(blocks) {
        (a.base + head * d).update(from: sum, count: d)
      }
    }
  }

  /// What some blocks sent to the hubs, `(d)`; nil without blocks. Among ranks the sum has been completed before.
  private func sum(_ blocks: Range<Int>) -> UnsafeMutablePointer<Scalar>? {
    let d = hyperparameters.synapticDimension
    guard exchange != nil else { return BlockSums.add(partial.base, blocks: blocks, width: d) }
    return blocks.isEmpty ? nil : partial.base + blocks.lowerBound * d
  }

  /// Hebb; with the damping that follows, row by row while each is at hand.
  private func write(_ rho: UnsafeMutablePointer<Scalar>, _ block: NeuronBlock, forgets: Bool = false) {
    let (d, field) = (hyperparameters.synapticDimension, v.base)
    for neuron in block.neurons {
      let (row, activity) = (rho + neuron * d, rotated.base[neuron])
      if activity != 0 { for hub in 0..<d { row[hub] += field[hub] * activity } }
      if let mask = weights.plasticSynapses {
        for hub in 0..<d where mask.pointer[neuron * d + hub] == 0 { row[hub] = 0 }
      }
      if forgets { forget(row, neuron, d) }
    }
  }

  private func forget(_ rho: UnsafeMutablePointer<Scalar>, _ block: NeuronBlock) {
    guard keep != nil else { return }
    let d = hyperparameters.synapticDimension
    for neuron in block.neurons { forget(rho + neuron * d, neuron, d) }
  }

  @inline(__always)
  private func forget(_ row: UnsafeMutablePointer<Scalar>, _ neuron: Int, _ d: Int) {
    guard let factor = keep?[neuron], factor != 1 else { return }
    for hub in 0..<d { row[hub] *= factor }
  }

  /// LN(a_h), and D_y LN(a_h).
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func listen() {
    let d = hyperparameters.synapticDimension
    heard.base.update(from: a.base, count: a.count)
    for head in 0..<hyperparameters.heads { normalise(heard.base + head * d, place: 1 + head) }
    runBlocks { block, _ in
      let first = block.neurons.lowerBound
      BLAS.multiply(
        self.weights.decoderY.row(first), rows: block.neurons.count, columns: d,
        by: self.heard.base + block.head * d, into: self.driveY.base + first)
    }
  }

  /// y = (D_y LN(a_h))₊ ⊙ x, and E y.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func gateAndEncode(_ activity: inout StepActivity) {
    let d = hyperparameters.synapticDimension
    runBlocks { block, index in
      let first = block.neurons.lowerBound
      for neuron in block.neurons {
        self.y.base[neuron] = max(0, self.driveY.base[neuron]) * self.x.base[neuron]
      }
      BLAS.multiply(
        self.weights.encoder.row(first), transposed: true, rows: block.neurons.count, columns: d,
        by: self.y.base + first, into: self.partial.base + index * d)
    }
    exchange?.completeEncoded(spoilt)
    if let sum = sum(blocks.indices) {
      encoded.base.update(from: sum, count: d)
    }
    activity.activeY.append(countPositive(y))
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func updateField() { updateField(v.base, with: encoded.base) }

  /// v ← LN(v + LN(E y)), or LN(E y) without a residual; `encoded` is E y, `(d)`, and is overwritten.
  func updateField(_ field: UnsafeMutablePointer<Scalar>, with encoded: UnsafeMutablePointer<Scalar>) {
    let (d, heads) = (hyperparameters.synapticDimension, hyperparameters.heads)
    normalise(encoded, place: 1 + heads)
    if schedule.variant.accumulatesActivity { return field.update(from: encoded, count: d) }
    for hub in 0..<d { field[hub] += encoded[hub] }
    normalise(field, place: 2 + heads)
  }

  /// LN where there is one; `place` is that of its gain.
  private func normalise(_ values: UnsafeMutablePointer<Scalar>, place: Int) {
    gains.base[place] = LayerNorm.apply(
      values, count: hyperparameters.synapticDimension, if: schedule.variant.normalises)
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func readOut(_ activity: inout StepActivity) {
    if let exchange { activity = exchange.ranks.total(activity) }
    logits.withUnsafeMutableBufferPointer { logits in
      guard let logits = logits.baseAddress else { return }
      BLAS.multiply(
        weights.readout.pointer, transposed: true, rows: hyperparameters.synapticDimension,
        columns: hyperparameters.vocabulary, by: v.base, into: logits)
    }
  }

  /// (x_u, x_w) ↦ (x_u cos φ_u − x_w sin φ_u, x_w cos φ_w + x_u sin φ_w) for the pairs of one block.
  func rotate(
    _ source: UnsafePointer<Scalar>, into target: UnsafeMutablePointer<Scalar>, _ block: NeuronBlock,
    _ cosines: UnsafePointer<Scalar>, _ sines: UnsafePointer<Scalar>
  ) {
    guard phases.rotates else { return target.update(from: source, count: block.neurons.count) }
    let inHead = block.firstInHead
    for even in stride(from: 0, to: block.neurons.count, by: 2) {
      let (u, w) = (source[even], source[even + 1])
      target[even] = u * cosines[inHead + even] - w * sines[inHead + even]
      target[even + 1] = w * cosines[inHead + even + 1] + u * sines[inHead + even + 1]
    }
  }

  private func countPositive(_ storage: NumberStorage<Scalar>) -> Int {
    var count = 0
    for index in 0..<storage.count { count += storage.base[index] > 0 ? 1 : 0 }
    return count
  }
}
