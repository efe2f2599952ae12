import HatchlingModel
import HatchlingNumerics

/// B · T tokens and what follows each of them.
package struct TrainingBatch: Sendable {
  /// `(B, T)`.
  package var tokens: [Int]
  /// The next token of each, `(B, T)`.
  package var targets: [Int]
  /// Position of each stream's first token since its state was empty, `(B)`.
  package var positions: [Int]

  package init(tokens: [Int], targets: [Int], positions: [Int]) {
    (self.tokens, self.targets, self.positions) = (tokens, targets, positions)
  }
}

/// ρ of every stream and layer between two blocks, or of some streams where ranks have the others.
package final class StreamStates<Scalar: NetworkScalar> {
  /// Per layer, `(own streams, n, d)`.
  let layers: [NumberStorage<Scalar>]
  /// The streams whose ρ is here.
  let own: Range<Int>
  /// Which of all B streams have a state that is all zero.
  package internal(set) var isEmpty: [Bool]
  private let perStream: Int

  /// - Parameter own: nil for all.
  package init(_ sizes: Hyperparameters, batch: Int, own: Range<Int>? = nil) {
    perStream = sizes.neurons * sizes.synapticDimension
    let streams = own ?? 0..<batch
    layers = (0..<sizes.layers).map { [perStream] _ in NumberStorage(zeros: streams.count * perStream) }
    isEmpty = [Bool](repeating: true, count: batch)
    self.own = streams
  }

  /// ρ of a stream and those after it in a layer from 0, `(…, n, d)`.
  func base(_ layer: Int, stream: Int) -> UnsafeMutablePointer<Scalar> {
    layers[layer].base + (stream - own.lowerBound) * perStream
  }

  /// Forgets one stream.
  package func reset(stream: Int) {
    guard !isEmpty[stream] else { return }
    isEmpty[stream] = true
    guard own.contains(stream) else { return }
    for layer in layers.indices { base(layer, stream: stream).update(repeating: 0, count: perStream) }
  }

  /// All streams have been read, here or elsewhere.
  func readAll() { isEmpty = [Bool](repeating: false, count: isEmpty.count) }
}

extension TrainingBatch {
  /// The part of some streams.
  ///
  /// - Parameter block: T.
  func streams(_ streams: Range<Int>, block: Int) -> TrainingBatch {
    let rows = streams.lowerBound * block..<streams.upperBound * block
    return TrainingBatch(
      tokens: Array(tokens[rows]), targets: Array(targets[rows]), positions: Array(positions[streams]))
  }
}

/// Which firing neurons are silenced: a function of these numbers and the neuron alone, so that threads do not matter.
package struct Dropout: Sendable {
  /// Fraction of y silenced, in 0 ..< 1.
  package let rate: Double
  package let seed: UInt64
  package let step: Int
  /// The number of a pass's first row in the whole batch, so that it does not matter which pass reads a stream.
  package var firstRow = 0

  package init(rate: Double, seed: UInt64, step: Int) {
    (self.rate, self.seed, self.step) = (rate, seed, step)
  }

  /// The key of one layer and token.
  @inline(__always)
  func key(layer: Int, row: Int) -> UInt64 {
    Self.mix(
      Self.mix(seed &+ UInt64(step) &* 0x9E37_79B9_7F4A_7C15) ^ (UInt64(layer) << 40 | UInt64(firstRow + row))
    )
  }

  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    var random = SeededRandom(seed: value)
    return random.next()
  }
}

/// What a forward pass found.
package struct PassResult: Sendable {
  /// Mean cross-entropy of all targets, nats.
  package var loss: Double
  /// Mean fraction of neurons with x > 0 and with y > 0, per layer.
  package var activeX, activeY: [Double]
}

