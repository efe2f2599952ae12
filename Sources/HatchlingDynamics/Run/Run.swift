import HatchlingModel
import HatchlingNumerics

/// A probe that is attached. Not generic, like a ``Plan``: it looks at every token.
private struct Watcher {
  let handle: ProbeHandle
  let probe: Probe
  /// How many operations of a layer are done when it looks.
  let place: Int
  /// Looks at a layer; what is returned tells the observer.
  let look: (_ layer: Int) -> () -> Void
}

/// What is to be told of one token.
private final class Views {
  var seen: [() -> Void] = []
}

/// A network that reads tokens, whatever executes it: position, rounds, probes and saved states exist once, here.
public final class Run<Engine: Executor>: SteppingEngine {
  public typealias Scalar = Engine.Scalar

  /// What does the work.
  public let executor: Engine
  public private(set) var position = 0
  /// The prediction after the last token, `(V)`; zeros before the first.
  public private(set) var logits: [Scalar]

  public let schedule: Schedule
  let kernels: [Kernel<Engine>]
  /// Names of kernels that it does without.
  package let leavingOut: Set<String>
  private let input: Plan
  private let readout: Plan
  /// One per layer; all the same unless a layer is watched.
  private var layers: [Plan]
  private var watchers: [Watcher] = []
  /// Those of each layer.
  private var watchersOfLayer: [[Watcher]]
  private var nextHandle = 0
  /// Whether probes look. A token that nobody needs to see costs nothing while this is false; results do not depend on it.
  public var isLooking = true

  /// - Parameter leavingOut: names of kernels to do without; their operations are then done by smaller kernels or plainly.
  public init(_ executor: Engine, leavingOut unwanted: Set<String> = []) {
    (self.executor, leavingOut) = (executor, unwanted)
    schedule = executor.schedule
    kernels = executor.kernels.filter { !unwanted.contains($0.name) }
    logits = executor.logits
    input = Plan(schedule.input, on: executor, kernels: kernels)
    readout = Plan(schedule.readout, on: executor, kernels: kernels)
    layers = Array(
      repeating: Plan(schedule.layerOperations, on: executor, kernels: kernels), count: schedule.layers)
    watchersOfLayer = Array(repeating: [], count: schedule.layers)
  }

  public var hyperparameters: Hyperparameters { executor.hyperparameters }

  var kernelNames: [String] { kernels.map(\.name) }

  /// What is done in a layer, kernel by kernel.
  public func plan(ofLayer layer: Int) -> [String] { layers[layer - 1].names }

  /// Reads one token through rounds −1 … 4L − 2 and the readout. Observers are told what their probes saw when the token is done, in
  /// the order of the rounds.
  /// - Throws: `TokenError`; ``NotFiniteError``, after which the state is of no use until ``reset()`` or ``restore(_:)``.
  @discardableResult
  public func step(_ token: Int) throws -> StepActivity { try step(token, afterLayer: nil) }

  public func stepRecording(
    _ token: Int
  ) throws -> (activity: StepActivity, layers: [LayerQuantities<Scalar>]) {
    var layers: [LayerQuantities<Scalar>] = []
    let hasHubs = schedule.hasHubs
    let activity = try step(token) { [executor] in
      func all(_ quantity: Quantity) -> [Scalar] {
        executor.values(of: quantity, channel: .net, entries: nil) ?? []
      }
      var quantities = LayerQuantities<Scalar>()
      (quantities.x, quantities.a) = (all(.x), all(hasHubs ? .a : .attention))
      (quantities.y, quantities.v) = (all(.y), all(hasHubs ? .v : .z))
      layers.append(quantities)
    }
    return (activity, layers)
  }

  private func step(_ token: Int, afterLayer: (() -> Void)?) throws -> StepActivity {
    var activity = StepActivity(layers: schedule.layers)
    let views = isLookedInto ? Views() : nil
    try begin(token)
    input.run(layer: 0, &activity)
    for layer in 1...schedule.layers {
      if let views, !watchersOfLayer[layer - 1].isEmpty {
        layers[layer - 1].run(layer: layer, &activity) { self.look(layer, $0, into: views) }
      } else {
        layers[layer - 1].run(layer: layer, &activity)
      }
      try check(layer: layer, token)
      afterLayer?()
    }
    readout.run(layer: 0, &activity)
    try end(token)
    if let views { for tell in views.seen { tell() } }
    return activity
  }

