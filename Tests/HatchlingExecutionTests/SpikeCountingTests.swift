import HatchlingCompiler
import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingExecution

/// Another way to run a network is one file: neurons that send 0 or 1, and a count of who did.
private final class SpikeCounter: GraphExecutor {
  typealias Scalar = Double

  let graph: CircuitGraph<Double>
  /// Spikes since the start, by kind of round.
  private(set) var spikes: [RoundKind: Int] = [:]
  private let neurons: Interpreter<DragonRules<Double>, CircuitGraph<Double>>

  init(_ graph: CircuitGraph<Double>) throws {
    self.graph = graph
    neurons = try Interpreter(graph)
  }

  var schedule: Schedule { neurons.schedule }
  var logits: [Double] { neurons.logits }
  var kernels: [Kernel<SpikeCounter>] {
    [
      Kernel("spikes of x", [.activateX]) { $0.threshold(.x, .drive, $0.schedule.rounds[0], $1, &$2) },
      Kernel("spikes do not turn", [.rotate]) { executor, _, _ in
        executor.neurons.store(executor.neurons.load(.x), .rotated, arrived: nil)
      },
      Kernel("spikes of y", [.activateY]) { $0.threshold(.y, .gate, $0.schedule.rounds[3], $1, &$2) },
    ]
  }

  private func threshold(
    _ quantity: Quantity, _ kind: RoundKind, _ round: Round, _ layer: Int, _ activity: inout StepActivity
  ) {
    guard let operation = round.computation.first else { return }
    neurons.perform(operation, layer: layer, &activity)
    let fired: [Double] = neurons.load(quantity).map { $0 > 0 ? 1 : 0 }
    neurons.store(fired, quantity, arrived: nil)
    spikes[kind, default: 0] += Int(fired.reduce(0, +))
  }

  // The rest is the interpreter's.
  var identity: StateIdentity { neurons.identity }
  func begin(_ token: Int, at position: Int) { neurons.begin(token, at: position) }
  func perform(_ operation: RoundOperation, layer: Int, _ activity: inout StepActivity) {
    neurons.perform(operation, layer: layer, &activity)
  }
  func values(of quantity: Quantity, channel: HatchlingDynamics.Channel, entries: [Int]?) -> [Double]? {
    neurons.values(of: quantity, channel: channel, entries: entries)
  }
  func plasticWeights(layer: Int, at moment: PlasticMoment, synapses: [PlasticSynapse]?) -> [Double] {
    neurons.plasticWeights(layer: layer, at: moment, synapses: synapses)
  }
  func replacePlasticWeight(
    layer: Int, of synapse: PlasticSynapse, at position: Int, _ change: (Double) -> Double
  ) { neurons.replacePlasticWeight(layer: layer, of: synapse, at: position, change) }
  func attentionState(layer: Int, at position: Int) -> Matrix<Double> {
    neurons.attentionState(layer: layer, at: position)
  }
  func reset() { neurons.reset() }
  func stateArrays() -> [String: StateArray] { neurons.stateArrays() }
  func restoration(of state: SavedState) throws -> () -> Void { try neurons.restoration(of: state) }
}

@Suite struct SpikeCountingTests {
  @Test func aThirdExecutorIsOneFile() throws {
    let sizes = Hyperparameters(neurons: 24, synapticDimension: 8, heads: 2, layers: 3, vocabulary: 7)
    let weights = Weights.random(sizes, seed: 2, damping: true).converted(to: Double.self)
    let graph = try Compiler().circuit(from: weights).graph
    let run = Run(try SpikeCounter(graph))
    let exact = try CircuitEngine(graph)
    var values: Set<Double> = []
    var counted = 0
    for (quantity, kind) in [(Quantity.x, RoundKind.drive), (.rotated, .drive), (.y, .gate)] {
      try run.attach(Probe(.quantity(quantity), after: .end(kind))) {
        values.formUnion($0.values)
        if quantity != .rotated { counted += Int($0.values.reduce(0, +)) }
      }
    }
    let tokens = randomTokens(12, vocabulary: 7, seed: 2)
    var saved: SavedState?
    for (index, token) in tokens.enumerated() {
      if index == 5 { saved = run.save() }
      try run.step(token)
      try exact.step(token)
    }
    #expect(values == [0, 1])
    let spikes = run.executor.spikes
    #expect(spikes[.drive, default: 0] > 0 && spikes[.gate, default: 0] > 0)
    #expect(counted == spikes.values.reduce(0, +))
    #expect(absoluteDifference(run.logits, exact.logits) > 1e-3)
    // Saved states, positions and probes come from the run.
    let again = Run(try SpikeCounter(graph))
    try again.restore(try #require(saved))
    for token in tokens[5...] { try again.step(token) }
    #expect(again.position == 12 && again.logits == run.logits)
  }
}
