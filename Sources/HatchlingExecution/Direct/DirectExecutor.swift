import Foundation
import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// A network in direct form, run event-driven: neuron to neuron, σ on the synapses.
public typealias DirectEngine<Scalar: NetworkScalar> = Run<DirectExecutor<Scalar>>

/// Executes the schedule of a direct graph, event-driven: a node whose trace is zero sends nothing, a neuron with x = 0 does not
/// listen, and one with x̃ = 0 neither reads nor writes.
///
/// The residual stream is the trace z ≥ 0 of every node; the only numbers that are broadcast are the gains of normalisers. Blocks of work
/// depend on the graph alone, so results are the same to the last bit for any number of threads. Cost of a token and layer: the
/// synapses G_x of nodes with a trace, G_y of neurons that listen, and the plastic ones of neurons that fired.
public final class DirectExecutor<Scalar: NetworkScalar>: GraphExecutor {
  public let graph: DirectGraph<Scalar>
  public let schedule: Schedule
  public internal(set) var logits: [Scalar]

  let layout: DirectLayout<Scalar>
  let workers: Workers
  let damping: Damping<Scalar>?
  let plain: PlainRounds<DragonRules<Scalar>, DirectGraph<Scalar>>

  // State that lives from token to token: σ of every layer and, with damping, the token at which each neuron's weights were last
  // settled `(n)`.
  let plastic: [any DirectPlasticity<Scalar>]
  var stamps: [Matrix<Int64>]

  // State of one token. z: `(n + V)` and the nodes where it is not zero; x, x̃, y: `(n)`; A: `(H, n + V)`; F A, F z, F y: `(H, d)`, `(d)`.
  var token = 0
  var position = 0
  let trace: NumberStorage<Scalar>
  let traceNodes: NumberStorage<Int32>
  let traceValues: NumberStorage<Scalar>
  var traceCount = 0
  let x: NumberStorage<Scalar>
  let rotated: NumberStorage<Scalar>
  let driveX: NumberStorage<Scalar>
  let driveY: NumberStorage<Scalar>
  let y: NumberStorage<Scalar>
  let attention: NumberStorage<Scalar>
  let attentionField: NumberStorage<Scalar>
  let field: NumberStorage<Scalar>
  let encoded: NumberStorage<Scalar>
  let update: NumberStorage<Scalar>
  let gains: NumberStorage<Scalar>
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
    try DirectError.checkState(
      graph.hyperparameters, plasticSynapses: graph.plastic.listedCount,
      bytesPerWeight: MemoryLayout<Scalar>.size, memory: memory)
    self.graph = graph
    self.workers = workers
    schedule = graph.schedule
    plain = PlainRounds(graph)
    layout = DirectLayout(graph)
    damping = graph.neurons.isDamped ? Damping(graph.neurons.damping) : nil
    let (n, m, d, heads) = (graph.neuronCount, graph.nodeCount, graph.hubCount, graph.headCount)
    plastic = Self.plasticity(graph)
    stamps = Self.emptyStamps(graph)
    logits = [Scalar](repeating: 0, count: graph.tokenCount)
    trace = NumberStorage(zeros: m)
    traceNodes = NumberStorage(zeros: m)
    traceValues = NumberStorage(zeros: m)
    x = NumberStorage(zeros: n)
    rotated = NumberStorage(zeros: n)
    driveX = NumberStorage(zeros: n)
    driveY = NumberStorage(zeros: n)
    y = NumberStorage(zeros: n)
    attention = NumberStorage(zeros: heads * m)
    attentionField = NumberStorage(zeros: heads * d)
    field = NumberStorage(zeros: d)
    encoded = NumberStorage(zeros: d)
    update = NumberStorage(zeros: m)
    gains = NumberStorage(zeros: graph.count(of: .gains))
    cosines = NumberStorage(zeros: n)
    sines = NumberStorage(zeros: n)
    scratch = DirectScratch(graph, blocks: layout.blocks.count)
  }

  /// σ of every layer, stored in the way that suits G_s.
  private static func plasticity(_ graph: DirectGraph<Scalar>) -> [any DirectPlasticity<Scalar>] {
    let (n, m, layers) = (graph.neuronCount, graph.nodeCount, 0..<graph.layers)
    switch graph.plastic {
    case .complete:
      return layers.map { _ in PlasticPanels(neurons: n, nodes: m, sources: 0..<m, name: "plastic") }
    case .lists(let lists):
      if let betweenNeurons = lists.withoutCompleteTokens(neurons: n, nodes: m) {
        let shared = PlasticListLayout(betweenNeurons)
        return layers.map { _ in PlasticHybrid(shared, neurons: n, nodes: m) }
      }
      let shared = PlasticListLayout(lists)
      return layers.map { _ in PlasticLists(shared, nodes: m) }
    }
  }

  static func emptyStamps(_ graph: DirectGraph<Scalar>) -> [Matrix<Int64>] {
    graph.neurons.isDamped ? (0..<graph.layers).map { _ in Matrix(rows: 1, columns: graph.neuronCount) } : []
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func begin(_ token: Int, at position: Int) {
    (self.token, self.position) = (token, position)
    gains.base.update(repeating: 0, count: gains.count)
    if graph.variant.accumulatesActivity { x.base.update(repeating: 0, count: graph.neuronCount) }
    guard layout.rotates else { return }
    Scalar.phases(
      layout.clocks, at: UInt64(position), count: graph.neuronCount, cosines: cosines.base, sines: sines.base)
  }

  public func perform(_ operation: RoundOperation, layer: Int, _ activity: inout StepActivity) {
    plain.perform(operation, on: self, token: token, at: position, &activity)
  }
}

