import Foundation
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Executes the rounds of Table 1 on a direct graph, event-driven: a node whose trace is zero sends nothing, a neuron with x = 0 does not
/// listen, and one with x̃ = 0 neither reads nor writes.
///
/// The residual stream is the trace z ≥ 0 of every node; the only numbers that are broadcast are the gains of normalisers. Blocks of work
/// depend on the graph alone, so results are the same to the last bit for any number of threads. Cost of a token and layer: the
/// synapses G_x of nodes with a trace, G_y of neurons that listen, and the plastic ones of neurons that fired.
public final class DirectEngine<Scalar: NetworkScalar>: SteppingEngine {
  public let graph: DirectGraph<Scalar>
  public let hyperparameters: Hyperparameters
  public internal(set) var position = 0
  public internal(set) var logits: [Scalar]

  /// Called after every round when set, with the round that just ended. Reading and writing of plastic synapses, which are
  /// otherwise one pass, are then two rounds; results are the same to the last bit.
  public var onRound: ((CircuitRound) -> Void)?

  let layout: DirectLayout<Scalar>
  let workers: Workers
  let damping: Damping<Scalar>?

  // State that lives from token to token: σ of every layer and, with damping, the token at which each neuron's weights were last
  // settled `(n)`.
  let plastic: [any DirectPlasticity<Scalar>]
  var stamps: [Matrix<Int64>]

  // State of one token. z: `(n + V)` and the nodes where it is not zero; x, x̃, y: `(n)`; A: `(H, n + V)`; F A, F z, F y: `(H, d)`, `(d)`.
  let trace: NumberStorage<Scalar>
  let traceNodes: NumberStorage<Int32>
  let traceValues: NumberStorage<Scalar>
  var traceCount = 0
  let x: NumberStorage<Scalar>
  let rotated: NumberStorage<Scalar>
  let y: NumberStorage<Scalar>
  let attention: NumberStorage<Scalar>
  let attentionField: NumberStorage<Scalar>
  let field: NumberStorage<Scalar>
  let encoded: NumberStorage<Scalar>
  let cosines: NumberStorage<Scalar>
  let sines: NumberStorage<Scalar>
  let scratch: DirectScratch<Scalar>

