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
  private(set) var particles: [NumberStorage<Int32>]
  private(set) var weights: [NumberStorage<Scalar>]
  /// How many spikes a block has fired by the end of a sub-step, `(blocks, sub-steps)`.
  let ends: NumberStorage<Int>
  /// Per block: values beyond what the code can express, and whether all values were finite.
  private let saturations: NumberStorage<Int>
  private let areFinite: NumberStorage<Bool>

  // What a neuron is while it fires, `(entries)`.
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
    let entries = rows.count * width
    sent = NumberStorage(zeros: entries)
    particles = blocks.map { NumberStorage(zeros: $0.count * code.mostSpikes) }
    weights = blocks.map { NumberStorage(zeros: $0.count * code.mostSpikes) }
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

  /// Lists the entries of a block that could fire at all: at least `least` of their scale; others say nothing.
  @inline(__always)
  private func begin(
    _ block: Int, _ values: UnsafePointer<Scalar>, _ scales: UnsafePointer<Scalar>, least: Scalar
  ) -> Int {
    let (first, largest) = (blocks[block].lowerBound, Scalar(code.largest))
    let half = Scalar(code.substeps[substeps - 1].weight) / 2
    var (count, saturated, finite) = (0, 0, true)
    for entry in blocks[block] {
      let value = values[entry] / scales[entry]
      sent.base[entry] = 0
      if !value.isFinite { finite = false }
      guard value != 0, value.magnitude >= least else { continue }
      if value.magnitude > largest + half { saturated += 1 }
      cells.base[entry] = SpikingCell(membrane: value)
      fired.base[entry] = 0
      active.base[first + count] = Int32(entry)
      count += 1
    }
    (saturations.base[block], areFinite.base[block]) = (saturated, finite)
    return count
  }

  /// Who has nothing more to say is no longer looked at.
  @_specialize(where Scalar == Float, Model == IntegrateAndFire)
  @_specialize(where Scalar == Double, Model == IntegrateAndFire)
  private func integrate<Model: NeuronModel>(
    _ block: Int, _ values: UnsafePointer<Scalar>, _ scales: UnsafePointer<Scalar>, _ model: Model
  ) {
    let flows = code.substeps.contains { $0.input != 0 && $0.input != 1 }
    let least = Scalar(code.substeps.map(\.threshold).min() ?? 0)
    var count = begin(block, values, scales, least: least)
    let list = active.base + blocks[block].lowerBound
    let (who, what) = (particles[block].base, weights[block].base)
    let most = Int32(code.mostSpikes)
    var spikes = 0
    for (number, substep) in code.substeps.enumerated() {
      let (threshold, weight) = (Scalar(substep.threshold), Scalar(substep.weight))
      var left = 0
      for place in 0..<count {
        let entry = Int(list[place])
        var cell = cells.base[entry]
        var input: Scalar = 0
        if flows {
          // The value itself is read again: the membrane is what has flowed in.
          if number == 0 { cell.membrane = 0 }
          input = values[entry] / scales[entry] * Scalar(substep.input)
        }
        let sign = model.advance(&cell, input: input, threshold: threshold, weight: weight)
        if sign != 0 {
          (who[spikes], what[spikes]) = (Int32(entry % width), sign * weight * scales[entry])
          spikes += 1
          fired.base[entry] += 1
          sent.base[entry] += sign * weight * scales[entry]
        }
        cells.base[entry] = cell
        guard fired.base[entry] < most, flows || canFire(cell.membrane, values[entry], least) else {
          continue
        }
        list[left] = Int32(entry)
        left += 1
      }
      count = left
      ends.base[block * substeps + number] = spikes
    }
  }

  /// Whether a membrane that nothing flows into any more may still fire: binary digits do on the channel of their value alone.
  @inline(__always)
  private func canFire(_ membrane: Scalar, _ value: Scalar, _ least: Scalar) -> Bool {
    membrane.magnitude >= least && (code.firesBothWays || (membrane > 0) == (value > 0))
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func draw(
    _ block: Int, _ values: UnsafePointer<Scalar>, _ scales: UnsafePointer<Scalar>, _ chance: UInt64
  ) {
    let count = begin(block, values, scales, least: 0)
    let list = active.base + blocks[block].lowerBound
    let (who, what) = (particles[block].base, weights[block].base)
    let weight = Scalar(code.substeps[0].weight)
    var spikes = 0
    for number in 0..<substeps {
      for place in 0..<count {
        let entry = Int(list[place])
        let probability = Double(cells.base[entry].membrane.magnitude)
        var random = SeededRandom(seed: chance &+ UInt64(entry) &* 0xD6E8_FEB8_6659_FD93)
        random.state ^= UInt64(number) &* 0xA076_1D64_78BD_642F
        guard random.uniform() < probability else { continue }
        let spike = (cells.base[entry].membrane > 0 ? weight : -weight) * scales[entry]
        (who[spikes], what[spikes]) = (Int32(entry % width), spike)
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
    for entry in blocks[block] {
      let value = values[entry]
      sent.base[entry] = value
      if !value.isFinite { finite = false }
      guard value != 0 else { continue }
      (particles[block].base[spikes], weights[block].base[spikes]) = (Int32(entry % width), value)
      spikes += 1
    }
    ends.base[block] = spikes
    (saturations.base[block], areFinite.base[block]) = (0, finite)
  }
}
