import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Every operation of a schedule, on spikes.
extension SpikingExecutor {
  public func perform(_ operation: RoundOperation, layer: Int, _ activity: inout StepActivity) {
    if layer > 0, case .send(_, .x, .driveX, _, _) = operation { notFinite = nil }
    switch operation {
    case .fire(let quantity): fire(quantity, layer, &activity)
    case .send(let from, let over, let into, let listening, let traffic):
      send(from, over, into, listening, traffic, layer, &activity)
    case .read(let from, let into):
      guard let target = storage[into] else { return }
      let events = plasticity.read(
        train(of: from, layer, &activity), layer: layer, at: position, into: target.base)
      count(events, over: .read, layer, &activity)
      changed(into)
    case .reweight(let presynaptic, let postsynaptic):
      let trace = train(of: presynaptic, layer, &activity)
      let events = plasticity.write(
        train(of: postsynaptic, layer, &activity), trace: trace.sent.base, layer: layer)
      counts.add(events, over: .hebb, layer: layer)
      activity.updates += events
    case .forget: break  // Settled when a neuron next reads its synapses.
    case .activateX:
      activateX()
      activity.activeX.append(train(of: .x, layer, &activity).sent.countNonZero())
    case .rotate:
      rotate(train(of: .x, layer, &activity))
      changed(.rotated)
    case .activateY:
      activateY(train(of: .x, layer, &activity))
      activity.activeY.append(train(of: .y, layer, &activity).sent.countNonZero())
    case .normalise(let quantities, let measured, let kind):
      normalise(quantities, measured, kind, &activity)
    case .copy(let from, let to):
      guard let source = said(from), let target = storage[to] else { return }
      // Neurons are the first nodes; token neurons have no y.
      (target.base + source.count).update(repeating: 0, count: target.count - source.count)
      target.base.update(from: source.base, count: source.count)
      changed(to)
    case .add(let from, let to):
      guard let source = said(from), let target = storage[to] else { return }
      AnalogRounds<Scalar>.add(source.base, source.count, to: target.base)
      changed(to)
    }
  }

  /// What a particle holds has changed: what it said last is not what it would say now.
  private func changed(_ quantity: Quantity) { isFired.remove(quantity) }

  private func fire(_ quantity: Quantity, _ layer: Int, _ activity: inout StepActivity) {
    guard let values = storage[quantity], let train = trains[quantity] else { return }
    let entry = values.count - graph.hyperparameters.vocabulary + token
    values.base.update(repeating: 0, count: values.count)
    values.base[entry] = 1
    train.fireOnce(entry)
    isFired.insert(quantity)
    note(train, quantity, layer, &activity)
  }

  /// What a quantity says: a phase, unless it has been said already.
  func train(of quantity: Quantity, _ layer: Int, _ activity: inout StepActivity) -> SpikeTrain<Scalar> {
    guard let train = trains[quantity], let values = storage[quantity] else {
      preconditionFailure("\(quantity.rawValue) says nothing")
    }
    guard isFired.insert(quantity).inserted else { return train }
    let slot = layer == 0 ? schedule.layers : layer - 1
    if findsLargest { noteLargest(of: quantity, values, slot) }
    guard let scales = scales[quantity]?[slot] else {
      preconditionFailure("\(quantity.rawValue) has no scale")
    }
    train.fire(
      values.base, scales: scales.base, options.neuron, chance: chance(quantity, layer), workers: workers)
    if !train.isFinite && notFinite == nil { notFinite = quantity }
    if options.spikesResidual && (quantity == .v || quantity == .z) {
      values.base.update(from: train.sent.base, count: values.count)
    }
    note(train, quantity, layer, &activity)
    return train
  }

  private func note(
    _ train: SpikeTrain<Scalar>, _ quantity: Quantity, _ layer: Int, _ activity: inout StepActivity
  ) {
    let spikes = train.spikeCount
    counts.spikes[quantity, default: 0] += spikes
    activity.spikes += spikes
    let saturated = train.saturated
    if saturated > 0 { counts.saturated[quantity, default: 0] += saturated }
    if let phaseObserver { phaseObserver(train.phase(quantity, layer: layer)) }
  }

  /// Where the draws of a phase begin: the same for the same seed, token, layer and quantity, however a text was split.
  private func chance(_ quantity: Quantity, _ layer: Int) -> UInt64 {
    let number = UInt64(Quantity.allCases.firstIndex(of: quantity) ?? 0)
    var random = SeededRandom(seed: options.seed)
    random.state = random.next() ^ UInt64(position) &* 0x9FB2_1C65_1E98_DF25
    random.state = random.next() ^ (number << 32 | UInt64(layer))
    return random.next()
  }

