/// How partial sums pass between ranks.
public enum ExchangeWay: String, CaseIterable, Sendable {
  /// Everybody gets the pieces of all ranks in one exchange: R pieces.
  case gather
  /// Ranks meet in pairs, see ``RankMeetings``, and add as they go: about log₂ R sums.
  case reduce

  /// What ranks on several machines do: reduce where that takes at most half as many sums, on 8 ranks and from 11 on.
  public static func best(ranks: Int) -> ExchangeWay {
    ranks > 1 && 2 * RankMeetings.steps(ranks) < ranks ? .reduce : .gather
  }

  /// The way that it is not.
  public var other: ExchangeWay { self == .gather ? .reduce : .gather }

  /// Messages that follow one another at best.
  package func steps(_ ranks: Int) -> Int {
    switch self {
    case .gather: ranks <= 1 ? 0 : Int.bitWidth - (ranks - 1).leadingZeroBitCount
    case .reduce: RankMeetings.steps(ranks)
    }
  }
}

/// How ranks meet in pairs until all know the sum: in every step two groups of neighbouring ranks tell each other the sums of their blocks, each
/// member to one of the other group, and are one group from then on.
///
/// 2ᵏ ranks need k steps. Of 2ᵏ + m ranks the first 2 m are m pairs before: the second of a pair tells the first its sums and hears
/// the whole in the end, which takes two more steps.
package enum RankMeetings {
  package struct Meeting: Equatable, Sendable {
    /// Counted from 0, of all ranks alike.
    package let step: Int
    package let partner: Int
    /// The groups whose sums this rank tells and hears; empty where it only listens or speaks.
    package let told, heard: Range<Int>
  }

  package static func steps(_ ranks: Int) -> Int {
    let (doublings, pairs) = shape(ranks)
    return doublings + (pairs > 0 ? 2 : 0)
  }

  /// What one of the ranks does, in order. After a meeting whose `heard` is not everybody, sums of both groups are added.
  package static func of(_ rank: Int, among ranks: Int) -> [Meeting] {
    let (doublings, pairs) = shape(ranks)
    var (meetings, place) = ([Meeting](), rank - pairs)
    if rank < 2 * pairs {
      guard rank % 2 == 0 else {
        return [
          Meeting(step: 0, partner: rank - 1, told: rank..<rank + 1, heard: 0..<0),
          Meeting(step: doublings + 1, partner: rank - 1, told: 0..<0, heard: 0..<ranks),
        ]
      }
      meetings.append(Meeting(step: 0, partner: rank + 1, told: 0..<0, heard: rank + 1..<rank + 2))
      place = rank / 2
    }
    // The ranks that those in some places speak for.
    func first(_ place: Int) -> Int { place < pairs ? 2 * place : place + pairs }
    func group(_ place: Int, _ size: Int) -> Range<Int> {
      let start = place / size * size
      return first(start)..<first(start + size)
    }
    for step in 0..<doublings {
      let (size, other) = (1 << step, place ^ (1 << step))
      meetings.append(
        Meeting(
          step: step + (pairs > 0 ? 1 : 0), partner: first(other), told: group(place, size),
          heard: group(other, size)))
    }
    if rank < 2 * pairs {
      meetings.append(Meeting(step: doublings + 1, partner: rank + 1, told: 0..<ranks, heard: 0..<0))
    }
    return meetings
  }

  /// k and m of 2ᵏ + m ranks.
  private static func shape(_ ranks: Int) -> (doublings: Int, pairs: Int) {
    let doublings = Int.bitWidth - 1 - max(1, ranks).leadingZeroBitCount
    return (doublings, max(1, ranks) - (1 << doublings))
  }
}
