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

  // The code's table, and what follows from it.
  private let table: NumberStorage<Substep>
  private let largest: Scalar
  private let least: Scalar
  private let flows: Bool

  private struct Substep: BitwiseCopyable {
    let (input, threshold, weight): (Scalar, Scalar, Scalar)
  }

  // What neurons are while they fire, those of a block that may still have something to say first, `(entries)`.
  private let cells: NumberStorage<SpikingCell<Scalar>>
  private let fired: NumberStorage<Int32>
  private let active: NumberStorage<Int32>

  /// - Parameters:
  ///   - rows: the blocks of each row, entries counted over all rows.
  init(rows: [[Range<Int>]], width: Int, code: SpikeCode) {
    var (blocks, blocksOfRow): ([Range<Int>], [Range<Int>]) = ([], [])
    for row in rows {
      blocksOfRow.append(blocks.count..<blocks.count + row.count)
      blocks += row
    }
    (self.blocks, self.blocksOfRow, self.width, self.code) = (blocks, blocksOfRow, width, code)
    table = NumberStorage(zeros: code.substeps.count)
    for (number, substep) in code.substeps.enumerated() {
      table.base[number] = Substep(
        input: Scalar(substep.input), threshold: Scalar(substep.threshold), weight: Scalar(substep.weight))
    }
    least = Scalar(code.kind == .threshold ? code.substeps.map(\.threshold).min() ?? 0 : 0)
    largest = Scalar(code.largest + (code.substeps.last?.weight ?? 0) / 2)
    flows = code.substeps.contains { $0.input != 0 && $0.input != 1 }
    let entries = rows.count * width
    sent = NumberStorage(zeros: entries)
    particles = blocks.map { NumberStorage(zeros: $0.count * code.mostSpikes + 1) }
    weights = blocks.map { NumberStorage(zeros: $0.count * code.mostSpikes + 1) }
    ends = NumberStorage(zeros: blocks.count * code.substeps.count)
    saturations = NumberStorage(zeros: blocks.count)
    areFinite = NumberStorage(zeros: blocks.count)
    cells = NumberStorage(zeros: entries)
    fired = NumberStorage(zeros: entries)
    active = NumberStorage(zeros: entries)
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
    workers.run(blocks: blocks.count) { block in
      switch code.kind {
      case .threshold: integrate(block, values, scales, model)
      case .chance: draw(block, values, scales, chance)
      case .graded: pass(block, values)
      }
    }
  }

  /// The first entry of the row that a block belongs to.
  private func start(ofRowOf block: Int) -> Int { blocks[block].lowerBound / width * width }

  /// Lists the entries of a block that could fire at all: at least `least` of their scale; others say nothing.
  @inline(__always)
  private func begin(
    _ block: Int, _ values: UnsafePointer<Scalar>, _ scales: UnsafePointer<Scalar>
  ) -> Int {
    let (first, list, cells, fired) = (blocks[block].lowerBound, active.base, cells.base, fired.base)
    let (sent, largest, least) = (sent.base, largest, least)
    var (count, saturated, finite) = (0, 0, true)
    for entry in blocks[block] {
      let value = values[entry] / scales[entry]
      sent[entry] = 0
      if !value.isFinite { finite = false }
      guard value != 0, value.magnitude >= least else { continue }
      if value.magnitude > largest { saturated += 1 }
      cells[first + count] = SpikingCell(membrane: value)
      fired[first + count] = 0
      list[first + count] = Int32(truncatingIfNeeded: entry)
      count &+= 1
    }
    (saturations.base[block], areFinite.base[block]) = (saturated, finite)
    return count
  }

  /// Who has nothing more to say is no longer looked at. Nothing branches on whether a neuron fires: nobody could foretell it.
  @_specialize(where Scalar == Float, Model == IntegrateAndFire)
  @_specialize(where Scalar == Double, Model == IntegrateAndFire)
  private func integrate<Model: NeuronModel>(
    _ block: Int, _ values: UnsafePointer<Scalar>, _ scales: UnsafePointer<Scalar>, _ model: Model
  ) {
    let (flows, least, substeps) = (flows, least, substeps)
    var count = begin(block, values, scales)
    let first = blocks[block].lowerBound
    let (list, cells, fired) = (active.base + first, cells.base + first, fired.base + first)
    let (who, what, sent) = (particles[block].base, weights[block].base, sent.base)
    let (most, row) = (Int32(code.mostSpikes), Int32(start(ofRowOf: block)))
    let (bothWays, ends) = (code.firesBothWays, ends.base + block * substeps)
    var spikes = 0
    if flows { for place in 0..<count { cells[place].membrane = 0 } }
    for number in 0..<substeps {
      let (part, threshold, weight) = (
        table.base[number].input, table.base[number].threshold, table.base[number].weight
      )
      var left = 0
      for place in 0..<count {
        let (entry, before) = (list[place], fired[place])
        var cell = cells[place]
        let (value, scale) = (values[Int(entry)], scales[Int(entry)])
        let sign = model.advance(
          &cell, input: flows ? value / scale * part : 0, threshold: threshold, weight: weight)
        let spike = sign * weight * scale
        (who[spikes], what[spikes]) = (entry &- row, spike)
        sent[Int(entry)] += spike
        let after = before &+ (sign != 0 ? 1 : 0)
        spikes &+= sign != 0 ? 1 : 0
        // Binary digits are fired on the channel of their value alone.
        let isLarge = cell.membrane.magnitude >= least && (bothWays || (cell.membrane > 0) == (value > 0))
        (list[left], cells[left], fired[left]) = (entry, cell, after)
        left &+= after < most && (flows || isLarge) ? 1 : 0
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
    let first = blocks[block].lowerBound
    let list = active.base + first
    let (who, what) = (particles[block].base, weights[block].base)
    let (weight, row) = (Scalar(code.substeps[0].weight), start(ofRowOf: block))
    var spikes = 0
    for number in 0..<substeps {
      for place in 0..<count {
        let entry = Int(list[place])
        let membrane = cells.base[first + place].membrane
        let probability = Double(membrane.magnitude)
        var random = SeededRandom(seed: chance &+ UInt64(entry) &* 0xD6E8_FEB8_6659_FD93)
        random.state ^= UInt64(number) &* 0xA076_1D64_78BD_642F
        guard random.uniform() < probability else { continue }
        let spike = (membrane > 0 ? weight : -weight) * scales[entry]
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
