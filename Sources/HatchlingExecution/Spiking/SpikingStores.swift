import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// σ of the direct form: a weight per synapse between nodes and neurons.
final class SpikingStores<Scalar: NetworkScalar>: SpikingPlasticity {
  private let plastic: PlasticStores<Scalar>
  private let workers: Workers
  /// The blocks of each part of a head; parts read side by side.
  private let parts: [Range<Int>]
  private let partsPerHead: Int
  private let degrees: Degrees
  // Neurons that fired, each once, and what their weights have kept.
  private let listed: NumberStorage<Int32>
  private let factors: NumberStorage<Scalar>
  // All spikes of a phase without gaps; as many as fit the longest phase so far.
  private var particles = NumberStorage<Int32>(zeros: 0)
  private var weights = NumberStorage<Scalar>(zeros: 0)
  private let silence: NumberStorage<Scalar>

  init(_ graph: DirectGraph<Scalar>, blocks: [NeuronBlock], workers: Workers) {
    plastic = PlasticStores(graph)
    self.workers = workers
    (parts, partsPerHead) = NeuronBlock.parts(NeuronBlock.ofHeads(blocks, heads: graph.headCount))
    degrees = graph.plasticDegrees
    listed = NumberStorage(zeros: graph.neuronCount)
    factors = NumberStorage(zeros: graph.neuronCount)
    silence = NumberStorage(zeros: graph.nodeCount)
  }

  func read(
    _ train: SpikeTrain<Scalar>, layer: Int, at position: Int, into sums: UnsafeMutablePointer<Scalar>
  ) -> Int {
    settle(train, layer, at: position)
    sums.update(repeating: 0, count: plastic.graph.headCount * plastic.graph.nodeCount)
    let exchange = exchange(train, trace: silence.base, traces: 0, attention: sums)
    for store in plastic.stores[layer - 1] {
      _ = store.exchange(exchange, reads: true, writes: false, workers: workers)
    }
    return train.blocks.indices.reduce(0) { $0 + degrees.total(train.particles[$1].base, train.count($1)) }
  }

  func write(_ train: SpikeTrain<Scalar>, trace: UnsafePointer<Scalar>, layer: Int) -> Int {
    let traces = (0..<plastic.graph.nodeCount).count { trace[$0] != 0 }
    let exchange = exchange(train, trace: trace, traces: traces, attention: silence.base)
    return plastic.stores[layer - 1].reduce(0) {
      $0 + $1.exchange(exchange, reads: false, writes: true, workers: workers)
    }
  }

  /// What damping has left of the weights of neurons that fired.
  private func settle(_ train: SpikeTrain<Scalar>, _ layer: Int, at position: Int) {
    guard let damping = plastic.damping else { return }
    let stamps = plastic.stamps[layer - 1].mutablePointer()
    var (count, ranges) = (0, [Range<Int>]())
    for part in parts {
      let first = count
      for block in part {
        for neuron in train.blocks[block] where train.sent.base[neuron] != 0 {
          listed.base[count] = Int32(neuron)
          count += 1
        }
      }
      ranges.append(first..<count)
    }
    damping.age(listed.base, count: count, stamps, to: position, into: factors.base)
    let exchange = PlasticExchange(
      fired: listed.base, sent: factors.base, keep: UnsafePointer(factors.base), parts: ranges,
      partsPerHead: partsPerHead, trace: silence.base, traces: 0, attention: silence.base)
    for store in plastic.stores[layer - 1] {
      _ = store.exchange(exchange, reads: false, writes: false, workers: workers)
    }
  }

  private func exchange(
    _ train: SpikeTrain<Scalar>, trace: UnsafePointer<Scalar>, traces: Int,
    attention: UnsafeMutablePointer<Scalar>
  ) -> PlasticExchange<Scalar> {
    let total = train.spikeCount
    if particles.count < total {
      particles = NumberStorage(zeros: 2 * total)
      weights = NumberStorage(zeros: 2 * total)
    }
    var starts = [0]
    for block in train.blocks.indices {
      let count = train.count(block)
      (particles.base + starts[block]).update(from: train.particles[block].base, count: count)
      (weights.base + starts[block]).update(from: train.weights[block].base, count: count)
      starts.append(starts[block] + count)
    }
    return PlasticExchange(
      fired: particles.base, sent: weights.base, keep: nil,
      parts: parts.map { starts[$0.lowerBound]..<starts[$0.upperBound] }, partsPerHead: partsPerHead,
      trace: trace,
      traces: traces, attention: attention)
  }

  func weights(layer: Int, at moment: PlasticMoment) -> Matrix<Scalar> {
    Matrix(
      rows: plastic.graph.neuronCount, columns: plastic.graph.nodeCount,
      plastic.weights(layer: layer, at: moment, synapses: nil))
  }

  func weight(_ synapse: PlasticSynapse, layer: Int, at moment: PlasticMoment) -> Scalar {
    plastic.weights(layer: layer, at: moment, synapses: [synapse])[0]
  }

  func replace(_ synapse: PlasticSynapse, layer: Int, at position: Int, _ change: (Scalar) -> Scalar) {
    plastic.replace(synapse, layer: layer, at: position, change)
  }

  func attentionState(layer: Int, at position: Int) -> Matrix<Scalar> {
    plastic.attentionState(layer: layer, at: position, workers: workers)
  }

  func reset() { plastic.reset() }
  func stateArrays() -> [String: StateArray] { plastic.stateArrays() }
  func restoration(of state: SavedState) throws -> () -> Void { try plastic.restoration(of: state) }
}

extension Run {
  /// A direct graph on spikes.
  ///
  /// - Parameter scales: may be nil where all codes are graded.
  /// - Throws: `GraphError`, ``SpikeScalesError``; ``SpikingError`` where what pruning cut travels through hubs. Cost: the graph once more, by
  ///   presynaptic particle.
  public convenience init<Number: NetworkScalar>(
    spiking graph: DirectGraph<Number>, _ options: SpikingOptions, scales: SpikeScales? = nil,
    workers: Workers = Workers()
  ) throws where Engine == SpikingExecutor<DirectGraph<Number>> {
    try graph.validate()
    let blocks = Engine.cut(graph)
    self.init(
      try SpikingExecutor(
        graph, plasticity: SpikingStores(graph, blocks: blocks, workers: workers), blocks: blocks,
        options: options, scales: scales, workers: workers))
  }
}

extension SpikeScales {
  /// Reads a text exactly and notes the largest values. - Throws: as for a circuit.
  public static func measured<Scalar: NetworkScalar>(
    _ graph: DirectGraph<Scalar>, on tokens: [Int], workers: Workers = Workers(),
    afterToken: (Int) -> Void = { _ in }
  ) throws -> SpikeScales {
    try measured(try Run(spiking: graph, .graded, workers: workers), on: tokens, afterToken: afterToken)
  }
}
