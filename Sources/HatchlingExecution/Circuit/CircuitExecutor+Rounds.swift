import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// The kernels. Rules decide what every particle and synapse does; this file decides who meets whom, and in which order sums are taken.
extension CircuitExecutor {
  typealias Rules = DragonRules<Scalar>

  /// The token neuron fires: its synapses to the hubs, and LN(emb).
  func receiveToken() {
    field.base.update(repeating: 0, count: graph.hubCount)
    graph.embedding.forEachEntry(rows: token..<token + 1) { _, hub, weight in field.base[hub] = weight }
    normalise(field.base, .embedding)
  }

  func finishExchange(reads: Bool, writes: Bool) {
    guard let rows else { return }
    if reads { gatherAttention(rows) }
    if writes { rememberField(rows) }
  }

  func beginHearing() { screens?.askX(field.base) }

  /// v → the neurons of a block. Those that are certainly not driven are not asked.
  func hear(_ block: NeuronBlock, _ index: Int) {
    let (first, d) = (block.neurons.lowerBound, graph.hubCount)
    let drives = scratch.drives.base + first
    guard let screens, screens.isUsableX else {
      scratch.possibleCount.base[index] = -1
      deliver(graph.drivesX, to: block.neurons, from: field.base, into: drives, d)
      scratch.isFiniteX.base[index] = Scalar.areFinite(drives, block.neurons.count)
      return
    }
    let possible = scratch.possible.base + first
    let found = screens.listX(block.neurons, sums: scratch.sums.base + first, into: possible)
    scratch.possibleCount.base[index] = found
    deliver(graph.drivesX, toList: possible, found, from: field.base, into: drives, d)
    scratch.isFiniteX.base[index] = Scalar.areFinite(drives, found)
  }

  /// x of a block's neurons, from the drives of all or of those that may be driven.
  func activateX(_ block: NeuronBlock, _ index: Int) {
    let (first, count, found) = (
      block.neurons.lowerBound, block.neurons.count, scratch.possibleCount.base[index]
    )
    let (drives, activity) = (scratch.drives.base + first, x.base + first)
    let accumulates = graph.variant.accumulatesActivity
    if found >= 0 {
      let possible = scratch.possible.base + first
      if !accumulates { activity.update(repeating: 0, count: count) }
      for place in 0..<found {
        let neuron = Int(possible[place])
        x.base[neuron] = Rules.activateX(drive: drives[place], previous: accumulates ? x.base[neuron] : 0)
      }
    } else if accumulates {
      for offset in 0..<count {
        activity[offset] = Rules.activateX(drive: drives[offset], previous: activity[offset])
      }
    } else {
      for offset in 0..<count { activity[offset] = Rules.activateX(drive: drives[offset], previous: 0) }
    }
  }

  /// X → X̃, and the lists of who listens (x > 0) and who fired (x̃ ≠ 0).
  func rotateAndCollect(_ block: NeuronBlock, _ index: Int) {
    let first = block.neurons.lowerBound
    guard let clock = layout.firstClocks[index] else {
      return lists.collect(block, index, x.base) { self.rotated($0) }
    }
    let counts = Scalar.rotateAndCollect(
      x.base + first, layout.rotates ? cosines.base + clock : nil,
      layout.rotates ? sines.base + clock : nil, block.neurons, listening: lists.listening.base + first,
      fired: lists.fired.base + first, sent: lists.sent.base + first)
    lists.note(counts, of: block, index)
  }

  /// Any pairs, any clocks.
  private func rotated(_ neuron: Int) -> Scalar {
    let (own, partner) = (x.base[neuron], Int(graph.neurons.partners[neuron]))
    guard partner >= 0 && layout.rotates else { return own }
    let clock = Int(layout.clockOfNeuron[neuron])
    return Rules.rotate(
      own: own, partner: x.base[partner], edge: graph.neurons.leads[neuron] ? .inhibitory : .excitatory,
      clock: ClockView(cosine: cosines.base[clock], sine: sines.base[clock]))
  }

  /// Round 4l + 2 begins: LN(a_h) by one normaliser per head.
  func hearAttention() {
    let d = graph.hubCount
    heard.base.update(from: attention.base, count: attention.count)
    for head in 0..<graph.headCount {
      let values = heard.base + head * d
      normalise(values, .attention, head: head)
      screens?.askY(values, head)
    }
  }

