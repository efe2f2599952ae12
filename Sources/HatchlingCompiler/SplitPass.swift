import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// *split*: signed weights become excitatory and inhibitory synapses, E = E⁺ − E⁻, D = D⁺ − D⁻ (Claims 3, 4), between the
/// particles of a circuit.
///
/// A stored weight's sign bit is its synapse's channel from here on, zero is no synapse, and storage is shared with the
/// weights: nothing is copied.
public struct SplitPass: CompilerPass {
  public let name = "split"
  public let changesEdges = false
  private let isCentred: Bool
  private let fingerprint: String
  private let workers: Workers?

  /// - Parameter workers: to share the counting of synapses.
  public init(isCentred: Bool = false, fingerprint: String = "", workers: Workers? = nil) {
    (self.isCentred, self.fingerprint, self.workers) = (isCentred, fingerprint, workers)
  }

  public func run<Scalar: NetworkScalar>(_ stage: Stage<Scalar>) throws -> PassResult<Scalar> {
    var graph = try circuit(stage.weights(for: self))
    graph.isCentred = isCentred
    graph.fingerprint = fingerprint
    graph.takeCensus(workers: workers)
    let counts = CircuitGraph<Scalar>.projections.map { graph[keyPath: $0.path].counts }
    let (excitatory, inhibitory) = counts.reduce((0, 0)) { ($0.0 + $1.excitatory, $0.1 + $1.inhibitory) }
    let note = "\(excitatory) excitatory, \(inhibitory) inhibitory, \(graph.plastic.count) plastic"
    return (.circuit(graph), nil, note)
  }

  private func circuit<Scalar: NetworkScalar>(
    _ weights: Weights<Scalar>
  ) throws(CompilerError) -> CircuitGraph<Scalar> {
    let sizes = weights.hyperparameters
    let perHead = sizes.neuronsPerHead
    let here = weights.part?.neurons ?? 0..<sizes.neurons
    var neurons = NeuronPopulation(
      headSizes: (0..<sizes.heads).map { here.clamped(to: $0 * perHead..<($0 + 1) * perHead).count })
    neurons.part = weights.part
    guard perHead * sizes.heads == sizes.neurons, weights.frequencies.count == perHead else {
      throw .inconsistentWeights("\(weights.frequencies.count) frequencies for heads of \(perHead) neurons")
    }
    neurons.frequencies = here.map { weights.frequencies[$0 % perHead] }
    if neurons.frequencies.contains(where: { $0 != 0 }) { Self.pairNeighbours(&neurons, perHead: perHead) }
    if let damping = weights.damping { neurons.damping = damping }
    return CircuitGraph(
      layers: sizes.layers, variant: sizes.variant, neurons: neurons,
      embedding: Projection(dense: weights.embedding), drivesX: Projection(dense: weights.decoderX),
      drivesY: Projection(dense: weights.decoderY), encoder: Projection(dense: weights.encoder),
      readout: Projection(dense: weights.readout),
      plastic: PlasticProjection(
        neurons: here.count, hubs: sizes.synapticDimension, present: weights.plasticSynapses))
  }

  /// Neurons 2i and 2i + 1 of a head rotate together.
  private static func pairNeighbours(_ neurons: inout NeuronPopulation, perHead: Int) {
    for neuron in 0..<neurons.count where perHead % 2 == 0 {
      neurons.partners[neuron] = Int32(neuron ^ 1)
      neurons.leads[neuron] = neuron % 2 == 0
    }
  }
}