/// Forward and backward pass of a batch of streams, by hand-derived gradients.
///
/// Dense products run through OpenBLAS; whatever only active neurons take part in (y, its gradients, the gradients of D_x, D_y, E)
/// follows lists of active neurons. Attention is chunked: quadratic in `chunk`, linear in T. Work is cut by sizes alone and sums are
/// taken in a fixed order, so results are the same to the last bit for any number of threads.
///
/// Cost per token and layer, in multiplications: at most `(15 d + 3 · chunk) n + 3 · H · d · chunk`: seven products with d
/// are dense, three follow x, five follow y. Memory: ``TrainingMemory``.
package final class TrainingPass<Scalar: NetworkScalar> {
  package let sizes: Hyperparameters
  package let shape: PassShape
  /// n, d and N.
  let n, d, perHead: Int
  let workers: Workers
  let tiles: [NeuronTile]
  let tapes: [LayerTape<Scalar>]

  /// v before the first layer, `(R, d)`, and the gains of its LN.
  let embedded, embeddedGain: NumberStorage<Scalar>
  /// cos and sin of every token's phases, `(R, N)`.
  let cosines, sines: NumberStorage<Scalar>
  /// softmax(logits) − target, over R, `(R, V)`.
  let surprise: NumberStorage<Scalar>
  let lossPerRow: NumberStorage<Double>
  /// The damping of this pass.
  var decay = DecayPowers<Scalar>(damping: nil, chunk: 0)
  var rotates = true
  /// Whether each stream began with an empty state.
  var beganEmpty: [Bool] = []
  var carries = true
  let scratch: AttentionScratch<Scalar>

  // Backward: gradient of v `(R, d)`; of x `(R, n)`, and what accumulating x hands down; of LN(a), a `(R, H, d)`; of E y `(R, d)`;
  // shares of v's gradient per head `(H, R, d)`; of u per stream `(B, n)`; beside the lists: of D_y LN(a) and of x.
  struct Backward {
    let field, encoded, activity, heard, shares, damping, gate, drive: NumberStorage<Scalar>
  }
  let backward: Backward

  package init(_ sizes: Hyperparameters, _ shape: PassShape, workers: Workers) {
    (self.sizes, self.shape, self.workers) = (sizes, shape, workers)
    (n, d, perHead) = (sizes.neurons, sizes.synapticDimension, sizes.neuronsPerHead)
    let tiles = NeuronTile.cut(sizes)
    self.tiles = tiles
    tapes = (0..<sizes.layers).map { _ in LayerTape(sizes, shape, tiles: tiles.count) }
    let rows = shape.rows
    embedded = NumberStorage(zeros: rows * d)
    embeddedGain = NumberStorage(zeros: rows)
    cosines = NumberStorage(zeros: rows * perHead)
    sines = NumberStorage(zeros: rows * perHead)
    surprise = NumberStorage(zeros: rows * sizes.vocabulary)
    lossPerRow = NumberStorage(zeros: rows)
    scratch = AttentionScratch(sizes, shape)
    backward = Backward(
      field: NumberStorage(zeros: rows * d), encoded: NumberStorage(zeros: rows * d),
      activity: NumberStorage(zeros: rows * n), heard: NumberStorage(zeros: rows * sizes.heads * d),
      shares: NumberStorage(zeros: sizes.heads * rows * d), damping: NumberStorage(zeros: shape.batch * n),
      gate: NumberStorage(zeros: rows * n), drive: NumberStorage(zeros: rows * n))
  }

  /// The loss of every target of the last forward pass, nats, `(R)`.
  package var losses: UnsafeBufferPointer<Double> {
    UnsafeBufferPointer(start: lossPerRow.base, count: shape.rows)
  }

  /// Runs `body` on stretches of 64 rows.
  func forEachRowRange(_ body: (Range<Int>) -> Void) {
    let size = 64
    workers.run(blocks: (shape.rows + size - 1) / size) { unit in
      body(unit * size..<min((unit + 1) * size, shape.rows))
    }
  }

  /// The field that layer `layer`, from 0, reads, `(R, d)`.
  func input(of layer: Int) -> NumberStorage<Scalar> { layer == 0 ? embedded : tapes[layer - 1].field }
}
