import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// A network in circuit form, run event-driven: a neuron that did not fire sends nothing.
public typealias CircuitEngine<Scalar: NetworkScalar> = Run<CircuitExecutor<Scalar>>

/// Executes the schedule of a circuit graph, event-driven.
///
/// It runs any graph that meets the specification. Neurons are worked on in blocks that depend on the graph alone, and the blocks'
/// messages to the hubs are added in one order (`BlockSums`), so that results are the same to the last bit for any number of threads.
/// Cost of a token: the synapses of the neurons that fire, and all of D_x.
public final class CircuitExecutor<Scalar: NetworkScalar>: GraphExecutor {
  public let graph: CircuitGraph<Scalar>
  public let schedule: Schedule
  public internal(set) var logits: [Scalar]

  let layout: CircuitLayout<Scalar>
  let workers: Workers
  private let dampingTable: DampingTable<Scalar>?
  let damping: Damping<Scalar>?
  let plain: PlainRounds<DragonRules<Scalar>, CircuitGraph<Scalar>>

  /// Whether Hebbian writes wait in histories.
  let defersWrites: Bool
  let screens: DriveScreens<Scalar>?
  /// Whether every neuron has a synapse of G_y from every hub.
  let hearsAll: Bool
  /// Whether any neuron of the network forgets.
  let isDamped: Bool
  /// With whom sums over blocks are completed, where other ranks have the other neurons.
  private(set) var exchange: LayerExchange<Scalar>?

  /// State that lives from token to token, one per layer.
  var plastic: [PlasticLayer<Scalar>]

  /// Where the plastic weights of the layer lie that is being read and written.
  var rows: PlasticPointers?

  // State of one token. x, y: `(n)`; attention and its normalised form: `(H, d)`; field v and what y sends: `(d)`.
  var token = 0
  var position = 0
  let held: ParticleValues<Scalar>
  let x: NumberStorage<Scalar>
  let y: NumberStorage<Scalar>
  let attention: NumberStorage<Scalar>
  let heard: NumberStorage<Scalar>
  let field: NumberStorage<Scalar>
  let encoded: NumberStorage<Scalar>
  let gains: NumberStorage<Scalar>
  let cosines: NumberStorage<Scalar>
  let sines: NumberStorage<Scalar>
  let lists: FiringLists<Scalar>
  let scratch: BlockScratch<Scalar>

  /// - Parameter ranks: who has the other neurons of the network, for a graph that is a part of it; all ranks make theirs together.
  /// - Throws: `GraphError` when the graph breaks the specification. Cost: one pass over the graph; the plastic weights are
  ///   `L · n · (d + 16)` numbers whose pages are touched when first written, the screens `2 n (d + 16)` bytes.
  public convenience init(
    _ graph: CircuitGraph<Scalar>, workers: Workers = Workers(),
    options: CircuitEngineOptions = CircuitEngineOptions(), ranks: Ranks? = nil
  ) throws(GraphError) {
    try graph.validate()
    // What one rank's neurons do not show may be so for others'.
    var (lacks, isDamped) = (graph.plastic.present != nil, graph.neurons.isDamped)
    if let ranks {
      let found = ranks.sum([lacks ? 1 : 0, isDamped ? 1 : 0])
      (lacks, isDamped) = (found[0] > 0, found[1] > 0)
    }
    // A missing plastic synapse must not remember anything: its weight is cleared at every write.
    let choice = options.settled(
      neurons: graph.wholeSizes.neurons, hubs: graph.hubCount, layers: graph.layers, isComplete: !lacks)
    self.init(
      graph, CircuitLayout(graph, ranks),
      screens: choice.screens ? DriveScreens(graph, workers: workers) : nil,
      damping: isDamped ? DampingTable(graph.neurons.damping) : nil,
      defersWrites: choice.defers, workers)
    exchange = ranks.map { ranks in
      let overlaps = PartialSums(scratch.overlaps.base, width: Scalar.slots)
      return LayerExchange(
        BlockShares(graph.wholeSizes, ranks: ranks.size), among: ranks,
        toHubs: PartialSums(scratch.toHubs.base, width: graph.hubCount),
        besides: choice.defers ? [overlaps] : [], heads: layout.blocksOfHead, lacksPlasticSynapses: lacks)
    }
  }

  /// An executor of the same network for another stream, with an empty state: graph, layout and screens are shared.
  func another() -> CircuitExecutor {
    precondition(exchange == nil, "ranks read one stream at a time")
    return CircuitExecutor(
      graph, layout, screens: screens?.another(), damping: dampingTable, defersWrites: defersWrites, workers)
  }

  private init(
    _ graph: CircuitGraph<Scalar>, _ layout: CircuitLayout<Scalar>, screens: DriveScreens<Scalar>?,
    damping: DampingTable<Scalar>?, defersWrites: Bool, _ workers: Workers
  ) {
    (self.graph, self.layout, self.workers) = (graph, layout, workers)
    (self.screens, self.defersWrites) = (screens, defersWrites)
    (dampingTable, self.damping, isDamped) = (damping, damping?.damping, damping != nil)
    schedule = graph.schedule
    hearsAll = layout.outDegrees[.y]?.uniform == graph.neuronCount
    plain = PlainRounds(graph)
    let (n, d) = (graph.neuronCount, graph.hubCount)
    plastic = Self.emptyLayers(graph, damped: isDamped, defers: defersWrites)
    logits = [Scalar](repeating: 0, count: graph.tokenCount)
    var held = ParticleValues<Scalar>(graph.hyperparameters)
    x = held.keep(.x)
    y = held.keep(.y)
    attention = held.keep(.a)
    heard = held.keep(.heard)
    field = held.keep(.v)
    encoded = held.keep(.encoded)
    gains = held.keep(.gains)
    held.check((graph.variant.accumulatesActivity ? [.x] : []) + [.a, .encoded, .v])
    self.held = held
    cosines = NumberStorage(zeros: layout.clocks.count)
    sines = NumberStorage(zeros: layout.clocks.count)
    let blocks = layout.blocks.count
    lists = FiringLists(blocks: blocks, neurons: n, plastic: Degrees(graph.plastic.neuronDegrees))
    scratch = BlockScratch(blocks: blocks, neurons: n, hubs: d)
  }

