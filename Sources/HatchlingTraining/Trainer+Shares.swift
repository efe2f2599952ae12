import HatchlingModel
import HatchlingShards

extension Trainer {
  /// Reads a batch, share after share, on every rank its own; loss, activity and gradient are means over all shares, the same on all ranks.
  func passShares(of batch: TrainingBatch, _ dropout: Dropout?) -> (PassResult, Gradients<Scalar>) {
    var results = ShareResults(shares, layers: weights.hyperparameters.layers)
    for piece in shares.pieces {
      for share in piece {
        let streams = shares.streams(of: share)
        let part = batch.streams(streams, block: options.block)
        var silenced = dropout
        silenced?.firstRow = streams.lowerBound * options.block
        results.keep(
          pass.forward(weights, part, states: states, from: streams.lowerBound, dropout: silenced), of: share)
        sums.add { pass.gradients(weights, part, detach: options.detach, into: &$0) }
      }
      sums.endPiece()
    }
    states?.readAll()
    return (results.mean(among: ranks), sums.mean(learnsDamping: theta != nil))
  }
}

/// What the passes of all shares found.
private struct ShareResults {
  private let shares: StreamShares
  private let layers: Int
  /// Numbers of one share: loss, and active fractions of x and y in every layer.
  private let width: Int
  /// `(S, width)`.
  private var numbers: [Double]

  init(_ shares: StreamShares, layers: Int) {
    (self.shares, self.layers, width) = (shares, layers, 1 + 2 * layers)
    numbers = [Double](repeating: 0, count: shares.count * width)
  }

  mutating func keep(_ result: PassResult, of share: Int) {
    numbers.replaceSubrange(
      share * width..<(share + 1) * width, with: [result.loss] + result.activeX + result.activeY)
  }

  /// The mean over all shares, added in their order.
  mutating func mean(among ranks: Ranks?) -> PassResult {
    ranks?.gather(&numbers, rows: shares.owners, width: width)
    let mean = (0..<width).map { column in
      (0..<shares.count).reduce(0) { $0 + numbers[$1 * width + column] } / Double(shares.count)
    }
    return PassResult(
      loss: mean[0], activeX: Array(mean.dropFirst().prefix(layers)), activeY: Array(mean.suffix(layers)))
  }
}
