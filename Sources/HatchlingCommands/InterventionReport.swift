import HatchlingActivity
import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// What interventions did to predictions, beside the same done to others: in double, since a single synapse changes less than float rounds.
public struct InterventionReport: Encodable, Sendable {
  /// Touched against untouched over a text.
  public struct Effect: Encodable, Sendable {
    /// Mean loss in nats.
    public internal(set) var loss = 0.0
    /// Mean KL(untouched ‖ touched) in nats.
    public internal(set) var meanKL = 0.0
    /// Largest change of a logit, less the mean change of all logits, which changes no prediction.
    public internal(set) var largestChange = 0.0
    /// The root of the mean square of that.
    public internal(set) var meanChange = 0.0
  }

  public let tokens: Int
  /// Mean loss of the untouched run, in nats.
  public let untouchedLoss: Double
  public let touched: Effect
  /// Of random synapses or neurons of about equal strength.
  public let controls: [Effect]
  /// What the controls are.
  public let controlled: String

  /// Runs the untouched network, the touched one, and as many others touched at random.
  ///
  /// - Parameters:
  ///   - state: what every run goes on from; nil for the beginning.
  ///   - controls: how many random ones.
  /// - Throws: what compiling throws, `ActivityError`, `TokenError`. Cost: controls + 2 runs over the text, in double.
  public init(
    _ interventions: Interventions, on tokens: [Int], _ description: EngineDescription,
    _ network: Network, state: SavedState? = nil, controls count: Int = 20, seed: UInt64 = 1,
    workers: Workers,
    progress: WorkProgress = { _, _, _ in }
  ) throws {
    let description = EngineDescription(description.formulation)
    func engine(_ interventions: Interventions) throws -> any WatchableEngine<Double> {
      let engine: any SteppingEngine<Double> = try description.network(
        of: network, touchedBy: interventions, fingerprinted: state != nil, workers: workers
      ).engine(workers: workers)
      if let state { try engine.restore(state) }
      guard let engine = engine as? any WatchableEngine<Double> else {
        preconditionFailure("an engine without probes")
      }
      return engine
    }
    progress("run", 0, count + 2)
    let plain = try engine(Interventions())
    try interventions.check(on: plain)
    let (first, started) = (plain.position, plain.position > 0)
    for setting in interventions.settings where !(first..<first + tokens.count).contains(setting.token) {
      throw ActivityError.outOfRange(
        .settingToken, value: "\(setting.token)",
        allowed: "the text has tokens \(first) to \(first + tokens.count - 1)")
    }
    var (before, strength) = (
      started ? [plain.logits] : [], [Double](repeating: 0, count: plain.hyperparameters.neurons)
    )
    let handle = try plain.attach(Probe(.quantity(.x), after: .end(.gate))) {
      for (neuron, x) in $0.values.enumerated() { strength[neuron] += x }
    }
    for token in tokens {
      try plain.step(token)
      before.append(plain.logits)
    }
    plain.detach(handle)
    let scored = started ? tokens : Array(tokens.dropFirst())
    untouchedLoss =
      zip(before, scored).reduce(0) { $0 + Predictions(logits: $1.0).loss(of: $1.1) }
      / Double(max(1, scored.count))
    func effect(of interventions: Interventions) throws -> Effect {
      let engine = try engine(interventions)
      var (effect, squares, seen) = (Effect(), 0.0, 0)
      for (index, token) in tokens.enumerated() {
        interventions.apply(to: engine)
        if started || index > 0 { effect.loss += Predictions(logits: engine.logits).loss(of: token) }
        try engine.step(token)
        let untouched = before[index + (started ? 1 : 0)]
        effect.meanKL += Predictions(logits: untouched).divergence(from: Predictions(logits: engine.logits))
        let changes = zip(engine.logits, untouched).map { $0 - $1 }
        let mean = changes.reduce(0, +) / Double(changes.count)
        for change in changes {
          effect.largestChange = max(effect.largestChange, abs(change - mean))
          squares += (change - mean) * (change - mean)
          seen += 1
        }
      }
      effect.loss /= Double(max(1, scored.count))
      effect.meanKL /= Double(max(1, tokens.count))
      effect.meanChange = (squares / Double(max(1, seen))).squareRoot()
      return effect
    }
    self.tokens = tokens.count
    progress("run", 1, count + 2)
    touched = try effect(of: interventions)
    var random = SeededRandom(seed: seed)
    let pool = try ControlPool(interventions, plain, strength, atLeast: 10 * count)
    var effects: [Effect] = []
    for number in 0..<count where !pool.isEmpty {
      progress("run", 2 + number, count + 2)
      effects.append(try effect(of: pool.draw(&random)))
    }
    progress("run", count + 2, count + 2)
    controls = effects
    controlled = pool.meaning
  }

