import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Holds what particles hold, for rounds that are done plainly.
public protocol ParticleStore<Scalar>: AnyObject {
  associatedtype Scalar: NetworkScalar

  func load(_ quantity: Quantity) -> [Scalar]
  /// Replaces a quantity; what arrived at it on each channel is given where it is a sum.
  func store(_ values: [Scalar], _ quantity: Quantity, arrived: [Channels<Scalar>]?)
  /// The answer of a normaliser; `place` as in `Quantity.gains`.
  func store(gain: Scalar, place: Int)
}

/// Every operation of a schedule that is not plastic, literally: particle by particle, synapse by synapse, excitatory and inhibitory sums apart until
/// they compete. What no kernel replaces is done this way, by any executor.
///
/// Cost of a communication: a walk over all its synapses.
public struct PlainRounds<Rules: LocalRules, Graph: ExecutableGraph> where Graph.Scalar == Rules.Scalar {
  public typealias Scalar = Rules.Scalar

  public let graph: Graph
  private let phases: Phases
  private let headOfNeuron: [Int]

  public init(_ graph: Graph) {
    self.graph = graph
    phases = Phases(frequencies: graph.neurons.frequencies)
    headOfNeuron = graph.neurons.heads.enumerated().flatMap { head, neurons in neurons.map { _ in head } }
  }

  /// - Parameters:
  ///   - token: the token that is read, at `position`.
  public func perform(
    _ operation: RoundOperation, on store: some ParticleStore<Scalar>, token: Int, at position: Int,
    _ activity: inout StepActivity
  ) {
    switch operation {
    case .fire(let quantity):
      var values = [Scalar](repeating: 0, count: graph.count(of: quantity))
      values[values.count - graph.hyperparameters.vocabulary + token] = 1
      store.store(values, quantity, arrived: nil)
    case .send(let from, let over, let into, let listening, let traffic):
      send(from, over, into, listening, traffic, store, &activity)
    case .activateX:
      let accumulates = graph.hyperparameters.variant.accumulatesActivity
      let x = zip(store.load(.driveX), store.load(.x)).map {
        Rules.activateX(drive: $0, previous: accumulates ? $1 : 0)
      }
      activity.activeX.append(x.count { $0 > 0 })
      store.store(x, .x, arrived: nil)
    case .rotate: store.store(rotate(store.load(.x), at: position), .rotated, arrived: nil)
    case .activateY:
      let (drives, x) = (store.load(.driveY), store.load(.x))
      let y = drives.indices.map { x[$0] > 0 ? Rules.activateY(drive: drives[$0], x: x[$0]) : 0 }
      activity.activeY.append(y.count { $0 > 0 })
      store.store(y, .y, arrived: nil)
    case .normalise(let quantities, let measured, let kind):
      normalise(quantities, measured, kind, store, &activity)
    case .copy(let from, let to):
      // Neurons are the first nodes; token neurons have no y.
      let values = store.load(from)
      let rest = graph.count(of: to) - values.count
      store.store(values + Array(repeating: 0, count: rest), to, arrived: nil)
    case .add(let from, let to):
      store.store(zip(store.load(to), store.load(from)).map { $0 + $1 }, to, arrived: nil)
    case .read, .reweight, .forget: preconditionFailure("plastic synapses belong to the executor")
    }
  }

