import HatchlingModel
import HatchlingNumerics

/// The tensor formulation: the equations of the paper's Appendix E (docs/equations.md) as dense products. The oracle that the graph is
/// compared with.
///
/// Tokens are read one at a time (``step(_:)``), in chunks that are quadratic inside and linked through ρ (``read(_:chunk:)``), or all
/// at once from an empty state (``parallel(_:)``). Neurons are cut into blocks by the size of the network alone and partial sums
/// added in block order, so results are the same to the last bit for any number of threads.
public final class TensorEngine<Scalar: NetworkScalar>: SteppingEngine {
  public let weights: Weights<Scalar>
  public let hyperparameters: Hyperparameters
  public internal(set) var position = 0
  public internal(set) var logits: [Scalar]

  let workers: Workers
  let fingerprint: String
  let phases: Phases
  let blocks: [TensorBlock]
  /// 1 − u, `(n)`; nil without damping.
  let keep: [Scalar]?

  /// ρ of each layer, `(n, d)`: row i is column i of the paper's ρ, in the co-rotating frame, after this token's damping.
  var attention: [Matrix<Scalar>]

  // One token: x, rotated x, y `(n)`; a `(H, d)`; v `(d)`; what each block sends to the field `(blocks, d)`.
  let x: NumberStorage<Scalar>
  let rotated: NumberStorage<Scalar>
  let y: NumberStorage<Scalar>
  let a: NumberStorage<Scalar>
  let heard: NumberStorage<Scalar>
  let v: NumberStorage<Scalar>
  let partial: NumberStorage<Scalar>
  let cosines: NumberStorage<Scalar>
  let sines: NumberStorage<Scalar>