  /// a → the drives of those that listen. The ones that are certainly not driven are not asked.
  func listen(_ block: NeuronBlock, _ index: Int) {
    let (first, d) = (block.neurons.lowerBound, graph.hubCount)
    let listening = lists.listening.base + first
    let listeningCount = lists.listeningCount.base[index]
    let heard = heard.base + block.head * d
    if !hearsAll { lists.messages.base[index] = heardSynapses(listening, listeningCount, heard) }
    var count = listeningCount
    if let screens, screens.isUsableY(block.head) {
      count = screens.listY(
        listening, listeningCount, block.head, sums: scratch.sums.base + first,
        into: scratch.possible.base + first)
    }
    scratch.possibleCount.base[index] = count
    let drives = scratch.drives.base + first
    deliver(graph.drivesY, toList: driven(block), count, from: heard, into: drives, d)
    scratch.isFiniteY.base[index] = Scalar.areFinite(drives, count)
  }

  /// The neurons of a block that have a drive of y: those that listen, less the ones that a screen rules out.
  @inline(__always)
  func driven(_ block: NeuronBlock) -> UnsafeMutablePointer<Int32> {
    (screens?.isUsableY(block.head) == true ? scratch.possible : lists.listening).base
      + block.neurons.lowerBound
  }

  func gateAndEncode(_ block: NeuronBlock, _ index: Int) {
    let (first, d) = (block.neurons.lowerBound, graph.hubCount)
    let (possible, drives) = (driven(block), scratch.drives.base + first)
    (y.base + first).update(repeating: 0, count: block.neurons.count)
    let (answering, sent) = (lists.answering.base + first, lists.answers.base + first)
    var active = 0
    let (activity, gated) = (x.base, y.base)
    for place in 0..<scratch.possibleCount.base[index] {
      let neuron = Int(possible[place])
      let value = Rules.activateY(drive: drives[place], x: activity[neuron])
      gated[neuron] = value
      answering[active] = Int32(neuron)
      sent[active] = value
      active += value != 0 ? 1 : 0
    }
    lists.activeY.base[index] = active
    let toHubs = scratch.toHubs.base + index * d
    toHubs.update(repeating: 0, count: d)
    send(graph.encoder, from: answering, sent, active, into: toHubs, d)
  }

  func gatherEncoded() {
    let d = graph.hubCount
    exchange?.completeEncoded(spoilt)
    if let sum = sum(scratch.toHubs.base, layout.blocks.indices, width: d) {
      encoded.base.update(from: sum, count: d)
    }
  }

  /// The sum over some blocks of what they wrote, `(blocks, width)`; nil without blocks. Among ranks it has been completed before.
  func sum(
    _ rows: UnsafeMutablePointer<Scalar>, _ blocks: Range<Int>, width: Int
  ) -> UnsafeMutablePointer<Scalar>? {
    guard exchange != nil else { return BlockSums.add(rows, blocks: blocks, width: width) }
    return blocks.isEmpty ? nil : rows + blocks.lowerBound * width
  }

  /// The new field at the hubs: LN(v + LN(E y)), or LN(E y) without a residual.
  func updateField() {
    let d = graph.hubCount
    normalise(encoded.base, .encoding)
    guard !graph.variant.accumulatesActivity else { return field.base.update(from: encoded.base, count: d) }
    add(encoded.base, to: field.base, d)
    normalise(field.base, .residual)
  }

  /// After the last round: hubs → readouts.
  func readOut() {
    var speaking = 0
    for hub in 0..<graph.hubCount where field.base[hub] != 0 {
      scratch.speakers.base[speaking] = Int32(hub)
      scratch.spoken.base[speaking] = field.base[hub]
      speaking += 1
    }
    logits.withUnsafeMutableBufferPointer { sums in
      guard let sums = sums.baseAddress else { return }
      sums.update(repeating: 0, count: graph.tokenCount)
      send(
        graph.readout, from: scratch.speakers.base, scratch.spoken.base, speaking, into: sums,
        graph.tokenCount)
    }
  }

  /// The hubs' values go to a normaliser and come back normalised. Nothing happens in a norm-free network.
  private func normalise(
    _ values: UnsafeMutablePointer<Scalar>, _ kind: NormaliserKind, head: Int = 0
  ) {
    guard graph.variant.normalises else { return }
    let d = graph.hubCount
    let hubs = UnsafeBufferPointer(start: values, count: d)
    let answer = NormaliserNode.answer(to: hubs.span, isCentred: graph.isCentred)
    for hub in 0..<d { values[hub] = Rules.normalise(values[hub], answer) }
    gains.base[kind.place(head: head, of: layout.blocksOfHead.count)] = answer.gain
  }
}
