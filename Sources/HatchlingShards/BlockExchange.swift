import HatchlingDynamics
import HatchlingNumerics

/// A table of partial sums, `(blocks, width)`, with rows for the blocks of all ranks.
package struct PartialSums<Scalar: NetworkScalar>: @unchecked Sendable {
  let rows: UnsafeMutablePointer<Scalar>
  let width: Int

  /// - Parameter rows: memory that lives longer.
  package init(_ rows: UnsafeMutablePointer<Scalar>, width: Int) { (self.rows, self.width) = (rows, width) }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func add(_ from: Int, to into: Int) {
    let (target, source) = (rows + into * width, rows + from * width)
    for column in 0..<width { target[column] += source[column] }
  }
}

/// Sums over blocks that several ranks have, all tables and groups of blocks at once: every rank adds its pieces, and in the end all have
/// the sums, the same to the last bit as one process alone, whichever way they pass.
package final class BlockExchange<Scalar: NetworkScalar> {
  private enum Passage {
    case gathered(GatheredSums<Scalar>)
    case reduced(ReducedSums<Scalar>)
  }
  private let passage: Passage

  /// - Parameters:
  ///   - groups: blocks that are summed together, such as those of each head.
  ///   - owners: the blocks of every rank, in order.
  package init(
    _ tables: [PartialSums<Scalar>], groups: [Range<Int>], owners: [Range<Int>], among ranks: Ranks
  ) {
    let sums = groups.map { SubtreeSums($0, owners: owners) }
    passage =
      switch ranks.way {
      case .gather: .gathered(GatheredSums(tables, sums, among: ranks))
      case .reduce: .reduced(ReducedSums(tables, sums, among: ranks))
      }
  }

  /// Completes all sums: each is in the row of the first block of its group, in every table.
  ///
  /// - Parameter said: a small number of this rank.
  /// - Returns: what all ranks said, combined bit by bit with *or*.
  package func complete(saying said: Int = 0) -> Int {
    switch passage {
    case .gathered(let sums): sums.complete(saying: said)
    case .reduced(let sums): sums.complete(saying: said)
    }
  }
}
