import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// *split*: signed weights become excitatory and inhibitory synapses, E = E⁺ − E⁻, D = D⁺ − D⁻ (Claims 3, 4), between the
/// particles of a circuit.
///
/// A stored weight's sign bit is its synapse's channel from here on, zero is no synapse, and storage is shared with the
/// weights: nothing is copied.
public enum SplitPass {
  public static func run<Scalar: NetworkScalar>(
    _ weights: Weights<Scalar>
  ) throws(CompilerError) -> CircuitGraph<Scalar> {
    let sizes = weights.hyperparameters
    let perHead = sizes.neuronsPerHead
    var neurons = NeuronPopulation(headSizes: [Int](repeating: perHead, count: sizes.heads))
    guard neurons.count == sizes.neurons, weights.frequencies.count == perHead else {
      throw .inconsistentWeights("\(weights.frequencies.count) frequencies for heads of \(perHead) neurons")
    }
    for neuron in 0..<neurons.count {
      neurons.frequencies[neuron] = weights.frequencies[neuron % perHead]
    }
    if neurons.frequencies.contains(where: { $0 != 0 }) { pairNeighbours(&neurons, perHead: perHead) }
    if let damping = weights.damping { neurons.damping = damping }
    return CircuitGraph(
      layers: sizes.layers, variant: sizes.variant, neurons: neurons,
      embedding: Projection(dense: weights.embedding), drivesX: Projection(dense: weights.decoderX),
      drivesY: Projection(dense: weights.decoderY), encoder: Projection(dense: weights.encoder),
      readout: Projection(dense: weights.readout),
      plastic: PlasticProjection(
        neurons: sizes.neurons, hubs: sizes.synapticDimension, present: weights.plasticSynapses))
  }

  /// Neurons 2i and 2i + 1 of a head rotate together.
  private static func pairNeighbours(_ neurons: inout NeuronPopulation, perHead: Int) {
    for neuron in 0..<neurons.count where perHead % 2 == 0 {
      neurons.partners[neuron] = Int32(neuron ^ 1)
      neurons.leads[neuron] = neuron % 2 == 0
    }
  }
}
