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
    let weights = plasticWeights[layer].mutablePointer()
    let stamp = stamps.isEmpty ? nil : stamps[layer].mutablePointer()
    let allHubsSpeak = speaking(field.base) == graph.hubCount
    let watched = onRound != nil

    if layout.pairsStayInBlocks && !watched {
      runBlocks { block, index in
        self.activateX(block)
        self.rotateAndCollect(block, index, allHubsSpeak)
        self.exchangePlastic(block, index, weights, stamp, reads: true, writes: true)
      }
    } else {
      runBlocks { block, _ in self.activateX(block) }
      runBlocks { block, index in self.rotateAndCollect(block, index, allHubsSpeak) }
      report(round: 4 * layer - 1, layer)
      runBlocks { block, index in
        self.exchangePlastic(block, index, weights, stamp, reads: true, writes: false)
      }
    }
    countFirstHalf(&activity, allHubsSpeak)
    gatherAttention()
    if watched {
      report(round: 4 * layer, layer)
      runBlocks { block, index in
        self.exchangePlastic(block, index, weights, stamp, reads: false, writes: true)
      }
      report(round: 4 * layer + 1, layer)
    }
    hearAttention(&activity)
    let heardByAll = (0..<graph.headCount).map {
      speaking(heard.base + $0 * graph.hubCount) == graph.hubCount
    }
    runBlocks { block, index in self.activateYAndEncode(block, index, heardByAll[block.head]) }
    countSecondHalf(&activity)
    updateField(&activity)
    report(round: 4 * layer + 2, layer)
  }

  /// Round 4l + 3 of the layer before: z → X over G_x, two hops through the hubs.
  private func activateX(_ block: NeuronBlock) {
    let (first, count, d) = (block.neurons.lowerBound, block.neurons.count, graph.hubCount)
    let drives = scratch.drives.base + first
    deliver(graph.drivesX, to: block.neurons, from: field.base, into: drives, d)
    let accumulates = graph.variant.accumulatesActivity
    for offset in 0..<count {
      let previous = accumulates ? x.base[first + offset] : 0
      x.base[first + offset] = Rules.activateX(drive: drives[offset], previous: previous)
    }
  }

  /// Round 4l + 3, over partner edges: X → X̃; and the lists of who listens (x > 0) and who fired (x̃ ≠ 0).
  private func rotateAndCollect(_ block: NeuronBlock, _ index: Int, _ allHubsSpeak: Bool) {
    let first = block.neurons.lowerBound
    var (listening, fired, messages) = (0, 0, 0)
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
      rotated.base[neuron] = turned
      if turned != 0 {
        scratch.fired.base[first + fired] = Int32(neuron)
        scratch.sent.base[first + fired] = turned
        messages += Int(layout.plasticByNeuron[neuron])
        fired += 1
      }
    }
    scratch.listeningCount.base[index] = listening
    scratch.firedCount.base[index] = fired
    scratch.messages.base[index] = messages
    scratch.updates.base[index] = allHubsSpeak ? messages : countUpdates(first, fired)
  }

  private func countUpdates(_ first: Int, _ fired: Int) -> Int {
    var updates = 0
    for place in first..<first + fired {
      let neuron = NeuronIndex(Int(scratch.fired.base[place]))
      for hub in 0..<graph.hubCount
      where field.base[hub] != 0 && graph.plastic.contains(HubIndex(hub), neuron) {
        updates += 1
      }
    }
    return updates
  }

  /// Round 4l, X̃ and ρ → a at the hubs; round 4l + 1, the field and X̃ → ρ. Damping is settled on the rows that are touched.
  private func exchangePlastic(
    _ block: NeuronBlock, _ index: Int, _ weights: UnsafeMutablePointer<Scalar>,
    _ stamp: UnsafeMutablePointer<Int64>?, reads: Bool, writes: Bool
  ) {
    let (first, d) = (block.neurons.lowerBound, graph.hubCount)
    let fired = scratch.fired.base + first
    let sent = scratch.sent.base + first
    let count = scratch.firedCount.base[index]
    let toHubs = scratch.toHubs.base + index * d
    if reads {
      toHubs.update(repeating: 0, count: d)
      if let damping, let stamp {
        for place in 0..<count {
          let neuron = Int(fired[place])
          let gap = position - Int(stamp[neuron])
          scratch.drives.base[first + place] = damping.kept(by: neuron, after: gap)
          stamp[neuron] = Int64(position)
        }
        Scalar.scaleRows(weights, fired, scratch.drives.base + first, count: count, d: d)
      }
    }
    switch (reads, writes) {
    case (true, true): Scalar.readAndHebb(weights, fired, sent, count: count, field.base, d: d, into: toHubs)
    case (true, false): Scalar.addRows(weights, fired, sent, count: count, d: d, into: toHubs)
    case (false, true): Scalar.hebb(weights, fired, sent, count: count, field.base, d: d)
    case (false, false): break
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

  /// Hubs add what the blocks of each head sent, in block order.
  private func gatherAttention() {
    let d = graph.hubCount
    attention.base.update(repeating: 0, count: attention.count)
    for (index, block) in layout.blocks.enumerated() {
      add(scratch.toHubs.base + index * d, to: attention.base + block.head * d, d)
    }
  }

  /// LN(a_h): one normaliser per head.
  private func hearAttention(_ activity: inout StepActivity) {
    heard.base.update(from: attention.base, count: attention.count)
    for head in 0..<graph.headCount { normalise(heard.base + head * graph.hubCount, &activity) }
  }

  /// Round 4l + 2: a → Y at the neurons that listen, then Y → hubs.
  private func activateYAndEncode(_ block: NeuronBlock, _ index: Int, _ heardByAll: Bool) {
    let (first, d) = (block.neurons.lowerBound, graph.hubCount)
    let listening = scratch.listening.base + first
    let count = scratch.listeningCount.base[index]
    let drives = scratch.drives.base + first
    let heard = heard.base + block.head * d
    deliver(graph.drivesY, toList: listening, count, from: heard, into: drives, d)
    (y.base + first).update(repeating: 0, count: block.neurons.count)
    let fired = scratch.fired.base + first
    let sent = scratch.sent.base + first
    var (active, messages) = (0, 0)
    for place in 0..<count {
      let neuron = Int(listening[place])
      messages += heardByAll ? Int(layout.driveYByNeuron[neuron]) : heardSynapses(neuron, heard)
      let value = Rules.activateY(drive: drives[place], x: x.base[neuron])
      guard value != 0 else { continue }
      y.base[neuron] = value
      fired[active] = Int32(neuron)
      sent[active] = value
      messages += Int(layout.encoderByNeuron[neuron])
      active += 1
    }
    let toHubs = scratch.toHubs.base + index * d
    toHubs.update(repeating: 0, count: d)
    send(graph.encoder, from: fired, sent, active, into: toHubs, d)
    scratch.activeY.base[index] = active
    scratch.messages.base[index] = messages
  }

  private func heardSynapses(_ neuron: Int, _ heard: UnsafePointer<Scalar>) -> Int {
    var count = 0
    graph.drivesY.forEachEntry(rows: neuron..<neuron + 1) { _, hub, _ in if heard[hub] != 0 { count += 1 } }
    return count
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

  private func countFirstHalf(_ activity: inout StepActivity, _ allHubsSpeak: Bool) {
    activity.activeX.append(scratch.total(scratch.listeningCount))
    activity.messages += scratch.total(scratch.messages)
    activity.updates += scratch.total(scratch.updates)
    activity.messages +=
      allHubsSpeak
      ? layout.driveXCount
      : (0..<graph.hubCount).reduce(0) { $0 + (field.base[$1] != 0 ? layout.driveXByHub[$1] : 0) }
  }

  private func countSecondHalf(_ activity: inout StepActivity) {
    activity.activeY.append(scratch.total(scratch.activeY))
    activity.messages += scratch.total(scratch.messages)
  }

  private func speaking(_ values: UnsafePointer<Scalar>) -> Int {
    var count = 0
    for hub in 0..<graph.hubCount { count += values[hub] != 0 ? 1 : 0 }
    return count
  }

  private func report(round: Int, _ layer: Int) {
    onRound?(CircuitRound(token: position, round: round, layer: layer + 1))
  }
}
