import HatchlingDynamics
import HatchlingNumerics

/// The spikes of one quantity in one phase: block by block, and in a block sub-step by sub-step.
///
/// Blocks depend on sizes alone and fire side by side, so that trains are the same for any number of threads.
final class SpikeTrain<Scalar: NetworkScalar>: @unchecked Sendable {
  /// Entries of every block, and the blocks of every row; a quantity that heads have apart has a row per head.
  let blocks: [Range<Int>]
  let blocksOfRow: [Range<Int>]
  /// Entries per row.
  let width: Int
  let code: SpikeCode
  /// What all spikes of an entry together say, `(entries)`.
  let sent: NumberStorage<Scalar>
  /// Spikes of each block: who fired (counted in its row), and the signed weight.
  let particles: [NumberStorage<Int32>]
  let weights: [NumberStorage<Scalar>]
  /// How many spikes a block has fired by the end of a sub-step, `(blocks, sub-steps)`.
  let ends: NumberStorage<Int>
  /// Per block: values beyond what the code can express, and whether all values were finite.
  private let saturations: NumberStorage<Int>
  private let areFinite: NumberStorage<Bool>

  private let table: SpikeTable<Scalar>
  // Scratch of the standard neuron: where a block's begins, in neurons.
  private let scratchStarts: [Int]
  private let numbers: NumberStorage<Scalar>
  private let words: NumberStorage<Int64>
  /// u/s of every entry, `(entries)`.
  private let shares: NumberStorage<Scalar>
  /// Who of a block may still have something to say, first; `(entries)`.
  private let speakers: NumberStorage<Speaker>
  // The spikes of rows of several blocks, sub-step by sub-step; as many as fit the longest phase so far.
  private var orderedParticles = NumberStorage<Int32>(zeros: 0)
  private var orderedWeights = NumberStorage<Scalar>(zeros: 0)

  /// A particle while it fires.
  private struct Speaker: BitwiseCopyable {
    var cell: SpikingCell<Scalar>
    /// u/s, and s.
    let share, scale: Scalar
    let entry: Int32
    /// Spikes so far.
    var fired: Int32 = 0
  }

  /// - Parameters:
  ///   - rows: the blocks of each row, entries counted over all rows.
  init(rows: [[Range<Int>]], width: Int, code: SpikeCode) {
    var (blocks, blocksOfRow): ([Range<Int>], [Range<Int>]) = ([], [])
    for row in rows {
      blocksOfRow.append(blocks.count..<blocks.count + row.count)
      blocks += row
    }
    (self.blocks, self.blocksOfRow, self.width, self.code) = (blocks, blocksOfRow, width, code)
    table = SpikeTable(
      code.substeps.map { (Scalar($0.input), Scalar($0.threshold), Scalar($0.weight)) },
      most: code.mostSpikes, flows: code.substeps.contains { $0.input != 0 && $0.input != 1 },
      firesBothWays: code.firesBothWays,
      least: Scalar(code.kind == .threshold ? code.substeps.map(\.threshold).min() ?? 0 : 0),
      largest: Scalar(code.largest + (code.substeps.last?.weight ?? 0) / 2))
    var starts = [0]
    for block in blocks { starts.append(starts[starts.count - 1] + Scalar.spikeScratch(block.count)) }
    scratchStarts = starts
    numbers = NumberStorage(zeros: 2 * starts[blocks.count])
    words = NumberStorage(zeros: 3 * starts[blocks.count])
    let entries = rows.count * width
    sent = NumberStorage(zeros: entries)
    particles = blocks.map { NumberStorage(zeros: $0.count * code.mostSpikes + 1) }
    weights = blocks.map { NumberStorage(zeros: $0.count * code.mostSpikes + 1) }
    ends = NumberStorage(zeros: blocks.count * code.substeps.count)
    saturations = NumberStorage(zeros: blocks.count)
    areFinite = NumberStorage(zeros: blocks.count)
    shares = NumberStorage(zeros: entries)
    speakers = NumberStorage(zeros: entries)
  }

