import HatchlingNumerics

/// What the blocks of neurons write while they run side by side, each into its own part.
final class BlockScratch<Scalar: NetworkScalar>: @unchecked Sendable {
  /// Numbers of the neurons of a block that fired, from the block's first neuron on, and what they send.
  let fired: NumberStorage<Int32>
  let sent: NumberStorage<Scalar>
  let listening: NumberStorage<Int32>
  /// Neurons of a block whose y is not 0, and y.
  let answering: NumberStorage<Int32>
  let answers: NumberStorage<Scalar>
  let drives: NumberStorage<Scalar>
  /// Numbers of neurons that a drive may reach, and the integer sums that say so.
  let possible: NumberStorage<Int32>
  let sums: NumberStorage<Int32>
  /// How much a block's activity overlaps with that of each of the last 16 tokens, `(blocks, 16)`.
  let overlaps: NumberStorage<Scalar>
  /// 1 where all hubs speak to a head's neurons, `(H)`.
  let heardByAll: NumberStorage<UInt8>
  /// What each block sends to the hubs, `(blocks, d)`.
  let toHubs: NumberStorage<Scalar>
  /// Counts, one per block. Raw memory: blocks write theirs side by side.
  let firedCount: NumberStorage<Int>
  let listeningCount: NumberStorage<Int>
  let activeY: NumberStorage<Int>
  let messages: NumberStorage<Int>
  /// Plastic synapses of the neurons that fired.
  let reads: NumberStorage<Int>
  /// How many neurons of `possible` have a drive; −1 when drives are those of all neurons of the block.
  let possibleCount: NumberStorage<Int>

  init(blocks: [NeuronBlock], neurons: Int, hubs: Int, heads: Int) {
    fired = NumberStorage(zeros: neurons)
    sent = NumberStorage(zeros: neurons)
    listening = NumberStorage(zeros: neurons)
    answering = NumberStorage(zeros: neurons)
    answers = NumberStorage(zeros: neurons)
    drives = NumberStorage(zeros: neurons)
    possible = NumberStorage(zeros: neurons)
    sums = NumberStorage(zeros: neurons)
    overlaps = NumberStorage(zeros: blocks.count * Scalar.slots)
    heardByAll = NumberStorage(zeros: heads)
    toHubs = NumberStorage(zeros: blocks.count * hubs)
    firedCount = NumberStorage(zeros: blocks.count)
    listeningCount = NumberStorage(zeros: blocks.count)
    activeY = NumberStorage(zeros: blocks.count)
    messages = NumberStorage(zeros: blocks.count)
    reads = NumberStorage(zeros: blocks.count)
    possibleCount = NumberStorage(zeros: blocks.count)
  }

  /// The sum over all blocks.
  func total(_ counts: NumberStorage<Int>) -> Int {
    (0..<counts.count).reduce(0) { $0 + counts.base[$1] }
  }
}