  static func emptyLayers(
    _ graph: CircuitGraph<Scalar>, damped: Bool, defers: Bool
  ) -> [PlasticLayer<Scalar>] {
    (0..<graph.layers).map { _ in
      PlasticLayer(neurons: graph.neuronCount, hubs: graph.hubCount, damped: damped, defers: defers)
    }
  }

  /// Of the whole network.
  public var hyperparameters: Hyperparameters { graph.wholeSizes }

  /// Every neuron's clock moves on to this token.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func begin(_ token: Int, at position: Int) {
    (self.token, self.position) = (token, position)
    gains.base.update(repeating: 0, count: gains.count)
    if graph.variant.accumulatesActivity { x.base.update(repeating: 0, count: graph.neuronCount) }
    guard layout.rotates else { return }
    Scalar.phases(
      layout.clocks, at: UInt64(position), count: layout.clocks.count, cosines: cosines.base,
      sines: sines.base)
  }

  public func perform(_ operation: RoundOperation, layer: Int, _ activity: inout StepActivity) {
    precondition(graph.neurons.part == nil, "plain rounds need all neurons")
    plain.perform(operation, on: self, token: token, at: position, &activity)
  }
}

extension Run {
  /// - Parameters:
  ///   - workers: whose threads do the work; the results do not depend on how many there are.
  ///   - ranks: who has the other neurons of the network, for a graph that is a part of it; all ranks make theirs together.
  /// - Throws: `GraphError` when the graph breaks the specification. Cost: see ``CircuitExecutor``.
  public convenience init<Number: NetworkScalar>(
    _ graph: CircuitGraph<Number>, workers: Workers = Workers(),
    options: CircuitEngineOptions = CircuitEngineOptions(), ranks: Ranks? = nil
  ) throws(GraphError) where Engine == CircuitExecutor<Number> {
    self.init(
      try CircuitExecutor(graph, workers: workers, options: options, ranks: ranks),
      leavingOut: options.leavingOut)
  }
}

/// Several streams of one network in circuit form, read at once.
public typealias CircuitStreams<Scalar: NetworkScalar> = ParallelStreams<CircuitExecutor<Scalar>>

extension ParallelStreams {
  /// Streams with empty states, which share the graph and all that is derived from it.
  ///
  /// - Parameters:
  ///   - count: how many. Each takes a state of its own, `L · n · (d + 16)` numbers.
  ///   - workers: whose threads do the work; the results do not depend on how many there are.
  /// - Throws: `GraphError` when the graph breaks the specification.
  public convenience init<Number: NetworkScalar>(
    _ graph: CircuitGraph<Number>, count: Int, workers: Workers = Workers(),
    options: CircuitEngineOptions = CircuitEngineOptions()
  ) throws(GraphError) where Engine == CircuitExecutor<Number> {
    self.init(beside: try Run(graph, workers: workers, options: options), count: count)
  }

  /// An engine as stream 0 of `count`, and others of the same network with empty states.
  public convenience init<Number: NetworkScalar>(
    beside engine: CircuitEngine<Number>, count: Int
  ) where Engine == CircuitExecutor<Number> {
    let others = (1..<max(1, count)).map { _ in
      Run(engine.executor.another(), leavingOut: engine.leavingOut)
    }
    self.init([engine] + others, workers: engine.executor.workers)
  }
}

/// How an engine computes; what it computes stays the same.
public struct CircuitEngineOptions: Equatable, Sendable {
  /// Whether 8-bit copies of D_x and D_y rule out neurons that certainly stay silent before their synapses are read. The same bits with
  /// and without. Only in float32, where rows are dense. Nil: from 2²⁰ synapses in D_x on, where reading them costs more than screening.
  public var screens: Bool?
  /// Whether Hebbian writes wait for up to 16 tokens. Sums are taken in another order, so results agree to rounding. Never in a network
  /// without some plastic synapses. Nil: from 2²² plastic weights in all layers on, which no cache holds.
  public var defersWrites: Bool?
  /// Names of kernels to do without, see ``CircuitExecutor/kernels``: smaller ones or plain operations take their place, to rounding.
  public var leavingOut: Set<String> = []

  public init(screens: Bool? = nil, defersWrites: Bool? = nil) {
    self.screens = screens
    self.defersWrites = defersWrites
  }

  /// What is left to choose, by the size of a network alone: the same on every machine and for every number of threads.
  func settled(neurons: Int, hubs: Int, layers: Int, isComplete: Bool) -> (screens: Bool, defers: Bool) {
    (
      screens ?? ([neurons, hubs].checkedProduct ?? .max >= 1 << 20),
      isComplete && (defersWrites ?? ([layers, neurons, hubs].checkedProduct ?? .max >= 1 << 22))
    )
  }
}