  var substeps: Int { code.substeps.count }
  /// Spikes of a block.
  func count(_ block: Int) -> Int { ends.base[(block + 1) * substeps - 1] }
  /// The spikes of a block in a sub-step.
  func spikes(_ block: Int, at substep: Int) -> Range<Int> {
    let first = substep == 0 ? 0 : ends.base[block * substeps + substep - 1]
    return first..<ends.base[block * substeps + substep]
  }
  var spikeCount: Int { blocks.indices.reduce(0) { $0 + count($1) } }
  var saturated: Int { blocks.indices.reduce(0) { $0 + saturations.base[$1] } }
  var isFinite: Bool { blocks.indices.allSatisfy { areFinite.base[$0] } }

  /// The spikes of every row in the order in which they travel: sub-step by sub-step, block by block.
  func inOrder() -> [SpikeSequence<Scalar>] {
    if blocksOfRow.allSatisfy({ $0.count == 1 }) {
      return blocks.indices.map {
        SpikeSequence(particles: particles[$0].base, weights: weights[$0].base, count: count($0))
      }
    }
    let total = spikeCount
    if orderedParticles.count < total {
      orderedParticles = NumberStorage(zeros: 2 * total)
      orderedWeights = NumberStorage(zeros: 2 * total)
    }
    var next = 0
    return blocksOfRow.map { own in
      let first = next
      for substep in 0..<substeps {
        for block in own {
          let fired = spikes(block, at: substep)
          guard !fired.isEmpty else { continue }
          (orderedParticles.base + next).update(
            from: particles[block].base + fired.lowerBound, count: fired.count)
          (orderedWeights.base + next).update(
            from: weights[block].base + fired.lowerBound, count: fired.count)
          next += fired.count
        }
      }
      return SpikeSequence(
        particles: orderedParticles.base + first, weights: orderedWeights.base + first, count: next - first)
    }
  }

  /// One entry fires one spike of weight 1, as the neuron of the token that is read does.
  func fireOnce(_ entry: Int) {
    sent.base.update(repeating: 0, count: sent.count)
    sent.base[entry] = 1
    for (index, block) in blocks.enumerated() {
      let count = block.contains(entry) ? 1 : 0
      for substep in 0..<substeps { ends.base[index * substeps + substep] = count }
      (saturations.base[index], areFinite.base[index]) = (0, true)
      guard count > 0 else { continue }
      particles[index].base[0] = Int32(entry % width)
      weights[index].base[0] = 1
    }
  }

  /// A phase: all blocks fire.
  ///
  /// - Parameters:
  ///   - values: what is to be said, `(entries)`.
  ///   - scales: s of every entry.
  ///   - chance: where the phase stands, for codes that draw.
  func fire(
    _ values: UnsafePointer<Scalar>, scales: UnsafePointer<Scalar>, _ model: some NeuronModel, chance: UInt64,
    workers: Workers
  ) {
    // Another neuron has a name.
    let isStandard = model.name.isEmpty
    workers.run(blocks: blocks.count) { block in
      switch code.kind {
      case .threshold where isStandard: fireStandard(block, values, scales)
      case .threshold: integrate(block, values, scales, model)
      case .chance: draw(block, values, scales, chance)
      case .graded: pass(block, values)
      }
    }
  }

  private func fireStandard(
    _ block: Int, _ values: UnsafePointer<Scalar>, _ scales: UnsafePointer<Scalar>
  ) {
    let (own, scratch) = (blocks[block], scratchStarts[block])
    let (saturated, isFinite) = Scalar.fireSpikes(
      values + own.lowerBound, scales: scales + own.lowerBound, count: own.count, table,
      scratch: (numbers.base + 2 * scratch, words.base + 3 * scratch),
      first: Int32(truncatingIfNeeded: own.lowerBound - start(ofRowOf: block)),
      sent: sent.base + own.lowerBound, particles: particles[block].base, weights: weights[block].base,
      ends: ends.base + block * substeps)
    (saturations.base[block], areFinite.base[block]) = (saturated, isFinite)
  }

  /// The first entry of the row that a block belongs to.
  private func start(ofRowOf block: Int) -> Int { blocks[block].lowerBound / width * width }

