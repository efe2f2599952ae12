import HatchlingDynamics
import HatchlingEquivalence
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// How many spikes and sub-steps every quantity gets, so that synaptic events are few and the KL divergence stays within a budget.
///
/// What the quantities lose by being said in spikes adds up almost independently: each is measured alone, in every code that may be chosen, while the
/// others are said exactly; then the cheapest combination whose sum fits is taken and measured as a whole.
public struct SpikeAllocation: Encodable, Sendable {
  /// One quantity alone in one code.
  struct Choice: Sendable {
    let quantity: HatchlingDynamics.Quantity
    let spikes: Int
    let substeps: Int
    /// Nats per token.
    let divergence: Double
    /// Synaptic events and Hebb's, per token, beyond those of exact messages.
    let events: Double
  }

  /// The codes, as `SpikingOptions.init(named:)` takes them, but for blanks.
  public let code: String
  /// What was allowed, in nats per token.
  public let budget: Double
  /// On the text of calibration.
  public let found: Measured
  /// On text that nothing was chosen by; nil where there was none.
  public let checked: Measured?
  /// How many networks were run.
  public let trials: Int

  public struct Measured: Encodable, Sendable {
    public let tokens: Int
    public let divergence: Double
    public let lossChange: Double
    public let spikes: Double
    /// Synaptic events, and Hebb's.
    public let events: Double
    public let hebbianEvents: Double

    init(_ measure: FidelityMeasure, reference: Double, tokens: Int) {
      self.tokens = tokens
      (divergence, lossChange) = (measure.meanKL, measure.loss - reference)
      (spikes, events, hebbianEvents) = (measure.spikes, measure.messages, measure.updates)
    }

    var line: String {
      "KL \(scientific(divergence)), loss \(lossChange < 0 ? "" : "+")\(scientific(lossChange)) nats, \(grouped(Int(spikes))) spikes, \(grouped(Int(events))) + \(grouped(Int(hebbianEvents))) events per token (\(grouped(tokens)) tokens)"
    }
  }

  /// - Parameters:
  ///   - tokens: the text of calibration, read in segments.
  ///   - others: text to check on; empty for none.
  ///   - budget: the largest mean KL, in nats per token.
  /// - Throws: `FidelityError` for texts that are too short; ``SpikeAllocationError``. Cost: some hundred runs over the text.
  public init<Scalar: NetworkScalar>(
    _ weights: Weights<Scalar>, scales: SpikeScales, tokens: [Int], checkedOn others: [Int], segment: Int,
    budget: Double, workers: Workers, progress: WorkProgress = { _, _, _ in }
  ) throws {
    guard budget > 0, budget.isFinite else { throw SpikeAllocationError.budget(budget) }
    var trials = try Trials(
      Fidelity(weights, tokens: tokens, segment: segment, workers: workers), weights, scales, workers)
    let sizes = weights.hyperparameters
    let quantities = Schedule.circuit(layers: sizes.layers, variant: sizes.variant).spokenQuantities.filter {
      $0 != .token
    }
    let exact = try trials.measure(.graded)
    let pairs = Self.candidates
    var choices: [[Choice]] = []
    for (number, quantity) in quantities.enumerated() {
      var own: [Choice] = []
      for (index, pair) in pairs.enumerated() {
        progress("codes", number * pairs.count + index, quantities.count * pairs.count)
        own.append(try trials.measure(quantity, pair.spikes, pair.substeps, beside: exact))
      }
      choices.append(Self.efficient(own))
    }
    var (target, best): (Double, (code: SpikingOptions, measure: FidelityMeasure)?) = (budget, nil)
    for _ in 0..<6 {
      guard let chosen = Self.cheapest(choices, within: target) else { break }
      let options = try Self.options(chosen)
      let measure = try trials.measure(options)
      if measure.meanKL <= budget {
        if best.map({ measure.messages + measure.updates < $0.measure.messages + $0.measure.updates }) ?? true
        {
          best = (options, measure)
        }
        // What is left of the budget is tried once more.
        if measure.meanKL > 0.9 * budget { break }
        target *= min(1.5, 0.97 * budget / measure.meanKL)
      } else {
        target *= 0.95 * budget / measure.meanKL
      }
    }
    guard let best else { throw SpikeAllocationError.impossible(budget) }
    code = best.code.name
    self.budget = budget
    found = Measured(best.measure, reference: trials.fidelity.referenceLoss, tokens: trials.fidelity.scored)
    self.trials = trials.count
    guard others.count > segment else {
      checked = nil
      return
    }
    var check = try Trials(
      Fidelity(weights, tokens: others, segment: segment, workers: workers), weights, scales, workers)
    checked = Measured(
      try check.measure(best.code), reference: check.fidelity.referenceLoss, tokens: check.fidelity.scored)
  }

