import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Counting messages and updates. Where every particle has all its synapses, a count is a product.
extension CircuitEngine {
  func countFirstHalf(_ activity: inout StepActivity, _ allHubsSpeak: Bool) {
    activity.activeX.append(scratch.total(scratch.listeningCount))
    activity.messages += scratch.total(scratch.messages)
    activity.updates += scratch.total(scratch.updates)
    activity.messages +=
      allHubsSpeak
      ? layout.driveXCount
      : (0..<graph.hubCount).reduce(0) { $0 + (field.base[$1] != 0 ? layout.driveXByHub[$1] : 0) }
  }

  func countSecondHalf(_ activity: inout StepActivity) {
    activity.activeY.append(scratch.total(scratch.activeY))
    activity.messages += scratch.total(scratch.messages)
  }

  /// How many hubs have something to say.
  func speaking(_ values: UnsafePointer<Scalar>) -> Int {
    var count = 0
    for hub in 0..<graph.hubCount { count += values[hub] != 0 ? 1 : 0 }
    return count
  }

  /// Plastic synapses between hubs that speak and neurons of a block that fired.
  func countUpdates(_ first: Int, _ fired: Int) -> Int {
    var updates = 0
    for place in first..<first + fired {
      let neuron = NeuronIndex(Int(scratch.fired.base[place]))
      for hub in 0..<graph.hubCount
      where field.base[hub] != 0 && graph.plastic.contains(HubIndex(hub), neuron) {
        updates += 1
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

/// Synapses per particle of one population.
struct Degrees: Sendable {
  /// `(particles)`.
  let each: [Int32]
  /// The degree of every particle where all have the same.
  let uniform: Int?

  init(_ each: [Int32]) {
    self.each = each
    uniform = each.first.flatMap { first in each.allSatisfy { $0 == first } ? Int(first) : nil }
  }

  /// The degrees of the listed particles together.
  func total(_ list: UnsafePointer<Int32>, _ count: Int) -> Int {
    if let uniform { return uniform * count }
    var sum = 0
    for place in 0..<count { sum += Int(each[Int(list[place])]) }
    return sum
  }
}
