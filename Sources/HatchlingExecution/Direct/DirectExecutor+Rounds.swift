import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// The kernels. Rules decide what every particle and synapse does; this file decides who meets whom, and in which order sums are taken.
extension DirectExecutor {
  typealias Rules = DragonRules<Scalar>

  /// The token neuron fires: z = 1_k / g(1_k).
  func receiveToken() {
    let node = graph.neuronCount + token
    trace.base.update(repeating: 0, count: trace.count)
    guard graph.hasHubs else {
      trace.base[node] = 1
      normalise(trace, gain(of: trace, .embedding))
      return collectTrace()
    }
    field.base.update(from: graph.field.row(node), count: graph.hubCount)
    let gain = gain(of: field.base, .embedding)
    normalise(field.base, gain)
    trace.base[node] = Rules.normalise(1, gain)
    collectTrace()
  }

  private func runBlocks(_ body: (NeuronBlock, Int) -> Void) {
    workers.run(blocks: layout.blocks.count) { body(layout.blocks[$0], $0) }
  }

  /// Round 4l − 1, the messages: z → drive of x over G_x, and through hubs what G_x lacks.
  func hear() {
    layout.outgoingX.deliver(
      from: traceNodes.base, traceValues.base, count: traceCount, into: driveX.base, workers: workers)
    guard let remainder = graph.remainderX else { return }
    let hubs = remainder.hubs
    Scalar.deliverRows(
      remainder.encoder.pointer, leading: hubs, traceNodes.base, traceValues.base, count: traceCount,
      width: hubs, into: remainderX.base)
    BLAS.multiply(
      remainder.decoder.pointer, rows: graph.neuronCount, columns: hubs, by: remainderX.base,
      into: driveX.base, beta: 1)
  }

  /// Round 4l − 1, the neurons: X = (Xᵉ − Xⁱ)₊, added to X in `definition4`; then X̃ over partner edges.
  func activateAndRotate() {
    runBlocks { block, _ in self.activateX(block) }
    runBlocks { block, index in
      self.rotate(block)
      self.lists.collect(block, index, self.x.base) { self.rotated.base[$0] }
    }
  }

  private func activateX(_ block: NeuronBlock) {
    let accumulates = graph.variant.accumulatesActivity
    for neuron in block.neurons {
      x.base[neuron] = Rules.activateX(
        drive: driveX.base[neuron], previous: accumulates ? x.base[neuron] : 0)
    }
  }

  private func rotate(_ block: NeuronBlock) {
    let (partners, leads) = (graph.neurons.partners, graph.neurons.leads)
    for neuron in block.neurons {
      var turned = x.base[neuron]
      let partner = Int(partners[neuron])
      if partner >= 0 && layout.rotates {
        turned = Rules.rotate(
          own: turned, partner: x.base[partner], edge: leads[neuron] ? .inhibitory : .excitatory,
          clock: ClockView(cosine: cosines.base[neuron], sine: sines.base[neuron]))
      }
      rotated.base[neuron] = turned
    }
  }

  /// Rounds 4l and 4l + 1.
  func exchange(_ layer: Int, reads: Bool, writes: Bool) {
    let exchange = collectFired(layer, settles: reads)
    if reads { attention.base.update(repeating: 0, count: attention.count) }
    // Each store writes the A of its own nodes.
    written = plastic.stores[layer - 1].reduce(0) {
      $0 + $1.exchange(exchange, reads: reads, writes: writes, workers: workers)
    }
  }

  /// Puts the blocks' lists together; where weights are settled, the damping since the stamps of the neurons that fired.
  private func collectFired(_ layer: Int, settles: Bool) -> PlasticExchange<Scalar> {
    var starts = [0]
    for (index, block) in layout.blocks.enumerated() {
      let (start, count, first) = (starts[index], lists.firedCount.base[index], block.neurons.lowerBound)
      (scratch.allFired.base + start).update(from: lists.fired.base + first, count: count)
      (scratch.allSent.base + start).update(from: lists.sent.base + first, count: count)
      starts.append(start + count)
    }
    if let damping = plastic.damping, settles {
      let stamp = plastic.stamps[layer - 1].mutablePointer()
      for place in 0..<(starts.last ?? 0) {
        let neuron = Int(scratch.allFired.base[place])
        scratch.keep.base[place] = damping.kept(by: neuron, after: position - Int(stamp[neuron]))
        stamp[neuron] = Int64(position)
      }
    }
    return PlasticExchange(
      fired: scratch.allFired.base, sent: scratch.allSent.base,
      keep: plastic.damping != nil && settles ? scratch.keep.base : nil,
      parts: layout.parts.map { starts[$0.lowerBound]..<starts[$0.upperBound] },
      partsPerHead: layout.partsPerHead, trace: trace.base, traces: traceCount, attention: attention.base)
  }

