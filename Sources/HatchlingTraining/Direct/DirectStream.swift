import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// One stream's block of tokens through a direct graph (Eq. 6 with its gains), forward and backward.
///
/// Everything lies as `(rows, T)`: a row is a neuron or a hub, its columns the tokens of the block, so that a synapse is one
/// multiplication of a row. Streams share nothing but weights, so each runs on one thread; the gradients of weights are taken later
/// over all of them (``DirectGradients``).
final class DirectStream<Scalar: NetworkScalar> {
  let sizes: Hyperparameters
  let block: Int
  let keepsPlastic: Bool
  /// Whether gains and readout go through hubs; otherwise d = 0.
  let hasHubs: Bool
  let n, d, heads, perHead: Int
  let tapes: [DirectTape<Scalar>]
  /// Which stream of the batch this is.
  let index: Int

  /// G_x and G_y of every token's own token neuron, `(n, T)`; going back, their gradients beside them.
  let tokenX, tokenY, tokenXGradient, tokenYGradient: NumberStorage<Scalar>
  /// F of every token's own token neuron, `(d, T)`, and its gradient; 1 / g of it, which is the token neuron's first trace, `(T)`.
  let tokenField, tokenFieldGradient, tokenGain: NumberStorage<Scalar>
  /// F z before the first layer, `(d, T)`.
  let firstField: NumberStorage<Scalar>
  /// No trace: what neurons have before the first layer, `(n, T)`.
  let noTrace: NumberStorage<Scalar>
  /// softmax(logits) − target, over all targets of the batch, `(T, V)`.
  let surprise: NumberStorage<Scalar>
  var tokens: [Int] = []
  /// Summed over the block, nats.
  var loss = 0.0
  /// The loss of every target, nats, `(T)`.
  var losses: [Double] = []
  /// Per layer, how many neurons and tokens have x > 0 and y > 0.
  var activeX, activeY: [Int]
  /// ∂/∂ ln λ of every neuron, `(n)`.
  let keepGradient: NumberStorage<Scalar>
  /// κ² / N of every normaliser's pool where gains are local, and ∂/∂ ln κ.
  let pools, gainGradient: NumberStorage<Double>
  let scratch: DirectScratch<Scalar>
  /// Where σ is on edges, sources whose traces, and what is heard of them, are worked on together: a quarter of a megabyte of each. Results
  /// differ between bands in rounding.
  var band: Int

  /// Where the block begins since the stream's state was empty, and σ between blocks; nil where every block begins with none.
  var position = 0
  var states: DirectStates<Scalar>?
  /// Phases of the block's tokens; those of blocks that begin elsewhere than at 0 are kept here.
  private(set) var phases: DirectPhases<Scalar>?
  private var ownPhases: DirectPhases<Scalar>?

  init(_ weights: DirectWeights<Scalar>, index: Int, block: Int, dropsOut: Bool, carries: Bool) {
    self.index = index
    sizes = weights.sizes
    self.block = block
    keepsPlastic = weights.keepsPlastic
    hasHubs = weights.gains == .hubs
    (n, d, heads, perHead) = (sizes.neurons, sizes.synapticDimension, sizes.heads, sizes.neuronsPerHead)
    let (sizes, keeps) = (self.sizes, keepsPlastic)
    tapes = (0..<sizes.layers).map { _ in
      DirectTape(sizes, block: block, keepsPlastic: keeps, dropsOut: dropsOut, carries: carries)
    }
    func numbers(_ count: Int) -> NumberStorage<Scalar> { NumberStorage(zeros: count * block) }
    (tokenX, tokenY, tokenXGradient, tokenYGradient) = (numbers(n), numbers(n), numbers(n), numbers(n))
    (tokenField, tokenFieldGradient, tokenGain) = (numbers(d), numbers(d), numbers(1))
    (firstField, noTrace, surprise) = (numbers(d), numbers(n), numbers(sizes.vocabulary))
    activeX = [Int](repeating: 0, count: sizes.layers)
    activeY = activeX
    keepGradient = NumberStorage(zeros: n)
    pools = NumberStorage(zeros: weights.logGains?.count ?? 0)
    gainGradient = NumberStorage(zeros: pools.count)
    scratch = DirectScratch(sizes, block: block, keepsPlastic: keepsPlastic, carries: carries)
    band = max(1, (256 << 10) / (scratch.lanes.width * MemoryLayout<Scalar>.stride))
  }

  /// Turns the clocks to where the block begins.
  func turn(_ clocks: DirectClocks<Scalar>) {
    guard clocks.rotates, position > 0 else {
      phases = clocks.atStart
      return
    }
    let own = ownPhases ?? DirectPhases(neurons: n, block: block)
    own.fill(clocks.phases, from: position)
    (ownPhases, phases) = (own, own)
  }

  /// The trace on neurons that a layer reads, `(n, T)`; that of the tokens' own neurons, `(T)`; F z, `(d, T)`.
  func input(of layer: Int) -> (
    trace: NumberStorage<Scalar>, token: NumberStorage<Scalar>, field: NumberStorage<Scalar>
  ) {
    layer == 0
      ? (noTrace, tokenGain, firstField)
      : (tapes[layer - 1].trace, tapes[layer - 1].tokenTrace, tapes[layer - 1].field)
  }

