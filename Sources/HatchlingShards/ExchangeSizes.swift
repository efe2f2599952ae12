/// How many numbers ranks pass on in one exchange of partial sums: those of pieces, and in every message one for what is to be said.
package struct ExchangeSizes: Equatable, Sendable {
  /// What every rank tells others, once where everybody gets it, and what it gets.
  package private(set) var told, heard: [Int]
  /// Numbers in the buffers of the rank that needs the most.
  package private(set) var kept: Int

  /// Where everybody gets all pieces; `given` by every rank.
  package init(gathering given: [Int]) {
    let all = given.reduce(0, +)
    (told, heard, kept) = (given, given.map { all - $0 }, all)
  }

  /// Where ranks meet in pairs.
  ///
  /// - Parameters:
  ///   - groups: blocks that are summed together, in order; without any, numbers are those of messages.
  ///   - owners: the blocks of every rank, in order.
  ///   - width: of all tables together.
  /// Cost: about ranks · log₂(ranks).
  package init(reducing groups: [Range<Int>], owners: [Range<Int>], width: Int) {
    let trees = groups.map { BlockTree($0) }
    (told, heard, kept) = ([], [], 0)
    // A group is known by its step and its first rank.
    var sizes = [Int?](repeating: nil, count: RankMeetings.steps(owners.count) * owners.count)
    func size(_ group: Range<Int>, _ step: Int) -> Int {
      if group.isEmpty { return 0 }
      let place = step * owners.count + group.lowerBound
      if let size = sizes[place] { return size }
      let size = 1 + width * Self.pieces(of: owners.joined(group), trees)
      sizes[place] = size
      return size
    }
    for rank in owners.indices {
      let messages = RankMeetings.of(rank, among: owners.count).map {
        (size($0.told, $0.step), size($0.heard, $0.step))
      }
      told.append(messages.reduce(0) { $0 + $1.0 })
      heard.append(messages.reduce(0) { $0 + $1.1 })
      kept = max(kept, (messages.map(\.0).max() ?? 0) + (messages.map(\.1).max() ?? 0))
    }
  }

  /// How many pieces some blocks make of trees in a row.
  private static func pieces(of blocks: Range<Int>, _ trees: [BlockTree]) -> Int {
    var (low, high) = (0, trees.count)
    while low < high {
      let middle = (low + high) / 2
      if trees[middle].blocks.upperBound <= blocks.lowerBound { low = middle + 1 } else { high = middle }
    }
    return trees[low...].prefix { $0.blocks.lowerBound < blocks.upperBound }
      .reduce(0) { $0 + $1.pieces(of: blocks).count }
  }

  /// What every rank gives to all.
  package static func given(_ sums: [SubtreeSums], width: Int, ranks: Int) -> [Int] {
    (0..<ranks).map { rank in 1 + width * sums.reduce(0) { $0 + $1.pieces[rank].count } }
  }
}

extension Ranks {
  /// Exchanges in which every rank gives as many bytes, one after the other; all ranks call it together.
  ///
  /// - Returns: the seconds that each took here.
  package func timedExchanges(of bytes: Int, count: Int) -> [Double] {
    guard way == .gather else { return timedMeetings(of: bytes, count: count) }
    let counts = [Int32](repeating: Int32(bytes), count: size)
    let places = (0..<size).map { Int32($0 * bytes) }
    var all = [UInt8](repeating: 0, count: max(1, bytes * size))
    return all.withUnsafeMutableBytes { all in
      guard let base = all.baseAddress else { return [] }
      return (0..<count).map { _ in
        let before = traffic.seconds
        gather(base, counts: counts, places: places)
        return traffic.seconds - before
      }
    }
  }

  private func timedMeetings(of bytes: Int, count: Int) -> [Double] {
    let told = [UInt8](repeating: 0, count: bytes)
    var heard = told
    return (0..<count).map { _ in
      let before = traffic.seconds
      for meeting in RankMeetings.of(rank, among: size) {
        told.withUnsafeBytes { told in
          heard.withUnsafeMutableBytes { heard in
            meet(
              meeting.partner, telling: meeting.told.isEmpty ? .init(rebasing: told[..<0]) : told,
              hearing: meeting.heard.isEmpty ? .init(rebasing: heard[..<0]) : heard)
          }
        }
      }
      return traffic.seconds - before
    }
  }
}
