import HatchlingNumerics

/// What the blocks of neurons write while they run side by side, each into its own part.
final class BlockScratch<Scalar: NetworkScalar>: @unchecked Sendable {
  let drives: NumberStorage<Scalar>
  /// Numbers of neurons that a drive may reach, and the integer sums that say so.
  let possible: NumberStorage<Int32>
  let sums: NumberStorage<Int32>
  /// How much a block's activity overlaps with that of each of the last 16 tokens, `(blocks, 16)`.
  let overlaps: NumberStorage<Scalar>
  /// Hubs that speak to the readouts, and what they say.
  let speakers: NumberStorage<Int32>
  let spoken: NumberStorage<Scalar>
  /// What each block sends to the hubs, `(blocks, d)`.
  let toHubs: NumberStorage<Scalar>
  /// How many neurons of `possible` have a drive; −1 when drives are those of all neurons of the block.
  let possibleCount: NumberStorage<Int>
  /// Whether drives of x and of y were finite, one per block: rules make 0 of a drive that is no number.
  let isFiniteX: NumberStorage<Bool>
  let isFiniteY: NumberStorage<Bool>

  init(blocks: Int, neurons: Int, hubs: Int) {
    drives = NumberStorage(zeros: neurons)
    possible = NumberStorage(zeros: neurons)
    sums = NumberStorage(zeros: neurons)
    overlaps = NumberStorage(zeros: blocks * Scalar.slots)
    speakers = NumberStorage(zeros: hubs)
    spoken = NumberStorage(zeros: hubs)
    toHubs = NumberStorage(zeros: blocks * hubs)
    possibleCount = NumberStorage(zeros: blocks)
    isFiniteX = NumberStorage(zeros: blocks)
    isFiniteY = NumberStorage(zeros: blocks)
  }
}