  public var lines: [String] {
    func row(_ name: String, _ effect: Effect) -> String {
      padded(name, 26, right: false) + padded(String(format: "%+.3e", effect.loss - untouchedLoss), 13)
        + padded(scientific(effect.meanKL), 13) + padded(scientific(effect.largestChange), 17)
        + padded(scientific(effect.meanChange), 15)
    }
    var lines = [
      "against the untouched run  Δloss        mean KL      largest Δlogit     rms Δlogit   (nats; \(grouped(tokens)) tokens, in double)",
      row("touched", touched),
    ]
    guard !controls.isEmpty else { return lines }
    let sorted = controls.sorted { $0.meanKL < $1.meanKL }
    lines.append(row("median of controls", sorted[sorted.count / 2]))
    lines.append(row("largest of controls", sorted[sorted.count - 1]))
    let beyond = controls.count { $0.meanKL >= touched.meanKL }
    lines.append(
      "controls: \(controls.count) \(controlled); \(beyond) of them change predictions as much or more")
    return lines
  }
}

/// Random synapses or neurons of about the strength of those that were touched.
private struct ControlPool {
  private let interventions: Interventions
  private let synapses: [LayerSynapse: [LayerSynapse]]
  private let neurons: [Int: [Int]]

  /// - Parameter strength: of every neuron, its x over the text.
  init(
    _ interventions: Interventions, _ engine: any WatchableEngine<Double>, _ strength: [Double],
    atLeast count: Int
  ) throws {
    self.interventions = interventions
    let touched = Set(interventions.cuts + interventions.settings.map(\.synapse))
    var found: [LayerSynapse: [LayerSynapse]] = [:]
    for synapse in touched {
      let size = engine.plasticWeights(layer: synapse.layer, of: [synapse.synapse])[0].magnitude
      // Those of the same layer whose weight at the end is nearest.
      var near: [(LayerSynapse, Double)] = []
      SynapseChoice.forEach(of: engine, [synapse.layer]) { other, weight in
        guard !touched.contains(other) else { return }
        near.append((other, abs(weight.magnitude - size)))
        guard near.count >= 8 * count + 4096 else { return }
        near.sort { $0.1 < $1.1 }
        near.removeLast(near.count - count)
      }
      near.sort { ($0.1, $0.0) < ($1.1, $1.0) }
      found[synapse] = near.prefix(count).map(\.0)
    }
    synapses = found
    neurons = Dictionary(
      interventions.silenced.map { neuron in
        let others = strength.indices.filter { !interventions.silenced.contains($0) }
        let near = others.sorted {
          (abs(strength[$0] - strength[neuron]), $0) < (abs(strength[$1] - strength[neuron]), $1)
        }
        return (neuron, Array(near.prefix(count)))
      }, uniquingKeysWith: { first, _ in first })
  }

  var isEmpty: Bool {
    synapses.values.contains(where: \.isEmpty) || neurons.values.contains(where: \.isEmpty)
  }

  var meaning: String {
    let synapse = "random synapses of the same layer and about equal strength at the end of the text"
    if neurons.isEmpty { return synapse }
    return (synapses.isEmpty ? "" : synapse + ", and ") + "random neurons of about equal activity"
  }

  func draw(_ random: inout SeededRandom) -> Interventions {
    var drawn = Interventions()
    var stand: [LayerSynapse: LayerSynapse] = [:]
    for synapse in synapses.keys.sorted() {
      stand[synapse] = synapses[synapse]?.randomElement(using: &random)
    }
    drawn.cuts = interventions.cuts.compactMap { stand[$0] }
    drawn.settings = interventions.settings.compactMap { setting in
      stand[setting.synapse].map { .init(synapse: $0, weight: setting.weight, token: setting.token) }
    }
    drawn.silenced = interventions.silenced.compactMap { neurons[$0]?.randomElement(using: &random) }
    return drawn
  }
}
