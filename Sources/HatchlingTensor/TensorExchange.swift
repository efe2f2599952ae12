import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// What the ranks of a job tell each other while tensors read a token: per layer ρ x̃ of every head, then E y. All else is known where it
/// is needed.
final class TensorExchange<Scalar: NetworkScalar> {
  let ranks: Ranks
  /// Who has which neurons.
  let neurons: SpreadNeurons
  /// Whether no plastic synapse is missing on any rank.
  let isComplete: Bool
  private let read: BlockExchange<Scalar>
  private let encoded: BlockExchange<Scalar>
  /// What any rank found that is not finite, after a layer.
  private(set) var spoilt = Spoilt()

  /// - Parameters:
  ///   - heads: the blocks of each head.
  ///   - partial: what each block sends to the hubs, `(blocks, d)`.
  ///   - isComplete: whether none is missing here.
  init(
    _ shares: BlockShares, _ ranks: Ranks, isComplete: Bool, heads: [Range<Int>],
    partial: NumberStorage<Scalar>, hubs: Int
  ) {
    let table = PartialSums(partial.base, width: hubs)
    self.ranks = ranks
    self.isComplete = ranks.sum([isComplete ? 0 : 1])[0] == 0
    neurons = SpreadNeurons(shares, among: ranks)
    read = BlockExchange([table], groups: heads, owners: shares.ofRank, among: ranks)
    encoded = BlockExchange([table], groups: [shares.blocks.indices], owners: shares.ofRank, among: ranks)
  }

  func completeRead() { _ = read.complete() }

  func completeEncoded(_ spoilt: Spoilt) {
    self.spoilt = Spoilt(rawValue: encoded.complete(saying: spoilt.rawValue))
  }
}