  /// Lists the entries of a block that could fire at all: at least `least` of their scale; others say nothing.
  @inline(__always)
  private func begin(
    _ block: Int, _ values: UnsafePointer<Scalar>, _ scales: UnsafePointer<Scalar>
  ) -> Int {
    let own = blocks[block]
    let (speaker, shares) = (speakers.base + own.lowerBound, shares.base)
    let (largest, least, flows) = (table.largest, table.least, table.flows)
    (sent.base + own.lowerBound).update(repeating: 0, count: own.count)
    // By themselves, so that several are divided at a time.
    for entry in own { shares[entry] = values[entry] / scales[entry] }
    var (count, saturated, finite) = (0, 0, true)
    for entry in own {
      let share = shares[entry]
      finite = finite && share.isFinite
      speaker[count] = Speaker(
        cell: SpikingCell(membrane: flows ? 0 : share), share: share, scale: scales[entry],
        entry: Int32(truncatingIfNeeded: entry))
      let speaks = share != 0 && share.magnitude >= least
      saturated &+= speaks && share.magnitude > largest ? 1 : 0
      count &+= speaks ? 1 : 0
    }
    (saturations.base[block], areFinite.base[block]) = (saturated, finite)
    return count
  }

  /// For any neuron. Who has nothing more to say is no longer looked at. Nothing branches on whether a neuron fires: nobody could foretell it.
  @_specialize(where Scalar == Float, Model == IntegrateAndFire)
  @_specialize(where Scalar == Double, Model == IntegrateAndFire)
  private func integrate<Model: NeuronModel>(
    _ block: Int, _ values: UnsafePointer<Scalar>, _ scales: UnsafePointer<Scalar>, _ model: Model
  ) {
    let (flows, least, substeps) = (table.flows, table.least, substeps)
    var count = begin(block, values, scales)
    let speakers = speakers.base + blocks[block].lowerBound
    let (who, what, sent) = (particles[block].base, weights[block].base, sent.base)
    let (most, row) = (Int32(code.mostSpikes), Int32(start(ofRowOf: block)))
    let (bothWays, ends) = (code.firesBothWays, ends.base + block * substeps)
    var spikes = 0
    for number in 0..<substeps {
      let (part, threshold, weight) = table[number]
      var left = 0
      for place in 0..<count {
        var speaker = speakers[place]
        let sign = model.advance(
          &speaker.cell, input: flows ? speaker.share * part : 0, threshold: threshold, weight: weight)
        let spike = sign * weight * speaker.scale
        (who[spikes], what[spikes]) = (speaker.entry &- row, spike)
        sent[Int(speaker.entry)] += spike
        let fires = sign != 0
        speaker.fired &+= fires ? 1 : 0
        spikes &+= fires ? 1 : 0
        let membrane = speaker.cell.membrane
        // Binary digits are fired on the channel of their value alone.
        let isLarge = membrane.magnitude >= least && (bothWays || (membrane > 0) == (speaker.share > 0))
        speakers[left] = speaker
        left &+= speaker.fired < most && (flows || isLarge) ? 1 : 0
      }
      count = left
      ends[number] = spikes
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func draw(
    _ block: Int, _ values: UnsafePointer<Scalar>, _ scales: UnsafePointer<Scalar>, _ chance: UInt64
  ) {
    let count = begin(block, values, scales)
    let speakers = speakers.base + blocks[block].lowerBound
    let (who, what) = (particles[block].base, weights[block].base)
    let (weight, row) = (Scalar(code.substeps[0].weight), start(ofRowOf: block))
    var spikes = 0
    for number in 0..<substeps {
      for place in 0..<count {
        let (entry, share) = (Int(speakers[place].entry), speakers[place].share)
        let probability = Double(share.magnitude)
        var random = SeededRandom(seed: chance &+ UInt64(entry) &* 0xD6E8_FEB8_6659_FD93)
        random.state ^= UInt64(number) &* 0xA076_1D64_78BD_642F
        guard random.uniform() < probability else { continue }
        let spike = (share > 0 ? weight : -weight) * scales[entry]
        (who[spikes], what[spikes]) = (Int32(entry - row), spike)
        spikes += 1
        sent.base[entry] += spike
      }
      ends.base[block * substeps + number] = spikes
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func pass(_ block: Int, _ values: UnsafePointer<Scalar>) {
    var (spikes, finite) = (0, true)
    let row = start(ofRowOf: block)
    for entry in blocks[block] {
      let value = values[entry]
      sent.base[entry] = value
      if !value.isFinite { finite = false }
      guard value != 0 else { continue }
      (particles[block].base[spikes], weights[block].base[spikes]) = (Int32(entry - row), value)
      spikes += 1
    }
    ends.base[block] = spikes
    (saturations.base[block], areFinite.base[block]) = (0, finite)
  }
}
