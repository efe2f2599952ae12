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

  // State that lives from token to token: a plastic weight per layer and synapse `(n, d)`, and, with damping, the token
  // at which each neuron's weights were last written `(n)`.
  var plasticWeights: [Matrix<Scalar>]
  var stamps: [Matrix<Int64>]

  // State of one token. x, rotated x, y: `(n)`; attention and its normalised form: `(H, d)`; field v: `(d)`.
  let x: NumberStorage<Scalar>
  let rotated: NumberStorage<Scalar>
  let y: NumberStorage<Scalar>
  let attention: NumberStorage<Scalar>
  let heard: NumberStorage<Scalar>
  let field: NumberStorage<Scalar>
  let hubSums: NumberStorage<Scalar>
  let cosines: NumberStorage<Scalar>
  let sines: NumberStorage<Scalar>
  let scratch: BlockScratch<Scalar>

  /// - Throws: `GraphError` when the graph breaks the specification. Cost: one pass over the graph; the plastic weights are
  ///   `L · n · d` numbers whose pages are touched when first written.
  public init(_ graph: CircuitGraph<Scalar>, workers: Workers = Workers()) throws(GraphError) {
    try graph.validate()
    self.graph = graph
    self.workers = workers
    hyperparameters = graph.hyperparameters
    layout = CircuitLayout(graph)
    damping = graph.neurons.isDamped ? Damping(graph.neurons.damping) : nil
    let (n, d, heads) = (graph.neuronCount, graph.hubCount, graph.headCount)
    plasticWeights = (0..<graph.layers).map { _ in Matrix(rows: n, columns: d) }
    stamps = graph.neurons.isDamped ? (0..<graph.layers).map { _ in Matrix(rows: 1, columns: n) } : []
    logits = [Scalar](repeating: 0, count: graph.tokenCount)
    x = NumberStorage(zeros: n)
    rotated = NumberStorage(zeros: n)
    y = NumberStorage(zeros: n)
    attention = NumberStorage(zeros: heads * d)
    heard = NumberStorage(zeros: heads * d)
    field = NumberStorage(zeros: d)
    hubSums = NumberStorage(zeros: d)
    cosines = NumberStorage(zeros: layout.clocks.count)
    sines = NumberStorage(zeros: layout.clocks.count)
    scratch = BlockScratch(blocks: layout.blocks, neurons: n, hubs: d)
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
    let (n, d) = (graph.neuronCount, graph.hubCount)
    plasticWeights = (0..<graph.layers).map { _ in Matrix(rows: n, columns: d) }
    stamps = stamps.map { _ in Matrix(rows: 1, columns: n) }
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

/// What the blocks of neurons write while they run side by side, each into its own part.
final class BlockScratch<Scalar: NetworkScalar>: @unchecked Sendable {
  /// Numbers of the neurons of a block that fired, from the block's first neuron on, and what they send.
  let fired: NumberStorage<Int32>
  let sent: NumberStorage<Scalar>
  let listening: NumberStorage<Int32>
  let drives: NumberStorage<Scalar>
  /// What each block sends to the hubs, `(blocks, d)`.
  let toHubs: NumberStorage<Scalar>
  /// Counts, one per block. Raw memory: blocks write theirs side by side.
  let firedCount: NumberStorage<Int>
  let listeningCount: NumberStorage<Int>
  let activeY: NumberStorage<Int>
  let messages: NumberStorage<Int>
  let updates: NumberStorage<Int>

  init(blocks: [NeuronBlock], neurons: Int, hubs: Int) {
    fired = NumberStorage(zeros: neurons)
    sent = NumberStorage(zeros: neurons)
    listening = NumberStorage(zeros: neurons)
    drives = NumberStorage(zeros: neurons)
    toHubs = NumberStorage(zeros: blocks.count * hubs)
    firedCount = NumberStorage(zeros: blocks.count)
    listeningCount = NumberStorage(zeros: blocks.count)
    activeY = NumberStorage(zeros: blocks.count)
    messages = NumberStorage(zeros: blocks.count)
    updates = NumberStorage(zeros: blocks.count)
  }

  /// The sum over all blocks.
  func total(_ counts: NumberStorage<Int>) -> Int {
    (0..<counts.count).reduce(0) { $0 + counts.base[$1] }
  }
}