  /// Runs `body` with every head and the place of its first row of neurons.
  func forEachHead(_ body: (_ head: Int, _ firstRow: Int) -> Void) {
    for head in 0..<heads { body(head, head * perHead * block) }
  }

  /// gain(t) = 1 / g = (‖column t‖² / d + ε)^−½ of `values`, `(d, T)`; 1 in networks without normalisers. Sums in double.
  func gains(of values: UnsafePointer<Scalar>, into gains: UnsafeMutablePointer<Scalar>) {
    guard sizes.variant.normalises else { return gains.update(repeating: 1, count: block) }
    for token in 0..<block {
      var squares = 0.0
      for hub in 0..<d {
        let value = Double(values[hub * block + token])
        squares += value * value
      }
      gains[token] = Scalar(1 / (squares / Double(d) + 1e-5).squareRoot())
    }
  }

  /// sums(t) = Σ over `rows` rows of a ⊙ b, `(T)`.
  func columnSums(
    _ a: UnsafePointer<Scalar>, _ b: UnsafePointer<Scalar>, rows: Int, into sums: UnsafeMutablePointer<Scalar>
  ) {
    sums.update(repeating: 0, count: block)
    for row in 0..<rows { Scalar.addTimes(a + row * block, b + row * block, count: block, into: sums) }
  }

  /// gradient −= change · gain³ · values / d: what the gain of `values` makes of its own gradient `change`, `(T)`.
  func throughGain(
    _ change: UnsafePointer<Scalar>, _ gain: UnsafePointer<Scalar>, of values: UnsafePointer<Scalar>,
    into gradient: UnsafeMutablePointer<Scalar>
  ) {
    guard sizes.variant.normalises else { return }
    let factors = scratch.factors.base
    for token in 0..<block {
      factors[token] = -change[token] * gain[token] * gain[token] * gain[token] / Scalar(d)
    }
    for hub in 0..<d {
      Scalar.addTimes(values + hub * block, factors, count: block, into: gradient + hub * block)
    }
  }
}

/// Memory that one stream works in.
struct DirectScratch<Scalar: NetworkScalar> {
  /// X̃ and its gradient; queries and keys with powers of λ, and a product; gradients of z, X and Y, `(n, T)`.
  let rotated, rotatedGradient, queries, keys, product, trace, activity, fired: NumberStorage<Scalar>
  /// The gradient of A on neurons, `(H, n, T)`, where σ is on edges.
  let attention: NumberStorage<Scalar>
  /// The gradient of what token neurons hear of σ of earlier blocks, `(V, T)`.
  let carried: NumberStorage<Scalar>
  /// Gradients of scores and their symmetric sum, `(T, T)`.
  let scores, symmetric: NumberStorage<Scalar>
  /// Gradients of F z and of the tokens' own part of it, and one more, `(d, T)`.
  let field, own, heard: NumberStorage<Scalar>
  /// `(T)` each.
  let tokenTrace, sums, factors: NumberStorage<Scalar>
  let squares: NumberStorage<Double>
  let lanes: DirectLanes<Scalar>

  init(_ sizes: Hyperparameters, block: Int, keepsPlastic: Bool, carries: Bool) {
    let (n, d) = (sizes.neurons, sizes.synapticDimension)
    func numbers(_ count: Int) -> NumberStorage<Scalar> { NumberStorage(zeros: count * block) }
    (rotated, rotatedGradient, queries, keys, product) = (
      numbers(n), numbers(n), numbers(n), numbers(n), numbers(n)
    )
    (trace, activity, fired) = (numbers(n), numbers(n), numbers(n))
    attention = numbers(keepsPlastic ? sizes.heads * n : 0)
    carried = numbers(carries ? sizes.vocabulary : 0)
    (scores, symmetric) = (numbers(block), numbers(block))
    (field, own, heard) = (numbers(d), numbers(d), numbers(d))
    (tokenTrace, sums, factors) = (numbers(1), numbers(1), numbers(1))
    squares = NumberStorage(zeros: block)
    lanes = DirectLanes(sizes, block: block, keepsPlastic: keepsPlastic)
  }
}

/// What σ on edges works on: rows of tokens in lanes, `width` numbers each; nothing where σ is on all pairs.
struct DirectLanes<Scalar: NetworkScalar> {
  let width: Int
  /// Traces and their gradient, `(n, width)`; A or its gradient, `(H, n, width)`; four rows to walk in.
  let trace, traceGradient, heard, walk: NumberStorage<Scalar>
  /// The first synapse of every neuron that has not been walked yet.
  let next: NumberStorage<Int>

  init(_ sizes: Hyperparameters, block: Int, keepsPlastic: Bool) {
    width = Scalar.laneWidth(block)
    let row = keepsPlastic ? width : 0
    trace = NumberStorage(zeros: sizes.neurons * row)
    traceGradient = NumberStorage(zeros: sizes.neurons * row)
    heard = NumberStorage(zeros: sizes.heads * sizes.neurons * row)
    walk = NumberStorage(zeros: 4 * row)
    next = NumberStorage(zeros: keepsPlastic ? sizes.neurons : 0)
  }
}
