import HatchlingDynamics
import HatchlingGraph
import HatchlingNumerics

/// What it takes to count messages and updates where some synapses are missing.
extension CircuitExecutor: ListingExecutor {
  var blocksOfHead: [Range<Int>] { layout.blocksOfHead }

  /// What every rank knows of hubs is counted by one.
  var countsHubs: Bool { exchange?.ranks.speaks ?? true }

  var outDegrees: [Connection: Degrees] { layout.outDegrees }

  /// Plastic synapses between hubs that speak and neurons that fired.
  func countWritten() -> Int {
    let speaking = field.countNonZero()
    if speaking == graph.hubCount { return lists.total(lists.reads) }
    guard graph.plastic.present != nil else { return speaking * lists.total(lists.firedCount) }
    var updates = 0
    for (index, block) in layout.blocks.enumerated() {
      let first = block.neurons.lowerBound
      for place in first..<first + lists.firedCount.base[index] {
        let neuron = NeuronIndex(Int(lists.fired.base[place]))
        for hub in 0..<graph.hubCount
        where field.base[hub] != 0 && graph.plastic.contains(HubIndex(hub), neuron) { updates += 1 }
      }
    }
    return updates
  }

  /// Synapses of G_y between hubs that speak and the listed neurons, each counted.
  func heardSynapses(_ list: UnsafePointer<Int32>, _ count: Int, _ heard: UnsafePointer<Scalar>) -> Int {
    var messages = 0
    for place in 0..<count {
      let neuron = Int(list[place])
      graph.drivesY.forEachEntry(rows: neuron..<neuron + 1) { _, hub, _ in
        if heard[hub] != 0 { messages += 1 }
      }
    }
    return messages
  }
}
