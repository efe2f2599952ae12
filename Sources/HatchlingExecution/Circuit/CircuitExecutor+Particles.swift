import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// What particles hold, for probes and for rounds that are done plainly.
extension CircuitExecutor: ParticleStore {
  /// Of all neurons, wherever they are: where ranks share them out, all look at the same.
  public func values(of quantity: Quantity, channel: Channel, entries: [Int]?) -> [Scalar]? {
    guard let spread = exchange?.neurons else {
      return valuesHere(of: quantity, channel: channel, entries: entries)
    }
    return spread.values(of: quantity, channel, entries) {
      valuesHere(of: quantity, channel: channel, entries: $0)
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func valuesHere(of quantity: Quantity, channel: Channel, entries: [Int]?) -> [Scalar]? {
    if channel != .net || quantity == .driveX || quantity == .driveY {
      return arrivals(of: quantity, channel: channel, entries: entries)
    }
    switch quantity {
    case .rotated: return entries?.map(rotatedActivity) ?? allRotated
    case .logits: return entries?.map { logits[$0] } ?? logits
    default: return held.values(of: quantity, entries)
    }
  }

  /// Without a copy of the graph, which a witness of `graph` makes.
  public func hasPlasticSynapse(_ synapse: PlasticSynapse) -> Bool {
    guard let exchange else {
      return graph.hasPlasticSynapse(from: synapse.presynaptic, to: synapse.postsynaptic)
    }
    return exchange.hasPlasticSynapse(synapse, of: hyperparameters) {
      graph.hasPlasticSynapse(from: synapse.presynaptic, to: $0)
    }
  }

  public func firing(_ quantity: Quantity) -> Firing<Scalar> {
    let here = lists.firing(quantity == .x ? x : y, in: layout.blocks)
    return exchange?.neurons.firing(here) ?? here
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func firstNonFinite() -> Quantity? {
    (exchange?.spoilt ?? spoilt).first { held.firstNonFinite() }
  }

  /// What the neurons that are here hold that is not finite; of x only where others need to be told.
  var spoilt: Spoilt {
    var spoilt: Spoilt = []
    for index in layout.own {
      if !scratch.isFiniteX.base[index] { spoilt.insert(.driveX) }
      if !scratch.isFiniteY.base[index] { spoilt.insert(.driveY) }
    }
    if exchange != nil, graph.variant.accumulatesActivity, !Scalar.areFinite(x.base, x.count) {
      spoilt.insert(.x)
    }
    return spoilt
  }

  /// X̃ of one neuron, found in the list of its block. Cost: O(log n).
  private func rotatedActivity(_ neuron: Int) -> Scalar {
    guard let index = layout.blocks.firstIndex(where: { $0.neurons.contains(neuron) }) else { return 0 }
    let first = layout.blocks[index].neurons.lowerBound
    var (low, high) = (first, first + lists.firedCount.base[index])
    let end = high
    while low < high {
      let middle = (low + high) / 2
      if Int(lists.fired.base[middle]) < neuron { low = middle + 1 } else { high = middle }
    }
    return low < end && Int(lists.fired.base[low]) == neuron ? lists.sent.base[low] : 0
  }

  private var allRotated: [Scalar] {
    var all = [Scalar](repeating: 0, count: graph.neuronCount)
    for (index, block) in layout.blocks.enumerated() {
      let first = block.neurons.lowerBound
      for place in first..<first + lists.firedCount.base[index] {
        all[Int(lists.fired.base[place])] = lists.sent.base[place]
      }
    }
    return all
  }

  public func load(_ quantity: Quantity) -> [Scalar] {
    switch quantity {
    case .driveX, .driveY:
      // As the kernels left them: the neurons without a drive are certainly silent.
      var all = [Scalar](repeating: 0, count: graph.neuronCount)
      for (index, block) in layout.blocks.enumerated() {
        let (first, count) = (block.neurons.lowerBound, scratch.possibleCount.base[index])
        let list = quantity == .driveY ? driven(block) : scratch.possible.base + first
        for offset in 0..<(count < 0 ? block.neurons.count : count) {
          let neuron = count < 0 ? first + offset : Int(list[offset])
          all[neuron] = scratch.drives.base[first + offset]
        }
      }
      return all
    case .token: return (0..<graph.tokenCount).map { $0 == token ? 1 : 0 }
    default: return valuesHere(of: quantity, channel: .net, entries: nil) ?? []
    }
  }

  public func store(_ values: [Scalar], _ quantity: Quantity, arrived: [Channels<Scalar>]?) {
    switch quantity {
    case .logits: logits = values
    case .token: break
    case .rotated:
      for (index, block) in layout.blocks.enumerated() {
        lists.collect(block, index, x.base) { values[$0] }
      }
    case .driveX:
      for (neuron, value) in values.enumerated() { scratch.drives.base[neuron] = value }
      for index in layout.blocks.indices {
        scratch.possibleCount.base[index] = -1
        scratch.isFiniteX.base[index] = values[layout.blocks[index].neurons].allSatisfy(\.isFinite)
      }
    case .driveY:
      for (index, block) in layout.blocks.enumerated() {
        let (first, count) = (block.neurons.lowerBound, lists.listeningCount.base[index])
        scratch.possibleCount.base[index] = count
        scratch.isFiniteY.base[index] = values[block.neurons].allSatisfy(\.isFinite)
        for place in first..<first + count {
          scratch.possible.base[place] = lists.listening.base[place]
          scratch.drives.base[place] = values[Int(lists.listening.base[place])]
        }
      }
    default: held.replace(quantity, by: values)
    }
  }

  public func store(gain: Scalar, place: Int) { gains.base[place] = gain }
}
