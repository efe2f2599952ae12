import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Plastic synapses that are read and written by spikes alone, in rounds 4l and 4l + 1.
protocol SpikingPlasticity<Scalar>: AnyObject {
  associatedtype Scalar: NetworkScalar

  /// Round 4l: every spike of x̃ sends its weight back over the synapses of its neuron; one row of sums per head. Damping that is pending on
  /// neurons that fired is settled first. Returns how many synapses were traversed.
  func read(
    _ train: SpikeTrain<Scalar>, layer: Int, at position: Int, into sums: UnsafeMutablePointer<Scalar>
  )
    -> Int
  /// Round 4l + 1: the presynaptic train has left `trace` at the synapses; every spike of x̃ adds its weight times that. Returns how many
  /// weights were changed.
  func write(_ train: SpikeTrain<Scalar>, trace: UnsafePointer<Scalar>, layer: Int) -> Int

  func weights(layer: Int, at moment: PlasticMoment) -> Matrix<Scalar>
  func weight(_ synapse: PlasticSynapse, layer: Int, at moment: PlasticMoment) -> Scalar
  func replace(_ synapse: PlasticSynapse, layer: Int, at position: Int, _ change: (Scalar) -> Scalar)
  /// ρ, `(n, d)`.
  func attentionState(layer: Int, at position: Int) -> Matrix<Scalar>
  func reset()
  func stateArrays() -> [String: StateArray]
  /// Checks a saved state; the returned function puts it in place. - Throws: `StateError`.
  func restoration(of state: SavedState) throws -> () -> Void
}

/// ρ of the circuit: rows of hubs, a row per neuron.
final class SpikingRows<Scalar: NetworkScalar>: SpikingPlasticity {
  private let graph: CircuitGraph<Scalar>
  private let workers: Workers
  private let table: DampingTable<Scalar>?
  private var layers: [PlasticLayer<Scalar>]
  /// What blocks of neurons send to the hubs, `(blocks, d)`.
  private let partial: NumberStorage<Scalar>
  // Neurons that fired, each once, and what their weights have kept.
  private let listed: NumberStorage<Int32>
  private let factors: NumberStorage<Scalar>
  private let traversed: NumberStorage<Int>
  private let blocksOfHead: [Range<Int>]

  init(_ graph: CircuitGraph<Scalar>, blocks: [NeuronBlock], workers: Workers) {
    (self.graph, self.workers) = (graph, workers)
    table = graph.neurons.isDamped ? DampingTable(graph.neurons.damping) : nil
    layers = Self.empty(graph)
    blocksOfHead = NeuronBlock.ofHeads(blocks, heads: graph.headCount)
    partial = NumberStorage(zeros: blocks.count * graph.hubCount)
    listed = NumberStorage(zeros: graph.neuronCount)
    factors = NumberStorage(zeros: graph.neuronCount)
    traversed = NumberStorage(zeros: blocks.count)
  }

  private static func empty(_ graph: CircuitGraph<Scalar>) -> [PlasticLayer<Scalar>] {
    (0..<graph.layers).map { _ in
      PlasticLayer(
        neurons: graph.neuronCount, hubs: graph.hubCount, damped: graph.neurons.isDamped, defers: false)
    }
  }

  func read(
    _ train: SpikeTrain<Scalar>, layer: Int, at position: Int, into sums: UnsafeMutablePointer<Scalar>
  ) -> Int {
    let d = graph.hubCount
    let rows = layers[layer - 1].open()
    workers.run(blocks: train.blocks.count) { block in
      settle(train.blocks[block], train, rows, at: position)
      let sum = partial.base + block * d
      sum.update(repeating: 0, count: d)
      Scalar.addRows(
        rows.weights, train.particles[block].base, train.weights[block].base, count: train.count(block), d: d,
        into: sum)
      traversed.base[block] = countSynapses(train, block)
    }
    for (head, own) in blocksOfHead.enumerated() {
      BlockSums.add(partial.base, blocks: own, width: d, into: sums + head * d)
    }
    return train.blocks.indices.reduce(0) { $0 + traversed.base[$1] }
  }

