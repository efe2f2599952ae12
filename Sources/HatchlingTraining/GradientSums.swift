import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// The sum of the gradients of all shares along the binary tree of `BlockSums`, the same to the last bit on any number of ranks.
///
/// Gradients come share by share and are added as soon as the tree has both halves, so few are held at a time
/// (``StreamShares/mostGradients``). Their memory is used again in the next update.
final class GradientSums<Scalar: NetworkScalar> {
  private let sizes: Hyperparameters
  private let count: Int
  private let exchange: SlicedSums<Scalar>?
  private let workers: Workers
  /// Memory that nobody uses now.
  private(set) var spare: [Gradients<Scalar>] = []
  /// Sums over finished pieces of this rank.
  private var pieces: [Gradients<Scalar>] = []
  /// Sums over the piece that is being read, and over how many shares each: falling powers of two.
  private var nodes: [(shares: Int, sum: Gradients<Scalar>)] = []

  init(_ sizes: Hyperparameters, _ shares: StreamShares, among ranks: Ranks?, workers: Workers) {
    (self.sizes, self.workers, count) = (sizes, workers, shares.count)
    exchange =
      if let ranks, ranks.size > 1 {
        SlicedSums(blocks: shares.count, owners: shares.owners, among: ranks)
      } else { nil }
  }

  /// Memory for one more gradient, whatever is in it.
  private func unused() -> Gradients<Scalar> { spare.popLast() ?? Gradients(sizes) }

  /// The next share's gradient, which `fill` writes.
  func add(_ fill: (inout Gradients<Scalar>) -> Void) {
    var gradient = unused()
    fill(&gradient)
    nodes.append((1, gradient))
    while nodes.count > 1, nodes[nodes.count - 2].shares == nodes[nodes.count - 1].shares { join() }
  }

  /// All shares of a piece have come.
  func endPiece() {
    while nodes.count > 1 { join() }
    if let node = nodes.popLast() { pieces.append(node.sum) }
  }

  /// Adds the last sum to the one before it.
  private func join() {
    let right = nodes.removeLast()
    let last = nodes.count - 1
    nodes[last].sum.add(right.sum, workers)
    nodes[last].shares += right.shares
    spare.append(right.sum)
  }

  /// The mean over all shares, after the last piece of this rank; it is valid until the next gradient comes.
  ///
  /// - Parameter learnsDamping: whether the gradient of u is wanted.
  func mean(learnsDamping: Bool) -> Gradients<Scalar> {
    let hasPiece = !pieces.isEmpty
    var sum = hasPiece ? pieces.removeFirst() : unused()
    if let exchange {
      let (targets, others) = (sum.mutablePointers(), pieces.map(\.all))
      for part in targets.indices.prefix(learnsDamping ? 6 : 5) {
        let own = hasPiece ? [UnsafePointer(targets[part])] : []
        exchange.complete(
          own + others.map { $0[part].pointer }, count: sum.all[part].count, into: targets[part])
      }
    }
    spare += pieces
    pieces = []
    if count > 1 { sum.scale(by: 1 / Scalar(count), workers) }
    spare.append(sum)
    return sum
  }
}