  /// Spikes and sub-steps that may be chosen.
  private static let candidates: [(spikes: Int, substeps: Int)] = (1...5).flatMap { spikes in
    [3, 4, 5, 6, 7, 8, 9, 10, 12].filter { $0 > spikes && $0 <= 2 * spikes + 6 }.map { (spikes, $0) }
  }

  /// Choices that no other beats in both events and divergence.
  static func efficient(_ choices: [Choice]) -> [Choice] {
    choices.filter { choice in
      !choices.contains { other in
        other.divergence <= choice.divergence && other.events <= choice.events
          && (other.divergence < choice.divergence || other.events < choice.events)
      }
    }
  }

  /// One choice per quantity: of all combinations whose divergences add up to at most `budget` the one with the fewest events. Nil when none fits.
  static func cheapest(_ choices: [[Choice]], within budget: Double) -> [Choice]? {
    // Quantity by quantity, keeping combinations that no other beats in both.
    var partial: [(divergence: Double, events: Double, chosen: [Choice])] = [(0, 0, [])]
    for own in choices {
      let all = partial.flatMap { before in
        own.map { (before.divergence + $0.divergence, before.events + $0.events, before.chosen + [$0]) }
      }.filter { $0.0 <= budget }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
      partial = []
      for combination in all where combination.1 < partial.last?.events ?? .infinity {
        partial.append((combination.0, combination.1, combination.2))
      }
    }
    return partial.last?.chosen
  }

  private static func options(_ chosen: [Choice]) throws -> SpikingOptions {
    var options = SpikingOptions(try .few(3, 10))
    for choice in chosen { options.codes[choice.quantity] = try .few(choice.spikes, choice.substeps) }
    return options
  }

  /// The report as a person reads it.
  public var lines: [String] {
    [
      "code          \(code.split(separator: " ").joined())", "calibration   \(found.line)",
      checked.map { "other text    \($0.line)" } ?? "other text    none was left to check on",
    ]
  }

  /// Networks that differ in their codes, on one text.
  private struct Trials<Scalar: NetworkScalar> {
    let fidelity: Fidelity<Scalar>
    private let graph: RunnableNetwork<Scalar>
    private let scales: SpikeScales
    private(set) var count = 0

    init(
      _ fidelity: Fidelity<Scalar>, _ weights: Weights<Scalar>, _ scales: SpikeScales, _ workers: Workers
    ) throws {
      (self.fidelity, self.scales) = (fidelity, scales)
      graph = try EngineDescription(.circuit).network(from: weights, workers: workers)
    }

    mutating func measure(_ options: SpikingOptions) throws -> FidelityMeasure {
      count += 1
      let (network, single) = (try graph.onSpikes(SpikingSetup(options, scales)), Workers(threads: 1))
      return try fidelity.measure { try network.engine(workers: single) }
    }

    mutating func measure(
      _ quantity: HatchlingDynamics.Quantity, _ spikes: Int, _ substeps: Int, beside exact: FidelityMeasure
    ) throws -> Choice {
      let code = try SpikeCode.few(spikes, substeps)
      let alone = try measure(SpikingOptions(.graded, codes: [quantity: code]))
      return Choice(
        quantity: quantity, spikes: spikes, substeps: substeps, divergence: alone.meanKL,
        events: alone.messages + alone.updates - exact.messages - exact.updates)
    }
  }
}

/// An allocation that there is not.
public enum SpikeAllocationError: InputError, Equatable {
  case budget(Double)
  case impossible(Double)

  public var description: String {
    switch self {
    case .budget(let budget): "a KL budget of \(budget): a positive number of nats is needed"
    case .impossible(let budget): "no code of up to 5 spikes stays within a KL of \(budget) nats"
    }
  }
}