  private func settle(
    _ block: Range<Int>, _ train: SpikeTrain<Scalar>, _ rows: PlasticLayer<Scalar>.Pointers, at position: Int
  ) {
    guard let damping = table?.damping, let stamps = rows.stamps else { return }
    let (list, factors) = (listed.base + block.lowerBound, factors.base + block.lowerBound)
    var count = 0
    for neuron in block where train.sent.base[neuron] != 0 {
      list[count] = Int32(neuron)
      count += 1
    }
    damping.age(list, count: count, stamps, to: position, into: factors)
    Scalar.scaleRows(rows.weights, list, factors, count: count, d: graph.hubCount)
  }

  /// Synapses that the spikes of a block travel over.
  private func countSynapses(_ train: SpikeTrain<Scalar>, _ block: Int) -> Int {
    guard let present = graph.plastic.present else { return train.count(block) * graph.hubCount }
    return count(train, block) { neuron, hub in present.pointer[neuron * graph.hubCount + hub] != 0 }
  }

  private func count(_ train: SpikeTrain<Scalar>, _ block: Int, where holds: (Int, Int) -> Bool) -> Int {
    (0..<train.count(block)).reduce(0) { sum, spike in
      let neuron = Int(train.particles[block].base[spike])
      return sum + (0..<graph.hubCount).count { holds(neuron, $0) }
    }
  }

  func write(_ train: SpikeTrain<Scalar>, trace: UnsafePointer<Scalar>, layer: Int) -> Int {
    let d = graph.hubCount
    let rows = layers[layer - 1].open()
    let speaking = (0..<d).count { trace[$0] != 0 }
    workers.run(blocks: train.blocks.count) { block in
      let (who, spikes, number) = (train.particles[block].base, train.weights[block].base, train.count(block))
      Scalar.hebb(rows.weights, who, spikes, count: number, trace, d: d)
      traversed.base[block] = number * speaking
      guard let present = graph.plastic.present else { return }
      traversed.base[block] = count(train, block) { present.pointer[$0 * d + $1] != 0 && trace[$1] != 0 }
      for spike in 0..<number {
        let row = Int(who[spike]) * d
        // A synapse that does not exist stays at 0, which neither sends nor receives.
        for hub in 0..<d where present.pointer[row + hub] == 0 { rows.weights[row + hub] = 0 }
      }
    }
    return train.blocks.indices.reduce(0) { $0 + traversed.base[$1] }
  }

  func weights(layer: Int, at moment: PlasticMoment) -> Matrix<Scalar> {
    layers[layer - 1].settled(at: moment, table?.damping)
  }

  func weight(_ synapse: PlasticSynapse, layer: Int, at moment: PlasticMoment) -> Scalar {
    layers[layer - 1].weight(
      from: HubIndex(synapse.presynaptic), to: NeuronIndex(synapse.postsynaptic), at: moment, table?.damping)
  }

  func replace(_ synapse: PlasticSynapse, layer: Int, at position: Int, _ change: (Scalar) -> Scalar) {
    layers[layer - 1].settle(NeuronIndex(synapse.postsynaptic), at: position, table?.damping)
    let weight = layers[layer - 1].weights[synapse.postsynaptic, synapse.presynaptic]
    layers[layer - 1].weights[synapse.postsynaptic, synapse.presynaptic] = change(weight)
  }

  func attentionState(layer: Int, at position: Int) -> Matrix<Scalar> {
    weights(layer: layer, at: PlasticMoment(position: position))
  }

  func reset() { for layer in layers.indices { layers[layer].clear() } }

  func stateArrays() -> [String: StateArray] {
    var arrays: [String: StateArray] = [:]
    for (index, layer) in layers.enumerated() {
      arrays["plastic.\(index + 1)"] = .make(layer.weights)
      if let stamps = layer.stamps { arrays["stamps.\(index + 1)"] = .int(stamps) }
    }
    return arrays
  }

  func restoration(of state: SavedState) throws -> () -> Void {
    var restored = Self.empty(graph)
    for index in restored.indices {
      restored[index].weights = try state.matrix(
        "plastic.\(index + 1)", rows: graph.neuronCount, columns: graph.hubCount)
      if restored[index].stamps != nil {
        restored[index].stamps = try state.stamps(layer: index + 1, neurons: graph.neuronCount)
      }
    }
    return { self.layers = restored }
  }
}
