import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// The rounds of one token. Rules decide what every particle and synapse does; this file decides who meets whom, and in which
/// order sums are taken.
extension CircuitEngine {
  typealias Rules = DragonRules<Scalar>

  /// The token neuron fires: its synapses to the hubs, and LN(emb).
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func receiveToken(_ token: Int, _ activity: inout StepActivity) {
    field.base.update(repeating: 0, count: graph.hubCount)
    graph.embedding.forEachEntry(rows: token..<token + 1) { _, hub, weight in field.base[hub] = weight }
    activity.messages += Int(layout.embeddingByToken[token])
    normalise(field.base, &activity)
  }

  /// Rounds 4l − 1 … 4l + 2 for layer `layer` = l, counted from 0.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func runLayer(_ layer: Int, _ activity: inout StepActivity) {
    let rows = plastic[layer].open()
    let allHubsSpeak = speaking(field.base) == graph.hubCount
    screens?.askX(field.base)
    if layout.pairsStayInBlocks && onRound == nil {
      runBlocks { block, index in
        self.activateX(block)
        self.rotateAndCollect(block, index, allHubsSpeak)
        self.exchangePlastic(block, index, rows, reads: true, writes: true)
      }
      gatherAttention(rows)
    } else {
      runBlocks { block, _ in self.activateX(block) }
      runBlocks { block, index in self.rotateAndCollect(block, index, allHubsSpeak) }
      report(round: 4 * layer - 1, layer)
      runBlocks { block, index in self.exchangePlastic(block, index, rows, reads: true, writes: false) }
      gatherAttention(rows)
      report(round: 4 * layer, layer)
      runBlocks { block, index in self.exchangePlastic(block, index, rows, reads: false, writes: true) }
    }
    rememberField(rows)
    countFirstHalf(&activity, allHubsSpeak)
    if onRound != nil { report(round: 4 * layer + 1, layer) }
    hearAttention(&activity)
    for head in 0..<graph.headCount {
      scratch.heardByAll.base[head] =
        speaking(heard.base + head * graph.hubCount) == graph.hubCount ? 1 : 0
    }
    runBlocks { block, index in self.activateYAndEncode(block, index) }
    countSecondHalf(&activity)
    updateField(&activity)
    report(round: 4 * layer + 2, layer)
  }

  /// Round 4l + 3 of the layer before: z → X over G_x, two hops through the hubs. Neurons that are certainly not driven are not asked.
  private func activateX(_ block: NeuronBlock) {
    let (first, count, d) = (block.neurons.lowerBound, block.neurons.count, graph.hubCount)
    let drives = scratch.drives.base + first
    let accumulates = graph.variant.accumulatesActivity
    if let screens, screens.isUsableX {
      let possible = scratch.possible.base + first
      let found = screens.listX(block.neurons, sums: scratch.sums.base + first, into: possible)
      deliver(graph.drivesX, toList: possible, found, from: field.base, into: drives, d)
      if !accumulates { (x.base + first).update(repeating: 0, count: count) }
      for place in 0..<found {
        let neuron = Int(possible[place])
        x.base[neuron] = Rules.activateX(drive: drives[place], previous: accumulates ? x.base[neuron] : 0)
      }
      return
    }
    deliver(graph.drivesX, to: block.neurons, from: field.base, into: drives, d)
    let activity = x.base + first
    if accumulates {
      for offset in 0..<count {
        activity[offset] = Rules.activateX(drive: drives[offset], previous: activity[offset])
      }
    } else {
      for offset in 0..<count { activity[offset] = Rules.activateX(drive: drives[offset], previous: 0) }
    }
  }

  /// Round 4l + 3, over partner edges: X → X̃; and the lists of who listens (x > 0) and who fired (x̃ ≠ 0).
  private func rotateAndCollect(_ block: NeuronBlock, _ index: Int, _ allHubsSpeak: Bool) {
    let first = block.neurons.lowerBound
    let (listening, fired, sent) = (
      scratch.listening.base + first, scratch.fired.base + first, scratch.sent.base + first
    )
    let counts: (listening: Int, fired: Int)
    if let clock = block.clock {
      counts = Scalar.rotateAndCollect(
        x.base + first, layout.rotates ? cosines.base + clock : nil,
        layout.rotates ? sines.base + clock : nil, block.neurons, listening: listening, fired: fired,
        sent: sent)
    } else {
      counts = rotateOneByOne(block)
    }
    scratch.listeningCount.base[index] = counts.listening
    scratch.firedCount.base[index] = counts.fired
    let messages = layout.plastic.total(fired, counts.fired)
    scratch.messages.base[index] = messages
    scratch.updates.base[index] = allHubsSpeak ? messages : countUpdates(first, counts.fired)
  }

  /// Any pairs, any clocks.
  private func rotateOneByOne(_ block: NeuronBlock) -> (listening: Int, fired: Int) {
    let first = block.neurons.lowerBound
    var (listening, fired) = (0, 0)
    let partners = graph.neurons.partners
    for neuron in block.neurons {
      let own = x.base[neuron]
      if own > 0 {
        scratch.listening.base[first + listening] = Int32(neuron)
        listening += 1
      }
      var turned = own
      let partner = Int(partners[neuron])
      if partner >= 0 && layout.rotates {
        let clock = Int(layout.clockOfNeuron[neuron])
        turned = Rules.rotate(
          own: own, partner: x.base[partner], edge: graph.neurons.leads[neuron] ? .inhibitory : .excitatory,
          clock: ClockView(cosine: cosines.base[clock], sine: sines.base[clock]))
      }
      if turned != 0 {
        scratch.fired.base[first + fired] = Int32(neuron)
        scratch.sent.base[first + fired] = turned
        fired += 1
      }
    }
    return (listening, fired)
  }

  /// LN(a_h): one normaliser per head.
  private func hearAttention(_ activity: inout StepActivity) {
    heard.base.update(from: attention.base, count: attention.count)
    for head in 0..<graph.headCount {
      let values = heard.base + head * graph.hubCount
      normalise(values, &activity)
      screens?.askY(values, head)
    }
  }

  /// Round 4l + 2: a → Y at the neurons that listen, then Y → hubs. Of those that listen, the ones that are certainly not driven
  /// are not asked.
  private func activateYAndEncode(_ block: NeuronBlock, _ index: Int) {
    let (first, d) = (block.neurons.lowerBound, graph.hubCount)
    let listening = scratch.listening.base + first
    let listeningCount = scratch.listeningCount.base[index]
    let drives = scratch.drives.base + first
    let heard = heard.base + block.head * d
    var messages =
      scratch.heardByAll.base[block.head] != 0
      ? layout.drivesY.total(listening, listeningCount) : heardSynapses(listening, listeningCount, heard)
    var (possible, count) = (listening, listeningCount)
    if let screens, screens.isUsableY(block.head) {
      possible = scratch.possible.base + first
      count = screens.listY(
        listening, listeningCount, block.head, sums: scratch.sums.base + first, into: possible)
    }
    deliver(graph.drivesY, toList: possible, count, from: heard, into: drives, d)
    (y.base + first).update(repeating: 0, count: block.neurons.count)
    let (fired, sent) = (scratch.fired.base + first, scratch.sent.base + first)
    var active = 0
    let (activity, gated) = (x.base, y.base)
    for place in 0..<count {
      let neuron = Int(possible[place])
      let value = Rules.activateY(drive: drives[place], x: activity[neuron])
      gated[neuron] = value
      fired[active] = Int32(neuron)
      sent[active] = value
      active += value != 0 ? 1 : 0
    }
    messages += layout.encoder.total(fired, active)
    let toHubs = scratch.toHubs.base + index * d
    toHubs.update(repeating: 0, count: d)
    send(graph.encoder, from: fired, sent, active, into: toHubs, d)
    scratch.activeY.base[index] = active
    scratch.messages.base[index] = messages
  }

  /// The new field at the hubs: LN(v + LN(E y)), or LN(E y) without a residual.
  private func updateField(_ activity: inout StepActivity) {
    let d = graph.hubCount
    hubSums.base.update(repeating: 0, count: d)
    for index in layout.blocks.indices { add(scratch.toHubs.base + index * d, to: hubSums.base, d) }
    normalise(hubSums.base, &activity)
    guard !graph.variant.accumulatesActivity else { return field.base.update(from: hubSums.base, count: d) }
    add(hubSums.base, to: field.base, d)
    normalise(field.base, &activity)
  }

  /// After the last round: hubs → readouts.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func readOut(_ activity: inout StepActivity) {
    logits.withUnsafeMutableBufferPointer { sums in
      guard let sums = sums.baseAddress else { return }
      sums.update(repeating: 0, count: graph.tokenCount)
      for hub in 0..<graph.hubCount where field.base[hub] != 0 {
        activity.messages += Int(layout.readoutByHub[hub])
        if case .dense(let matrix) = graph.readout.storage {
          add(matrix.row(hub), times: field.base[hub], to: sums, graph.tokenCount)
        } else {
          let value = field.base[hub]
          graph.readout.forEachEntry(rows: hub..<hub + 1) { _, readout, weight in
            sums[readout] += value * weight
          }
        }
      }
    }
  }

  /// The hubs' values go to a normaliser and come back normalised. Nothing happens in a norm-free network.
  private func normalise(_ values: UnsafeMutablePointer<Scalar>, _ activity: inout StepActivity) {
    guard graph.variant.normalises else { return }
    let d = graph.hubCount
    let answer = NormaliserNode.answer(to: values, count: d, isCentred: graph.isCentred)
    for hub in 0..<d { values[hub] = Rules.normalise(values[hub], answer) }
    activity.broadcasts += 2 * d
  }

  private func report(round: Int, _ layer: Int) {
    onRound?(CircuitRound(token: position, round: round, layer: layer + 1))
  }
}
