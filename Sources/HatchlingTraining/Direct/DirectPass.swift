import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// The gradient of a loss with respect to everything that is trained of a direct graph.
package struct DirectGradients<Scalar: NetworkScalar>: Sendable {
  /// In the order and the shapes of ``DirectWeights``: synapses of G_x and G_y, token synapses of both, F, W_out or R, ln κ.
  package internal(set) var all: [Matrix<Scalar>]
  /// With respect to u, `(1, n)`; zero without damping.
  package internal(set) var damping: Matrix<Scalar>

  init(_ weights: DirectWeights<Scalar>) {
    all = weights.trained.map { Matrix(rows: $0.rows, columns: $0.columns) }
    damping = Matrix(rows: 1, columns: weights.sizes.neurons)
  }
}

/// Forward and backward pass of a batch of streams through a direct graph.
///
/// Streams are worked on side by side, each by one thread; then the gradients of weights are summed over streams and layers in a fixed
/// order, rows shared out by sizes alone: the same result to the last bit for any number of threads.
///
/// Cost per token and layer, in multiplications, with M synapses in G_x and in G_y: forward `2 M + n (T + d) + H d T / 2`, with σ on
/// edges another `M · active² + H n d`; backward about twice that. Memory: per stream and layer about `5 n T + H T²` numbers, with σ on
/// edges another `H n T`; beside it O(M).
package final class DirectPass<Scalar: NetworkScalar> {
  let block: Int
  let streams: [DirectStream<Scalar>]
  private(set) var wiring: DirectWiring<Scalar>
  private var clocks: DirectClocks<Scalar>
  private var neurons: NeuronPopulation
  let workers: Workers

  package init(
    _ weights: DirectWeights<Scalar>, batch: Int, block: Int, dropsOut: Bool = false, carries: Bool = false,
    workers: Workers
  ) {
    (self.block, self.workers) = (block, workers)
    streams = (0..<batch).map {
      DirectStream(weights, index: $0, block: block, dropsOut: dropsOut, carries: carries)
    }
    wiring = DirectWiring(weights)
    neurons = weights.neurons
    clocks = DirectClocks(weights.neurons, block: block)
  }

  /// Takes the synapses of weights whose lists have changed.
  func rewire(_ weights: DirectWeights<Scalar>) { wiring = DirectWiring(weights) }

  /// Reads a batch and returns its loss.
  ///
  /// - Parameter states: what streams carry from block to block, read where a stream is behind position 0, left for the next block
  ///   everywhere; nil where every stream begins at position 0. Only where σ is on edges.
  package func forward(
    _ weights: DirectWeights<Scalar>, _ batch: TrainingBatch, states: DirectStates<Scalar>? = nil,
    dropout: Dropout? = nil
  ) -> PassResult {
    precondition(batch.tokens.count == streams.count * block)
    precondition(states == nil ? batch.positions.allSatisfy { $0 == 0 } : weights.keepsPlastic)
    if neurons != weights.neurons {
      neurons = weights.neurons
      clocks = DirectClocks(neurons, block: block)
    }
    let share = 1 / Double(streams.count * block)
    workers.run(blocks: streams.count) { index in
      let rows = index * block..<(index + 1) * block
      streams[index].forward(
        weights, wiring, clocks, tokens: Array(batch.tokens[rows]), targets: Array(batch.targets[rows]),
        position: batch.positions[index], states: states, share: share,
        dropout: dropout.map { ($0, rows.lowerBound) })
    }
    let all = share / Double(weights.sizes.neurons)
    func active(_ counts: KeyPath<DirectStream<Scalar>, [Int]>) -> [Double] {
      (0..<weights.sizes.layers).map { layer in
        Double(streams.reduce(0) { $0 + $1[keyPath: counts][layer] }) * all
      }
    }
    return PassResult(
      loss: streams.reduce(0) { $0 + $1.loss } * share, activeX: active(\.activeX), activeY: active(\.activeY)
    )
  }

  /// The gradients of the last forward pass, once: the way back takes the place of what the tapes held.
  package func gradients(_ weights: DirectWeights<Scalar>, into gradients: inout DirectGradients<Scalar>) {
    wiring.refresh(from: weights)
    workers.run(blocks: streams.count) { streams[$0].backward(weights, wiring, clocks) }
    takeNeurons(weights, &gradients)
    takeTokens(weights, &gradients)
    takeDamping(weights, &gradients)
    takeGains(weights, &gradients)
  }

  /// Synapses and the field, rows of neurons shared out.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func takeNeurons(_ weights: DirectWeights<Scalar>, _ gradients: inout DirectGradients<Scalar>) {
    let n = weights.sizes.neurons
    let size = (max(64, (n + 7) / 8) + 1) / 2 * 2
    let targets = gradients.all.indices.map { gradients.all[$0].mutablePointer() }
    workers.run(blocks: (n + size - 1) / size) { unit in
      let rows = unit * size..<min((unit + 1) * size, n)
      for (target, lists) in [(targets[0], wiring.x), (targets[1], wiring.y)] {
        let places = lists.offsets.base[rows.lowerBound]..<lists.offsets.base[rows.upperBound]
        (target + places.lowerBound).update(repeating: 0, count: places.count)
      }
      let (v, d) = (weights.sizes.vocabulary, weights.sizes.synapticDimension)
      for index in [2, 3] {
        (targets[index] + rows.lowerBound * v).update(repeating: 0, count: rows.count * v)
      }
      (targets[4] + rows.lowerBound * d).update(repeating: 0, count: rows.count * d)
      if d == 0 { (targets[5] + rows.lowerBound * v).update(repeating: 0, count: rows.count * v) }
      for stream in streams { stream.addNeurons(rows, wiring, targets) }
    }
    for (index, mask) in [(2, weights.tokenMaskX), (3, weights.tokenMaskY)] {
      guard let mask else { continue }
      Scalar.times(targets[index], mask.pointer, count: mask.count, into: targets[index])
    }
  }

  /// F of token neurons, and the readout.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func takeTokens(_ weights: DirectWeights<Scalar>, _ gradients: inout DirectGradients<Scalar>) {
    let (n, d, v) = (weights.sizes.neurons, weights.sizes.synapticDimension, weights.sizes.vocabulary)
    let field = gradients.all[4].mutablePointer() + n * d
    field.update(repeating: 0, count: v * d)
    let readout = gradients.all[5].mutablePointer()
    guard d > 0 else {
      (readout + n * v).update(repeating: 0, count: v * v)
      for stream in streams { stream.addTokenReadout(into: readout + n * v) }
      return
    }
    for (index, stream) in streams.enumerated() {
      for token in 0..<block {
        let row = field + stream.tokens[token] * d
        for hub in 0..<d { row[hub] += stream.tokenFieldGradient.base[hub * block + token] }
      }
      stream.addCarriedField(into: field)
      BLAS.multiply(
        stream.tapes[weights.sizes.layers - 1].field.base, by: stream.surprise.base, into: readout, m: d,
        n: v,
        k: block, beta: index == 0 ? 0 : 1)
    }
  }

  /// λ = 1 − u, so ∂/∂u = − ∂/∂ln λ / λ.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func takeDamping(_ weights: DirectWeights<Scalar>, _ gradients: inout DirectGradients<Scalar>) {
    let target = gradients.damping.mutablePointer()
    for neuron in 0..<weights.sizes.neurons {
      let keep = 1 - Scalar(weights.neurons.damping[neuron])
      var sum: Scalar = 0
      for stream in streams { sum += stream.keepGradient.base[neuron] }
      target[neuron] = keep > 0 && weights.neurons.isDamped ? -sum / keep : 0
    }
  }
}

