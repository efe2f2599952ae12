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
  /// Gives everybody the bytes of rank `root`.
  func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int)
  /// Ends the work in good order; nothing is called afterwards.
  func finish()
  /// Ends all ranks at once. Returns where the job takes a moment to end.
  func abort(status: Int32)
}
