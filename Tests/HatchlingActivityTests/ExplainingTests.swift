import HatchlingCompiler
import HatchlingDynamics
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

@testable import HatchlingActivity

/// What an explanation says adds up to what arrived, changes as the network does, and comes true when something is really cut.
@Suite struct ExplainingTests {
  /// A random network and a text before the explained token.
  struct Case: Sendable, CustomTestStringConvertible {
    let seed: UInt64
    let variant: Variant
    let rotates, isDamped: Bool
    var testDescription: String { "seed \(seed), \(variant), rotates \(rotates), damped \(isDamped)" }

    static let all: [Case] = Variant.allCases.flatMap { variant in
      (1...8).map { Case(seed: $0, variant: variant, rotates: $0 % 2 == 0, isDamped: $0 % 3 == 0) }
    }

    var weights: Weights<Double> {
      var sizes = Hyperparameters.random(seed: seed, variant: variant)
      sizes.neurons = sizes.heads * 2 * Int(5 + seed)
      return Weights.random(sizes, seed: seed, rotates: rotates, damping: isDamped)
        .converted(to: Double.self)
    }
    var tokens: [Int] { randomTokens(14, vocabulary: weights.hyperparameters.vocabulary, seed: seed) }

    /// A circuit that has read all but the last token.
    func engine(_ weights: Weights<Double>) throws -> CircuitEngine<Double> {
      let defers = seed % 2 == 0
      let engine = try CircuitEngine(
        Compiler().circuit(from: weights).graph,
        options: CircuitEngineOptions(screens: defers, defersWrites: defers))
      for token in tokens.dropLast() { try engine.step(token) }
      return engine
    }
  }

  /// A case with the explanation of its last token.
  struct Explained {
    let weights: Weights<Double>
    let network: TokenNetwork
    let trace: TokenTrace
    let logit: ExplainedLogit
    let gradient: TokenGradient
    let engine: CircuitEngine<Double>
    let token: Int

    init(_ item: Case) throws {
      weights = item.weights
      engine = try item.engine(weights)
      network = TokenNetwork(weights, before: engine)
      token = item.tokens[13]
      trace = network.read(token)
      let vocabulary = weights.hyperparameters.vocabulary
      logit = try ExplainedLogit(
        of: vocabulary - 1, against: item.seed % 2 == 0 ? 0 : nil, vocabulary: vocabulary)
      gradient = TokenGradient(of: logit.direction(in: weights.readout), at: trace, in: network)
    }

    var value: Double { logit.value(of: trace.logits) }
  }

  /// Largest difference in proportion to the largest number of either; infinite for NaN and where nothing is compared.
  private func difference(_ a: [Double], _ b: [Double]) -> Double {
    let largest = max(a.map(\.magnitude).max() ?? 0, b.map(\.magnitude).max() ?? 0)
    return absoluteDifference(a, b) / max(largest, .leastNormalMagnitude)
  }

