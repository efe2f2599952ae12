import HatchlingDynamics

/// The tree over blocks of neurons along which ``BlockSums`` adds some of them.
package struct BlockTree: Sendable {
  /// What is added, perhaps the blocks of one head.
  package let blocks: Range<Int>
  /// Blocks of the whole tree, a power of two.
  private let span: Int

  package init(_ blocks: Range<Int>) {
    self.blocks = blocks
    var span = 1
    while span < blocks.upperBound { span *= 2 }
    self.span = span
  }

  /// The largest nodes whose blocks are all in `part`; the sum of a node lies in the row of its first block.
  package func pieces(of part: Range<Int>) -> [Range<Int>] {
    func pieces(_ first: Int, _ size: Int) -> [Range<Int>] {
      let here = (first..<first + size).clamped(to: blocks)
      guard here.overlaps(part) else { return [] }
      if part.contains(all: here) { return [here] }
      return pieces(first, size / 2) + pieces(first + size / 2, size / 2)
    }
    return pieces(0, span)
  }

  /// What is to be added, row `from` to row `into` and in this order, to have the pieces of neighbouring parts' union where those of each part are
  /// known.
  package func additions(joining parts: [Range<Int>]) -> [(into: Int, from: Int)] {
    let parts = parts.filter { !$0.isEmpty }
    guard let low = parts.map(\.lowerBound).min(), let high = parts.map(\.upperBound).max() else { return [] }
    func additions(_ first: Int, _ size: Int) -> [(into: Int, from: Int)] {
      let here = (first..<first + size).clamped(to: blocks)
      guard here.overlaps(low..<high), !parts.contains(where: { $0.contains(all: here) }) else { return [] }
      let middle = first + size / 2
      let below = additions(first, size / 2) + additions(middle, size / 2)
      // A node with one half is that half.
      guard here.lowerBound < middle, middle < here.upperBound, (low..<high).contains(all: here) else {
        return below
      }
      return below + [(here.lowerBound, middle)]
    }
    return additions(0, span)
  }
}

extension Range<Int> {
  fileprivate func contains(all other: Range<Int>) -> Bool {
    lowerBound <= other.lowerBound && other.upperBound <= upperBound
  }
}

/// How ranks share out a sum over blocks that ``BlockSums`` would take alone, so that its bits stay.
///
/// Every rank adds its *pieces*, the largest nodes of the tree whose blocks it has all; then pieces are added as the tree says. There are
/// at most 2 log₂(blocks) pieces of a rank.
package struct SubtreeSums: Sendable {
  package let tree: BlockTree
  private let owners: [Range<Int>]
  /// The blocks of every rank's pieces.
  package let pieces: [[Range<Int>]]

  /// - Parameters:
  ///   - blocks: what is summed, perhaps those of one head.
  ///   - owners: the blocks of every rank, in order; together they cover `blocks`.
  package init(_ blocks: Range<Int>, owners: [Range<Int>]) {
    let tree = BlockTree(blocks)
    (self.tree, self.owners) = (tree, owners)
    pieces = owners.map(tree.pieces)
  }

  /// What is left to add where the pieces of all ranks are known. The whole sum is in the row of the first block in the end.
  package var additions: [(into: Int, from: Int)] { tree.additions(joining: owners) }

  /// The pieces of some ranks in a row together.
  func pieces(of ranks: Range<Int>) -> [Range<Int>] { tree.pieces(of: owners.joined(ranks)) }

  /// What is to be added where the pieces of two neighbouring groups of ranks are known, to have those of both together; nothing for
  /// other groups.
  func additions(joining one: Range<Int>, _ other: Range<Int>) -> [(into: Int, from: Int)] {
    guard !one.isEmpty, !other.isEmpty, !one.overlaps(other) else { return [] }
    return tree.additions(joining: [owners.joined(one), owners.joined(other)])
  }
}

extension [Range<Int>] {
  /// The blocks of some ranks in a row.
  func joined(_ ranks: Range<Int>) -> Range<Int> {
    ranks.isEmpty ? 0..<0 : self[ranks.lowerBound].lowerBound..<self[ranks.upperBound - 1].upperBound
  }
}