extension DirectPass {
  /// ln κ, summed over streams.
  private func takeGains(_ weights: DirectWeights<Scalar>, _ gradients: inout DirectGradients<Scalar>) {
    guard let gains = weights.logGains else { return }
    gradients.all[6] = Matrix(
      rows: 1, columns: gains.count,
      (0..<gains.count).map { place in
        Scalar(streams.reduce(0.0) { $0 + $1.gainGradient.base[place] })
      })
  }
}

extension DirectStream {
  /// Adds what this stream says of the synapses into some neurons, of their token synapses and of their field; targets in the order
  /// of ``DirectWeights``.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func addNeurons(
    _ rows: Range<Int>, _ wiring: DirectWiring<Scalar>, _ targets: [UnsafeMutablePointer<Scalar>]
  ) {
    let (v, first) = (sizes.vocabulary, rows.lowerBound * block)
    if !hasHubs {
      BLAS.multiply(
        tapes[sizes.layers - 1].trace.base + first, by: surprise.base, into: targets[5] + rows.lowerBound * v,
        m: rows.count, n: v, k: block, beta: 1)
    }
    for layer in 0..<sizes.layers {
      let (tape, before) = (tapes[layer], input(of: layer))
      BLAS.multiply(
        tape.y.base + first, by: tape.encoded.base, transposedB: true, into: targets[4] + rows.lowerBound * d,
        m: rows.count, n: d, k: block, beta: 1)
      if layer > 0 {
        let change = keepsPlastic ? tape.answers : tape.drive
        addEdges(wiring.x, rows, changes: change, values: before.trace.base, targets[0])
      }
      guard keepsPlastic else {
        if layer > 0 {
          addEdges(wiring.y, rows, changes: tape.answers, values: before.trace.base, targets[1])
        }
        continue
      }
      for head in 0..<heads {
        let own = rows.clamped(to: head * perHead..<(head + 1) * perHead)
        addCarried(own, head, layer, into: targets[3])
        // A on the neurons is 0 in the first layer.
        guard layer > 0 else { continue }
        let attention = tape.attention.base + head * n * block
        if !own.isEmpty { addEdges(wiring.y, own, changes: tape.drive, values: attention, targets[1]) }
        BLAS.multiply(
          attention + first, by: tape.heard.base + head * d * block, transposedB: true,
          into: targets[4] + rows.lowerBound * d, m: rows.count, n: d, k: block, beta: 1)
      }
    }
    for (gradient, target) in [(tokenXGradient, targets[2]), (tokenYGradient, targets[3])] {
      for neuron in rows {
        let (row, values) = (target + neuron * v, gradient.base + neuron * block)
        for token in 0..<block { row[tokens[token]] += values[token] }
      }
    }
  }

  private func addEdges(
    _ lists: PlacedLists, _ rows: Range<Int>, changes: NumberStorage<Scalar>, values: UnsafePointer<Scalar>,
    _ target: UnsafeMutablePointer<Scalar>
  ) {
    Scalar.edgeProducts(
      offsets: lists.offsets.base + rows.lowerBound, sources: lists.sources.base, rows: rows.count,
      changes: changes.base + rows.lowerBound * block, values: values, columns: block, into: target)
  }
}
