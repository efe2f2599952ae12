import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// What an engine derives once from a graph: blocks of neurons, clocks, and the degrees that messages are counted with.
struct CircuitLayout<Scalar: NetworkScalar>: Sendable {
  /// All blocks of the network; those of other ranks are empty here. Numbers of neurons count from the first that is here.
  let blocks: [NeuronBlock]
  /// The numbers of the blocks that are here, and of those of every rank.
  let own: Range<Int>
  let blocksOfRank: [Range<Int>]
  /// The blocks of each head.
  let blocksOfHead: [Range<Int>]
  /// Whether every pair lies inside one block, so that rotation needs no barrier.
  let pairsStayInBlocks: Bool
  /// Turns per token times 2⁶⁴, `(clocks)`.
  let clocks: [UInt64]
  /// Which clock each neuron reads, `(n)`; all heads of a compiled graph share one set.
  let clockOfNeuron: [Int32]
  let rotates: Bool
  /// Where the clocks of each block's neurons begin, one after the other, when its pairs are neighbours (2i, 2i + 1) that lead and follow, or
  /// nothing turns at all; nil for any other wiring.
  let firstClocks: [Int?]

  /// Of each presynaptic particle: how many synapses it has.
  let outDegrees: [Connection: Degrees]

  /// - Parameter ranks: among which the network is shared out; nil where all of it is here.
  init(_ graph: CircuitGraph<Scalar>, _ ranks: Ranks?) {
    if let part = graph.neurons.part {
      let shares = BlockShares(graph.wholeSizes, ranks: ranks?.size ?? 1)
      let own = shares.ofRank[ranks?.rank ?? 0]
      precondition(shares.neurons(of: ranks?.rank ?? 0) == part.neurons, "\(part.neurons) are another rank's")
      blocks = shares.blocks.enumerated().map {
        $1.counted(from: part.neurons.lowerBound, isHere: own.contains($0))
      }
      (self.own, blocksOfRank) = (own, shares.ofRank)
    } else {
      blocks = NeuronBlock.ofCircuit(graph.neurons.heads)
      (own, blocksOfRank) = (blocks.indices, [blocks.indices])
    }
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
    firstClocks = blocks.map { [clockOfNeuron, rotates] in
      Self.clock(of: $0, graph.neurons, clockOfNeuron, rotates)
    }
    blocksOfHead = NeuronBlock.ofHeads(blocks, heads: graph.headCount)
    outDegrees = [
      .embedding: Degrees(graph.embedding.rowDegrees), .x: Degrees(graph.drivesX.columnDegrees),
      .y: Degrees(graph.drivesY.columnDegrees), .encoder: Degrees(graph.encoder.rowDegrees),
      .readout: Degrees(graph.readout.rowDegrees),
    ]
  }

  private static func clock(
    of block: NeuronBlock, _ neurons: NeuronPopulation, _ clockOfNeuron: [Int32], _ rotates: Bool
  ) -> Int? {
    guard rotates, !block.neurons.isEmpty else { return 0 }
    let first = block.neurons.lowerBound
    guard first % 2 == 0, block.neurons.count % 2 == 0 else { return nil }
    let regular = block.neurons.allSatisfy {
      neurons.partners[$0] == Int32($0 ^ 1) && neurons.leads[$0] == ($0 % 2 == 0)
        && Int(clockOfNeuron[$0]) == Int(clockOfNeuron[first]) + $0 - first
    }
    return regular ? Int(clockOfNeuron[first]) : nil
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
