import HatchlingModel
import HatchlingNumerics

/// A phase of a network on spikes as it was fired: who sent a spike in which sub-step, and what it weighed.
public struct SpikePhase<Scalar: NetworkScalar>: Sendable {
  public let quantity: Quantity
  /// 1 … L; 0 for what the token fires before round −1 and for what the readout hears.
  public let layer: Int
  /// Who fired, rows of heads counted on; sub-step by sub-step, ascending in each.
  public let entries: [Int32]
  /// The weight of every spike, positive on the excitatory channel and negative on the inhibitory one.
  public let weights: [Scalar]
  /// How many spikes there are by the end of every sub-step.
  public let ends: [Int]

  public init(quantity: Quantity, layer: Int, entries: [Int32], weights: [Scalar], ends: [Int]) {
    (self.quantity, self.layer) = (quantity, layer)
    (self.entries, self.weights, self.ends) = (entries, weights, ends)
  }

  public var substeps: Int { ends.count }
  /// The places of a sub-step's spikes, which counts from 0.
  public func spikes(at substep: Int) -> Range<Int> { (substep == 0 ? 0 : ends[substep - 1])..<ends[substep] }
}

/// A place in a token where a phase may be.
public struct PhaseSlot: Sendable, Hashable {
  public enum Place: Sendable, Hashable {
    /// Before round −1.
    case input
    /// In every layer.
    case layer
    /// After the last round.
    case readout
  }

  public let quantity: Quantity
  /// What files and options call the quantity.
  public let name: String
  public let place: Place
  public let substeps: Int
  /// How many particles may fire, rows of heads included.
  public let entries: Int

  public init(quantity: Quantity, name: String, place: Place, substeps: Int, entries: Int) {
    (self.quantity, self.name, self.place) = (quantity, name, place)
    (self.substeps, self.entries) = (substeps, entries)
  }

  /// Whether a phase of this quantity and layer (0 before and after the rounds) is here.
  public func holds(_ quantity: Quantity, layer: Int) -> Bool {
    self.quantity == quantity && (place == .layer) == (layer > 0)
  }
}

/// An engine that runs on spikes, into whose phases one may look.
public protocol PhaseWatchable<Scalar>: WatchableEngine {
  /// The code of its spikes, as it is written.
  var spikeCode: String { get }
  /// The phases of a token in their order: what the token fires, those that every layer has, and the readout's.
  var phaseSlots: [PhaseSlot] { get }
  /// Is handed every phase as soon as it has been fired, in the same order for any number of threads. While it is nil nothing is copied; results
  /// are the same to the last bit with and without.
  var phaseObserver: ((SpikePhase<Scalar>) -> Void)? { get set }
}
