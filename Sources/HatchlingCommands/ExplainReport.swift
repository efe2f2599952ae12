import Foundation
import HatchlingActivity
import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// Which prediction is explained, and how much is said and checked.
public struct ExplainRequest: Sendable {
  /// Position in the stream of the token after which the prediction stands.
  public var position: Int
  /// Whose logit; nil for the token that follows, at the end of the text the most likely one.
  public var predicts: Int?
  /// Against whose logit; nil for the mean of all.
  public var against: Int?
  /// Only carriers of these layers; nil for all.
  public var layers: Set<Int>?
  /// Rows of each table.
  public var top = 20
  /// How many of each kind are really cut, those that count most and as many at random; nil for 1000, or fewer in a large network.
  public var checks: Int?
  /// Neurons whose drives are taken apart.
  public var neurons: [LayerNeuron] = []
  /// Of the random ones.
  public var seed: UInt64 = 1

  public init(position: Int) { self.position = position }

  /// Of networks with more than 4 million plastic weights only so many that the work stays about the same, but at least 50.
  func checks(in sizes: Hyperparameters) -> Int {
    checks ?? max(50, min(1000, 4_000_000_000 / sizes.stateSize))
  }
}

/// What carried one prediction: exactly as far as sums go, foretold to first order beyond, and checked by really cutting. Everything in double.
public struct ExplainReport: Sendable {
  /// Carriers of one kind.
  public struct Group: Sendable {
    public let kind: Kind
    public let search: CarrierSearch
    /// Those that count most, largest first, and random ones; empty where nothing was cut.
    public let strongest: [CutTrial]
    public let random: [CutTrial]
    /// Of all cuts of the group.
    public let seconds: Double
  }

  public enum Kind: String, Sendable, CaseIterable {
    case neurons
    case plastic = "plastic synapses"
    case fixed = "fixed synapses"
  }

  /// Plastic synapses that were cut at once, in the engine.
  public struct Together: Sendable {
    public let count: Int
    /// Of those that speak most for the logit: the sum of their shares, and what the logit lost.
    public let predicted: Double
    public let measured: Double
    /// What it lost without as many random ones.
    public let random: Double
  }

  /// Why this token is explained.
  public enum Reason: String, Sendable { case named, follows, expected }

  let request: ExplainRequest
  public let logit: ExplainedLogit
  public let reason: Reason
  /// The text, and the position of its first token.
  let tokens: [Int]
  let start: Int
  public let network: TokenNetwork
  public let trace: TokenTrace
  /// What the readout of the logit hears, exactly.
  public let sources: FieldSources
  public let drives: [NeuronDrive]
  public let groups: [Group]
  public let together: [Together]
  /// Nil where the network lacks plastic synapses.
  public let writers: TokenWriters?
  /// The largest difference of a logit from the engine's own, which the whole network was run for.
  public let engineDifference: Double
  /// Of what plastic synapses that count most are worth in the engine from what they are worth here; nil where none was cut.
  public let cutDifference: Double?
  /// How many of them were cut in the engine.
  public let cutsInEngine: Int

  /// The most plastic synapses that are cut in the engine, too.
  private static var mostInEngine: Int { 100 }

  /// - Parameters:
  ///   - tokens: the text, from the beginning or from where `stateIn` stands.
  ///   - stateIn: the file of a saved state of the circuit in double; nil for the beginning.
  /// - Throws: ``ExplanationError``, `ActivityError` for layers and neurons that there are not, and as ``StreamReader``.
  /// Cost: the text twice, once the whole network in double, and what cuts cost.
  public init(
    _ request: ExplainRequest, of tokens: [Int], _ model: Model, stateIn: String? = nil, workers: Workers,
    progress: @escaping WorkProgress = { _, _, _ in }
  ) throws {
    self.request = request
    for layer in request.layers ?? [] where !(1...model.hyperparameters.layers).contains(layer) {
      throw ActivityError.noSuchLayer(layer, layers: model.hyperparameters.layers)
    }
    let reader = try Self.reader(of: model, stateIn: stateIn, workers)
    let engine = reader.watchable
    let start = engine.position
    (self.tokens, self.start) = (tokens, start)
    let (place, overflows) = request.position.subtractingReportingOverflow(start)
    guard !overflows, tokens.indices.contains(place) else {
      throw ExplanationError.noSuchPosition(request.position, first: start, count: tokens.count)
    }
    let token = tokens[place]
    if place > 0 {
      progress("token", 0, place)
      try reader.read(prompt: Array(tokens[..<place])) { progress("token", $0, place) }
      progress("token", place, place)
    }
    network = TokenNetwork(model.weights.converted(to: Double.self), before: engine)
    trace = network.read(token)
    let predictions = Predictions(logits: trace.logits)
    let following = tokens.indices.contains(place + 1) ? tokens[place + 1] : nil
    reason = request.predicts != nil ? .named : following != nil ? .follows : .expected
    logit = try ExplainedLogit(
      of: request.predicts ?? following ?? predictions.mostLikely, against: request.against,
      vocabulary: model.hyperparameters.vocabulary)
    let direction = logit.direction(in: network.weights.readout)
    let gradient = TokenGradient(of: direction, at: trace, in: network)
    sources = FieldSources(
      of: direction, afterLayer: model.hyperparameters.layers, at: trace, in: network)
    drives = request.neurons.map { [trace, network] in NeuronDrive(of: $0, at: trace, in: network) }
    groups = Self.groups(request, gradient, trace, network, logit, workers, progress)
    let cuts = try EngineCuts(engine, token, logit)
    engineDifference = zip(engine.logits, trace.logits).reduce(0) { max($0, abs($1.0 - $1.1)) }
    (cutDifference, cutsInEngine) = try Self.compare(groups, cuts, progress)
    together = try Self.together(groups, cuts)
    writers = try Self.writers(tokens[..<place], reader, gradient, trace, network, progress)
  }

