import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// Looks at a network while it reads, and hands over what it saw, token by token. Results are the same to the last bit with and without.
///
/// Cost per token that is recorded: a copy of every quantity that is asked for, O(1) per synapse (O(d) where Hebbian writes wait).
/// Rounds stay fused but for drives and what synapses are written by. Tokens that sampling leaves out cost nothing.
public final class Recorder<Scalar: NetworkScalar> {
  public let description: RecordingDescription
  private let engine: any WatchableEngine<Scalar>
  private let spiking: (any PhaseWatchable<Scalar>)?
  private let spikes: [RecordingPlan.Phase: Int]
  /// Of neurons, whose spikes are recorded; nil for all.
  private let spikingNeurons: Set<Int32>?
  private var handles: [ProbeHandle] = []
  private let sampling: Sampling
  private var number = 0
  private var seen: [ActivitySample<Scalar>] = []
  /// Of each series, the numbers that were recorded last; nil before the first.
  private var last: [[Scalar]?]

  /// The most synapses of one recording.
  public static var mostSynapses: Int { 1 << 20 }

  /// - Parameters:
  ///   - model: what the network is called in the file.
  ///   - streams: what will be read, for the file's head.
  /// - Throws: ``ActivityError`` or `ProbeError` for what there is not.
  public init(
    _ request: RecordingRequest, on engine: any WatchableEngine<Scalar>, model: String = "",
    streams: [(name: String, tokens: Int)] = []
  ) throws {
    try request.sampling.check()
    let plan = try RecordingPlan(request, on: engine)
    self.engine = engine
    sampling = request.sampling
    var description = RecordingDescription(
      series: plan.series, sampling: request.sampling,
      hasEventValues: request.hasEventValues, time: request.time, names: ParticleNames(of: engine),
      model: model, streams: streams)
    spikes = plan.spikes
    spikingNeurons = request.neurons.map { Set($0.map(Int32.init)) }
    spiking = plan.spikes.isEmpty ? nil : engine as? any PhaseWatchable<Scalar>
    if let spiking {
      description.clock = SpikeClock(slots: spiking.phaseSlots, layers: description.layers)
      description.spikeCode = spiking.spikeCode
    }
    self.description = description
    last = Array(repeating: nil, count: plan.series.count)
    do {
      for view in plan.views {
        handles.append(try engine.attach(view.probe) { [unowned self] in self.see($0, view) })
      }
    } catch {
      detach()
      throw error
    }
  }

  /// Takes the probes away.
  public func detach() {
    for handle in handles { engine.detach(handle) }
    handles = []
    engine.isLooking = true
    spiking?.phaseObserver = nil
  }

  /// Reads one token by `step`, the engine's own if nil.
  ///
  /// - Returns: what the token did, its surprise, and what was recorded; nil for a token that sampling leaves out.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func read(
    _ token: Int, by step: ((Int) throws -> StepActivity)? = nil
  ) throws -> (activity: StepActivity, surprise: Double?, frame: ActivityFrame<Scalar>?) {
    let position = engine.position
    let surprise = engine.surprise(of: token)
    let isWanted =
      number % sampling.every == 0 && sampling.surpriseAbove.map { surprise ?? .infinity > $0 } ?? true
    engine.isLooking = isWanted
    spiking?.phaseObserver = isWanted ? { [unowned self] in self.see($0) } : nil
    seen.removeAll(keepingCapacity: true)
    let activity = try step?(token) ?? engine.step(token)
    defer { number += 1 }
    guard isWanted else { return (activity, surprise, nil) }
    var frame = ActivityFrame<Scalar>(number: number, position: position, token: token, surprise: surprise)
    seen.sort { key(of: $0) < key(of: $1) }
    frame.samples = seen
    return (activity, surprise, frame)
  }

  /// Spikes come last, by time.
  private func key(of sample: ActivitySample<Scalar>) -> (Int, Int) {
    (description.step(of: sample) ?? -1, sample.series)
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func see(_ phase: SpikePhase<Scalar>) {
    guard let series = spikes[RecordingPlan.Phase(quantity: phase.quantity, layer: phase.layer)] else {
      return
    }
    let chosen = phase.quantity.population == .neurons ? spikingNeurons : nil
    for substep in 0..<phase.substeps {
      let places = phase.spikes(at: substep).filter { chosen?.contains(phase.entries[$0]) ?? true }
      if places.isEmpty { continue }
      seen.append(
        ActivitySample(
          series: series, entries: places.map { phase.entries[$0] }, values: places.map { phase.weights[$0] },
          substep: substep))
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func see(_ sample: ProbeSample<Scalar>, _ view: RecordingPlan.View) {
    guard let reading = view.readings[sample.layer] else { return }
    switch reading {
    case .firing(let series):
      seen.append(ActivitySample(series: series, entries: sample.neurons, values: sample.values))
    case .events(let series, let entries):
      let fired = sample.values.indices.filter { sample.values[$0] != 0 }
      seen.append(
        ActivitySample(
          series: series, entries: fired.map { Int32(entries[$0]) }, values: fired.map { sample.values[$0] }))
    case .count(let series): add(series, [Scalar(sample.values.reduce(0) { $0 + ($1 != 0 ? 1 : 0) })])
    case .samples(let series): add(series, sample.values)
    case .products(let pre, let post, let written, let order):
      // The same probe saw one side; the other one waits.
      let values = order.map { sample.values[$0] }
      if let pre { add(pre, values) }
      if let post { add(post, values) }
      guard let written else { return }
      if let waiting = sides.removeValue(forKey: written) {
        add(written, zip(waiting, values).map { $0 * $1 })
      } else {
        sides[written] = values
      }
    }
  }
  /// One side of the writes of a series, until the other one is seen.
  private var sides: [Int: [Scalar]] = [:]

  private func add(_ series: Int, _ values: [Scalar]) {
    guard let bound = sampling.changeAbove else {
      return seen.append(ActivitySample(series: series, entries: nil, values: values))
    }
    guard var before = last[series] else {
      last[series] = values
      return seen.append(ActivitySample(series: series, entries: nil, values: values))
    }
    var (entries, changed): ([Int32], [Scalar]) = ([], [])
    for (place, value) in values.enumerated() where Double((value - before[place]).magnitude) > bound {
      entries.append(Int32(place))
      changed.append(value)
      before[place] = value
    }
    guard !entries.isEmpty else { return }
    last[series] = before
    seen.append(ActivitySample(series: series, entries: entries, values: changed))
  }
}