  /// Round 4l + 2, the messages: A_h → drive of y over G_y at the neurons that listen, times the gain of their own head.
  func listen() {
    let (m, d, heads) = (graph.nodeCount, graph.hubCount, graph.headCount)
    guard graph.hasHubs else { return listenWithoutHubs() }
    BLAS.multiply(
      attention.base, by: graph.field.pointer, into: attentionField.base, m: heads, n: d, k: m)
    var gains: [Broadcast<Scalar>] = []
    var speaking: [[UInt64]] = []
    for head in 0..<heads {
      let heard = attention.base + head * m
      gains.append(gain(of: attentionField.base + head * d, .attention, head: head))
      speaking.append(layout.incomingY.speaking(heard))
      sendToHubs(head)
    }
    runBlocks { block, index in self.listen(block, index, speaking[block.head], gains[block.head]) }
  }

  /// As ``listen()``; the gain of a head is that of its own neurons' drives.
  private func listenWithoutHubs() {
    let (m, plain) = (graph.nodeCount, Broadcast<Scalar>(mean: 0, gain: 1))
    let speaking = (0..<graph.headCount).map { layout.incomingY.speaking(attention.base + $0 * m) }
    runBlocks { block, index in self.listen(block, index, speaking[block.head], plain) }
    guard graph.variant.normalises else { return }
    for (head, neurons) in graph.neurons.heads.enumerated() {
      let answer = gain(of: driveY, .attention, head: head, neurons)
      for neuron in neurons { driveY.base[neuron] = Rules.normalise(driveY.base[neuron], answer) }
    }
  }

  /// A_h → the hubs that carry what G_y lacks.
  private func sendToHubs(_ head: Int) {
    guard let remainder = graph.remainderY else { return }
    let (m, hubs) = (graph.nodeCount, remainder.hubs)
    BLAS.multiply(
      remainder.encoder.pointer, transposed: true, rows: m, columns: hubs, by: attention.base + head * m,
      into: remainderY.base + head * hubs)
  }

  private func listen(
    _ block: NeuronBlock, _ index: Int, _ speaking: [UInt64], _ gain: Broadcast<Scalar>
  ) {
    let first = block.neurons.lowerBound
    let listening = lists.listening.base + first
    let count = lists.listeningCount.base[index]
    let heard = scratch.heard.base + first
    lists.messages.base[index] = layout.incomingY.hear(
      listening, count: count, attention.base + block.head * graph.nodeCount, speaking: speaking, into: heard)
    if let remainder = graph.remainderY {
      let hubs = remainder.hubs
      let values = remainderY.base + block.head * hubs
      let cut = scratch.throughHubs.base + first
      Scalar.dotList(remainder.decoder.pointer, listening, count: count, values, d: hubs, into: cut)
      for place in 0..<count { heard[place] += cut[place] }
    }
    (driveY.base + first).update(repeating: 0, count: block.neurons.count)
    for place in 0..<count { driveY.base[Int(listening[place])] = Rules.normalise(heard[place], gain) }
  }

  /// Round 4l + 2, the neurons: y; then the new trace, (z + Y/g(Y)) / g(z + Y/g(Y)), or Y / g(Y) without a residual. F y and F z
  /// follow along: gains and the readout need them.
  func gate() {
    let (n, m, d) = (graph.neuronCount, graph.nodeCount, graph.hubCount)
    let active = activateY()
    guard graph.hasHubs else { return keepTraceWithoutHubs() }
    Scalar.deliverRows(
      graph.field.pointer, leading: d, lists.answering.base, lists.answers.base, count: active, width: d,
      into: encoded.base)
    let inner = gain(of: encoded.base, .encoding)
    normalise(encoded.base, inner)
    for neuron in 0..<n { update.base[neuron] = Rules.normalise(y.base[neuron], inner) }
    if graph.variant.accumulatesActivity {
      field.base.update(from: encoded.base, count: d)
      trace.base.update(from: update.base, count: m)
    } else {
      for hub in 0..<d { field.base[hub] += encoded.base[hub] }
      let outer = gain(of: field.base, .residual)
      normalise(field.base, outer)
      for node in 0..<m { trace.base[node] = Rules.normalise(trace.base[node] + update.base[node], outer) }
    }
    collectTrace()
  }

