import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Rounds 4l and 4l + 1: what firing neurons read from their plastic synapses and write to them.
extension CircuitExecutor {
  typealias PlasticPointers = PlasticLayer<Scalar>.Pointers

  /// Round 4l, X̃ and ρ → a at the hubs; round 4l + 1, the field and X̃ → ρ.
  func exchangePlastic(_ block: NeuronBlock, _ index: Int, reads: Bool, writes: Bool) {
    guard let rows else { return }
    guard rows.history != nil else {
      return exchangeAtOnce(block, index, rows, reads: reads, writes: writes)
    }
    if reads { readPlastic(block, index, rows) }
    if writes { remember(block, index, rows) }
  }

  /// Reads ρ and what is not yet written to it: a += Σ_i ρ_i x̃_i here, and per slot the overlap Σ_i history_i x̃_i that
  /// ``gatherAttention(_:)`` multiplies with the slot's field.
  private func readPlastic(_ block: NeuronBlock, _ index: Int, _ rows: PlasticPointers) {
    guard let history = rows.history else { return }
    let (first, d, slots) = (block.neurons.lowerBound, graph.hubCount, Scalar.slots)
    // Once in 16 tokens, at positions that depend on the block alone, its histories are written.
    if (position + index) % slots == 0 {
      let list = scratch.possible.base + first
      let count = Scalar.listRemembering(history, block.neurons, into: list)
      PlasticLayer.settle(
        rows, list, count: count, at: position, damping, factors: scratch.drives.base + first, d: d)
    }
    let (fired, sent) = (lists.fired.base + first, lists.sent.base + first)
    let count = lists.firedCount.base[index]
    var values = UnsafePointer(sent)
    if let damping, let stamps = rows.stamps {
      let damped = scratch.drives.base + first
      for place in 0..<count {
        let neuron = Int(fired[place])
        damped[place] = sent[place] * damping.kept(by: neuron, after: position - Int(stamps[neuron]))
      }
      values = UnsafePointer(damped)
    }
    let (toHubs, overlaps) = (scratch.toHubs.base + index * d, scratch.overlaps.base + index * slots)
    toHubs.update(repeating: 0, count: d)
    overlaps.update(repeating: 0, count: slots)
    Scalar.readPlastic(
      rows.weights, fired, damped: values, sent, count: count, history: history,
      keep: damping?.ages(at: position), d: d, into: toHubs, scores: overlaps)
  }

  /// Every neuron that fired notes its activity; the field goes to the layer's fields in ``rememberField(_:)``.
  private func remember(_ block: NeuronBlock, _ index: Int, _ rows: PlasticPointers) {
    guard let history = rows.history else { return }
    let (first, slot) = (block.neurons.lowerBound, position % Scalar.slots)
    let (fired, sent) = (lists.fired.base + first, lists.sent.base + first)
    for place in 0..<lists.firedCount.base[index] {
      history[Int(fired[place]) * Scalar.slots + slot] = sent[place]
    }
  }

  /// The field of this token takes the slot of the token 16 before, which every block has settled.
  func rememberField(_ rows: PlasticPointers) {
    rows.fields.map {
      ($0 + position % Scalar.slots * graph.hubCount).update(from: field.base, count: graph.hubCount)
    }
  }

  /// Hubs add what the blocks of each head sent, then what its neurons' histories say about the last fields.
  func gatherAttention(_ rows: PlasticPointers) {
    let (d, slots) = (graph.hubCount, Scalar.slots)
    exchange?.completeRead()
    for (head, blocks) in layout.blocksOfHead.enumerated() {
      let sums = attention.base + head * d
      guard let read = sum(scratch.toHubs.base, blocks, width: d) else {
        sums.update(repeating: 0, count: d)
        continue
      }
      sums.update(from: read, count: d)
      guard let fields = rows.fields,
        let overlaps = sum(scratch.overlaps.base, blocks, width: slots)
      else { continue }
      for slot in 0..<slots where overlaps[slot] != 0 {
        add(fields + slot * d, times: overlaps[slot], to: sums, d)
      }
    }
  }

  /// Without deferral: every row that fired is damped, read and written in one pass.
  private func exchangeAtOnce(
    _ block: NeuronBlock, _ index: Int, _ rows: PlasticPointers, reads: Bool, writes: Bool
  ) {
    let (first, d, weights) = (block.neurons.lowerBound, graph.hubCount, rows.weights)
    let (fired, sent) = (lists.fired.base + first, lists.sent.base + first)
    let count = lists.firedCount.base[index]
    let toHubs = scratch.toHubs.base + index * d
    var keep: UnsafeMutablePointer<Scalar>?
    if reads {
      toHubs.update(repeating: 0, count: d)
      if let damping, let stamps = rows.stamps {
        let factors = scratch.drives.base + first
        damping.age(fired, count: count, stamps, to: position, into: factors)
        keep = factors
      }
    }
    if reads && writes {
      Scalar.readAndHebb(weights, fired, sent, keep: keep, count: count, field.base, d: d, into: toHubs)
    } else if reads {
      if let keep { Scalar.scaleRows(weights, fired, keep, count: count, d: d) }
      Scalar.addRows(weights, fired, sent, count: count, d: d, into: toHubs)
    } else if writes {
      Scalar.hebb(weights, fired, sent, count: count, field.base, d: d)
    }
    if writes, let present = graph.plastic.present { clearAbsent(present, weights, fired, count) }
  }

  /// A plastic synapse that does not exist stays at weight 0, which neither sends nor receives.
  private func clearAbsent(
    _ present: Matrix<UInt8>, _ weights: UnsafeMutablePointer<Scalar>, _ fired: UnsafePointer<Int32>,
    _ count: Int
  ) {
    for place in 0..<count {
      let row = Int(fired[place]) * graph.hubCount
      for hub in 0..<graph.hubCount where present.pointer[row + hub] == 0 { weights[row + hub] = 0 }
    }
  }
}
