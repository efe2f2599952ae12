/// What carries bytes between the ranks of one job. Calls are made by one thread of every rank, in the same order on all of them. A rank
/// that is lost ends the job; nothing is thrown.
public protocol Communicator: AnyObject, Sendable {
  /// The number of this rank, from 0.
  var rank: Int { get }
  /// How many ranks there are, R.
  var size: Int { get }
  /// How many of them share this machine's memory, this one included.
  var neighbours: Int { get }

  /// Gives everybody what everybody has. Rank r's bytes lie at `places[r]`, `counts[r]` of them; before, only the own ones.
  func gather(_ all: UnsafeMutableRawPointer, counts: [Int32], places: [Int32])
  /// Gives every rank its own bytes, and gets from every rank what it has for this one: `sent.counts[r]` bytes for rank r lie at
  /// `sent.places[r]`, and what came from it lies at `received.places[r]`.
  func exchange(_ sent: BytesOfRanks<UnsafeRawPointer>, _ received: BytesOfRanks<UnsafeMutableRawPointer>)
  /// Tells one other rank something, and hears something from it; what is empty on one side is so on the other, and does not travel.
  func meet(_ partner: Int, telling: UnsafeRawBufferPointer, hearing: UnsafeMutableRawBufferPointer)
  /// Gives everybody the bytes of rank `root`.
  func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int)
  /// Ends the work in good order; nothing is called afterwards.
  func finish()
  /// Ends all ranks at once. Returns where the job takes a moment to end.
  func abort(status: Int32)
}

/// Bytes for every rank, or of every rank, in one piece of memory.
public struct BytesOfRanks<Pointer> {
  public let base: Pointer
  /// Bytes of each rank, and where they begin.
  public let counts, places: [Int32]

  public init(_ base: Pointer, counts: [Int32], places: [Int32]) {
    (self.base, self.counts, self.places) = (base, counts, places)
  }
}
