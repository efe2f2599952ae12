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
  let plain: PlainRounds<DragonRules<Scalar>, DirectGraph<Scalar>>

  /// State that lives from token to token.
  let plastic: PlasticStores<Scalar>

  // State of one token. z: `(n + V)` and the nodes where it is not zero; x, x̃, y: `(n)`; A: `(H, n + V)`; F A, F z, F y: `(H, d)`, `(d)`;
  // hubs that carry what pruning cut: `(R)`, `(H, R)`.
  var token = 0
  var position = 0
  let held: ParticleValues<Scalar>
  let trace: NumberStorage<Scalar>
  let traceNodes: NumberStorage<Int32>
  let traceValues: NumberStorage<Scalar>
  var traceCount = 0
  /// Plastic weights that the last write changed.
  var written = 0
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
  let remainderX: NumberStorage<Scalar>
  let remainderY: NumberStorage<Scalar>
  let cosines: NumberStorage<Scalar>
  let sines: NumberStorage<Scalar>
  let lists: FiringLists<Scalar>
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
    let (n, m) = (graph.neuronCount, graph.nodeCount)
    plastic = PlasticStores(graph)
    logits = [Scalar](repeating: 0, count: graph.tokenCount)
    var held = ParticleValues<Scalar>(graph.hyperparameters, remainders: graph.remainderCounts)
    trace = held.keep(.z)
    traceNodes = NumberStorage(zeros: m)
    traceValues = NumberStorage(zeros: m)
    x = held.keep(.x)
    rotated = held.keep(.rotated)
    driveX = held.keep(.driveX)
    driveY = held.keep(.driveY)
    y = held.keep(.y)
    attention = held.keep(.attention)
    attentionField = held.keep(.a)
    field = held.keep(.v)
    encoded = held.keep(.encoded)
    update = held.keep(.update)
    gains = held.keep(.gains)
    held.check(
      [.driveX] + (graph.variant.accumulatesActivity ? [.x] : []) + [.attention, .driveY, .encoded, .z, .v])
    remainderX = held.keep(.remainderX)
    remainderY = held.keep(.remainderY)
    self.held = held
    cosines = NumberStorage(zeros: n)
    sines = NumberStorage(zeros: n)
    lists = FiringLists(blocks: layout.blocks.count, neurons: n, plastic: layout.plasticDegrees)
    scratch = DirectScratch(neurons: n)
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

/// What a direct engine keeps while a token passes that is no quantity of a particle.
final class DirectScratch<Scalar: NetworkScalar>: @unchecked Sendable {
  /// Neurons that fired and x̃, all blocks without gaps; and what damping leaves of their weights.
  let allFired: NumberStorage<Int32>
  let allSent: NumberStorage<Scalar>
  let keep: NumberStorage<Scalar>
  /// What neurons that listen hear, without gaps from each block's first neuron on.
  let heard: NumberStorage<Scalar>
  /// What hubs that carry what pruning cut add to each neuron, `(n)`.
  let throughHubs: NumberStorage<Scalar>

  init(neurons n: Int) {
    allFired = NumberStorage(zeros: n)
    allSent = NumberStorage(zeros: n)
    keep = NumberStorage(zeros: n)
    heard = NumberStorage(zeros: n)
    throughHubs = NumberStorage(zeros: n)
  }
}
