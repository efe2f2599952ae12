import HatchlingDynamics
import HatchlingNumerics

/// Sums over blocks that everybody finishes alike from the pieces of all ranks, which one exchange brings.
final class GatheredSums<Scalar: NetworkScalar> {
  private let ranks: Ranks
  private let tables: [PartialSums<Scalar>]
  private let sums: [SubtreeSums]
  private let additions: [(into: Int, from: Int)]
  private let buffer: NumberStorage<Scalar>
  /// Where every rank's numbers begin in the buffer, and how many they are.
  private let places: [Int]
  private let counts: [Int]
  private let (byteCounts, bytePlaces): ([Int32], [Int32])

  init(_ tables: [PartialSums<Scalar>], _ sums: [SubtreeSums], among ranks: Ranks) {
    (self.ranks, self.tables, self.sums) = (ranks, tables, sums)
    additions = sums.flatMap(\.additions)
    let width = tables.reduce(0) { $0 + $1.width }
    let counts = ExchangeSizes.given(sums, width: width, ranks: ranks.size)
    let places = counts.indices.map { counts[..<$0].reduce(0, +) }
    (self.counts, self.places) = (counts, places)
    buffer = NumberStorage(zeros: counts.reduce(0, +))
    let size = MemoryLayout<Scalar>.size
    (byteCounts, bytePlaces) = (counts.map { Int32($0 * size) }, places.map { Int32($0 * size) })
  }

  func complete(saying said: Int) -> Int {
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
    for (into, from) in additions { for table in tables { table.add(from, to: into) } }
    return said
  }
}
