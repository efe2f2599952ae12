import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// What the ranks of a job tell each other while a circuit reads a token: per layer what firing neurons read from their plastic synapses
/// (for every head a and, with deferred writes, the overlaps with the last 16 tokens), then E y. All else is known where it is needed.
final class CircuitExchange<Scalar: NetworkScalar> {
  let ranks: Ranks
  private let read: BlockExchange<Scalar>
  private let encoded: BlockExchange<Scalar>
  /// What any rank found that is not finite, after a layer.
  private(set) var spoilt = Spoilt()

  init(
    _ ranks: Ranks, _ scratch: BlockScratch<Scalar>, _ layout: CircuitLayout<Scalar>, hubs: Int, defers: Bool
  ) {
    let toHubs = PartialSums(scratch.toHubs.base, width: hubs)
    let overlaps = PartialSums(scratch.overlaps.base, width: Scalar.slots)
    let owners = layout.blocksOfRank
    self.ranks = ranks
    read = BlockExchange(
      defers ? [toHubs, overlaps] : [toHubs], groups: layout.blocksOfHead, owners: owners, among: ranks)
    encoded = BlockExchange([toHubs], groups: [layout.blocks.indices], owners: owners, among: ranks)
  }

  func completeRead() { _ = read.complete() }

  func completeEncoded(_ spoilt: Spoilt) {
    self.spoilt = Spoilt(rawValue: encoded.complete(saying: spoilt.rawValue))
  }

  /// What all ranks together did at a token.
  func total(_ activity: StepActivity) -> StepActivity {
    let layers = activity.activeX.count
    let sums = ranks.sum(
      activity.activeX + activity.activeY + [activity.messages, activity.updates, activity.broadcasts])
    return StepActivity(
      activeX: Array(sums[..<layers]), activeY: Array(sums[layers..<2 * layers]), messages: sums[2 * layers],
      updates: sums[2 * layers + 1], broadcasts: sums[2 * layers + 2])
  }
}

/// Quantities of neurons that held a NaN or an infinity.
struct Spoilt: OptionSet {
  let rawValue: Int
  static let driveX = Spoilt(rawValue: 1)
  static let x = Spoilt(rawValue: 2)
  static let driveY = Spoilt(rawValue: 4)
}