extension Run {
  /// - Parameters:
  ///   - memory: bytes of the machine, of which σ may take half.
  ///   - leavingOut: names of kernels to do without, see ``DirectExecutor/kernels``.
  /// - Throws: `GraphError`, `DirectError`. Cost: see ``DirectExecutor``.
  public convenience init<Number: NetworkScalar>(
    _ graph: DirectGraph<Number>, workers: Workers = Workers(),
    memory: Int = Int(ProcessInfo.processInfo.physicalMemory), leavingOut: Set<String> = []
  ) throws where Engine == DirectExecutor<Number> {
    self.init(try DirectExecutor(graph, workers: workers, memory: memory), leavingOut: leavingOut)
  }
}

extension PlasticEdges {
  /// The number of synapses that are listed; nil when all exist.
  var listedCount: Int? {
    if case .lists(let lists) = self { lists.count } else { nil }
  }
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
  let firedCount: NumberStorage<Int>
  let listeningCount: NumberStorage<Int>
  let messages: NumberStorage<Int>
  /// Plastic synapses of the neurons that fired.
  let reads: NumberStorage<Int>
  /// What neurons that listen hear, without gaps from each block's first neuron on.
  let heard: NumberStorage<Scalar>
  /// Neurons with y > 0, and y.
  let answering: NumberStorage<Int32>
  let answers: NumberStorage<Scalar>
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
    firedCount = NumberStorage(zeros: blocks)
    listeningCount = NumberStorage(zeros: blocks)
    messages = NumberStorage(zeros: blocks)
    reads = NumberStorage(zeros: blocks)
    heard = NumberStorage(zeros: n)
    answering = NumberStorage(zeros: n)
    answers = NumberStorage(zeros: n)
    hubsX = NumberStorage(zeros: graph.remainderX?.hubs ?? 0)
    hubsY = NumberStorage(zeros: graph.headCount * (graph.remainderY?.hubs ?? 0))
    throughHubs = NumberStorage(zeros: n)
  }

  func total(_ counts: NumberStorage<Int>) -> Int {
    (0..<counts.count).reduce(0) { $0 + counts.base[$1] }
  }
}
