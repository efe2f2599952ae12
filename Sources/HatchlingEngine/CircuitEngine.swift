import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Executes the rounds of Table 1 on a circuit graph, event-driven: a neuron that did not fire sends nothing.
///
/// It runs any graph that meets the specification. Neurons are worked on in blocks that depend on the graph alone, and the blocks'
/// messages to the hubs are added in block order, so that results are the same to the last bit for any number of threads.
/// Cost of a token: the synapses of the neurons that fire, and all of D_x.
public final class CircuitEngine<Scalar: NetworkScalar>: SteppingEngine {
  public let graph: CircuitGraph<Scalar>
  public let hyperparameters: Hyperparameters
  public internal(set) var position = 0
  public internal(set) var logits: [Scalar]

  /// Called after every round when set, with the round that just ended. Reading and writing of plastic synapses, which are
  /// otherwise one pass, are then two rounds; results are the same to the last bit.
  public var onRound: ((CircuitRound) -> Void)?

  let layout: CircuitLayout<Scalar>
  let workers: Workers
  let damping: Damping<Scalar>?

  /// Whether Hebbian writes wait in histories.
  let defersWrites: Bool
  let screens: DriveScreens<Scalar>?

  /// State that lives from token to token, one per layer.
  var plastic: [PlasticLayer<Scalar>]

  // State of one token. x, y: `(n)`; attention and its normalised form: `(H, d)`; field v: `(d)`.
  let x: NumberStorage<Scalar>
  let y: NumberStorage<Scalar>
  let attention: NumberStorage<Scalar>
  let heard: NumberStorage<Scalar>
  let field: NumberStorage<Scalar>
  let hubSums: NumberStorage<Scalar>
  let cosines: NumberStorage<Scalar>
  let sines: NumberStorage<Scalar>
  let scratch: BlockScratch<Scalar>

  /// - Throws: `GraphError` when the graph breaks the specification. Cost: one pass over the graph; the plastic weights are
  ///   `L · n · (d + 16)` numbers whose pages are touched when first written, the screens `2 n (d + 16)` bytes.
  public init(
    _ graph: CircuitGraph<Scalar>, workers: Workers = Workers(),
    options: CircuitEngineOptions = CircuitEngineOptions()
  ) throws(GraphError) {
    try graph.validate()
    self.graph = graph
    self.workers = workers
    // A missing plastic synapse must not remember anything: its weight is cleared at every write.
    let choice = options.settled(
      neurons: graph.neuronCount, hubs: graph.hubCount, layers: graph.layers,
      isComplete: graph.plastic.present == nil)
    defersWrites = choice.defers
    screens = choice.screens ? DriveScreens(graph, workers: workers) : nil
    hyperparameters = graph.hyperparameters
    layout = CircuitLayout(graph)
    damping = graph.neurons.isDamped ? Damping(graph.neurons.damping) : nil
    let (n, d, heads) = (graph.neuronCount, graph.hubCount, graph.headCount)
    plastic = Self.emptyLayers(graph, defers: defersWrites)
    logits = [Scalar](repeating: 0, count: graph.tokenCount)
    x = NumberStorage(zeros: n)
    y = NumberStorage(zeros: n)
    attention = NumberStorage(zeros: heads * d)
    heard = NumberStorage(zeros: heads * d)
    field = NumberStorage(zeros: d)
    hubSums = NumberStorage(zeros: d)
    cosines = NumberStorage(zeros: layout.clocks.count)
    sines = NumberStorage(zeros: layout.clocks.count)
    scratch = BlockScratch(blocks: layout.blocks, neurons: n, hubs: d, heads: heads)
  }

  static func emptyLayers(
    _ graph: CircuitGraph<Scalar>, defers: Bool
  ) -> [PlasticLayer<Scalar>] {
    (0..<graph.layers).map { _ in
      PlasticLayer(
        neurons: graph.neuronCount, hubs: graph.hubCount, damped: graph.neurons.isDamped,
        defers: defers)
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  @discardableResult
  public func step(_ token: Int) throws -> StepActivity {
    try step(token) { _ in }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func stepRecording(
    _ token: Int
  ) throws -> (activity: StepActivity, layers: [LayerQuantities<Scalar>]) {
    var layers: [LayerQuantities<Scalar>] = []
    let activity = try step(token) { _ in layers.append(self.quantities) }
    return (activity, layers)
  }

  /// One token through all rounds, −1 … 4L − 2, and the readout.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func step(_ token: Int, afterLayer: (Int) -> Void) throws -> StepActivity {
    guard token >= 0, token < graph.tokenCount else {
      throw TokenError(token: token, vocabulary: graph.tokenCount, position: position)
    }
    var activity = StepActivity(activeX: [], activeY: [])
    advanceClocks()
    receiveToken(token, &activity)
    if graph.variant.accumulatesActivity { x.base.update(repeating: 0, count: graph.neuronCount) }
    for layer in 0..<graph.layers {
      runLayer(layer, &activity)
      afterLayer(layer)
    }
    readOut(&activity)
    position += 1
    return activity
  }

  /// Every neuron's clock moves on to this token.
  private func advanceClocks() {
    guard layout.rotates else { return }
    Scalar.phases(
      layout.clocks, at: UInt64(position), count: layout.clocks.count, cosines: cosines.base,
      sines: sines.base)
  }

  public func reset() {
    position = 0
    for layer in plastic.indices { plastic[layer].clear() }
    logits = [Scalar](repeating: 0, count: graph.tokenCount)
  }

  /// The quantities of the layer that just ran, in tensor units.
  private var quantities: LayerQuantities<Scalar> {
    func copy(_ storage: NumberStorage<Scalar>) -> [Scalar] {
      Array(UnsafeBufferPointer(start: storage.base, count: storage.count))
    }
    var result = LayerQuantities<Scalar>()
    result.x = copy(x)
    result.a = copy(attention)
    result.y = copy(y)
    result.v = copy(field)
    return result
  }
}

/// A round that just ended, for observers.
public struct CircuitRound: Equatable, Sendable {
  /// Position of the token.
  public let token: Int
  /// −1 … 4L − 2, as in Table 1.
  public let round: Int
  /// 1 … L, the layer that the round belongs to.
  public let layer: Int
}

/// How an engine computes; what it computes stays the same.
public struct CircuitEngineOptions: Equatable, Sendable {
  /// Whether 8-bit copies of D_x and D_y rule out neurons that certainly stay silent before their synapses are read. The same bits with
  /// and without. Only in float32, where rows are dense. Nil: from 2²⁰ synapses in D_x on, where reading them costs more than screening.
  public var screens: Bool?
  /// Whether Hebbian writes wait for up to 16 tokens. Sums are taken in another order, so results agree to rounding. Never in a network
  /// without some plastic synapses. Nil: from 2²² plastic weights in all layers on, which no cache holds.
  public var defersWrites: Bool?

  public init(screens: Bool? = nil, defersWrites: Bool? = nil) {
    self.screens = screens
    self.defersWrites = defersWrites
  }

  /// What is left to choose, by the size of a network alone: the same on every machine and for every number of threads.
  func settled(neurons: Int, hubs: Int, layers: Int, isComplete: Bool) -> (screens: Bool, defers: Bool) {
    (
      screens ?? (neurons * hubs >= 1 << 20),
      isComplete && (defersWrites ?? (layers * neurons * hubs >= 1 << 22))
    )
  }
}