  private func send(
    _ from: Quantity, _ over: Connection, _ into: Quantity, _ listening: Quantity?, _ traffic: Traffic,
    _ layer: Int, _ activity: inout StepActivity
  ) {
    guard let target = storage[into], let routes = routes[over] else { return }
    let train = train(of: from, layer, &activity)
    let events: Int
    if let listening, let listens = trains[listening] {
      events = train.deliver(
        over: routes, listening: listens.sent.base, into: target.base, traversed: traversed, workers: workers)
    } else if into.population == .neurons {
      events = train.deliver(over: routes, into: target.base, workers: workers)
    } else {
      let rows = train.blocksOfRow.count
      let width = target.count / rows
      events = (0..<rows).reduce(0) { sum, row in
        sum
          + train.gather(
            over: routes, row: row, targets: width, into: target.base + row * width, partial: partial.base,
            workers: workers)
      }
    }
    if into == .logits { logits = Array(UnsafeBufferPointer(start: target.base, count: target.count)) }
    count(events, over: .fixed(over), layer, traffic: traffic, &activity)
    changed(into)
  }

  private func count(
    _ events: Int, over path: SpikeCounts.Path, _ layer: Int, traffic: Traffic = .messages,
    _ activity: inout StepActivity
  ) {
    guard traffic != .nothing else { return }
    counts.add(events, over: path, layer: layer)
    if traffic == .messages { activity.messages += events } else { activity.broadcasts += events }
  }

  /// Rule `activateX`: the drive that has arrived is the membrane of a neuron that can only excite.
  private func activateX() {
    guard let drive = storage[.driveX], let x = storage[.x] else { return }
    AnalogRounds<Scalar>.activateX(
      drive.base, x.base, x.count, accumulates: schedule.variant.accumulatesActivity)
    changed(.x)
  }

  /// X̃ over partner edges, from what x said.
  private func rotate(_ train: SpikeTrain<Scalar>) {
    guard let rotated = storage[.rotated] else { return }
    let neurons = graph.neurons
    guard neurons.rotates else {
      return rotated.base.update(from: train.sent.base, count: rotated.count)
    }
    neurons.partners.withUnsafeBufferPointer { partners in
      neurons.leads.withUnsafeBufferPointer { leads in
        AnalogRounds<Scalar>.rotate(
          train.sent.base, partners, leads, cosines.base, sines.base, into: rotated.base)
      }
    }
  }

  /// The gate: every spike of x adds its weight times what has arrived at the neuron to the membrane of its y.
  private func activateY(_ train: SpikeTrain<Scalar>) {
    guard let drive = storage[.driveY], let y = storage[.y] else { return }
    y.base.update(repeating: 0, count: y.count)
    workers.run(blocks: train.blocks.count) { block in
      AnalogRounds<Scalar>.gate(
        train.particles[block].base, train.weights[block].base, train.count(block), drive.base, into: y.base)
    }
    changed(.y)
  }

  /// What a quantity is to those who hear it: what was said, where it has been said.
  private func said(_ quantity: Quantity) -> NumberStorage<Scalar>? {
    isSaid(quantity) ? trains[quantity]?.sent : storage[quantity]
  }

  /// A normaliser hears membranes and answers with numbers, analog unless they are rounded on their way.
  private func normalise(
    _ quantities: [Quantity], _ measured: Quantity, _ kind: NormaliserKind, _ activity: inout StepActivity
  ) {
    guard let heard = storage[measured] else { return }
    let sizes = graph.hyperparameters
    let d = sizes.synapticDimension
    var answers: [Broadcast<Scalar>] = []
    for first in stride(from: 0, to: heard.count, by: d) {
      let answer = AnalogRounds<Scalar>.answer(
        to: heard.base + first, d, isCentred: graph.answersWithGainAlone)
      answers.append(options.gainBits.map { answer.rounded(to: $0) } ?? answer)
      storage[.gains]?.base[kind.place(head: first / d, of: sizes.heads)] = answers[first / d].gain
    }
    activity.broadcasts += graph.broadcastsPerAnswer * answers.count
    for quantity in quantities {
      guard let values = storage[quantity] else { continue }
      if answers.count == 1 {
        AnalogRounds<Scalar>.normalise(values.base, values.count, answers[0])
      } else {
        for (head, answer) in answers.enumerated() {
          // A neuron hears the normaliser of its own head.
          let own = quantity.isPerHead ? head * d..<(head + 1) * d : graph.neurons.heads[head]
          AnalogRounds<Scalar>.normalise(values.base + own.lowerBound, own.count, answer)
        }
      }
      changed(quantity)
    }
  }

  private func noteLargest(of quantity: Quantity, _ values: NumberStorage<Scalar>, _ slot: Int) {
    var layers =
      largest.removeValue(forKey: quantity)
      ?? Array(repeating: Array(repeating: 0, count: values.count), count: schedule.layers + 1)
    values.keepLargest(in: &layers[slot])
    largest[quantity] = layers
  }
}

extension NumberStorage where Element: NetworkScalar {
  /// Of every entry the largest magnitude, so far and now.
  @_specialize(where Element == Float)
  @_specialize(where Element == Double)
  fileprivate func keepLargest(in largest: inout [Double]) {
    for entry in largest.indices { largest[entry] = max(largest[entry], Double(base[entry].magnitude)) }
  }
}
