import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Executes any schedule synapse by synapse, with whatever local rules it is given: plain, slow, and the yardstick of the fast executors.
///
/// Nothing is laid out, blocked, fused or put off. A rule that is not the Dragon Hatchling's can be tried here first:
///
///     let run = try Run.interpreting(graph, rules: MyRules.self)
public final class Interpreter<Rules: LocalRules, Graph: ExecutableGraph>: GraphExecutor, ParticleStore
where Graph.Scalar == Rules.Scalar {
  public typealias Scalar = Rules.Scalar

  public let graph: Graph
  public let schedule: Schedule
  /// σ per layer, `(n, presynaptic)`; 0 where there is no synapse.
  public private(set) var plastic: [Matrix<Scalar>]

  private let plain: PlainRounds<Rules, Graph>
  private var held: [Quantity: [Scalar]] = [:]
  private var arrivals: [Quantity: [Channels<Scalar>]] = [:]
  private var token = 0
  private var position = 0

  /// - Throws: `GraphError` when the graph breaks its specification.
  public init(_ graph: Graph, rules: Rules.Type = Rules.self) throws(GraphError) {
    try graph.validate()
    self.graph = graph
    schedule = graph.schedule
    plain = PlainRounds(graph)
    plastic = (0..<schedule.layers).map { _ in
      Matrix(rows: graph.hyperparameters.neurons, columns: graph.plasticSourceCount)
    }
  }

  public var kernels: [Kernel<Interpreter>] { [] }
  public var logits: [Scalar] { load(.logits) }
  public var identity: StateIdentity {
    StateIdentity(
      model: graph.fingerprint, engine: "interpreter", form: schedule.form.rawValue,
      precision: Scalar.precisionName, variant: schedule.variant, options: "\(Rules.self)")
  }

  public func begin(_ token: Int, at position: Int) {
    (self.token, self.position) = (token, position)
    held = [:]
    arrivals = [:]
  }

  public func load(_ quantity: Quantity) -> [Scalar] {
    held[quantity] ?? [Scalar](repeating: 0, count: graph.count(of: quantity))
  }

  public func store(_ values: [Scalar], _ quantity: Quantity, arrived: [Channels<Scalar>]?) {
    held[quantity] = values
    if let arrived { arrivals[quantity] = arrived }
  }

  public func store(gain: Scalar, place: Int) {
    var gains = load(.gains)
    gains[place] = gain
    held[.gains] = gains
  }

  public func perform(_ operation: RoundOperation, layer: Int, _ activity: inout StepActivity) {
    switch operation {
    case .read(let from, let into): read(layer, from, into, &activity)
    case .reweight(let presynaptic, let postsynaptic): reweight(layer, presynaptic, postsynaptic, &activity)
    case .forget: forget(layer)
    default: plain.perform(operation, on: self, token: token, at: position, &activity)
    }
  }

  /// Round 4l; one sum per head and presynaptic particle.
  private func read(_ layer: Int, _ from: Quantity, _ into: Quantity, _ activity: inout StepActivity) {
    let (activities, sources) = (load(from), graph.plasticSourceCount)
    var sums = [Scalar](repeating: 0, count: graph.count(of: into))
    for (head, neurons) in graph.neurons.heads.enumerated() {
      for neuron in neurons where activities[neuron] != 0 {
        for source in 0..<sources where graph.hasPlasticSynapse(from: source, to: neuron) {
          sums[head * sources + source] += Rules.read(
            activities[neuron], over: plastic[layer - 1][neuron, source])
          activity.messages += 1
        }
      }
    }
    held[into] = sums
  }

  /// Round 4l + 1: Hebb.
  private func reweight(
    _ layer: Int, _ presynaptic: Quantity, _ postsynaptic: Quantity, _ activity: inout StepActivity
  ) {
    let (before, after) = (load(presynaptic), load(postsynaptic))
    for neuron in after.indices where after[neuron] != 0 {
      for source in before.indices where before[source] != 0 {
        guard graph.hasPlasticSynapse(from: source, to: neuron) else { continue }
        plastic[layer - 1][neuron, source] = Rules.reweight(
          plastic[layer - 1][neuron, source], presynaptic: before[source], postsynaptic: after[neuron])
        activity.updates += 1
      }
    }
  }

  /// Round 4l + 1, after the write: damping.
  private func forget(_ layer: Int) {
    for (neuron, damping) in graph.neurons.damping.enumerated() where damping != 0 {
      for source in 0..<graph.plasticSourceCount {
        plastic[layer - 1][neuron, source] = Rules.forget(
          plastic[layer - 1][neuron, source], keep: Scalar(1 - Double(damping)))
      }
    }
  }

  public func values(of quantity: Quantity, channel: Channel, entries: [Int]?) -> [Scalar]? {
    let all: [Scalar]
    switch channel {
    case .net: all = load(quantity)
    case .excitation, .inhibition:
      guard schedule.isSum(quantity) else { return nil }
      let sums = arrivals[quantity] ?? Array(repeating: Channels(), count: graph.count(of: quantity))
      all = sums.map { channel == .excitation ? $0.excitation : $0.inhibition }
    }
    return entries.map { $0.map { all[$0] } } ?? all
  }

  public func plasticWeights(
    layer: Int, at moment: PlasticMoment, synapses: [PlasticSynapse]?
  ) -> [Scalar] {
    synapses.map { $0.map { plastic[layer - 1][$0.postsynaptic, $0.presynaptic] } }
      ?? plastic[layer - 1].elements
  }

  public func replacePlasticWeight(
    layer: Int, of synapse: PlasticSynapse, at position: Int, _ change: (Scalar) -> Scalar
  ) {
    let weight = plastic[layer - 1][synapse.postsynaptic, synapse.presynaptic]
    plastic[layer - 1][synapse.postsynaptic, synapse.presynaptic] = change(weight)
  }

  public func attentionState(layer: Int, at position: Int) -> Matrix<Scalar> {
    graph.throughHubs(plastic[layer - 1])
  }

  public func reset() {
    plastic = plastic.map { Matrix(rows: $0.rows, columns: $0.columns) }
    held = [:]
  }

  public func stateArrays() -> [String: StateArray] {
    Dictionary(uniqueKeysWithValues: plastic.enumerated().map { ("plastic.\($0 + 1)", .make($1)) })
  }

  public func restoration(of state: SavedState) throws -> () -> Void {
    let saved: [Matrix<Scalar>] = try plastic.enumerated().map {
      try state.matrix("plastic.\($0 + 1)", rows: $1.rows, columns: $1.columns)
    }
    return { self.plastic = saved }
  }
}

extension Run {
  /// A run that does every operation literally, with any local rules. - Throws: `GraphError`.
  public static func interpreting<Rules: LocalRules, Graph: ExecutableGraph>(
    _ graph: Graph, rules: Rules.Type
  ) throws(GraphError) -> Run where Engine == Interpreter<Rules, Graph> {
    Run(try Interpreter(graph, rules: rules))
  }
}