  private static func reader(
    of model: Model, stateIn: String?, _ workers: Workers
  ) throws -> StreamReader<Double> {
    do {
      return try StreamReader<Double>(
        EngineDescription(.circuit), model, files: StreamFiles(stateIn: stateIn), workers: workers)
    } catch StateError.mismatch(let field, let saved, _)
      where ["engine", "form", "precision"].contains(field)
    {
      throw ExplanationError.wrongState(path: stateIn ?? "", field: field, saved: saved)
    }
  }

  private static func groups(
    _ request: ExplainRequest, _ gradient: TokenGradient, _ trace: TokenTrace, _ network: TokenNetwork,
    _ logit: ExplainedLogit, _ workers: Workers, _ progress: @escaping WorkProgress
  ) -> [Group] {
    let cuts = Cuts(network, trace, logit, workers: workers)
    let prediction = CutPrediction(gradient, at: trace, in: network)
    // Found by gradient and then ordered better: more than are wanted.
    let checks = request.checks(in: network.weights.hyperparameters)
    let (layers, kept) = (request.layers, 2 * max(request.top, checks, 1000))
    return Kind.allCases.map { kind in
      var search =
        switch kind {
        case .neurons:
          CarrierSearch.neurons(gradient, at: trace, layers: layers, keeping: kept, seed: request.seed)
        case .plastic:
          CarrierSearch.plastic(
            gradient, at: trace, in: network, layers: layers, keeping: kept, seed: request.seed)
        case .fixed:
          CarrierSearch.fixed(
            gradient, at: trace, in: network, layers: layers, keeping: kept, seed: request.seed)
        }
      search.predict(by: prediction, workers: workers)
      let strongest = Array(search.strongest.prefix(checks))
      let random = Array(search.random.prefix(checks))
      let (start, total) = (ContinuousClock.now, strongest.count + random.count)
      let what = "cut of \(kind.rawValue)"
      let first = cuts.trials(of: strongest) { progress(what, $0, total) }
      let second = cuts.trials(of: random) { progress(what, strongest.count + $0, total) }
      return Group(
        kind: kind, search: search, strongest: first, random: second,
        seconds: (ContinuousClock.now - start).inSeconds)
    }
  }

  private static func compare(
    _ groups: [Group], _ cuts: EngineCuts, _ progress: WorkProgress
  ) throws -> (difference: Double?, count: Int) {
    let trials = (groups.first { $0.kind == .plastic }?.strongest ?? []).prefix(mostInEngine)
    var difference: Double?
    for (index, trial) in trials.enumerated() {
      guard case .plastic(let synapse) = trial.carrier else { continue }
      let loss = try cuts.loss(without: [synapse])
      difference = max(difference ?? 0, abs(loss - trial.measured))
      progress("cut in the engine", index + 1, trials.count)
    }
    return (difference, trials.count)
  }

  /// What the synapses that speak most for the logit are worth together.
  private static func together(_ groups: [Group], _ cuts: EngineCuts) throws -> [Together] {
    guard let search = groups.first(where: { $0.kind == .plastic })?.search else { return [] }
    func synapses(_ shares: some Collection<CarrierShare>) -> [LayerSynapse] {
      shares.compactMap { if case .plastic(let one) = $0.carrier { one } else { nil } }
    }
    return try [20, 1000].filter { $0 <= search.supporting.count && $0 <= search.random.count }.map { count in
      let chosen = search.supporting.prefix(count)
      return Together(
        count: count, predicted: chosen.reduce(0) { $0 + $1.share },
        measured: try cuts.loss(without: synapses(chosen)),
        random: try cuts.loss(without: synapses(search.random.prefix(count))))
    }
  }

  private static func writers(
    _ tokens: some Collection<Int>, _ reader: StreamReader<Double>, _ gradient: TokenGradient,
    _ trace: TokenTrace, _ network: TokenNetwork, _ progress: WorkProgress
  ) throws -> TokenWriters? {
    guard network.weights.plasticSynapses == nil, !tokens.isEmpty else { return nil }
    try reader.rewind()
    return try TokenWriters(tokens, on: reader.watchable, gradient, at: trace, in: network) {
      progress("token again", $0, tokens.count)
    }
  }
}