  /// - Parameter fingerprint: of the model, kept in saved states. Cost: ρ is `L · n · d` numbers whose pages are touched when written.
  public init(_ weights: Weights<Scalar>, workers: Workers = Workers(), fingerprint: String = "") {
    self.weights = weights
    self.workers = workers
    self.fingerprint = fingerprint
    hyperparameters = weights.hyperparameters
    let sizes = weights.hyperparameters
    let (n, d) = (sizes.neurons, sizes.synapticDimension)
    phases = Phases(frequencies: weights.frequencies)
    blocks = TensorBlock.cut(sizes)
    keep = weights.damping.map { $0.map { Scalar(1 - Double($0)) } }
    attention = (0..<sizes.layers).map { _ in Matrix(rows: n, columns: d) }
    logits = [Scalar](repeating: 0, count: sizes.vocabulary)
    x = NumberStorage(zeros: n)
    rotated = NumberStorage(zeros: n)
    y = NumberStorage(zeros: n)
    a = NumberStorage(zeros: sizes.heads * d)
    heard = NumberStorage(zeros: sizes.heads * d)
    v = NumberStorage(zeros: d)
    partial = NumberStorage(zeros: blocks.count * d)
    cosines = NumberStorage(zeros: sizes.neuronsPerHead)
    sines = NumberStorage(zeros: sizes.neuronsPerHead)
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  @discardableResult
  public func step(_ token: Int) throws -> StepActivity { try step(token) { _ in } }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func stepRecording(
    _ token: Int
  ) throws -> (activity: StepActivity, layers: [LayerQuantities<Scalar>]) {
    var layers: [LayerQuantities<Scalar>] = []
    let activity = try step(token) { _ in
      var layer = LayerQuantities<Scalar>()
      (layer.x, layer.a, layer.y, layer.v) = (copy(x), copy(a), copy(y), copy(v))
      layers.append(layer)
    }
    return (activity, layers)
  }

  private func copy(_ storage: NumberStorage<Scalar>) -> [Scalar] {
    Array(UnsafeBufferPointer(start: storage.base, count: storage.count))
  }

  func check(_ token: Int, at position: Int) throws {
    guard token >= 0, token < hyperparameters.vocabulary else {
      throw TokenError(token: token, vocabulary: hyperparameters.vocabulary, position: position)
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func step(_ token: Int, afterLayer: (Int) -> Void) throws -> StepActivity {
    try check(token, at: position)
    let (d, variant) = (hyperparameters.synapticDimension, hyperparameters.variant)
    var activity = StepActivity(activeX: [], activeY: [])
    if phases.rotates { phases.fill(cosines: cosines.base, sines: sines.base, at: position) }
    v.base.update(from: weights.embedding.row(token), count: d)
    LayerNorm.apply(v.base, count: d, if: variant.normalises)
    if variant.accumulatesActivity { x.base.update(repeating: 0, count: hyperparameters.neurons) }
    for layer in 0..<hyperparameters.layers {
      readAndWriteAttention(layer)
      activateYAndEncode()
      addShares(partial.base, count: d)
      updateField(v.base, with: partial.base)
      activity.activeX.append(countPositive(x))
      activity.activeY.append(countPositive(y))
      afterLayer(layer)
    }
    logits.withUnsafeMutableBufferPointer { logits in
      guard let logits = logits.baseAddress else { return }
      BLAS.multiply(
        weights.readout.pointer, transposed: true, rows: d, columns: hyperparameters.vocabulary, by: v.base,
        into: logits)
    }
    position += 1
    return activity
  }

  /// x = (D_x v)₊, x̃ = R_t x, a_h = ρ_h x̃ (read first), ρ ← (ρ + v x̃ᵀ) Λ (then write).
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func readAndWriteAttention(_ layer: Int) {
    let d = hyperparameters.synapticDimension
    let rho = attention[layer].mutablePointer()
    let accumulates = hyperparameters.variant.accumulatesActivity
    workers.run(blocks: blocks.count) { index in
      let block = blocks[index]
      let (first, count) = (block.neurons.lowerBound, block.neurons.count)
      // `rotated` holds D_x v until it is rotated.
      BLAS.multiply(
        weights.decoderX.row(first), rows: count, columns: d, by: v.base, into: rotated.base + first)
      for neuron in block.neurons {
        let drive = max(0, rotated.base[neuron])
        x.base[neuron] = accumulates ? x.base[neuron] + drive : drive
      }
      rotate(x.base + first, into: rotated.base + first, block, cosines.base, sines.base)
      BLAS.multiply(
        rho + first * d, transposed: true, rows: count, columns: d, by: rotated.base + first,
        into: partial.base + index * d)
      write(rho, block)
    }
    a.base.update(repeating: 0, count: a.count)
    for (index, block) in blocks.enumerated() {
      for hub in 0..<d { a.base[block.head * d + hub] += partial.base[index * d + hub] }
    }
  }

  /// ρ ← (ρ + v x̃ᵀ) Λ on the rows of one block.
  private func write(_ rho: UnsafeMutablePointer<Scalar>, _ block: TensorBlock) {
    let d = hyperparameters.synapticDimension
    for neuron in block.neurons {
      let (row, activity) = (rho + neuron * d, rotated.base[neuron])
      if activity != 0 { for hub in 0..<d { row[hub] += v.base[hub] * activity } }
      if let mask = weights.plasticSynapses {
        for hub in 0..<d where mask.pointer[neuron * d + hub] == 0 { row[hub] = 0 }
      }
      if let keep, keep[neuron] != 1 { for hub in 0..<d { row[hub] *= keep[neuron] } }
    }
  }

  /// y = (D_y LN(a_h))₊ ⊙ x, and each block's part of E y.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func activateYAndEncode() {
    let d = hyperparameters.synapticDimension
    heard.base.update(from: a.base, count: a.count)
    for head in 0..<hyperparameters.heads {
      LayerNorm.apply(heard.base + head * d, count: d, if: hyperparameters.variant.normalises)
    }
    workers.run(blocks: blocks.count) { index in
      let block = blocks[index]
      let (first, count) = (block.neurons.lowerBound, block.neurons.count)
      BLAS.multiply(
        weights.decoderY.row(first), rows: count, columns: d, by: heard.base + block.head * d,
        into: y.base + first)
      for neuron in block.neurons { y.base[neuron] = max(0, y.base[neuron]) * x.base[neuron] }
      BLAS.multiply(
        weights.encoder.row(first), transposed: true, rows: count, columns: d, by: y.base + first,
        into: partial.base + index * d)
    }
  }

  /// Adds what the blocks sent to the field, `(blocks, count)`, to the first row, in block order.
  func addShares(_ shares: UnsafeMutablePointer<Scalar>, count: Int) {
    for index in 1..<max(1, blocks.count) {
      for entry in 0..<count { shares[entry] += shares[index * count + entry] }
    }
  }

  /// v ← LN(v + LN(E y)), or LN(E y) without a residual; `encoded` is E y, `(d)`, and is overwritten.
  func updateField(_ field: UnsafeMutablePointer<Scalar>, with encoded: UnsafeMutablePointer<Scalar>) {
    let (d, variant) = (hyperparameters.synapticDimension, hyperparameters.variant)
    LayerNorm.apply(encoded, count: d, if: variant.normalises)
    for hub in 0..<d { field[hub] = variant.accumulatesActivity ? encoded[hub] : field[hub] + encoded[hub] }
    if !variant.accumulatesActivity { LayerNorm.apply(field, count: d, if: variant.normalises) }
  }

  /// (x_u, x_w) ↦ (x_u cos φ_u − x_w sin φ_u, x_w cos φ_w + x_u sin φ_w) for the pairs of one block.
  func rotate(
    _ source: UnsafePointer<Scalar>, into target: UnsafeMutablePointer<Scalar>, _ block: TensorBlock,
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

  public func reset() {
    position = 0
    attention = attention.map { Matrix(rows: $0.rows, columns: $0.columns) }
    logits = [Scalar](repeating: 0, count: hyperparameters.vocabulary)
  }

  public func attentionState(layer: Int) -> Matrix<Scalar> { attention[layer - 1] }
}

/// A run of neurons of one head that is worked on together.
struct TensorBlock: Sendable {
  let neurons: Range<Int>
  let head: Int
  /// The first neuron's number inside its head.
  let firstInHead: Int

  /// About 32 blocks of at least 128 neurons each, by the size of the network alone.
  static func cut(_ sizes: Hyperparameters) -> [TensorBlock] {
    let perHead = sizes.neuronsPerHead
    let size = max(128, ((sizes.neurons + 31) / 32 + 15) / 16 * 16)
    return (0..<sizes.heads).flatMap { head in
      stride(from: 0, to: perHead, by: size).map { first in
        let start = head * perHead + first
        return TensorBlock(
          neurons: start..<(head * perHead + min(first + size, perHead)), head: head, firstInHead: first)
      }
    }
  }
}
