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

/// How ranks share out a sum over blocks that ``BlockSums`` would take alone, so that its bits stay.
///
/// Every rank adds its *pieces*, the largest nodes of the tree whose blocks it has all; then everybody adds the pieces as the tree
/// says. There are at most 2 log₂(blocks) pieces of a rank.
package struct SubtreeSums: Sendable {
  /// The blocks of every rank's pieces; the sum of a piece lies in the row of its first block.
  package private(set) var pieces: [[Range<Int>]]
  /// What is left to add, in order: row `from` to row `into`. The whole sum is in the row of the first block in the end.
  package private(set) var additions: [(into: Int, from: Int)] = []
  private let blocks: Range<Int>
  private let owners: [Range<Int>]

  /// - Parameters:
  ///   - blocks: what is summed, perhaps those of one head.
  ///   - owners: the blocks of every rank; together they cover `blocks`.
  package init(_ blocks: Range<Int>, owners: [Range<Int>]) {
    (self.blocks, self.owners) = (blocks, owners)
    pieces = owners.map { _ in [] }
    var size = 1
    while size < blocks.upperBound { size *= 2 }
    _ = add(0, size)
  }

  /// The row that the sum of a node ends up in; nil without blocks.
  private mutating func add(_ first: Int, _ size: Int) -> Int? {
    let here = (first..<first + size).clamped(to: blocks)
    guard !here.isEmpty else { return nil }
    let owner = owners.firstIndex { $0.lowerBound <= here.lowerBound && here.upperBound <= $0.upperBound }
    if let owner {
      pieces[owner].append(here)
      return here.lowerBound
    }
    guard size > 1 else { preconditionFailure("nobody has block \(first)") }
    let (left, right) = (add(first, size / 2), add(first + size / 2, size / 2))
    guard let left, let right else { return left ?? right }
    additions.append((left, right))
    return left
  }
}