  @Test(arguments: Case.all)
  func contributionsAddUpToWhatArrivedInTheEngine(_ item: Case) throws {
    let one = try Explained(item)
    let sizes = one.weights.hyperparameters
    var seen: [Quantity: [[Double]]] = [:]
    for (quantity, part) in [
      (Quantity.driveX, RoundPart.communication(.drive)), (.a, .communication(.read)),
      (.driveY, .communication(.gate)), (.x, .end(.gate)),
    ] {
      try one.engine.attach(Probe(.quantity(quantity), after: part)) {
        seen[quantity, default: []].append($0.values)
      }
    }
    try one.engine.step(one.token)
    #expect(difference(one.engine.logits, one.trace.logits) <= 1e-12)
    let (d, n) = (sizes.synapticDimension, sizes.neurons)
    for (index, tape) in one.trace.layers.enumerated() {
      let (driveX, a) = (try #require(seen[.driveX])[index], try #require(seen[.a])[index])
      let (driveY, x) = (try #require(seen[.driveY])[index], try #require(seen[.x])[index])
      let drives = (0..<n).map {
        NeuronDrive(of: LayerNeuron(layer: index + 1, neuron: $0), at: one.trace, in: one.network)
      }
      #expect(difference(drives.map(\.x.total), driveX) <= 1e-12)
      // Only neurons with x > 0 listen in the engine.
      let listening = x.indices.filter { x[$0] > 0 }
      if !listening.isEmpty {
        #expect(
          difference(listening.map { drives[$0].yByNeuron.reduce(0, +) }, listening.map { driveY[$0] })
            <= 1e-12)
      }
      var arrived = [Double](repeating: 0, count: sizes.heads * d)
      for neuron in 0..<n {
        for hub in 0..<d {
          arrived[one.network.head(of: neuron) * d + hub] +=
            one.network.plastic[index][neuron, hub] * tape.rotated[neuron]
        }
      }
      #expect(difference(arrived, a) <= 1e-12)
    }
    let sources = FieldSources(
      of: one.logit.direction(in: one.weights.readout), afterLayer: sizes.layers, at: one.trace,
      in: one.network)
    #expect(abs(sources.total - one.logit.value(of: one.engine.logits)) <= 1e-12 * max(1, abs(sources.total)))
    #expect(sources.neurons.count == sizes.layers && (item.variant != .released || sources.token != 0))
  }

  @Test(arguments: Case.all)
  func whatEarlierTokensWroteAddsUpToWhatIsRead(_ item: Case) throws {
    let one = try Explained(item)
    let reader = try CircuitEngine(Compiler().circuit(from: one.weights).graph)
    let writers = try TokenWriters(
      item.tokens.dropLast(), on: reader, one.gradient, at: one.trace, in: one.network)
    #expect(writers.first == 0 && writers.shares.count == 13 && !reader.isWatched)
    for (sums, tape) in zip(writers.sums, one.trace.layers) { #expect(difference(sums, tape.a) <= 1e-11) }
    let all = writers.shares.flatMap { $0 }.reduce(0, +)
    var expected = 0.0
    for (slopes, tape) in zip(one.gradient.layers, one.trace.layers) {
      for place in tape.a.indices { expected += slopes.a[place] * tape.a[place] }
    }
    let size = writers.shares.flatMap { $0 }.reduce(0) { $0 + abs($1) }
    #expect(abs(all - expected) <= 1e-10 * max(size, 1e-3) && size >= 0)
  }

  /// Every neuron, and some synapses of each kind.
  private func carriers(_ one: Explained, _ random: inout SeededRandom) -> [Carrier] {
    let sizes = one.weights.hyperparameters
    var carriers: [Carrier] = []
    for layer in 1...sizes.layers {
      for neuron in 0..<sizes.neurons {
        let hub = Int.random(in: 0..<sizes.synapticDimension, using: &random)
        carriers.append(.neuron(LayerNeuron(layer: layer, neuron: neuron)))
        carriers.append(.plastic(LayerSynapse(layer: layer, PlasticSynapse(from: hub, to: neuron))))
        for kind in FixedSynapse.Kind.allCases {
          carriers.append(.fixed(FixedSynapse(layer: layer, kind: kind, hub: hub, neuron: neuron)))
        }
      }
    }
    return carriers
  }

  @Test(arguments: Case.all)
  func sharesAreThoseOfCentralDifferences(_ item: Case) throws {
    let one = try Explained(item)
    var (random, compared, largest) = (SeededRandom(seed: item.seed), 0, 0.0)
    let prediction = CutPrediction(one.gradient, at: one.trace, in: one.network)
    let step = 1e-5
    var differences: [(Carrier, Double, Double)] = []
    for carrier in carriers(one, &random) {
      let up = one.network.read(again: one.trace, scaling: [carrier], by: 1 + step)
      let down = one.network.read(again: one.trace, scaling: [carrier], by: 1 - step)
      guard up.flips(against: down) == 0 else { continue }
      let slope = (one.logit.value(of: up.logits) - one.logit.value(of: down.logits)) / (2 * step)
      let share = one.gradient.share(of: carrier, at: one.trace, in: one.network)
      differences.append((carrier, share, slope))
      largest = max(largest, abs(slope))
      compared += 1
    }
    for (carrier, share, slope) in differences {
      #expect(abs(share - slope) <= 1e-6 * max(largest, 1e-3), "\(carrier.name): \(share), \(slope)")
    }
    #expect(compared > 20 && largest > 1e-9, "\(compared) compared, the largest \(largest)")
    // Nothing to cut, nothing to lose.
    for carrier in carriers(one, &random)
    where abs(one.gradient.share(of: carrier, at: one.trace, in: one.network)) == 0 {
      if case .neuron(let neuron) = carrier, one.trace.layers[neuron.layer - 1].x[neuron.neuron] == 0 {
        #expect(prediction.loss(without: carrier) == 0)
      }
    }
  }

  /// In the last layer nothing is left to first order but LN(E y) and LN(v + ·): of D_y nothing else, and where nothing normalises nothing at all.
  @Test(arguments: Case.all.filter { $0.variant == .normfree })
  func predictionsAreExactInTheLastLayerOfANetworkWithoutNorms(_ item: Case) throws {
    let one = try Explained(item)
    let (layers, value) = (one.weights.hyperparameters.layers, one.value)
    var (random, compared, size) = (SeededRandom(seed: item.seed), 0, 0.0)
    let prediction = CutPrediction(one.gradient, at: one.trace, in: one.network)
    for carrier in carriers(one, &random) where carrier.layer == layers {
      let lost = value - one.logit.value(of: one.network.read(again: one.trace, scaling: [carrier]).logits)
      #expect(
        abs(prediction.loss(without: carrier) - lost) <= 1e-9 * max(1, abs(value)),
        "\(carrier.name): \(prediction.loss(without: carrier)), \(lost)")
      (compared, size) = (compared + 1, size + abs(lost))
    }
    #expect(compared >= 10 && size > 0)
  }

  /// Followed through the first normaliser and rectifier, predictions miss less than gradient × value does. Not so where a whole neuron falls
  /// silent: in a network as small as these that is too much for either.
  @Test func predictionsAreBetterThanGradients() throws {
    var misses: [String: (predicted: Double, gradient: Double, count: Int)] = [:]
    for item in Case.all where item.variant == .released {
      let one = try Explained(item)
      var random = SeededRandom(seed: item.seed)
      let prediction = CutPrediction(one.gradient, at: one.trace, in: one.network)
      let size = one.trace.logits.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for carrier in carriers(one, &random) {
        let lost =
          one.value - one.logit.value(of: one.network.read(again: one.trace, scaling: [carrier]).logits)
        let gradient = one.gradient.share(of: carrier, at: one.trace, in: one.network)
        let kind =
          switch carrier {
          case .plastic: "plastic"
          case .neuron: "neuron"
          case .fixed(let synapse): synapse.kind.rawValue
          }
        let (first, second) = ((prediction.loss(without: carrier) - lost) / size, (gradient - lost) / size)
        misses[kind, default: (0, 0, 0)].predicted += first * first
        misses[kind, default: (0, 0, 0)].gradient += second * second
        misses[kind, default: (0, 0, 0)].count += 1
      }
    }
    #expect(misses.count == 5)
    for (kind, bound) in [("plastic", 0.8), ("x", 0.8), ("y", 1), ("encoder", 1)] {
      let miss = try #require(misses[kind])
      #expect(miss.predicted < bound * miss.gradient && miss.count > 300, "\(kind): \(miss)")
    }
  }

  @Test(arguments: Case.all)
  func cutsInTheEngineDoTheSame(_ item: Case) throws {
    let one = try Explained(item)
    let state = one.engine.save()
    let trials = Cuts(one.network, one.trace, one.logit, workers: Workers(threads: 2)).trials(
      of: Array(
        CarrierSearch.plastic(one.gradient, at: one.trace, in: one.network, keeping: 12).strongest))
    let engine = try EngineCuts(one.engine, one.token, one.logit)
    var synapses: [LayerSynapse] = []
    for trial in trials {
      guard case .plastic(let synapse) = trial.carrier else { continue }
      #expect(abs(try engine.loss(without: [synapse]) - trial.measured) <= 1e-11 * max(1, abs(one.value)))
      synapses.append(synapse)
    }
    let cuts = Cuts(one.network, one.trace, one.logit, workers: Workers(threads: 1))
    let all = cuts.loss(withoutAll: synapses.map { .plastic($0) })
    #expect(abs(try engine.loss(without: synapses) - all) <= 1e-11 * max(1, abs(one.value)))
    // A neuron that is silent in every layer, as `Interventions` make it, from this token on.
    for neuron in [0, one.weights.hyperparameters.neurons - 1] {
      var silence = Interventions()
      silence.silenced = [neuron]
      let silent = try CircuitEngine(
        Compiler().circuit(from: silence.silencing(one.weights)).graph,
        options: CircuitEngineOptions(screens: item.seed % 2 == 0, defersWrites: item.seed % 2 == 0))
      try silent.restore(state)
      try silent.step(one.token)
      let carriers = (1...one.weights.hyperparameters.layers).map {
        Carrier.neuron(LayerNeuron(layer: $0, neuron: neuron))
      }
      #expect(
        difference(one.network.read(again: one.trace, scaling: carriers).logits, silent.logits) <= 1e-11)
    }
  }

