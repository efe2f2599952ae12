import HatchlingModel
import HatchlingNumerics

/// An engine into which one may look and reach while it reads: a ``Run`` of whatever executor.
public protocol WatchableEngine<Scalar>: SteppingEngine {
  /// What is executed.
  var schedule: Schedule { get }
  /// Whether probes look. A token that nobody needs to see costs nothing while this is false; results do not depend on it.
  var isLooking: Bool { get set }

  /// See ``Run/attach(_:_:)``.
  @discardableResult
  func attach(
    _ probe: Probe, _ observer: @escaping (ProbeSample<Scalar>) -> Void
  ) throws(ProbeError) -> ProbeHandle
  func detach(_ handle: ProbeHandle)

  /// Entries of a quantity, rows of heads included.
  func count(of quantity: Quantity) -> Int
  /// Whether a plastic synapse exists, in every layer alike.
  func hasPlasticSynapse(_ synapse: PlasticSynapse) -> Bool
  /// Plastic weights of layer 1 … L between tokens, damping settled: of the listed synapses, or of all, `(n, presynaptic)` row-major.
  func plasticWeights(layer: Int, of synapses: [PlasticSynapse]?) -> [Scalar]
  /// See ``Run/replacePlasticWeight(layer:of:_:)``.
  @discardableResult
  func replacePlasticWeight(layer: Int, of synapse: PlasticSynapse, _ change: (Scalar) -> Scalar) -> Bool
}

extension WatchableEngine {
  /// Presynaptic particles of the plastic synapses: d hubs, or n + V nodes in the direct form.
  public var plasticSources: Int {
    schedule.form == .direct
      ? hyperparameters.neurons + hyperparameters.vocabulary : hyperparameters.synapticDimension
  }
}

extension Run: WatchableEngine {
  public func count(of quantity: Quantity) -> Int { executor.count(of: quantity) }
  public func hasPlasticSynapse(_ synapse: PlasticSynapse) -> Bool { executor.hasPlasticSynapse(synapse) }

  public func plasticWeights(layer: Int, of synapses: [PlasticSynapse]?) -> [Scalar] {
    executor.plasticWeights(layer: layer, at: PlasticMoment(position: position), synapses: synapses)
  }
}
