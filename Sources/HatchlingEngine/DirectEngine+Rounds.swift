import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// The rounds of one token. Rules decide what every particle and synapse does; this file decides who meets whom, and in which order
/// sums are taken.
extension DirectEngine {
  typealias Rules = DragonRules<Scalar>

  /// The token neuron fires: z = 1_k / g(1_k).
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func receiveToken(_ token: Int, _ activity: inout StepActivity) {
    let node = graph.neuronCount + token
    trace.base.update(repeating: 0, count: trace.count)
    field.base.update(from: graph.field.row(node), count: graph.hubCount)
    if graph.variant.normalises { activity.broadcasts += graph.hubCount }
    let gain = gain(of: field.base, &activity)
    normalise(field.base, gain)
    trace.base[node] = Rules.normalise(1, gain)
    collectTrace()
  }

  /// Rounds 4l − 1 … 4l + 2 for layer `layer` = l, counted from 0.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func runLayer(_ layer: Int, _ activity: inout StepActivity) {
    deliverX(&activity)
    runBlocks { block, _ in self.activateX(block) }
    runBlocks { block, index in self.rotateAndCollect(block, index) }
    let exchange = collectFired(layer, &activity)
    report(round: 4 * layer - 1, layer)
    attention.base.update(repeating: 0, count: attention.count)
    if onRound == nil {
      activity.updates += plastic[layer].exchange(exchange, reads: true, writes: true, workers: workers)
    } else {
      _ = plastic[layer].exchange(exchange, reads: true, writes: false, workers: workers)
      report(round: 4 * layer, layer)
      let settled = PlasticExchange(
        fired: exchange.fired, sent: exchange.sent, keep: nil, parts: exchange.parts,
        partsPerHead: exchange.partsPerHead, trace: exchange.trace, traces: exchange.traces,
        attention: exchange.attention)
      activity.updates += plastic[layer].exchange(settled, reads: false, writes: true, workers: workers)
      report(round: 4 * layer + 1, layer)
    }
    hearAttention(&activity)
    updateTrace(&activity)
    report(round: 4 * layer + 2, layer)
  }

  private func runBlocks(_ body: (NeuronBlock, Int) -> Void) {
    workers.run(blocks: layout.blocks.count) { body(layout.blocks[$0], $0) }
  }

  /// Round 4l + 3 of the layer before: z → X over G_x, and through hubs what G_x lacks.
  private func deliverX(_ activity: inout StepActivity) {
    layout.outgoingX.deliver(
      from: traceNodes.base, traceValues.base, count: traceCount, into: scratch.drives.base, workers: workers)
    activity.messages += layout.outgoingX.synapses(of: traceNodes.base, count: traceCount)
    guard let remainder = graph.remainderX else { return }
    let hubs = remainder.hubs
    Scalar.deliverRows(
      remainder.encoder.pointer, leading: hubs, traceNodes.base, traceValues.base, count: traceCount,
      width: hubs, into: scratch.hubsX.base)
    activity.messages += hubs * traceCount + graph.neuronCount * nonZero(scratch.hubsX.base, hubs)
    BLAS.multiply(
      remainder.decoder.pointer, rows: graph.neuronCount, columns: hubs, by: scratch.hubsX.base,
      into: scratch.drives.base, beta: 1)
  }

  /// Round 4l + 3: X = (Xᵉ − Xⁱ)₊, added to X in `definition4`.
  private func activateX(_ block: NeuronBlock) {
    let accumulates = graph.variant.accumulatesActivity
    for neuron in block.neurons {
      x.base[neuron] = Rules.activateX(
        drive: scratch.drives.base[neuron], previous: accumulates ? x.base[neuron] : 0)
    }
  }

  /// Round 4l + 3, over partner edges: X → X̃; and who listens (x > 0) and who fired (x̃ ≠ 0).
  private func rotateAndCollect(_ block: NeuronBlock, _ index: Int) {
    let first = block.neurons.lowerBound
    var (listening, fired, messages) = (0, 0, 0)
    let (partners, leads) = (graph.neurons.partners, graph.neurons.leads)
    for neuron in block.neurons {
      let own = x.base[neuron]
      if own > 0 {
        scratch.listening.base[first + listening] = Int32(neuron)
        listening += 1
      }
      var turned = own
      let partner = Int(partners[neuron])
      if partner >= 0 && layout.rotates {
        turned = Rules.rotate(
          own: own, partner: x.base[partner], edge: leads[neuron] ? .inhibitory : .excitatory,
          clock: ClockView(cosine: cosines.base[neuron], sine: sines.base[neuron]))
      }
      rotated.base[neuron] = turned
      if turned != 0 {
        scratch.blockFired.base[first + fired] = Int32(neuron)
        scratch.blockSent.base[first + fired] = turned
        messages += Int(layout.plasticDegrees[neuron])
        fired += 1
      }
    }
    scratch.listeningCount.base[index] = listening
    scratch.firedCount.base[index] = fired
    scratch.messages.base[index] = messages
  }

  /// Puts the blocks' lists together and settles the stamps of the neurons that fired.
  private func collectFired(_ layer: Int, _ activity: inout StepActivity) -> PlasticExchange<Scalar> {
    var starts = [0]
    for (index, block) in layout.blocks.enumerated() {
      let (start, count, first) = (starts[index], scratch.firedCount.base[index], block.neurons.lowerBound)
      (scratch.fired.base + start).update(from: scratch.blockFired.base + first, count: count)
      (scratch.sent.base + start).update(from: scratch.blockSent.base + first, count: count)
      starts.append(start + count)
    }
    if let damping {
      let stamp = stamps[layer].mutablePointer()
      for place in 0..<(starts.last ?? 0) {
        let neuron = Int(scratch.fired.base[place])
        scratch.keep.base[place] = damping.kept(by: neuron, after: position - Int(stamp[neuron]))
        stamp[neuron] = Int64(position)
      }
    }
    activity.activeX.append(scratch.total(scratch.listeningCount))
    activity.messages += scratch.total(scratch.messages)
    return PlasticExchange(
      fired: scratch.fired.base, sent: scratch.sent.base, keep: damping == nil ? nil : scratch.keep.base,
      parts: layout.parts.map { starts[$0.lowerBound]..<starts[$0.upperBound] },
      partsPerHead: layout.partsPerHead, trace: trace.base, traces: traceCount, attention: attention.base)
  }

  /// Round 4l + 2: A_h → Y over G_y at the neurons that listen, times the gain of their own head.
  private func hearAttention(_ activity: inout StepActivity) {
    let (m, d, heads) = (graph.nodeCount, graph.hubCount, graph.headCount)
    BLAS.multiply(
      attention.base, by: graph.field.pointer, into: attentionField.base, m: heads, n: d, k: m)
    var gains: [Broadcast<Scalar>] = []
    var speaking: [[UInt64]] = []
    for head in 0..<heads {
      let heard = attention.base + head * m
      if graph.variant.normalises { activity.broadcasts += d * nonZero(heard, m) }
      gains.append(gain(of: attentionField.base + head * d, &activity))
      speaking.append(layout.incomingY.speaking(heard))
      sendToHubs(head, &activity)
    }
    runBlocks { block, index in
      self.activateY(block, index, speaking[block.head], gains[block.head])
    }
    activity.messages += scratch.total(scratch.messages)
  }

  /// A_h → the hubs that carry what G_y lacks.
  private func sendToHubs(_ head: Int, _ activity: inout StepActivity) {
    guard let remainder = graph.remainderY else { return }
    let (m, hubs) = (graph.nodeCount, remainder.hubs)
    BLAS.multiply(
      remainder.encoder.pointer, transposed: true, rows: m, columns: hubs, by: attention.base + head * m,
      into: scratch.hubsY.base + head * hubs)
    activity.messages += hubs * nonZero(attention.base + head * m, m)
  }

  private func activateY(
    _ block: NeuronBlock, _ index: Int, _ speaking: [UInt64], _ gain: Broadcast<Scalar>
  ) {
    let first = block.neurons.lowerBound
    let listening = scratch.listening.base + first
    let count = scratch.listeningCount.base[index]
    let drives = scratch.drives.base + first
    var messages = layout.incomingY.hear(
      listening, count: count, attention.base + block.head * graph.nodeCount, speaking: speaking, into: drives
    )
    if let remainder = graph.remainderY {
      let hubs = remainder.hubs
      let values = scratch.hubsY.base + block.head * hubs
      let cut = scratch.throughHubs.base + first
      Scalar.dotList(remainder.decoder.pointer, listening, count: count, values, d: hubs, into: cut)
      for place in 0..<count { drives[place] += cut[place] }
      messages += count * nonZero(values, hubs)
    }
    (y.base + first).update(repeating: 0, count: block.neurons.count)
    for place in 0..<count {
      let neuron = Int(listening[place])
      let drive = Rules.normalise(drives[place], gain)
      y.base[neuron] = Rules.activateY(drive: drive, x: x.base[neuron])
    }
    scratch.messages.base[index] = messages
  }

  /// Round 4l + 2: the new trace, (z + Y/g(Y)) / g(z + Y/g(Y)), or Y / g(Y) without a residual. F y and F z follow along: gains and
  /// the readout need them.
  private func updateTrace(_ activity: inout StepActivity) {
    let (n, m, d) = (graph.neuronCount, graph.nodeCount, graph.hubCount)
    var active = 0
    for neuron in 0..<n where y.base[neuron] != 0 {
      scratch.fired.base[active] = Int32(neuron)
      scratch.sent.base[active] = y.base[neuron]
      active += 1
    }
    activity.activeY.append(active)
    Scalar.deliverRows(
      graph.field.pointer, leading: d, scratch.fired.base, scratch.sent.base, count: active, width: d,
      into: encoded.base)
    if graph.variant.normalises { activity.broadcasts += d * active }
    let inner = gain(of: encoded.base, &activity)
    normalise(encoded.base, inner)
    if graph.variant.accumulatesActivity {
      field.base.update(from: encoded.base, count: d)
      for neuron in 0..<n { trace.base[neuron] = Rules.normalise(y.base[neuron], inner) }
      for node in n..<m { trace.base[node] = 0 }
    } else {
      for hub in 0..<d { field.base[hub] += encoded.base[hub] }
      let outer = gain(of: field.base, &activity)
      normalise(field.base, outer)
      for neuron in 0..<n {
        trace.base[neuron] = Rules.normalise(
          trace.base[neuron] + Rules.normalise(y.base[neuron], inner), outer)
      }
      for node in n..<m { trace.base[node] = Rules.normalise(trace.base[node], outer) }
    }
    collectTrace()
  }

  private func collectTrace() {
    traceCount = 0
    for node in 0..<graph.nodeCount where trace.base[node] != 0 {
      traceNodes.base[traceCount] = Int32(node)
      traceValues.base[traceCount] = trace.base[node]
      traceCount += 1
    }
  }

  /// After the last round: F z → readouts, the logits.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func readOut(_ activity: inout StepActivity) {
    let (d, tokens) = (graph.hubCount, graph.tokenCount)
    logits.withUnsafeMutableBufferPointer { logits in
      guard let logits = logits.baseAddress else { return }
      BLAS.multiply(
        graph.readout.pointer, transposed: true, rows: d, columns: tokens, by: field.base, into: logits)
    }
    activity.broadcasts += d * tokens
  }

  /// What the normaliser of some hubs broadcasts: a gain alone, because F is centred. 1 in a norm-free network.
  private func gain(
    of values: UnsafePointer<Scalar>, _ activity: inout StepActivity
  ) -> Broadcast<Scalar> {
    guard graph.variant.normalises else { return Broadcast(mean: 0, gain: 1) }
    activity.broadcasts += 1
    return NormaliserNode.answer(to: values, count: graph.hubCount, isCentred: true)
  }

  private func normalise(_ values: UnsafeMutablePointer<Scalar>, _ answer: Broadcast<Scalar>) {
    for hub in 0..<graph.hubCount { values[hub] = Rules.normalise(values[hub], answer) }
  }

  private func nonZero(_ values: UnsafePointer<Scalar>, _ count: Int) -> Int {
    var total = 0
    for index in 0..<count { total &+= values[index] != 0 ? 1 : 0 }
    return total
  }

  private func report(round: Int, _ layer: Int) {
    onRound?(CircuitRound(token: position, round: round, layer: layer + 1))
  }
}
