import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// A run of neurons of one head that is worked on together. Blocks depend on the graph alone, never on the number of threads.
struct NeuronBlock: Sendable {
  let neurons: Range<Int>
  let head: Int
}

/// What an engine derives once from a graph: blocks of neurons, clocks, and the degrees that messages are counted with.
struct CircuitLayout<Scalar: NetworkScalar>: Sendable {
  let blocks: [NeuronBlock]
  /// Whether every pair lies inside one block, so that rotation needs no barrier.
  let pairsStayInBlocks: Bool
  /// Turns per token times 2⁶⁴, `(clocks)`.
  let clocks: [UInt64]
  /// Which clock each neuron reads, `(n)`; all heads of a compiled graph share one set.
  let clockOfNeuron: [Int32]
  let rotates: Bool

  /// Synapses per particle, for counting: fixed ones by neuron, hub and token, plastic ones by neuron.
  let driveXByHub: [Int]
  let driveXCount: Int
  let driveYByNeuron: [Int32]
  let encoderByNeuron: [Int32]
  let plasticByNeuron: [Int32]
  let embeddingByToken: [Int32]
  let readoutByHub: [Int32]

  init(_ graph: CircuitGraph<Scalar>) {
    blocks = Self.cut(graph.neurons.heads, neurons: graph.neuronCount)
    var blockOf = [Int32](repeating: 0, count: graph.neuronCount)
    for (index, block) in blocks.enumerated() {
      for neuron in block.neurons { blockOf[neuron] = Int32(index) }
    }
    let partners = graph.neurons.partners
    pairsStayInBlocks = partners.indices.allSatisfy {
      partners[$0] < 0 || blockOf[$0] == blockOf[Int(partners[$0])]
    }
    rotates = graph.neurons.rotates
    (clocks, clockOfNeuron) = Self.shareClocks(graph.neurons)
    driveXByHub = graph.drivesX.columnDegrees
    driveXCount = driveXByHub.reduce(0, +)
    driveYByNeuron = graph.drivesY.rowDegrees
    encoderByNeuron = graph.encoder.rowDegrees
    plasticByNeuron = graph.plastic.neuronDegrees
    embeddingByToken = graph.embedding.rowDegrees
    readoutByHub = graph.readout.rowDegrees
  }

  /// About 64 blocks, at least 64 neurons each, an even number so that neighbouring pairs stay together.
  private static func cut(_ heads: [Range<Int>], neurons: Int) -> [NeuronBlock] {
    let size = max(64, ((neurons + 63) / 64 + 15) / 16 * 16)
    return heads.enumerated().flatMap { head, range in
      stride(from: range.lowerBound, to: range.upperBound, by: size).map {
        NeuronBlock(neurons: $0..<min($0 + size, range.upperBound), head: head)
      }
    }
  }

  /// The clocks of the first head serve all heads when they agree, as they do in compiled graphs.
  private static func shareClocks(_ neurons: NeuronPopulation) -> ([UInt64], [Int32]) {
    let all = Phases(frequencies: neurons.frequencies).turnsPerToken
    guard let first = neurons.heads.first, neurons.heads.allSatisfy({ $0.count == first.count }),
      all.indices.allSatisfy({ all[$0] == all[$0 % first.count] })
    else { return (all, all.indices.map { Int32($0) }) }
    return (Array(all[first]), all.indices.map { Int32($0 % first.count) })
  }
}
