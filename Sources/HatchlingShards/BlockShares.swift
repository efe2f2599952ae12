import HatchlingDynamics
import HatchlingModel

/// Which blocks of neurons each rank of a job has: as equal numbers as can be, in order. With more ranks than blocks some have none.
public struct BlockShares: Sendable {
  /// The blocks of the whole network.
  package let blocks: [NeuronBlock]
  /// The numbers of every rank's blocks.
  package let ofRank: [Range<Int>]

  /// - Parameter sizes: of the whole network.
  public init(_ sizes: Hyperparameters, ranks: Int) {
    let perHead = sizes.neuronsPerHead
    let blocks = NeuronBlock.ofCircuit((0..<sizes.heads).map { $0 * perHead..<($0 + 1) * perHead })
    self.blocks = blocks
    ofRank = (0..<ranks).map { blocks.count * $0 / ranks..<blocks.count * ($0 + 1) / ranks }
  }

  /// The neurons of a rank.
  public func neurons(of rank: Int) -> Range<Int> {
    let own = blocks[ofRank[rank]]
    guard let first = own.first, let last = own.last else {
      let place = ofRank[rank].lowerBound
      let neuron = place < blocks.count ? blocks[place].neurons.lowerBound : 0
      return neuron..<neuron
    }
    return first.neurons.lowerBound..<last.neurons.upperBound
  }
}

extension Ranks {
  /// The neurons of this rank.
  public var choice: NeuronChoice {
    { [size, rank] in BlockShares($0, ranks: size).neurons(of: rank) }
  }
}
