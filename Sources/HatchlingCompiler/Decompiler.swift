import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Graph → weights, the inverse of ``Compiler``.
///
/// A circuit compiled without *centre* gives its tensors back bit for bit (−0.0 may return as 0.0); with *centre*, the centred
/// ones. Missing synapses are zero weights, missing plastic synapses a mask.
public enum Decompiler {
  /// - Throws: `GraphError.notDecompilable` when heads differ in size, pairs are not neighbours or clocks differ between heads.
  public static func weights<Scalar: NetworkScalar>(
    of graph: CircuitGraph<Scalar>
  ) throws(GraphError) -> Weights<Scalar> {
    try graph.validate()
    let neurons = graph.neurons
    let sizes = graph.hyperparameters
    guard Set(neurons.heads.map(\.count)).count == 1 else {
      throw .notDecompilable("its heads differ in size")
    }
    let perHead = sizes.neuronsPerHead
    let frequencies = Array(neurons.frequencies[0..<perHead])
    for neuron in 0..<neurons.count {
      guard neurons.frequencies[neuron] == frequencies[neuron % perHead] else {
        throw .notDecompilable("the clock of neuron \(neuron) differs from the other heads'")
      }
      let partner = Int(neurons.partners[neuron])
      guard partner < 0 || (partner == neuron ^ 1 && neurons.leads[neuron] == (neuron % 2 == 0)) else {
        throw .notDecompilable("neuron \(neuron) is paired with \(partner), not as 2i and 2i + 1")
      }
    }
    return Weights(
      hyperparameters: sizes, decoderX: graph.drivesX.dense, decoderY: graph.drivesY.dense,
      encoder: graph.encoder.dense, embedding: graph.embedding.dense, readout: graph.readout.dense,
      frequencies: frequencies, damping: neurons.isDamped ? neurons.damping : nil,
      plasticSynapses: graph.plastic.present)
  }
}
