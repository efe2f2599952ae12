import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// A request as probes and the series that they fill.
struct RecordingPlan {
  /// What becomes of what a probe saw in one layer.
  enum Reading {
    /// Every neuron that fires.
    case firing(Int)
    /// Of some neurons those that fire.
    case events(Int, entries: [Int])
    case count(Int)
    case samples(Int)
    /// One side of the writes on synapses: its series and that of the product; `order` says which value belongs to each synapse.
    case products(pre: Int?, post: Int?, written: Int?, order: [Int])
  }

  struct View {
    let probe: Probe
    /// By layer.
    var readings: [Int: Reading] = [:]
  }

  /// Ordered by layer.
  private(set) var series: [ActivitySeries] = []
  private(set) var views: [View] = []
  /// Whose spikes: by quantity and layer the number of their series.
  private(set) var spikes: [Phase: Int] = [:]

  struct Phase: Hashable {
    let quantity: Quantity
    let layer: Int
  }

  init(_ request: RecordingRequest, on engine: some WatchableEngine) throws {
    let layers = (request.layers ?? Set(1...engine.schedule.layers)).sorted()
    for layer in layers + request.synapses.map(\.layer) where !(1...engine.schedule.layers).contains(layer) {
      throw ActivityError.noSuchLayer(layer, layers: engine.schedule.layers)
    }
    for neuron in request.neurons ?? [] where !(0..<engine.hyperparameters.neurons).contains(neuron) {
      throw ActivityError.noSuchNeuron(neuron, neurons: engine.hyperparameters.neurons)
    }
    let synapses = try Self.checked(request.synapses, on: engine)
    let wanted = request.quantities
    views = wanted.map { what in
      let entries = what.quantity.population == .neurons ? request.neurons : nil
      let looksAtLists = what.isSparse && !request.isDense && entries == nil
      let subject =
        looksAtLists
        ? Probe.Subject.firing(what.quantity)
        : .quantity(what.quantity, channel: what.channel, entries: entries)
      return View(probe: Probe(subject, after: what.part, layers: Set(layers)))
    }
    for layer in 1...engine.schedule.layers {
      if layers.contains(layer) {
        for (index, what) in wanted.enumerated() { add(what, index, layer, request, engine) }
      }
      add(synapses.filter { $0.layer == layer }, layer, request.synapseQuantities, engine)
    }
    if !request.spikes.isEmpty { try addSpikes(request, engine, layers) }
  }

  /// What the token fires and what the readout hears has no layer and goes with all of them.
  private mutating func addSpikes(
    _ request: RecordingRequest, _ engine: some WatchableEngine, _ layers: [Int]
  ) throws(ActivityError) {
    guard let engine = engine as? any PhaseWatchable else { throw .withoutSpikes }
    let slots = engine.phaseSlots.filter { $0.quantity != .token }
    let known: [String] = slots.reduce(into: []) { if !$0.contains($1.name) { $0.append($1.name) } }
    for name in request.spikes where name != "all" && !known.contains(name) {
      throw .unknownSpikes(name, known: known)
    }
    for layer in (request.layers == nil ? [0] : []) + layers {
      for slot in slots where slot.holds(slot.quantity, layer: layer) {
        guard request.spikes.contains(slot.name) || request.spikes.contains("all") else { continue }
        spikes[Phase(quantity: slot.quantity, layer: layer)] = series.count
        series.append(
          ActivitySeries(
            name: "spikes_\(slot.name)",
            meaning: "spikes that say \(slot.name), sub-step by sub-step; their signed weight as value",
            kind: .spikes, layer: layer,
            entries: (slot.quantity.population == .neurons ? request.neurons : nil)
              ?? Array(0..<slot.entries),
            synapses: [], population: slot.entries,
            spoken: slot.quantity))
      }
    }
  }

  private static func checked(
    _ synapses: [LayerSynapse], on engine: some WatchableEngine
  ) throws(ActivityError) -> [LayerSynapse] {
    for synapse in synapses where !engine.hasPlasticSynapse(synapse.synapse) {
      throw .noSuchSynapse(ParticleNames(of: engine).name(synapse))
    }
    let all = Set(synapses).sorted()
    guard all.count <= Recorder<Float>.mostSynapses else {
      throw .tooManySynapses(all.count, limit: Recorder<Float>.mostSynapses)
    }
    return all
  }

  private mutating func add(
    _ what: RecordedQuantity, _ view: Int, _ layer: Int, _ request: RecordingRequest,
    _ engine: some WatchableEngine
  ) {
    let chosen = what.quantity.population == .neurons ? request.neurons : nil
    let population = engine.count(of: what.quantity)
    let isCounted = what.isSparse && request.sampling.countsOnly
    let hasEvents = what.isSparse && !request.isDense && !isCounted
    views[view].readings[layer] =
      isCounted
      ? .count(series.count)
      : !hasEvents
        ? .samples(series.count)
        : chosen.map { .events(series.count, entries: $0) } ?? .firing(series.count)
    series.append(
      ActivitySeries(
        name: (isCounted ? "count_" : "") + what.rawValue,
        meaning: isCounted ? "number of neurons with \(what.rawValue) above zero" : what.meaning,
        kind: hasEvents ? .events : .samples, layer: layer,
        entries: isCounted ? [0] : chosen ?? Array(0..<population), synapses: [], population: population))
  }

  private mutating func add(
    _ synapses: [LayerSynapse], _ layer: Int, _ quantities: [SynapseQuantity], _ engine: some WatchableEngine
  ) {
    guard !synapses.isEmpty else { return }
    var numbers: [SynapseQuantity: Int] = [:]
    for what in SynapseQuantity.allCases where quantities.contains(what) {
      numbers[what] = series.count
      series.append(
        ActivitySeries(
          name: what.rawValue, meaning: what.meaning, kind: .samples, layer: layer,
          entries: synapses.map(\.synapse.postsynaptic), synapses: synapses,
          population: engine.hyperparameters.neurons))
    }
    if let sigma = numbers[.sigma] {
      views.append(
        View(
          probe: Probe(.plasticWeights(synapses.map(\.synapse)), after: .end(.reweight), layers: [layer]),
          readings: [layer: .samples(sigma)]))
    }
    let (pre, post, written) = (numbers[.presynaptic], numbers[.postsynaptic], numbers[.written])
    /// The probe of one side: its particles once each.
    func side(_ quantity: Quantity, _ particle: (PlasticSynapse) -> Int, _ reading: ([Int]) -> Reading)
      -> View
    {
      let entries = Array(Set(synapses.map { particle($0.synapse) })).sorted()
      let places = Dictionary(uniqueKeysWithValues: zip(entries, entries.indices))
      let order = synapses.map { places[particle($0.synapse)] ?? 0 }
      return View(
        probe: Probe(.quantity(quantity, entries: entries), after: .end(.read), layers: [layer]),
        readings: [layer: reading(order)])
    }
    if pre != nil || written != nil {
      views.append(
        side(engine.schedule.form == .circuit ? .v : .z, \.presynaptic) {
          .products(pre: pre, post: nil, written: written, order: $0)
        })
    }
    if post != nil || written != nil {
      views.append(
        side(.rotated, \.postsynaptic) { .products(pre: nil, post: post, written: written, order: $0) })
    }
  }
}