  @Test(arguments: Case.all.filter { $0.seed <= 3 })
  func theSearchKeepsTheStrongest(_ item: Case) throws {
    let one = try Explained(item)
    var all: [(Carrier, Double)] = []
    for (index, tape) in one.trace.layers.enumerated() {
      for neuron in tape.rotated.indices where tape.rotated[neuron] != 0 {
        for hub in 0..<one.weights.hyperparameters.synapticDimension
        where one.network.plastic[index][neuron, hub] != 0 {
          let carrier = Carrier.plastic(
            LayerSynapse(layer: index + 1, PlasticSynapse(from: hub, to: neuron)))
          all.append((carrier, one.gradient.share(of: carrier, at: one.trace, in: one.network)))
        }
      }
    }
    try #require(!all.isEmpty)
    let search = CarrierSearch.plastic(one.gradient, at: one.trace, in: one.network, keeping: 10, seed: 5)
    #expect(search.count == all.count)
    let sizes = all.map { abs($0.1) }.sorted(by: >).filter { $0 > 0 }.prefix(10)
    #expect(search.strongest.map { abs($0.gradient) } == Array(sizes))
    let supporting = all.map { $0.1 }.sorted(by: >).filter { $0 > 0 }.prefix(10)
    #expect(search.supporting.map(\.gradient) == Array(supporting))
    let total = all.reduce(0) { $0 + abs($1.1) }
    #expect(abs(search.magnitude - total) <= 1e-12 * total)
    let random = search.random.map(\.carrier)
    #expect(Set(random).count == min(10, all.count) && Set(random).isSubset(of: Set(all.map(\.0))))
    let layer = CarrierSearch.plastic(
      one.gradient, at: one.trace, in: one.network, layers: [1], keeping: 10)
    #expect(layer.strongest.allSatisfy { $0.carrier.layer == 1 })
  }