  /// Every presynaptic particle with a value sends it; every postsynaptic one lets its channels compete.
  private func send(
    _ from: Quantity, _ connection: Connection, _ into: Quantity, _ listening: Quantity?, _ traffic: Traffic,
    _ store: some ParticleStore<Scalar>, _ activity: inout StepActivity
  ) {
    let (values, listens) = (store.load(from), listening.map { store.load($0) })
    let heads = graph.hyperparameters.heads
    let (sources, targets) = (
      from.isPerHead ? values.count / heads : values.count,
      into.isPerHead ? graph.count(of: into) / heads : graph.count(of: into)
    )
    var sums = [Channels<Scalar>](repeating: Channels(), count: graph.count(of: into))
    var traversed = 0
    func deliver(_ value: Scalar, _ weight: Scalar, to place: Int) {
      guard value != 0 else { return }
      let sign: Sign = weight > 0 ? .excitatory : .inhibitory
      let arrived = Rules.deliver(value, over: SynapseView(weight: weight.magnitude, sign: sign))
      sums[place].excitation += arrived.excitation
      sums[place].inhibition += arrived.inhibition
      traversed += 1
    }
    graph.forEachWire(of: connection) { presynaptic, postsynaptic, weight in
      // Neurons are the first nodes; token neurons hold no y.
      guard presynaptic < sources else { return }
      if let listens, !(listens[postsynaptic] > 0) { return }
      switch (from.isPerHead, into.isPerHead) {
      case (false, _): deliver(values[presynaptic], weight, to: postsynaptic)
      case (true, true):
        for head in 0..<heads {
          deliver(values[head * sources + presynaptic], weight, to: head * targets + postsynaptic)
        }
      case (true, false):
        // A neuron hears its own head.
        deliver(values[headOfNeuron[postsynaptic] * sources + presynaptic], weight, to: postsynaptic)
      }
    }
    var net = sums.map(Rules.compete)
    if connection.addsToWhatArrived { net = zip(store.load(into), net).map { $0 + $1 } }
    store.store(net, into, arrived: connection.addsToWhatArrived ? nil : sums)
    switch traffic {
    case .messages: activity.messages += traversed
    case .broadcasts: activity.broadcasts += values.count { $0 != 0 } * targets
    case .nothing: break
    }
  }

  /// X̃ = R_t X, every neuron by its own rule from its partner's X and its own clock.
  private func rotate(_ x: [Scalar], at position: Int) -> [Scalar] {
    let neurons = graph.neurons
    guard neurons.rotates else { return x }
    let (cosines, sines) = (NumberStorage<Scalar>(zeros: x.count), NumberStorage<Scalar>(zeros: x.count))
    phases.fill(cosines: cosines.base, sines: sines.base, at: position)
    return x.indices.map { neuron in
      let partner = Int(neurons.partners[neuron])
      guard partner >= 0 else { return x[neuron] }
      return Rules.rotate(
        own: x[neuron], partner: x[partner], edge: neurons.leads[neuron] ? .inhibitory : .excitatory,
        clock: ClockView(cosine: cosines.base[neuron], sine: sines.base[neuron]))
    }
  }

  private func normalise(
    _ quantities: [Quantity], _ measured: Quantity, _ kind: NormaliserKind,
    _ store: some ParticleStore<Scalar>, _ activity: inout StepActivity
  ) {
    let values = store.load(measured)
    let pools = graph.pools(of: kind, among: values.count)
    let answers = pools.enumerated().map { head, pool in
      NormaliserNode.answer(
        to: values.span.extracting(pool), isCentred: graph.answersWithGainAlone,
        strength: graph.strength(of: kind, head: head))
    }
    // A neuron that is silent tells its normaliser nothing; hubs count their way there as they are sent to.
    let told = graph.localGains == nil ? 0 : values.count { $0 != 0 }
    activity.broadcasts += graph.broadcastsPerAnswer * answers.count + told
    for (head, answer) in answers.enumerated() {
      store.store(gain: answer.gain, place: kind.place(head: head, of: graph.neurons.heads.count))
    }
    for quantity in quantities {
      let before = quantity == measured ? values : store.load(quantity)
      let after = before.indices.map { place in
        let head = answers.count == 1 ? 0 : quantity.isPerHead ? place / pools[0].count : headOfNeuron[place]
        return Rules.normalise(before[place], answers[head])
      }
      store.store(after, quantity, arrived: nil)
    }
  }
}

extension Connection {
  /// What pruning cut arrives on top of what the kept synapses delivered.
  var addsToWhatArrived: Bool { self == .fromRemainderX || self == .fromRemainderY }
}
