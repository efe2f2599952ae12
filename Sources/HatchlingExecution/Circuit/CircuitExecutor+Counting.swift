import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Counting messages and updates. Where every particle has all its synapses, a count is a product.
extension CircuitExecutor {
  /// Neurons with x > 0.
  func countActive(_ activity: inout StepActivity) {
    activity.activeX.append(lists.total(lists.listeningCount))
  }

  /// Synapses of G_x between hubs that speak and all neurons.
  func countDriveX() -> Int {
    speaking(field.base) == graph.hubCount
      ? layout.driveXCount
      : (0..<graph.hubCount).reduce(0) { $0 + (field.base[$1] != 0 ? layout.driveXByHub[$1] : 0) }
  }

  /// How many hubs have something to say.
  func speaking(_ values: UnsafePointer<Scalar>) -> Int {
    var count = 0
    for hub in 0..<graph.hubCount { count += values[hub] != 0 ? 1 : 0 }
    return count
  }

  /// Plastic synapses between hubs that speak and neurons that fired.
  func countUpdates() -> Int {
    let speaking = speaking(field.base)
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

  /// Synapses of G_y between hubs that speak and the listed neurons.
  func heardSynapses(_ list: UnsafePointer<Int32>, _ count: Int, _ heard: UnsafePointer<Scalar>) -> Int {
    guard speaking(heard) > 0 else { return 0 }
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
