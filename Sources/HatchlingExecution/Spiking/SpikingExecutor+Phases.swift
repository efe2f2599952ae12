import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// An executor whose phases can be looked at.
public protocol PhaseFirer<Scalar>: Executor {
  var spikeCode: String { get }
  var phaseSlots: [PhaseSlot] { get }
  var phaseObserver: ((SpikePhase<Scalar>) -> Void)? { get set }
}

extension SpikingExecutor: PhaseFirer {
  public var spikeCode: String { options.name }

  public var phaseSlots: [PhaseSlot] {
    let parts: [(PhaseSlot.Place, [RoundOperation])] = [
      (.input, schedule.input), (.layer, schedule.layerOperations), (.readout, schedule.readout),
    ]
    return parts.flatMap { place, operations in
      operations.spoken.compactMap { quantity in
        trains[quantity].map { train in
          PhaseSlot(
            quantity: quantity, name: quantity == .token ? "token" : SpikingOptions.name(of: quantity),
            place: place, substeps: train.substeps, entries: train.sent.count)
        }
      }
    }
  }
}

extension Run: PhaseWatchable where Engine: PhaseFirer {
  public var spikeCode: String { executor.spikeCode }
  public var phaseSlots: [PhaseSlot] { executor.phaseSlots }
  public var phaseObserver: ((SpikePhase<Scalar>) -> Void)? {
    get { executor.phaseObserver }
    set { executor.phaseObserver = newValue }
  }
}

extension [RoundOperation] {
  /// What these operations have said in spikes, each quantity once, in the order of its first phase.
  fileprivate var spoken: [Quantity] {
    reduce(into: []) { found, operation in
      for quantity in operation.speakers where !found.contains(quantity) { found.append(quantity) }
    }
  }
}

extension RoundOperation {
  fileprivate var speakers: [Quantity] {
    switch self {
    case .fire(let quantity), .send(let quantity, _, _, _, _), .read(let quantity, _): [quantity]
    case .reweight(let presynaptic, let postsynaptic): [presynaptic, postsynaptic]
    case .activateX, .rotate: [.x]
    case .activateY: [.x, .y]
    case .forget, .normalise, .copy, .add: []
    }
  }
}

extension SpikeTrain {
  /// A copy of all spikes in the order in which they travel.
  func phase(_ quantity: Quantity, layer: Int) -> SpikePhase<Scalar> {
    var (entries, weights, ends): ([Int32], [Scalar], [Int]) = ([], [], [])
    entries.reserveCapacity(spikeCount)
    weights.reserveCapacity(spikeCount)
    for substep in 0..<substeps {
      for (row, own) in blocksOfRow.enumerated() {
        for block in own {
          for place in spikes(block, at: substep) {
            entries.append(Int32(truncatingIfNeeded: row * width) + particles[block].base[place])
            weights.append(self.weights[block].base[place])
          }
        }
      }
      ends.append(entries.count)
    }
    return SpikePhase(quantity: quantity, layer: layer, entries: entries, weights: weights, ends: ends)
  }
}