  @Test func fitsAreWhatPencilAndPaperSay() {
    func trial(_ predicted: Double, _ measured: Double, flips: Int = 0) -> CutTrial {
      CutTrial(
        carrier: .neuron(LayerNeuron(layer: 1, neuron: 0)), gradient: 2 * predicted, predicted: predicted,
        measured: measured, flips: flips)
    }
    func isNear(_ value: Double?, _ expected: Double, within bound: Double) -> Bool {
      value.map { abs($0 - expected) < bound } ?? false
    }
    // Spread 14/3, missed 1; of gradients missed 1 + 4 + 4.
    let fit = CutFit([trial(1, 1), trial(2, 2, flips: 3), trial(3, 4)])
    #expect(isNear(fit.rSquared, 11.0 / 14, within: 1e-15))
    #expect(isNear(fit.rSquaredOfGradient, -13.0 / 14, within: 1e-14))
    #expect(isNear(fit.slope, 17.0 / 14, within: 1e-15) && isNear(fit.size, 7.0.squareRoot(), within: 1e-15))
    #expect(fit.withoutFlips == 2 && isNear(fit.rSquaredWithoutFlips, 3.5 / 4.5, within: 1e-15))
    #expect(CutFit([]).rSquared == nil && CutFit([]).slope == nil && CutFit([trial(0, 1)]).rSquared == nil)
  }

  @Test func bytesAreReadAsReportsShowThem() throws {
    for (text, token) in [
      ("a", 97), ("5", 53), (" ", 32), ("␣", 32), ("\\n", 10), ("\\t", 9), ("x0A", 10), ("xff", 255),
      ("t300", 300), ("x", 120), ("t", 116),
    ] {
      #expect(try ExplainedLogit.token(named: text) == token, "\(text)")
    }
    for text in ["", "ab", "é", "x0G", "x123", "t-1", "t1e3", "-1", "nan", "t99999999999999999999"] {
      #expect(throws: ExplanationError.notOneByte(text)) { try ExplainedLogit.token(named: text) }
    }
    #expect(throws: ExplanationError.noSuchToken(300, vocabulary: 256)) {
      try ExplainedLogit(of: 300, vocabulary: 256)
    }
    #expect(throws: ExplanationError.againstItself(3)) {
      try ExplainedLogit(of: 3, against: 3, vocabulary: 9)
    }
  }
}
