import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// What the ranks of a job tell each other while a circuit reads a token: per layer what firing neurons read from their plastic synapses
/// (for every head a and, with deferred writes, the overlaps with the last 16 tokens), then E y. All else is known where it is needed.
final class CircuitExchange<Scalar: NetworkScalar> {
  let ranks: Ranks
  /// Who has which neurons.
  let neurons: SpreadNeurons
  /// Whether no plastic synapse is missing on any rank.
  let isComplete: Bool
  private let read: BlockExchange<Scalar>
  private let encoded: BlockExchange<Scalar>
  /// What any rank found that is not finite, after a layer.
  private(set) var spoilt = Spoilt()

  init(
    _ ranks: Ranks, _ scratch: BlockScratch<Scalar>, _ layout: CircuitLayout<Scalar>, sizes: Hyperparameters,
    defers: Bool, isComplete: Bool
  ) {
    let hubs = sizes.synapticDimension
    let toHubs = PartialSums(scratch.toHubs.base, width: hubs)
    let overlaps = PartialSums(scratch.overlaps.base, width: Scalar.slots)
    let owners = layout.blocksOfRank
    (self.ranks, self.isComplete) = (ranks, isComplete)
    neurons = SpreadNeurons(BlockShares(sizes, ranks: ranks.size), among: ranks)
    read = BlockExchange(
      defers ? [toHubs, overlaps] : [toHubs], groups: layout.blocksOfHead, owners: owners, among: ranks)
    encoded = BlockExchange([toHubs], groups: [layout.blocks.indices], owners: owners, among: ranks)
  }

  func completeRead() { _ = read.complete() }

  func completeEncoded(_ spoilt: Spoilt) {
    self.spoilt = Spoilt(rawValue: encoded.complete(saying: spoilt.rawValue))
  }
}
