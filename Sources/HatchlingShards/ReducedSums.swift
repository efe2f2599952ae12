import HatchlingDynamics
import HatchlingNumerics

/// Sums over blocks that ranks finish together: whenever two groups of them have met, what they have told each other is added as far as the tree over
/// blocks says, so that the last to meet get the whole sum.
final class ReducedSums<Scalar: NetworkScalar> {
  /// What a meeting tells, hears and leaves to add, as rows of the tables.
  private struct Step {
    let partner: Int
    /// Nil for a rank that does not tell, or does not hear.
    let told, heard: [Int]?
    let additions: [(into: Int, from: Int)]
  }

  private let ranks: Ranks
  private let tables: [PartialSums<Scalar>]
  /// Of all tables together.
  private let width: Int
  /// Of this rank.
  private let pieces: [Range<Int>]
  private let steps: [Step]
  private let told, heard: NumberStorage<Scalar>

  init(_ tables: [PartialSums<Scalar>], _ sums: [SubtreeSums], among ranks: Ranks) {
    (self.ranks, self.tables) = (ranks, tables)
    pieces = sums.flatMap { $0.pieces[ranks.rank] }
    func rows(_ group: Range<Int>) -> [Int]? {
      group.isEmpty ? nil : sums.flatMap { $0.pieces(of: group) }.map(\.lowerBound)
    }
    let steps = RankMeetings.of(ranks.rank, among: ranks.size).map { meeting in
      // A rank that does not speak has its own sums, if it has any to add to.
      let own = meeting.told.isEmpty ? ranks.rank..<ranks.rank + 1 : meeting.told
      return Step(
        partner: meeting.partner, told: rows(meeting.told), heard: rows(meeting.heard),
        additions: sums.flatMap { $0.additions(joining: own, meeting.heard) })
    }
    self.steps = steps
    let width = tables.reduce(0) { $0 + $1.width }
    self.width = width
    func most(_ rows: KeyPath<Step, [Int]?>) -> Int {
      steps.compactMap { $0[keyPath: rows].map { 1 + width * $0.count } }.max() ?? 0
    }
    told = NumberStorage(zeros: most(\.told))
    heard = NumberStorage(zeros: most(\.heard))
  }

  func complete(saying said: Int) -> Int {
    for piece in pieces {
      for table in tables { BlockSums.add(table.rows, blocks: piece, width: table.width) }
    }
    ranks.countExchange()
    var said = said
    for step in steps {
      let telling = step.told.map { tell($0, said) } ?? 0
      let hearing = step.heard.map { 1 + $0.count * width } ?? 0
      let size = MemoryLayout<Scalar>.size
      ranks.meet(
        step.partner, telling: UnsafeRawBufferPointer(start: told.base, count: telling * size),
        hearing: UnsafeMutableRawBufferPointer(start: heard.base, count: hearing * size))
      if let rows = step.heard { said |= hear(rows) }
      for (into, from) in step.additions { for table in tables { table.add(from, to: into) } }
    }
    return said
  }

  /// How many numbers are to be told.
  private func tell(_ rows: [Int], _ said: Int) -> Int {
    told.base[0] = Scalar(said)
    var place = told.base + 1
    for row in rows {
      for table in tables {
        place.update(from: table.rows + row * table.width, count: table.width)
        place += table.width
      }
    }
    return place - told.base
  }

  private func hear(_ rows: [Int]) -> Int {
    var place = UnsafePointer(heard.base + 1)
    for row in rows {
      for table in tables {
        (table.rows + row * table.width).update(from: place, count: table.width)
        place += table.width
      }
    }
    return Int(heard.base[0])
  }
}