  func begin(_ token: Int) throws {
    guard token >= 0, token < logits.count else {
      throw TokenError(token: token, vocabulary: hyperparameters.vocabulary, position: position)
    }
    executor.begin(token, at: position)
  }

  /// After a layer. - Throws: ``NotFiniteError``.
  func check(layer: Int, _ token: Int) throws {
    guard let quantity = executor.firstNonFinite() else { return }
    throw NotFiniteError(token: token, position: position, layer: layer, quantity: quantity)
  }

  /// After the readout. - Throws: ``NotFiniteError``.
  func end(_ token: Int) throws {
    guard Scalar.areFinite(executor.logits, logits.count) else {
      throw NotFiniteError(token: token, position: position, layer: nil, quantity: .logits)
    }
    logits = executor.logits
    position += 1
  }

  // MARK: Probes

  /// Attaches a probe; `observer` gets what it saw after every token.
  ///
  /// - Throws: ``ProbeError`` when there is nothing of the kind to look at. Cost per token: what is looked at, and the rounds that are
  ///   looked into are no longer fused.
  @discardableResult
  public func attach(
    _ probe: Probe, _ observer: @escaping (ProbeSample<Scalar>) -> Void
  ) throws(ProbeError) -> ProbeHandle {
    try check(probe)
    let handle = ProbeHandle(number: nextHandle)
    nextHandle += 1
    let place = schedule.operations(through: probe.part)
    let before = schedule.layerOperations[..<place]
    // What of a token's Hebbian write is done when it looks.
    let isWritten = before.contains { if case .reweight = $0 { true } else { false } }
    let isForgotten = before.contains(.forget)
    watchers.append(
      Watcher(handle: handle, probe: probe, place: place) { [unowned self] layer in
        let moment = PlasticMoment(position: position, isWritten: isWritten, isForgotten: isForgotten)
        let sample = sample(of: probe, layer: layer, at: moment)
        return { observer(sample) }
      })
    planLayers()
    return handle
  }

  /// Whether any probe is attached.
  public var isWatched: Bool { !watchers.isEmpty }
  /// Whether one looks at the next token.
  var isLookedInto: Bool { isWatched && isLooking }

  /// Takes a probe away; nothing happens when it is gone already.
  public func detach(_ handle: ProbeHandle) {
    watchers.removeAll { $0.handle == handle }
    planLayers()
  }

  private func planLayers() {
    for layer in 1...schedule.layers {
      let watched = watchers.filter { $0.probe.layers?.contains(layer) ?? true }
      watchersOfLayer[layer - 1] = watched
      layers[layer - 1] = Plan(
        schedule.layerOperations, on: executor, kernels: kernels, stops: Set(watched.map(\.place)))
    }
  }

  private func check(_ probe: Probe) throws(ProbeError) {
    for layer in probe.layers ?? [] where !(1...schedule.layers).contains(layer) {
      throw .noSuchLayer(layer, layers: schedule.layers)
    }
    switch probe.subject {
    case .quantity(let quantity, let channel, let entries):
      guard schedule.quantities.contains(quantity),
        let one = executor.values(of: quantity, channel: channel, entries: [])
      else {
        let known = Quantity.allCases.filter {
          schedule.quantities.contains($0) && executor.values(of: $0, channel: .net, entries: []) != nil
        }
        let name = quantity.rawValue + (channel == .net ? "" : " (\(channel.rawValue))")
        throw .unknownQuantity(name, form: identityName, known: known.map(\.rawValue))
      }
      assert(one.isEmpty)
      guard schedule.holds(quantity, channel, after: schedule.operations(through: probe.part)) else {
        throw .notYet(quantity.rawValue, round: probe.part.kind.name)
      }
      let count = executor.count(of: quantity)
      for entry in entries ?? [] where !(0..<count).contains(entry) {
        throw .noSuchEntry(entry, quantity: quantity.rawValue, count: count)
      }
    case .firing(let quantity):
      guard quantity == .x || quantity == .y else {
        throw .unknownQuantity(
          quantity.rawValue, form: "firing", known: [Quantity.x.rawValue, Quantity.y.rawValue])
      }
      guard probe.part == .end(.gate) else { throw .notYet(quantity.rawValue, round: probe.part.kind.name) }
    case .plasticWeights(let synapses):
      for synapse in synapses ?? [] where !executor.hasPlasticSynapse(synapse) {
        throw .noSuchSynapse(presynaptic: synapse.presynaptic, postsynaptic: synapse.postsynaptic)
      }
    }
  }

