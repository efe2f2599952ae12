import HatchlingDynamics
import HatchlingModel
import HatchlingShards

/// How blocks of neurons are cut for a plan.
public enum BlockCut: String, CaseIterable, Sendable {
  /// About 64 blocks, whatever the network's size: more ranks have nothing to do.
  case built
  /// At least as many blocks as ranks. No program does so yet.
  case finer
}

/// Who has how many neurons, and what every rank gives in the two exchanges of a layer.
struct PlannedShares: Sendable {
  let blocks: Int
  /// Ranks that have neurons.
  let busy: Int
  /// Neurons of the rank that has the most.
  let neurons: Int
  /// Numbers of each busy rank in the exchange of what was read and in that of E y, where everybody gets all; every other rank gives one in each.
  let read, encoded: [Int]
  /// Of all ranks where they meet in pairs: numbers in these exchanges, and messages.
  let reduced: (read: ExchangeSizes, encoded: ExchangeSizes, messages: ExchangeSizes)

  /// - Parameter readWidth: numbers per piece of what was read. Cost: about ranks · log₂(ranks).
  init(_ sizes: Hyperparameters, ranks: Int, cut: BlockCut, readWidth: Int) {
    let built = BlockShares(sizes, ranks: 1).blocks.count
    if cut == .finer, ranks > built {
      self.init(finer: sizes, ranks: ranks, readWidth: readWidth)
    } else {
      self.init(built, sizes, ranks: ranks, readWidth: readWidth)
    }
  }

  /// Where ranks outnumber the blocks each block is a rank's own, whichever ranks these are.
  private init(_ blocks: Int, _ sizes: Hyperparameters, ranks: Int, readWidth: Int) {
    let busy = min(ranks, blocks)
    let shares = BlockShares(sizes, ranks: busy)
    let heads = NeuronBlock.ofHeads(shares.blocks, heads: sizes.heads)
    let sums = heads.map { SubtreeSums($0, owners: shares.ofRank) }
    let whole = SubtreeSums(shares.blocks.indices, owners: shares.ofRank)
    (self.blocks, self.busy) = (blocks, busy)
    neurons = (0..<busy).map { shares.neurons(of: $0).count }.max() ?? 0
    read = ExchangeSizes.given(sums, width: readWidth, ranks: busy)
    encoded = ExchangeSizes.given([whole], width: sizes.synapticDimension, ranks: busy)
    reduced = Self.reduced(sizes, heads, ranks: ranks, readWidth: readWidth)
  }

  /// Blocks of equal size, at least one per rank while there are pairs of neurons for it; every block is a piece.
  private init(finer sizes: Hyperparameters, ranks: Int, readWidth: Int) {
    let perHead = min((ranks + sizes.heads - 1) / sizes.heads, max(1, sizes.neuronsPerHead / 2))
    let blocks = perHead * sizes.heads
    let size = (sizes.neuronsPerHead + perHead - 1) / perHead
    let busy = min(ranks, blocks)
    let counts = (0..<busy).map { blocks * ($0 + 1) / busy - blocks * $0 / busy }
    (self.blocks, self.busy) = (blocks, busy)
    neurons = min(sizes.neurons, (counts.max() ?? 0) * (size + size % 2))
    read = counts.map { 1 + readWidth * $0 }
    encoded = counts.map { 1 + sizes.synapticDimension * $0 }
    let heads = (0..<sizes.heads).map { $0 * perHead..<($0 + 1) * perHead }
    reduced = Self.reduced(sizes, heads, ranks: ranks, readWidth: readWidth)
  }

  /// - Parameter heads: the blocks of each.
  private static func reduced(
    _ sizes: Hyperparameters, _ heads: [Range<Int>], ranks: Int, readWidth: Int
  ) -> (read: ExchangeSizes, encoded: ExchangeSizes, messages: ExchangeSizes) {
    let blocks = heads.last?.upperBound ?? 0
    let owners = (0..<ranks).map { blocks * $0 / ranks..<blocks * ($0 + 1) / ranks }
    return (
      ExchangeSizes(reducing: heads, owners: owners, width: readWidth),
      ExchangeSizes(reducing: [0..<blocks], owners: owners, width: sizes.synapticDimension),
      ExchangeSizes(reducing: [], owners: owners, width: 0)
    )
  }
}
