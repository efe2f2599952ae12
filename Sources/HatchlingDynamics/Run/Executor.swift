import HatchlingModel
import HatchlingNumerics

/// Whoever does the operations of rounds, for one token or for many at once.
public protocol RoundPerformer<Scalar>: AnyObject {
  associatedtype Scalar: NetworkScalar

  /// Fast replacements of runs of operations; what none of them covers goes to ``perform(_:layer:_:)``.
  var kernels: [Kernel<Self>] { get }
  /// One operation, plainly. `layer` counts from 1; 0 before the first round and after the last.
  func perform(_ operation: RoundOperation, layer: Int, _ activity: inout StepActivity)
}

/// A way to execute a schedule: an engine, an interpreter, tensors, spikes, a shard. ``Run`` drives it: it keeps the position, walks the rounds, serves
/// probes and saves states, so that an executor only says how operations are done and what particles hold.
///
/// An executor is used by one thread at a time and never between `begin` and the readout by anyone but its run.
public protocol Executor<Scalar>: RoundPerformer {
  /// What is executed.
  var schedule: Schedule { get }
  var hyperparameters: Hyperparameters { get }
  /// What a saved state belongs to.
  var identity: StateIdentity { get }
  /// The prediction after the last token, `(V)`; zeros before the first.
  var logits: [Scalar] { get }

  /// A token arrives at a position: clocks move on, what particles held is forgotten.
  func begin(_ token: Int, at position: Int)

  /// What particles hold now: all of a population (row by row where heads have rows of their own), or the listed entries.
  ///
  /// Cost for listed entries: at most d each. Nil when this executor cannot tell.
  func values(of quantity: Quantity, channel: Channel, entries: [Int]?) -> [Scalar]?
  /// The neurons whose x or y is not zero, once a layer is done. Unless an executor has lists of them, all neurons are looked at.
  func firing(_ quantity: Quantity) -> Firing<Scalar>
  /// The first quantity, in the order of a layer's rounds, that holds a NaN or an infinity now that a layer is done; nil when all are finite.
  func firstNonFinite() -> Quantity?
  /// Plastic weights of layer 1 … L in the co-rotating frame as of a moment: of the listed synapses, at a cost that does not grow with the
  /// network, or of all, `(n, presynaptic)` row-major.
  func plasticWeights(layer: Int, at moment: PlasticMoment, synapses: [PlasticSynapse]?) -> [Scalar]
  /// Whether a plastic synapse exists.
  func hasPlasticSynapse(_ synapse: PlasticSynapse) -> Bool
  /// Replaces one plastic weight between tokens; `position` is the next token's. Only called for synapses that exist.
  func replacePlasticWeight(
    layer: Int, of synapse: PlasticSynapse, at position: Int, _ change: (Scalar) -> Scalar)
  /// ρ of layer 1 … L, `(n, d)`; see `SteppingEngine.attentionState(layer:)`.
  func attentionState(layer: Int, at position: Int) -> Matrix<Scalar>

  /// Back to an empty state.
  func reset()
  /// The state as named arrays, as it is; the logits are the run's.
  func stateArrays() -> [String: StateArray]
  /// Checks a saved state; the returned function puts it in place. - Throws: `StateError`.
  func restoration(of state: SavedState) throws -> () -> Void
}

/// Who fired.
public struct Firing<Scalar: NetworkScalar>: Sendable {
  /// In order.
  public let neurons: [Int32]
  /// One per neuron.
  public let values: [Scalar]

  package init(neurons: [Int32], values: [Scalar]) {
    (self.neurons, self.values) = (neurons, values)
  }
}

/// Which part of a sum: what arrives at a particle excites or inhibits it.
public enum Channel: String, Sendable, Hashable, CaseIterable {
  case net, excitation, inhibition
}

/// A plastic synapse: the number of its presynaptic particle (a hub; in the direct form a node) and of its postsynaptic neuron.
public struct PlasticSynapse: Sendable, Hashable {
  public let presynaptic: Int
  public let postsynaptic: Int

  public init(from presynaptic: Int, to postsynaptic: Int) {
    self.presynaptic = presynaptic
    self.postsynaptic = postsynaptic
  }
}

/// When a plastic weight is looked at.
public struct PlasticMoment: Sendable, Hashable {
  /// The token being read; between tokens, the next one.
  public let position: Int
  /// Whether this token's Hebbian write has been done, and whether what was written has been damped since.
  public let isWritten: Bool
  public let isForgotten: Bool

  public init(position: Int, isWritten: Bool = false, isForgotten: Bool = false) {
    self.position = position
    self.isWritten = isWritten
    self.isForgotten = isForgotten
  }
}