  private var identityName: String {
    executor.identity.engine == "tensor" ? "tensor form" : "\(executor.identity.form) form"
  }

  /// The probes of this place look.
  private func look(_ layer: Int, _ done: Int, into views: Views) {
    for watcher in watchersOfLayer[layer - 1] where watcher.place == done {
      views.seen.append(watcher.look(layer))
    }
  }

  private func sample(of probe: Probe, layer: Int, at moment: PlasticMoment) -> ProbeSample<Scalar> {
    let values: [Scalar]
    var neurons: [Int32]?
    switch probe.subject {
    case .quantity(let quantity, let channel, let entries):
      values = executor.values(of: quantity, channel: channel, entries: entries) ?? []
    case .firing(let quantity):
      let firing = executor.firing(quantity)
      (neurons, values) = (firing.neurons, firing.values)
    case .plasticWeights(let synapses):
      values = executor.plasticWeights(layer: layer, at: moment, synapses: synapses)
    }
    return ProbeSample(
      position: position, round: probe.part.kind.number(inLayer: layer), layer: layer, values: values,
      neurons: neurons)
  }

  // MARK: State

  public func attentionState(layer: Int) -> Matrix<Scalar> {
    executor.attentionState(layer: layer, at: position)
  }

  /// The Hebbian weight of one synapse as stored (co-rotating frame), with everything that is pending. `layer` counts from 1. Nil when
  /// there is no such synapse.
  public func plasticWeight(layer: Int, _ synapse: PlasticSynapse) -> Scalar? {
    guard (1...schedule.layers).contains(layer), executor.hasPlasticSynapse(synapse) else { return nil }
    return executor.plasticWeights(
      layer: layer, at: PlasticMoment(position: position), synapses: [synapse])[0]
  }

  /// Changes one plastic weight; false when there is no such synapse.
  @discardableResult
  public func replacePlasticWeight(
    layer: Int, of synapse: PlasticSynapse, _ change: (Scalar) -> Scalar
  ) -> Bool {
    guard (1...schedule.layers).contains(layer), executor.hasPlasticSynapse(synapse) else { return false }
    executor.replacePlasticWeight(layer: layer, of: synapse, at: position, change)
    return true
  }

  public func reset() {
    executor.reset()
    position = 0
    logits = executor.logits.map { _ in 0 }
  }

  /// What a state of this run belongs to.
  public var identity: StateIdentity { executor.identity }

  public func save() -> SavedState {
    var arrays = executor.stateArrays()
    arrays["logits"] = .make(Matrix(rows: 1, columns: logits.count, logits))
    return SavedState(identity: identity, position: position, arrays: arrays)
  }

  public func restore(_ state: SavedState) throws {
    try state.identity.check(against: identity)
    let restoration = try executor.restoration(of: state)
    logits = try state.matrix("logits", rows: 1, columns: logits.count).elements
    restoration()
    position = state.position
  }

  /// Goes on from a position that the executor was brought to by other means than stepping, such as reading many tokens at once.
  package func adopt(position: Int, logits: [Scalar]) {
    precondition(logits.count == self.logits.count, "predictions of another alphabet")
    self.position = position
    self.logits = logits
  }
}

extension Executor {
  public func firing(_ quantity: Quantity) -> Firing<Scalar> {
    let all = values(of: quantity, channel: .net, entries: nil) ?? []
    let neurons = all.indices.filter { all[$0] != 0 }
    return Firing(neurons: neurons.map { Int32($0) }, values: neurons.map { all[$0] })
  }

  public func firstNonFinite() -> Quantity? {
    schedule.layerOperations.flatMap(\.results).first {
      values(of: $0, channel: .net, entries: nil)?.contains { !$0.isFinite } ?? false
    }
  }

  /// How many entries a quantity has: rows of heads included.
  public func count(of quantity: Quantity) -> Int {
    switch quantity {
    case .remainderX, .remainderY: values(of: quantity, channel: .net, entries: nil)?.count ?? 0
    default: quantity.count(in: hyperparameters)
    }
  }
}
