import HatchlingNumerics

/// Sums of long rows, one of each block, that several ranks have: the same to the last bit as `BlockSums` of one process alone.
///
/// Every rank adds the rows of its ``pieces`` by itself. Of what is left every rank takes a part: it gets that part of everybody's pieces,
/// finishes its sums along the tree, and gives them to all. So what a rank sends and gets does not grow with the number of ranks. Rows go
/// through a slice at a time, so that buffers stay small.
package final class SlicedSums<Scalar: NetworkScalar> {
  /// The blocks of this rank's pieces, in order.
  package let pieces: [Range<Int>]
  private let ranks: Ranks
  /// How many pieces every rank has, and the number of its first one among all.
  private let counts, places: [Int]
  /// What is left to add, by the numbers of pieces; the sum is in the row of the first piece.
  private let additions: [(into: Int, from: Int)]
  private let slice: Int
  private let sent, received: NumberStorage<Scalar>

  /// - Parameters:
  ///   - owners: the blocks of every rank, in order; together they are `blocks`, 1 at least.
  ///   - slice: how many numbers of a row are exchanged at once. Memory: about `slice` for each piece of this rank, and that of its part.
  package init(blocks: Int, owners: [Range<Int>], among ranks: Ranks, slice: Int = 1 << 20) {
    let sums = SubtreeSums(0..<blocks, owners: owners)
    let counts = sums.pieces.map(\.count)
    var numbers: [Int: Int] = [:]
    for (number, piece) in sums.pieces.joined().enumerated() { numbers[piece.lowerBound] = number }
    func number(_ block: Int) -> Int {
      guard let number = numbers[block] else { preconditionFailure("no piece begins with block \(block)") }
      return number
    }
    (self.ranks, self.slice, self.counts) = (ranks, slice, counts)
    places = counts.indices.map { counts[..<$0].reduce(0, +) }
    pieces = sums.pieces[ranks.rank]
    additions = sums.additions.map { (number($0.into), number($0.from)) }
    sent = NumberStorage(zeros: counts[ranks.rank] * slice)
    received = NumberStorage(zeros: counts.reduce(0, +) * ((slice + ranks.size - 1) / ranks.size))
  }

  /// The sum of all rows of `count` numbers, on every rank.
  ///
  /// - Parameters:
  ///   - rows: the sum over each of ``pieces``.
  ///   - sum: may be the memory of one of the rows.
  package func complete(
    _ rows: [UnsafePointer<Scalar>], count: Int, into sum: UnsafeMutablePointer<Scalar>
  ) {
    precondition(rows.count == pieces.count, "\(rows.count) rows for \(pieces.count) pieces")
    let (size, bytes) = (ranks.size, MemoryLayout<Scalar>.size)
    for start in stride(from: 0, to: count, by: slice) {
      let length = min(slice, count - start)
      let parts = (0..<size).map { length * $0 / size..<length * ($0 + 1) / size }
      distribute(rows.map { $0 + start }, parts)
      let own = parts[ranks.rank]
      finish(own.count, into: sum + start + own.lowerBound)
      ranks.gather(
        UnsafeMutableRawPointer(sum + start), counts: parts.map { Int32($0.count * bytes) },
        places: parts.map { Int32($0.lowerBound * bytes) })
    }
  }

  /// Gives every rank its part of the rows.
  private func distribute(_ rows: [UnsafePointer<Scalar>], _ parts: [Range<Int>]) {
    let bytes = MemoryLayout<Scalar>.size
    var place = sent.base
    for part in parts {
      for row in rows {
        place.update(from: row + part.lowerBound, count: part.count)
        place += part.count
      }
    }
    let width = parts[ranks.rank].count
    ranks.exchange(
      BytesOfRanks(
        UnsafeRawPointer(sent.base), counts: parts.map { Int32(rows.count * $0.count * bytes) },
        places: parts.map { Int32(rows.count * $0.lowerBound * bytes) }),
      BytesOfRanks(
        UnsafeMutableRawPointer(received.base), counts: counts.map { Int32($0 * width * bytes) },
        places: places.map { Int32($0 * width * bytes) }))
  }

  /// Adds what came along the tree.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func finish(_ width: Int, into sum: UnsafeMutablePointer<Scalar>) {
    for (into, from) in additions {
      let (target, source) = (received.base + into * width, received.base + from * width)
      for column in 0..<width { target[column] += source[column] }
    }
    sum.update(from: received.base, count: width)
  }
}
