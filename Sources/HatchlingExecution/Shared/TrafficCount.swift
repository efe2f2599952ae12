import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// An executor that lists who fires, so that what its kernels send is counted by degrees, not synapse by synapse.
protocol ListingExecutor: GraphExecutor {
  var lists: FiringLists<Scalar> { get }
  var held: ParticleValues<Scalar> { get }
  /// The token that is read.
  var token: Int { get }
  /// The blocks of each head.
  var blocksOfHead: [Range<Int>] { get }
  /// Of each presynaptic particle of a connection: how many synapses it has.
  var outDegrees: [Connection: Degrees] { get }
  /// Whether what does not depend on where neurons are is counted here: what the token and the hubs say to hubs and readouts.
  var countsHubs: Bool { get }
  /// Plastic weights that the last write changed.
  func countWritten() -> Int
}

/// Messages, updates and broadcasts of a token, for every executor and form here. Rounds that are done plainly count for themselves,
/// synapse by synapse; the tests hold the two against each other.
extension ListingExecutor {
  var countsHubs: Bool { true }

  typealias Count = (_ executor: Self, _ activity: inout StepActivity) -> Void

  /// A kernel, after it the count of what it did, and then what may be left to do.
  func counted(
    _ name: String, _ operations: [RoundOperation], _ parts: [KernelPart<Self>],
    last end: KernelPart<Self>? = nil
  ) -> Kernel<Self> {
    let counts = operations.compactMap(count)
    let last = KernelPart<Self>(before: { executor, _, activity in
      for count in counts { count(executor, &activity) }
    })
    return Kernel(
      name, operations, parts: parts + (counts.isEmpty ? [] : [last]) + (end.map { [$0] } ?? []))
  }

  func counted(
    _ name: String, _ operations: [RoundOperation], _ body: @escaping KernelPart<Self>.Work
  ) -> Kernel<Self> {
    counted(name, operations, [KernelPart(before: body)])
  }

  /// How to count an operation when it is done; nil where nothing counts.
  private func count(_ operation: RoundOperation) -> Count? {
    let heads = hyperparameters.heads
    switch operation {
    case .activateX: return { $1.activeX.append($0.lists.total($0.lists.listeningCount)) }
    case .activateY: return { $1.activeY.append($0.lists.total($0.lists.activeY)) }
    case .read: return { $1.messages += $0.lists.total($0.lists.reads) }
    case .reweight: return { $1.updates += $0.countWritten() }
    case .send(let from, let connection, _, let listening, .messages):
      return listening == nil
        ? countSent(from, connection, rows: from.isPerHead ? heads : 1) : countHeard(from, connection)
    case .send(_, _, _, _, .broadcasts) where !countsHubs: return nil
    case .send(let from, _, let into, _, .broadcasts):
      let targets = graph.count(of: into) / (into.isPerHead ? heads : 1)
      guard let place = held.place(of: from) else { return nil }
      return { $1.broadcasts += $0.held.arrays[place].countNonZero() * targets }
    case .normalise where !countsHubs: return nil
    case .normalise(_, let measured, let kind) where graph.localGains != nil:
      guard let place = held.place(of: measured) else { return nil }
      let answers = graph.broadcastsPerAnswer * (kind == .attention ? heads : 1)
      return { $1.broadcasts += answers + $0.held.arrays[place].countNonZero() }
    case .normalise(_, let measured, _):
      let values = graph.broadcastsPerAnswer * (measured.isPerHead ? heads : 1)
      return { $1.broadcasts += values }
    default: return nil
    }
  }

  /// Everybody listens: the synapses of those that speak.
  private func countSent(_ from: Quantity, _ connection: Connection, rows: Int) -> Count? {
    guard let degrees = outDegrees[connection] else {
      preconditionFailure("nobody knows the degrees of \(connection.rawValue)")
    }
    if !countsHubs && (connection == .embedding || connection == .readout) { return nil }
    if from == .token { return { $1.messages += Int(degrees.each[$0.token]) } }
    guard let place = held.place(of: from) else { return nil }
    if let uniform = degrees.uniform {
      if from == .y { return { $1.messages += $0.lists.total($0.lists.activeY) * uniform } }
      return { $1.messages += $0.held.arrays[place].countNonZero() * uniform }
    }
    return { $1.messages += degrees.total(ofNonZero: $0.held.arrays[place], rows: rows) }
  }

  /// Neurons with x > 0 listen: where each of them is reached by all, a product; else they have counted on their walk.
  private func countHeard(_ from: Quantity, _ connection: Connection) -> Count? {
    guard outDegrees[connection]?.uniform == graph.neurons.count, let place = held.place(of: from) else {
      return { $1.messages += $0.lists.total($0.lists.messages) }
    }
    return { executor, activity in
      let heard = executor.held.arrays[place]
      let row = heard.count / executor.blocksOfHead.count
      for (head, blocks) in executor.blocksOfHead.enumerated() {
        let speaking = heard.countNonZero(from: head * row, through: (head + 1) * row - 1)
        activity.messages += speaking * executor.lists.total(executor.lists.listeningCount, blocks)
      }
    }
  }
}

extension NumberStorage where Element: NetworkScalar {
  @_specialize(where Element == Float)
  @_specialize(where Element == Double)
  func countNonZero(from first: Int = 0, through last: Int? = nil) -> Int {
    let (values, count) = (base + first, (last ?? self.count - 1) - first + 1)
    var total = 0
    for place in 0..<count { if values[place] != 0 { total &+= 1 } }
    return total
  }
}
