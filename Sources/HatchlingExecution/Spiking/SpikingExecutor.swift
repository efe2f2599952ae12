import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// A network on spikes, of whatever form its graph has.
public typealias SpikingEngine<Graph: ExecutableGraph> = Run<SpikingExecutor<Graph>>

/// Executes the schedule of a graph on spikes: who has something to say says it in a train of spikes, one phase after another, sub-step by sub-step.
///
/// A phase begins when its membranes have all of their input. Every spike that is sent is delivered over the synapses of who sent it; silence sends
/// nothing and costs nothing. Plastic weights are changed by spikes alone: the presynaptic train leaves a trace, each postsynaptic spike adds its weight
/// times that. Analog are membranes, gains of normalisers and the rotation over a partner edge.
///
/// Values of x, x̃, y, heard a and A are what spikes said; v and z what membranes hold.
public final class SpikingExecutor<Graph: ExecutableGraph>: GraphExecutor {
  public typealias Scalar = Graph.Scalar

  public let graph: Graph
  public let schedule: Schedule
  public let options: SpikingOptions
  /// Which scales: 8 hexadecimal digits; empty where values are sent as they are.
  let scalesDigest: String
  public internal(set) var logits: [Scalar]
  /// Since this was made.
  public internal(set) var counts = SpikeCounts()

  let workers: Workers
  let plasticity: any SpikingPlasticity<Scalar>
  let blocks: [NeuronBlock]
  let routes: [Connection: SpikeRoutes<Scalar>]
  let clocks: [UInt64]

  // One token's state.
  var token = 0
  var position = 0
  let held: ParticleValues<Scalar>
  let storage: [Quantity: NumberStorage<Scalar>]
  let trains: [Quantity: SpikeTrain<Scalar>]
  /// Trains that say what their membranes hold now.
  var isFired: Set<Quantity> = []
  /// Scales by quantity and layer, the readout's last.
  let scales: [Quantity: [NumberStorage<Scalar>]]
  /// The first quantity of this layer that was not finite when it fired.
  var notFinite: Quantity?
  /// What was largest, by quantity, layer and entry, while scales are being found.
  var largest: [Quantity: [[Double]]] = [:]
  var findsLargest = false
  /// See `PhaseWatchable`.
  public var phaseObserver: ((SpikePhase<Scalar>) -> Void)?

  let cosines: NumberStorage<Scalar>
  let sines: NumberStorage<Scalar>
  let partial: NumberStorage<Scalar>
  let traversed: NumberStorage<Int>

  /// - Throws: `GraphError`; ``SpikeScalesError`` for scales of another network; ``SpikingError`` for what spikes cannot express.
  init(
    _ graph: Graph, plasticity: any SpikingPlasticity<Scalar>, blocks: [NeuronBlock], options: SpikingOptions,
    scales: SpikeScales?, workers: Workers
  ) throws {
    guard graph.remainderCounts.x == 0, graph.remainderCounts.y == 0 else { throw SpikingError.remainder }
    guard graph.localGains == nil else { throw SpikingError.withoutHubs }
    guard !options.spikesResidual || graph.schedule.form == .circuit else { throw SpikingError.residual }
    (self.graph, self.plasticity, self.blocks) = (graph, plasticity, blocks)
    (self.options, self.workers) = (options, workers)
    schedule = graph.schedule
    logits = [Scalar](repeating: 0, count: graph.hyperparameters.vocabulary)
    routes = Self.routes(graph, blocks)
    clocks = Phases(frequencies: graph.neurons.frequencies).turnsPerToken
    let sizes = graph.hyperparameters
    var held = ParticleValues<Scalar>(sizes)
    var storage: [Quantity: NumberStorage<Scalar>] = [:]
    for quantity in schedule.quantities.sorted(by: { $0.rawValue < $1.rawValue }) {
      storage[quantity] = held.keep(quantity)
    }
    held.check([.encoded, .z, .v])
    (self.held, self.storage) = (held, storage)
    let spoken = schedule.spokenQuantities
    var trains: [Quantity: SpikeTrain<Scalar>] = [:]
    for quantity in spoken {
      trains[quantity] = Self.train(of: quantity, graph, blocks, options.code(of: quantity))
    }
    self.trains = trains
    scalesDigest = scales?.digest ?? ""
    self.scales = try Self.scales(spoken, graph, options, scales)
    cosines = NumberStorage(zeros: sizes.neurons)
    sines = NumberStorage(zeros: sizes.neurons)
    let most = trains.values.map(\.blocks.count).max() ?? 0
    partial = NumberStorage(zeros: most * max(sizes.vocabulary, sizes.synapticDimension))
    traversed = NumberStorage(zeros: blocks.count)
  }

  static func cut(_ graph: Graph) -> [NeuronBlock] {
    let n = graph.hyperparameters.neurons
    return NeuronBlock.cut(graph.neurons.heads, size: max(64, ((n + 63) / 64 + 15) / 16 * 16))
  }

  private static func train(
    of quantity: Quantity, _ graph: Graph, _ blocks: [NeuronBlock], _ code: SpikeCode
  ) -> SpikeTrain<Scalar> {
    let heads = graph.hyperparameters.heads
    let rows = quantity.isPerHead ? heads : 1
    let width = graph.count(of: quantity) / rows
    let cut: [Range<Int>]
    switch quantity.population {
    case .neurons: cut = blocks.map(\.neurons)
    case .nodes: cut = blocks.map(\.neurons) + [graph.hyperparameters.neurons..<width]
    default: cut = [0..<width]
    }
    return SpikeTrain(
      rows: (0..<rows).map { row in cut.map { $0.lowerBound + row * width..<$0.upperBound + row * width } },
      width: width, code: quantity == .token ? .graded : code)
  }

