import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// What the ranks of a job tell each other while a network reads a token: per layer what neurons read from their plastic synapses (for every head
/// a and, with deferred writes, the overlaps with the last 16 tokens), then E y. All else is known where it is needed.
package final class LayerExchange<Scalar: NetworkScalar> {
  package let ranks: Ranks
  /// Who has which neurons.
  package let neurons: SpreadNeurons
  private let lacksPlasticSynapses: Bool
  private let read: BlockExchange<Scalar>
  private let encoded: BlockExchange<Scalar>
  /// What any rank found that is not finite, after a layer.
  package private(set) var spoilt = Spoilt()

  /// All ranks make theirs together.
  ///
  /// - Parameters:
  ///   - toHubs: what each block sends to the hubs, `(blocks, d)`.
  ///   - besides: what is exchanged with what was read.
  ///   - heads: the blocks of each head.
  ///   - lacks: whether any rank lacks plastic synapses.
  package init(
    _ shares: BlockShares, among ranks: Ranks, toHubs: PartialSums<Scalar>,
    besides: [PartialSums<Scalar>] = [], heads: [Range<Int>], lacksPlasticSynapses lacks: Bool
  ) {
    self.ranks = ranks
    neurons = SpreadNeurons(shares, among: ranks)
    lacksPlasticSynapses = lacks
    read = BlockExchange([toHubs] + besides, groups: heads, owners: shares.ofRank, among: ranks)
    encoded = BlockExchange([toHubs], groups: [shares.blocks.indices], owners: shares.ofRank, among: ranks)
  }

  package func completeRead() { _ = read.complete() }

  package func completeEncoded(_ here: Spoilt) {
    spoilt = Spoilt(rawValue: encoded.complete(saying: here.rawValue))
  }

  /// Whether a plastic synapse exists anywhere; `isHere` says so of a neuron that is here, counted from the first that is here.
  package func hasPlasticSynapse(
    _ synapse: PlasticSynapse, of sizes: Hyperparameters, _ isHere: (_ neuron: Int) -> Bool
  ) -> Bool {
    guard (0..<sizes.synapticDimension).contains(synapse.presynaptic),
      (0..<sizes.neurons).contains(synapse.postsynaptic)
    else { return false }
    return !lacksPlasticSynapses || neurons.knows(synapse.postsynaptic, isHere)
  }
}

extension Ranks {
  /// What all ranks together did at a token.
  package func total(_ activity: StepActivity) -> StepActivity {
    let layers = activity.activeX.count
    let sums = sum(
      activity.activeX + activity.activeY + [activity.messages, activity.updates, activity.broadcasts])
    return StepActivity(
      activeX: Array(sums[..<layers]), activeY: Array(sums[layers..<2 * layers]), messages: sums[2 * layers],
      updates: sums[2 * layers + 1], broadcasts: sums[2 * layers + 2])
  }
}

/// Quantities of neurons that held a NaN or an infinity.
package struct Spoilt: OptionSet, Sendable {
  package let rawValue: Int
  package init(rawValue: Int) { self.rawValue = rawValue }

  package static let driveX = Spoilt(rawValue: 1)
  package static let x = Spoilt(rawValue: 2)
  package static let driveY = Spoilt(rawValue: 4)

  /// The first of them and of what else is not finite, in the order of a layer's rounds.
  ///
  /// - Parameter others: the first that this rank finds; what is at hubs all have alike.
  package func first(_ others: () -> Quantity?) -> Quantity? {
    guard !contains(.driveX) else { return .driveX }
    let found = contains(.x) ? .x : others()
    return found == .x || found == .a || !contains(.driveY) ? found : .driveY
  }
}
