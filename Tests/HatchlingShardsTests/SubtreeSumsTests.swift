import HatchlingDynamics
import HatchlingNumerics
import Testing

@testable import HatchlingShards

/// However blocks are shared out among ranks, their pieces finish to the bits of the whole tree.
@Suite struct SubtreeSumsTests {
  @Test(arguments: 0..<400 as Range<UInt64>)
  func anyPartitionGivesTheBitsOfTheWholeTree(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let blocks = Int.random(in: 1...90, using: &random)
    let lower = Int.random(in: 0..<blocks, using: &random)
    let group = lower..<Int.random(in: lower + 1...blocks, using: &random)
    let owners = Self.owners(blocks, &random)
    check(group, owners, Float.self, &random, "seed \(seed): \(group) among \(owners)")
    check(group, owners, Double.self, &random, "seed \(seed): \(group) among \(owners)")
  }

  /// Ranks that meet in pairs, any number of them, go on with what they heard alone, and all end with the bits of the whole tree.
  @Test(arguments: 0..<400 as Range<UInt64>)
  func meetingsGiveTheBitsOfTheWholeTree(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let (blocks, count) = (Int.random(in: 1...90, using: &random), Int.random(in: 1...33, using: &random))
    let cuts = (0..<count - 1).map { _ in Int.random(in: 0...blocks, using: &random) }.sorted()
    let owners = zip([0] + cuts, cuts + [blocks]).map { $0..<$1 }
    let lower = Int.random(in: 0..<blocks, using: &random)
    let group = lower..<Int.random(in: lower + 1...blocks, using: &random)
    let values = (0..<blocks).map { _ in
      Float(random.normal()) * ([1e-4, 1, 3e3].randomElement(using: &random) ?? 1)
    }
    let sums = SubtreeSums(group, owners: owners)
    var whole = values
    whole.withUnsafeMutableBufferPointer {
      if let base = $0.baseAddress { BlockSums.add(base, blocks: group, width: 1) }
    }
    // What every rank knows: its own blocks and nothing else.
    var known = owners.map { own in values.indices.map { own.contains($0) ? values[$0] : .nan } }
    for rank in owners.indices {
      known[rank].withUnsafeMutableBufferPointer { rows in
        guard let base = rows.baseAddress else { return }
        for piece in sums.pieces[rank] { BlockSums.add(base, blocks: piece, width: 1) }
      }
    }
    var meetings = owners.indices.map { RankMeetings.of($0, among: count)[...] }
    var met = 0
    while meetings.contains(where: { !$0.isEmpty }) {
      guard let pair = Self.nextPair(meetings) else {
        Issue.record("seed \(seed): \(count) ranks wait for each other")
        return
      }
      let told = pair.map { rank in known[rank] }
      for (rank, other) in [(pair[0], told[1]), (pair[1], told[0])] {
        guard let meeting = meetings[rank].popFirst() else { continue }
        for piece in sums.pieces(of: meeting.heard) {
          known[rank][piece.lowerBound] = other[piece.lowerBound]
        }
        let own = meeting.told.isEmpty ? rank..<rank + 1 : meeting.told
        for (into, from) in sums.additions(joining: own, meeting.heard) {
          known[rank][into] += known[rank][from]
        }
        met += 1
      }
    }
    for rank in owners.indices {
      #expect(
        known[rank][group.lowerBound].bitPattern == whole[group.lowerBound].bitPattern,
        "seed \(seed): rank \(rank) of \(count), \(group) among \(owners)")
      #expect(RankMeetings.of(rank, among: count).count <= RankMeetings.steps(count))
    }
    #expect(met == owners.indices.reduce(0) { $0 + RankMeetings.of($1, among: count).count })
  }

  /// Two ranks that expect each other, with groups that fit.
  private static func nextPair(_ meetings: [ArraySlice<RankMeetings.Meeting>]) -> [Int]? {
    for (rank, left) in meetings.enumerated() {
      guard let meeting = left.first, let other = meetings[meeting.partner].first, other.partner == rank,
        other.told == meeting.heard, other.heard == meeting.told
      else { continue }
      return [rank, meeting.partner]
    }
    return nil
  }

  @Test func aReductionIsForManyRanks() {
    #expect(
      (1...33).map(RankMeetings.steps) == [0, 1, 3, 2, 4, 4, 4, 3, 5, 5, 5, 5, 5, 5, 5, 4]
        + Array(repeating: 6, count: 15) + [5, 7])
    let reducing = (1...33).filter { ExchangeWay.best(ranks: $0) == .reduce }
    #expect(reducing == [8] + Array(11...33))
  }

  /// Ranges in a row that cover all blocks, some of them perhaps empty.
  private static func owners(_ blocks: Int, _ random: inout SeededRandom) -> [Range<Int>] {
    let ranks = Int.random(in: 1...9, using: &random)
    let cuts = (0..<ranks - 1).map { _ in Int.random(in: 0...blocks, using: &random) }.sorted()
    return zip([0] + cuts, cuts + [blocks]).map { $0..<$1 }
  }

  private func check<Scalar: NetworkScalar>(
    _ group: Range<Int>, _ owners: [Range<Int>], _: Scalar.Type, _ random: inout SeededRandom, _ place: String
  ) {
    let (width, blocks) = (5, owners.last?.upperBound ?? 0)
    // Of all magnitudes, so that another order would show.
    let values = (0..<blocks * width).map { _ in
      Scalar(random.normal()) * Scalar([1e-4, 1, 3e3].randomElement(using: &random) ?? 1)
    }
    let sums = SubtreeSums(group, owners: owners)
    var (whole, shared) = (values, values)
    whole.withUnsafeMutableBufferPointer { rows in
      if let base = rows.baseAddress { BlockSums.add(base, blocks: group, width: width) }
    }
    shared.withUnsafeMutableBufferPointer { rows in
      guard let base = rows.baseAddress else { return }
      for piece in sums.pieces.flatMap(\.self) { BlockSums.add(base, blocks: piece, width: width) }
      for (into, from) in sums.additions {
        for column in 0..<width { base[into * width + column] += base[from * width + column] }
      }
    }
    let result = group.lowerBound * width..<(group.lowerBound + 1) * width
    #expect(Array(whole[result]) == Array(shared[result]), "\(place)")
    // Every block is in one piece, of the rank that has it; few pieces are to be sent.
    #expect(
      sums.pieces.flatMap(\.self).sorted { $0.lowerBound < $1.lowerBound }.flatMap(\.self) == Array(group))
    for (owner, pieces) in zip(owners, sums.pieces) {
      #expect(pieces.allSatisfy { owner.lowerBound <= $0.lowerBound && $0.upperBound <= owner.upperBound })
      #expect(pieces.count <= 14, "\(place)")
    }
  }
}