  private static func routes(_ graph: Graph, _ blocks: [NeuronBlock]) -> [Connection: SpikeRoutes<Scalar>] {
    let neurons = blocks.map { (targets: $0.neurons, head: $0.head) }
    let heads = graph.hyperparameters.heads
    var routes: [Connection: SpikeRoutes<Scalar>] = [:]
    for case .send(let from, let over, let into, _, _)
      in graph.schedule.input + graph.schedule.layerOperations + graph.schedule.readout
    where routes[over] == nil {
      let targets = graph.count(of: into) / (into.isPerHead ? heads : 1)
      routes[over] = SpikeRoutes(
        sources: graph.count(of: from) / (from.isPerHead ? heads : 1),
        panels: into.population == .neurons ? neurons : [(0..<targets, 0)]
      ) { body in
        graph.forEachWire(of: over, body)
      }
    }
    return routes
  }

  /// - Throws: ``SpikeScalesError``.
  private static func scales(
    _ spoken: [Quantity], _ graph: Graph, _ options: SpikingOptions, _ scales: SpikeScales?
  ) throws(SpikeScalesError) -> [Quantity: [NumberStorage<Scalar>]] {
    var result: [Quantity: [NumberStorage<Scalar>]] = [:]
    let layers = graph.schedule.layers
    try scales?.check(graph.hyperparameters, graph.schedule, options)
    if let scales, !scales.model.isEmpty, !graph.fingerprint.isEmpty, scales.model != graph.fingerprint {
      throw .otherModel
    }
    for quantity in spoken where quantity != .token {
      let (code, count) = (options.code(of: quantity), graph.count(of: quantity))
      guard code.kind != .graded else {
        let ones = NumberStorage<Scalar>(zeros: count)
        ones.base.update(repeating: 1, count: count)
        result[quantity] = Array(repeating: ones, count: layers + 1)
        continue
      }
      guard let scales else { throw .missing(quantity.rawValue) }
      result[quantity] = (1...layers + 1).map { layer in
        let values = scales.scales(of: quantity, layer: layer, options.granularity, headroom: code.headroom)
        let storage = NumberStorage<Scalar>(zeros: count)
        for (entry, value) in values.enumerated() { storage.base[entry] = Scalar(value) }
        return storage
      }
    }
    return result
  }

  public func begin(_ token: Int, at position: Int) {
    (self.token, self.position) = (token, position)
    isFired = []
    notFinite = nil
    counts.tokens += 1
    clear(.gains)
    if schedule.variant.accumulatesActivity { clear(.x) }
    guard graph.neurons.rotates else { return }
    Scalar.phases(
      clocks, at: UInt64(position), count: cosines.count, cosines: cosines.base, sines: sines.base)
  }

  private func clear(_ quantity: Quantity) {
    storage[quantity].map { $0.base.update(repeating: 0, count: $0.count) }
  }

  /// The kernels are the plain operations: what is event-driven here is how each of them is done.
  public var kernels: [Kernel<SpikingExecutor>] { [] }
}

extension Broadcast {
  /// Mean and gain in a spike per bit of their mantissas.
  func rounded(to bits: Int) -> Broadcast {
    func round(_ value: Scalar) -> Scalar {
      guard value != 0, value.isFinite else { return value }
      let unit = Double(sign: .plus, exponent: Int(Double(value).exponent) - bits + 1, significand: 1)
      return Scalar((Double(value) / unit).rounded() * unit)
    }
    return Broadcast(mean: round(mean), gain: round(gain))
  }
}

extension Schedule {
  /// What is said in spikes: quantities that somebody sends, or that plastic synapses hear, and x, which opens the gate.
  public var spokenQuantities: [Quantity] {
    var found: Set<Quantity> = [.x]
    for operation in input + layerOperations + readout {
      switch operation {
      case .send(let from, _, _, _, _): found.insert(from)
      case .read(let from, _): found.insert(from)
      case .reweight(let presynaptic, let postsynaptic): found.formUnion([presynaptic, postsynaptic])
      default: break
      }
    }
    return Quantity.allCases.filter(found.contains)
  }
}

/// What spikes cannot express.
public enum SpikingError: InputError, Equatable {
  /// Gains go through F z, which would no longer follow z.
  case residual
  case remainder
  /// The readout hears every neuron itself, and normalisers hear drives that no spike says.
  case withoutHubs

  public var description: String {
    switch self {
    case .residual: "the residual stream of the direct form, z beside F z, cannot be kept as spikes said it"
    case .remainder: "what pruning cut does not travel through hubs in spikes"
    case .withoutHubs: "a graph without hubs does not run on spikes; run it on numbers"
    }
  }
}

extension Run {
  /// A circuit on spikes.
  ///
  /// - Parameter scales: may be nil where all codes are graded.
  /// - Throws: `GraphError`, ``SpikeScalesError``. Cost: the graph once more, by presynaptic particle.
  public convenience init<Number: NetworkScalar>(
    spiking graph: CircuitGraph<Number>, _ options: SpikingOptions, scales: SpikeScales? = nil,
    workers: Workers = Workers()
  ) throws where Engine == SpikingExecutor<CircuitGraph<Number>> {
    try graph.validate()
    let blocks = Engine.cut(graph)
    self.init(
      try SpikingExecutor(
        graph, plasticity: SpikingRows(graph, blocks: blocks, workers: workers), blocks: blocks,
        options: options, scales: scales, workers: workers))
  }
}