  /// - Parameter memory: bytes of the machine, of which σ may take half.
  /// - Throws: `GraphError` when the graph breaks the specification, ``DirectError/stateTooLarge(needed:limit:)``. Cost: one pass over the
  ///   graph and a copy of its lists; σ takes memory where it is written.
  public init(
    _ graph: DirectGraph<Scalar>, workers: Workers = Workers(),
    memory: Int = Int(ProcessInfo.processInfo.physicalMemory)
  ) throws {
    try graph.validate()
    hyperparameters = graph.hyperparameters
    var plasticSynapses: Int?
    if case .lists(let lists) = graph.plastic { plasticSynapses = lists.count }
    try DirectError.checkState(
      hyperparameters, plasticSynapses: plasticSynapses, bytesPerWeight: MemoryLayout<Scalar>.size,
      memory: memory)
    self.graph = graph
    self.workers = workers
    layout = DirectLayout(graph)
    damping = graph.neurons.isDamped ? Damping(graph.neurons.damping) : nil
    let (n, m, d, heads) = (graph.neuronCount, graph.nodeCount, graph.hubCount, graph.headCount)
    switch graph.plastic {
    case .complete:
      plastic = (0..<graph.layers).map { _ in
        PlasticPanels(neurons: n, nodes: m, sources: 0..<m, name: "plastic")
      }
    case .lists(let lists):
      if let betweenNeurons = lists.withoutCompleteTokens(neurons: n, nodes: m) {
        let shared = PlasticListLayout(betweenNeurons)
        plastic = (0..<graph.layers).map { _ in PlasticHybrid(shared, neurons: n, nodes: m) }
      } else {
        let shared = PlasticListLayout(lists)
        plastic = (0..<graph.layers).map { _ in PlasticLists(shared, nodes: m) }
      }
    }
    stamps = graph.neurons.isDamped ? (0..<graph.layers).map { _ in Matrix(rows: 1, columns: n) } : []
    logits = [Scalar](repeating: 0, count: graph.tokenCount)
    trace = NumberStorage(zeros: m)
    traceNodes = NumberStorage(zeros: m)
    traceValues = NumberStorage(zeros: m)
    x = NumberStorage(zeros: n)
    rotated = NumberStorage(zeros: n)
    y = NumberStorage(zeros: n)
    attention = NumberStorage(zeros: heads * m)
    attentionField = NumberStorage(zeros: heads * d)
    field = NumberStorage(zeros: d)
    encoded = NumberStorage(zeros: d)
    cosines = NumberStorage(zeros: n)
    sines = NumberStorage(zeros: n)
    scratch = DirectScratch(graph, blocks: layout.blocks.count)
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  @discardableResult
  public func step(_ token: Int) throws -> StepActivity { try step(token) { _ in } }

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
    if layout.rotates {
      Scalar.phases(
        layout.clocks, at: UInt64(position), count: graph.neuronCount, cosines: cosines.base,
        sines: sines.base)
    }
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

  public func reset() {
    position = 0
    for layer in plastic { layer.reset() }
    stamps = stamps.map { _ in Matrix(rows: 1, columns: graph.neuronCount) }
    logits = [Scalar](repeating: 0, count: graph.tokenCount)
  }

  /// The quantities of the layer that just ran, in tensor units: a_h = F A_h, v = F z.
  private var quantities: LayerQuantities<Scalar> {
    func copy(_ storage: NumberStorage<Scalar>) -> [Scalar] {
      Array(UnsafeBufferPointer(start: storage.base, count: storage.count))
    }
    var result = LayerQuantities<Scalar>()
    result.x = copy(x)
    result.a = copy(attentionField)
    result.y = copy(y)
    result.v = copy(field)
    return result
  }

  /// The trace z of every node after the last token, `(n + V)`.
  public var traces: [Scalar] { Array(UnsafeBufferPointer(start: trace.base, count: trace.count)) }
}

/// What blocks of neurons write while they run side by side, each into its own part.
final class DirectScratch<Scalar: NetworkScalar>: @unchecked Sendable {
  /// Neurons of each block that fired, from the block's first neuron on, and x̃; then the same without gaps.
  let blockFired: NumberStorage<Int32>
  let blockSent: NumberStorage<Scalar>
  let fired: NumberStorage<Int32>
  let sent: NumberStorage<Scalar>
  let keep: NumberStorage<Scalar>
  /// Neurons of each block that listen (x > 0), from the block's first neuron on.
  let listening: NumberStorage<Int32>
  let drives: NumberStorage<Scalar>
  let firedCount: NumberStorage<Int>
  let listeningCount: NumberStorage<Int>
  let messages: NumberStorage<Int>
  /// Values at the hubs that carry what pruning cut, `(R)` and `(H, R)`, and what they add to each neuron, `(n)`.
  let hubsX: NumberStorage<Scalar>
  let hubsY: NumberStorage<Scalar>
  let throughHubs: NumberStorage<Scalar>

  init(_ graph: DirectGraph<Scalar>, blocks: Int) {
    let n = graph.neuronCount
    blockFired = NumberStorage(zeros: n)
    blockSent = NumberStorage(zeros: n)
    fired = NumberStorage(zeros: n)
    sent = NumberStorage(zeros: n)
    keep = NumberStorage(zeros: n)
    listening = NumberStorage(zeros: n)
    drives = NumberStorage(zeros: n)
    firedCount = NumberStorage(zeros: blocks)
    listeningCount = NumberStorage(zeros: blocks)
    messages = NumberStorage(zeros: blocks)
    hubsX = NumberStorage(zeros: graph.remainderX?.hubs ?? 0)
    hubsY = NumberStorage(zeros: graph.headCount * (graph.remainderY?.hubs ?? 0))
    throughHubs = NumberStorage(zeros: n)
  }

  func total(_ counts: NumberStorage<Int>) -> Int {
    (0..<counts.count).reduce(0) { $0 + counts.base[$1] }
  }
}
