import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// What is to be drawn of a text on spikes.
public struct RasterRequest: Sendable {
  /// The token that is magnified; nil for the last one.
  public var token: Int?
  /// 1 … L; nil for all.
  public var layer: Int?
  /// From afar x instead of y.
  public var showsX = false
  /// In which order neurons are shown; nil by head.
  public var groups: RasterGroups?

  public init() {}

  /// Whether there is such a token in a text, and such a layer. - Throws: ``RasterError``.
  public func check(tokens: Int, layers: Int) throws(RasterError) {
    guard tokens > 0 else { throw .noText }
    if let token, !(0..<tokens).contains(token) { throw .noSuchToken(token, tokens: tokens) }
    if let layer, !(1...layers).contains(layer) { throw .noSuchLayer(layer, layers: layers) }
  }
}

/// What cannot be drawn.
public enum RasterError: InputError, Equatable {
  case withoutSpikes
  case noText
  case noSuchToken(Int, tokens: Int)
  case noSuchLayer(Int, layers: Int)
  case noCommunities

  public var description: String {
    switch self {
    case .withoutSpikes: "the network does not run on spikes, of which a raster is drawn"
    case .noCommunities: "the graph has no edge, so its neurons form no communities"
    case .noText: "there is no token to draw spikes of"
    case .noSuchToken(let token, let tokens):
      "there is no token \(token); \(grouped(tokens)) were read, counted from 0"
    case .noSuchLayer(let layer, let layers): "there is no layer \(layer); the network has 1 … \(layers)"
    }
  }
}

/// The phases of one quantity in one layer, over a text.
struct PhaseTally {
  let slot: PhaseSlot
  /// 0 before and after the rounds.
  let layer: Int
  /// Of the reading thread, from the end of the phase before: what has been delivered since, and the sub-steps of this one.
  private(set) var seconds = 0.0
  private(set) var spikes = 0
  private(set) var inhibitory = 0
  /// Particles that fired, once for every phase.
  private(set) var firing = 0
  /// Inside a phase, in sub-steps.
  private(set) var within: SpikeIntervals
  /// From token to token, a spike or several being one event.
  private var between: SpikeIntervals
  /// Of every particle: phases in which it fired, the last of them, and in that its spikes and the last sub-step.
  private var tokensOf: [Int32]
  private var lastToken: [Int32]
  private var spikesOf: [Int32]
  private var lastSubstep: [Int32]

  init(_ slot: PhaseSlot, layer: Int, tokens: Int) {
    (self.slot, self.layer) = (slot, layer)
    within = SpikeIntervals(span: slot.substeps)
    between = SpikeIntervals(span: tokens)
    tokensOf = Array(repeating: 0, count: slot.entries)
    lastToken = Array(repeating: -1, count: slot.entries)
    (spikesOf, lastSubstep) = (tokensOf, tokensOf)
  }

  /// Notes a phase. - Returns: who fired, ascending.
  mutating func note<Scalar>(_ phase: SpikePhase<Scalar>, token: Int, after seconds: Double) -> [Int32] {
    self.seconds += seconds
    spikes += phase.entries.count
    var fired: [Int32] = []
    for substep in 0..<phase.substeps {
      for place in phase.spikes(at: substep) {
        let entry = Int(phase.entries[place])
        if phase.weights[place] < 0 { inhibitory += 1 }
        if lastToken[entry] != Int32(token) {
          if lastToken[entry] >= 0 { between.add(interval: token - Int(lastToken[entry])) }
          (lastToken[entry], spikesOf[entry]) = (Int32(token), 1)
          tokensOf[entry] += 1
          fired.append(Int32(entry))
        } else {
          within.add(interval: substep - Int(lastSubstep[entry]))
          spikesOf[entry] += 1
        }
        lastSubstep[entry] = Int32(substep)
      }
    }
    for entry in fired { within.add(trainOf: Int(spikesOf[Int(entry)])) }
    firing += fired.count
    return fired.sorted()
  }

  /// With the trains of all particles, now that the text is read.
  var betweenTokens: SpikeIntervals {
    var finished = between
    for count in tokensOf where count > 0 { finished.add(trainOf: Int(count)) }
    return finished
  }

  var everFired: Int { tokensOf.reduce(0) { $0 + ($1 > 0 ? 1 : 0) } }
}

/// Reads a text on spikes and gathers what rasters, rates and intervals are made of.
public final class RasterStudy<Scalar: NetworkScalar> {
  private let engine: any PhaseWatchable<Scalar>
  private let request: RasterRequest
  private let tokens: [Int]
  private let magnified: Int
  private var tallies: [PhaseTally] = []
  private var phases: [SpikePhase<Scalar>] = []
  private var firing: [RasterReport.Firing] = []
  private var token = 0
  /// When the phase before had been looked at.
  private var mark = ThreadTime.now

  /// - Throws: ``RasterError``.
  public init(
    _ request: RasterRequest, of tokens: [Int], on engine: any SteppingEngine<Scalar>
  ) throws(RasterError) {
    guard let engine = engine as? any PhaseWatchable<Scalar> else { throw .withoutSpikes }
    let layers = engine.schedule.layers
    try request.check(tokens: tokens.count, layers: layers)
    (self.request, self.tokens, self.engine) = (request, tokens, engine)
    magnified = request.token ?? tokens.count - 1
    let slots = engine.phaseSlots
    for layer in 1...layers {
      for slot in slots where slot.place == .layer {
        tallies.append(PhaseTally(slot, layer: layer, tokens: tokens.count))
      }
    }
    for slot in slots where slot.place != .layer && slot.quantity != .token {
      tallies.append(PhaseTally(slot, layer: 0, tokens: tokens.count))
    }
  }

  /// Reads the text by `step`. - Throws: what `step` throws.
  public func read(
    by step: (Int) throws -> StepActivity, afterToken: (Int) -> Void = { _ in }
  ) throws -> RasterReport {
    engine.phaseObserver = { [unowned self] in self.see($0) }
    defer { engine.phaseObserver = nil }
    for (number, token) in tokens.enumerated() {
      (self.token, mark) = (number, ThreadTime.now)
      _ = try step(token)
      afterToken(number + 1)
    }
    return RasterReport(
      code: engine.spikeCode, tokens: tokens, request: request, layers: engine.schedule.layers,
      neurons: engine.hyperparameters.neurons, heads: engine.hyperparameters.heads, tallies: tallies,
      magnified: magnified, ticks: phases.flatMap { RasterReport.ticks(of: $0) }, slots: engine.phaseSlots,
      firing: firing)
  }

  private func see(_ phase: SpikePhase<Scalar>) {
    let seconds = ThreadTime.now - mark
    defer { mark = ThreadTime.now }
    guard
      let place = tallies.firstIndex(where: {
        $0.layer == phase.layer && $0.slot.holds(phase.quantity, layer: phase.layer)
      })
    else { return }
    let fired = tallies[place].note(phase, token: token, after: seconds)
    let isShown = request.layer == nil || phase.layer == request.layer
    guard isShown else { return }
    if token == magnified { phases.append(phase) }
    if phase.quantity == (request.showsX ? .x : .y), token < RasterReport.mostTokensInPicture {
      firing.append(RasterReport.Firing(token: token, layer: phase.layer, neurons: fired))
    }
  }
}
