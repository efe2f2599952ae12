import HatchlingNumerics

/// The ranks of a job, and what has passed between them.
public final class Ranks: @unchecked Sendable {
  private let communicator: any Communicator
  /// Counted by the one thread that may call.
  public private(set) var traffic = RankTraffic()
  private let waiting = WaitingLimit()

  /// How sums pass; the same on all ranks, and settled before anything is made that exchanges them.
  public var way: ExchangeWay

  /// - Parameter way: nil is ``ExchangeWay/best(ranks:)`` on several machines; on one, whose ranks share memory, sums are gathered.
  public init(_ communicator: any Communicator, _ way: ExchangeWay? = nil) {
    self.communicator = communicator
    let isSpread = communicator.neighbours < communicator.size
    self.way = way ?? (isSpread ? .best(ranks: communicator.size) : .gather)
  }

  public var rank: Int { communicator.rank }
  public var size: Int { communicator.size }
  public var neighbours: Int { communicator.neighbours }
  /// Whether this is the rank that speaks and writes files.
  public var speaks: Bool { rank == 0 }

  /// See ``Communicator/gather(_:counts:places:)``.
  func gather(_ all: UnsafeMutableRawPointer, counts: [Int32], places: [Int32]) {
    let start = ContinuousClock.now
    waiting.begin()
    communicator.gather(all, counts: counts, places: places)
    waiting.end()
    traffic.seconds += (ContinuousClock.now - start).inSeconds
    traffic.gathers += 1
    traffic.sent += Int(counts[rank])
    traffic.received += counts.reduce(0) { $0 + Int($1) } - Int(counts[rank])
  }

  /// See ``Communicator/meet(_:telling:hearing:)``. Not counted as an exchange of all.
  func meet(
    _ partner: Int, telling told: UnsafeRawBufferPointer, hearing heard: UnsafeMutableRawBufferPointer
  ) {
    let start = ContinuousClock.now
    waiting.begin()
    communicator.meet(partner, telling: told, hearing: heard)
    waiting.end()
    traffic.seconds += (ContinuousClock.now - start).inSeconds
    traffic.sent += told.count
    traffic.received += heard.count
  }

  /// All ranks exchange something in meetings.
  func countExchange() { traffic.gathers += 1 }

  private func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {
    waiting.begin()
    communicator.broadcast(bytes, from: root)
    waiting.end()
  }

  /// From now on a rank that waits for the others for longer than this says so; all ranks make this call together.
  ///
  /// - Parameters:
  ///   - seconds: more than any rank ever works alone, on a file for example. Time in which this process itself is stopped does not count.
  ///   - tell: gets the reason, and whether this is the first rank that is not stopped, on a thread of its own; is to end the process.
  public func limitWaiting(
    to seconds: Double, _ tell: @escaping @Sendable (_ reason: String, _ isFirst: Bool) -> Void
  ) {
    let here = RankPlace.here
    let places = gather(here)
    let rank = rank
    waiting.watch(seconds: seconds) {
      let neighbours = places.indices.filter { places[$0].machine == here.machine }
      let stopped = zip(neighbours, WaitingLimit.areStopped(neighbours.map { places[$0].process }))
        .filter(\.1).map(\.0)
      let reason =
        stopped.isEmpty
        ? "a rank that is stopped, lost or still at work"
        : stopped.map { "rank \($0) is stopped (process \(places[$0].process))" }.joined(separator: ", ")
      tell("no answer for \(seconds) seconds: \(reason)", (0..<rank).allSatisfy(stopped.contains))
    }
  }

  /// See ``Communicator/exchange(_:_:)``.
  func exchange(
    _ sent: BytesOfRanks<UnsafeRawPointer>, _ received: BytesOfRanks<UnsafeMutableRawPointer>
  ) {
    let start = ContinuousClock.now
    waiting.begin()
    communicator.exchange(sent, received)
    waiting.end()
    traffic.seconds += (ContinuousClock.now - start).inSeconds
    traffic.gathers += 1
    traffic.sent += sent.counts.reduce(0) { $0 + Int($1) } - Int(sent.counts[rank])
    traffic.received += received.counts.reduce(0) { $0 + Int($1) } - Int(received.counts[rank])
  }

  public func finish() { communicator.finish() }
  public func abort(status: Int32) { communicator.abort(status: status) }

  /// The sum over all ranks of every number; all bring as many.
  public func sum(_ numbers: [Int]) -> [Int] {
    guard way == .gather else { return sumInMeetings(numbers) }
    let width = numbers.count
    let all = collect(numbers, counts: Array(repeating: width, count: size))
    return (0..<width).map { place in (0..<size).reduce(0) { $0 + all[$1 * width + place] } }
  }