  /// The new trace, by gains of Y and of the trace themselves.
  private func keepTraceWithoutHubs() {
    update.base.update(from: y.base, count: graph.neuronCount)
    normalise(update, gain(of: update, .encoding))
    if graph.variant.accumulatesActivity {
      trace.base.update(from: update.base, count: trace.count)
    } else {
      for node in 0..<trace.count { trace.base[node] += update.base[node] }
      normalise(trace, gain(of: trace, .residual))
    }
    collectTrace()
  }

  /// Gates the neurons that listen, and lists those that answer.
  private func activateY() -> Int {
    y.base.update(repeating: 0, count: graph.neuronCount)
    var active = 0
    for (index, block) in layout.blocks.enumerated() {
      let (first, before) = (block.neurons.lowerBound, active)
      for place in first..<first + lists.listeningCount.base[index] {
        let neuron = Int(lists.listening.base[place])
        let value = Rules.activateY(drive: driveY.base[neuron], x: x.base[neuron])
        y.base[neuron] = value
        lists.answering.base[active] = Int32(neuron)
        lists.answers.base[active] = value
        active += value != 0 ? 1 : 0
      }
      lists.activeY.base[index] = active - before
    }
    return active
  }

  func collectTrace() {
    traceCount = 0
    for node in 0..<graph.nodeCount where trace.base[node] != 0 {
      traceNodes.base[traceCount] = Int32(node)
      traceValues.base[traceCount] = trace.base[node]
      traceCount += 1
    }
  }

  /// After the last round: F z → readouts, the logits; without hubs z.
  func readOut() {
    let (d, tokens) = (graph.hubCount, graph.tokenCount)
    guard graph.hasHubs else {
      return logits.withUnsafeMutableBufferPointer { logits in
        guard let logits = logits.baseAddress else { return }
        Scalar.deliverRows(
          graph.readout.pointer, leading: tokens, traceNodes.base, traceValues.base, count: traceCount,
          width: tokens, into: logits)
      }
    }
    logits.withUnsafeMutableBufferPointer { logits in
      guard let logits = logits.baseAddress else { return }
      BLAS.multiply(
        graph.readout.pointer, transposed: true, rows: d, columns: tokens, by: field.base, into: logits)
    }
  }

  /// What the normaliser of some hubs broadcasts: a gain alone, because F is centred. 1 in a norm-free network.
  private func gain(
    of values: UnsafePointer<Scalar>, _ kind: NormaliserKind, head: Int = 0
  ) -> Broadcast<Scalar> {
    guard graph.variant.normalises else { return Broadcast(mean: 0, gain: 1) }
    let hubs = UnsafeBufferPointer(start: values, count: graph.hubCount)
    let answer: Broadcast<Scalar> = NormaliserNode.answer(to: hubs.span, isCentred: true)
    gains.base[kind.place(head: head, of: graph.headCount)] = answer.gain
    return answer
  }

  /// What a normaliser without hubs answers to those of `pool`, or to all that hold a quantity.
  private func gain(
    of values: NumberStorage<Scalar>, _ kind: NormaliserKind, head: Int = 0, _ pool: Range<Int>? = nil
  ) -> Broadcast<Scalar> {
    guard graph.variant.normalises else { return Broadcast(mean: 0, gain: 1) }
    let pool = pool ?? 0..<values.count
    let heard = UnsafeBufferPointer(start: values.base + pool.lowerBound, count: pool.count)
    let answer: Broadcast<Scalar> = NormaliserNode.answer(
      to: heard.span, isCentred: true, strength: graph.strength(of: kind, head: head))
    gains.base[kind.place(head: head, of: graph.headCount)] = answer.gain
    return answer
  }

  private func normalise(_ values: NumberStorage<Scalar>, _ answer: Broadcast<Scalar>) {
    for node in 0..<values.count { values.base[node] = Rules.normalise(values.base[node], answer) }
  }

  private func normalise(_ values: UnsafeMutablePointer<Scalar>, _ answer: Broadcast<Scalar>) {
    for hub in 0..<graph.hubCount { values[hub] = Rules.normalise(values[hub], answer) }
  }
}
