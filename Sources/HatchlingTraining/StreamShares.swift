import HatchlingModel
import HatchlingShards

/// How the streams of a batch are cut into shares, and which of them each rank takes: as equal numbers as can be, in order.
struct StreamShares: Sendable {
  /// S.
  let count: Int
  /// Streams of one share.
  let streams: Int
  /// The shares of every rank; with more ranks than shares some have none.
  let owners: [Range<Int>]
  /// The shares of this rank.
  let own: Range<Int>
  /// The same as nodes of the tree along which gradients are added, the largest that this rank has all of.
  let pieces: [Range<Int>]

  init(_ options: TrainingOptions, ranks: Int, rank: Int) {
    // Options that make no sense are refused elsewhere.
    let count = min(max(1, options.shareCount), max(1, options.batch))
    owners = (0..<ranks).map { count * $0 / ranks..<count * ($0 + 1) / ranks }
    (self.count, streams, own) = (count, options.batch / count, owners[rank])
    pieces = SubtreeSums(0..<count, owners: owners).pieces[rank]
  }

  func streams(of share: Int) -> Range<Int> { share * streams..<(share + 1) * streams }

  /// The streams of this rank.
  var ownStreams: Range<Int> { own.lowerBound * streams..<own.upperBound * streams }

  /// The rows of a plastic state, `(B · n, d)`, that this rank has.
  func rows(_ sizes: Hyperparameters) -> NeuronPart {
    let n = sizes.neurons
    return NeuronPart(ownStreams.lowerBound * n..<ownStreams.upperBound * n, of: count * streams * n)
  }

  /// How many gradients are held at the same time, see ``GradientSums``: of a piece of p shares log₂ p more than one, beside the sums of the
  /// pieces before.
  var mostGradients: Int {
    let most = pieces.enumerated().map { $0 + Int.bitWidth - $1.count.leadingZeroBitCount }
    return max(1, most.max() ?? 1)
  }
}