  private func sumInMeetings(_ numbers: [Int]) -> [Int] {
    countExchange()
    var (sums, heard) = (numbers, numbers)
    for meeting in RankMeetings.of(rank, among: size) {
      sums.withUnsafeBytes { told in
        heard.withUnsafeMutableBytes { heard in
          meet(
            meeting.partner, telling: .init(rebasing: told[..<(meeting.told.isEmpty ? 0 : told.count)]),
            hearing: .init(rebasing: heard[..<(meeting.heard.isEmpty ? 0 : heard.count)]))
        }
      }
      if meeting.heard.count == size {
        sums = heard
      } else if !meeting.heard.isEmpty {
        for place in sums.indices { sums[place] += heard[place] }
      }
    }
    return sums
  }

  /// ``sum(_:)`` as a function.
  public var summing: @Sendable ([Int]) -> [Int] { { self.sum($0) } }

  /// The value that one rank has.
  public func broadcast<Value: BitwiseCopyable>(_ value: Value, from root: Int) -> Value {
    var value = value
    withUnsafeMutableBytes(of: &value) { broadcast($0, from: root) }
    return value
  }

  /// The bytes that one rank has.
  public func broadcast(_ bytes: [UInt8], from root: Int) -> [UInt8] {
    let count = broadcast(bytes.count, from: root)
    var result = rank == root ? bytes : [UInt8](repeating: 0, count: count)
    result.withUnsafeMutableBytes { broadcast($0, from: root) }
    return result
  }

  /// Does something on all ranks that may fail on some: then it fails on all, and every rank knows why.
  /// - Throws: what it threw where it failed in the same words on all ranks, else ``LaunchError/rankFailed(rank:reason:)`` of the first.
  public func together<Value>(_ work: () throws -> Value) throws -> Value {
    let result = Result { try work() }
    var reason = ""
    if case .failure(let error) = result { reason = "\(error)" }
    guard sum([reason.isEmpty ? 0 : 1])[0] > 0 else { return try result.get() }
    let reasons = (0..<size).map { String(decoding: broadcast(Array(reason.utf8), from: $0), as: UTF8.self) }
    if reasons.allSatisfy({ $0 == reason }) { return try result.get() }
    let failed = reasons.firstIndex { !$0.isEmpty } ?? 0
    throw LaunchError.rankFailed(rank: failed, reason: reasons[failed])
  }
}

extension Ranks {
  /// Whether all ranks were given the same.
  /// - Throws: ``LaunchError/differs(rank:what:)`` on all ranks where one has another `value` than the first.
  public func checkSame(_ what: String, _ value: String) throws(LaunchError) {
    let first = String(decoding: broadcast(Array(value.utf8), from: 0), as: UTF8.self)
    guard let other = gather(value == first).firstIndex(of: false) else { return }
    throw .differs(rank: other, what: what)
  }
}

extension Ranks? {
  /// Whether this is the process that speaks and writes files.
  public var speaks: Bool { self?.speaks ?? true }

  /// See ``Ranks/together(_:)``; one process alone just does it.
  public func together<Value>(_ work: () throws -> Value) throws -> Value {
    try self?.together(work) ?? work()
  }
}

/// What a rank has given to the others and got from them since the job began.
public struct RankTraffic: Equatable, Sendable {
  /// Bytes of its own that others got, each counted once where everybody got it, and bytes that it got from others.
  public var (sent, received) = (0, 0)
  /// How often all ranks exchanged something.
  public var gathers = 0
  /// Seconds that the exchange took, waiting for slower ranks included.
  public var seconds = 0.0

  package init() {}

  public static func - (end: RankTraffic, start: RankTraffic) -> RankTraffic {
    var result = end
    result.sent -= start.sent
    result.received -= start.received
    result.gathers -= start.gathers
    result.seconds -= start.seconds
    return result
  }
}

/// A job of several ranks that cannot go on.
public enum LaunchError: InputError, Equatable {
  /// Started as several ranks, built without MPI.
  case noMPI(ranks: Int)
  /// What only some ranks could not do.
  case rankFailed(rank: Int, reason: String)
  /// A rank was started with something else than the first one.
  case differs(rank: Int, what: String)

  public var description: String {
    switch self {
    case .noMPI(let ranks):
      "mpirun started \(ranks) processes of a program that was built without MPI; build it with the package trait MPI"
    case .rankFailed(let rank, let reason): "rank \(rank): \(reason)"
    case .differs(let rank, let what):
      "rank \(rank) has \(what) that differ from the first rank's; start all ranks alike, where all see the same files"
    }
  }
}
