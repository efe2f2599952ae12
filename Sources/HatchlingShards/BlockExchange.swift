import HatchlingDynamics
import HatchlingNumerics

/// A table of partial sums, `(blocks, width)`, with rows for the blocks of all ranks.
package struct PartialSums<Scalar: NetworkScalar>: @unchecked Sendable {
  let rows: UnsafeMutablePointer<Scalar>
  let width: Int

  /// - Parameter rows: memory that lives longer.
  package init(_ rows: UnsafeMutablePointer<Scalar>, width: Int) { (self.rows, self.width) = (rows, width) }
}

/// Sums over blocks that several ranks have, with one exchange for all tables and groups of blocks: every rank adds its pieces, all get
/// all pieces, and everybody finishes the sums, the same to the last bit as one process alone.
package final class BlockExchange<Scalar: NetworkScalar> {
  private let ranks: Ranks
  private let tables: [PartialSums<Scalar>]
  private let sums: [SubtreeSums]
  private let buffer: NumberStorage<Scalar>
  /// Where every rank's numbers begin in the buffer, and how many they are.
  private let places: [Int]
  private let counts: [Int]
  private let (byteCounts, bytePlaces): ([Int32], [Int32])

  /// - Parameters:
  ///   - groups: blocks that are summed together, such as those of each head.
  ///   - owners: the blocks of every rank.
  package init(
    _ tables: [PartialSums<Scalar>], groups: [Range<Int>], owners: [Range<Int>], among ranks: Ranks
  ) {
    (self.ranks, self.tables) = (ranks, tables)
    let sums = groups.map { SubtreeSums($0, owners: owners) }
    self.sums = sums
    let width = tables.reduce(0) { $0 + $1.width }
    let counts = ExchangeSizes(sums, width: width, ranks: owners.count).numbers
    let places = counts.indices.map { counts[..<$0].reduce(0, +) }
    (self.counts, self.places) = (counts, places)
    buffer = NumberStorage(zeros: counts.reduce(0, +))
    let size = MemoryLayout<Scalar>.size
    (byteCounts, bytePlaces) = (counts.map { Int32($0 * size) }, places.map { Int32($0 * size) })
  }

  /// Completes all sums: each is in the row of the first block of its group, in every table.
  ///
  /// - Parameter said: a small number of this rank.
  /// - Returns: what all ranks said, combined bit by bit with *or*.
  package func complete(saying said: Int = 0) -> Int {
    addPieces(said)
    ranks.gather(UnsafeMutableRawPointer(buffer.base), counts: byteCounts, places: bytePlaces)
    return finish()
  }

  private func addPieces(_ said: Int) {
    var place = buffer.base + places[ranks.rank]
    place[0] = Scalar(said)
    place += 1
    for sum in sums {
      for piece in sum.pieces[ranks.rank] {
        for table in tables {
          guard let total = BlockSums.add(table.rows, blocks: piece, width: table.width) else { continue }
          place.update(from: total, count: table.width)
          place += table.width
        }
      }
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func finish() -> Int {
    var said = 0
    for rank in counts.indices {
      var place = UnsafePointer(buffer.base + places[rank])
      said |= Int(place[0])
      place += 1
      for sum in sums {
        for piece in sum.pieces[rank] {
          for table in tables {
            (table.rows + piece.lowerBound * table.width).update(from: place, count: table.width)
            place += table.width
          }
        }
      }
    }
    for sum in sums {
      for (into, from) in sum.additions {
        for table in tables {
          let (target, source) = (table.rows + into * table.width, table.rows + from * table.width)
          for column in 0..<table.width { target[column] += source[column] }
        }
      }
    }
    return said
  }
}
