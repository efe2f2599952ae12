import Foundation
import HatchlingActivity
import HatchlingConcepts
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// What is asked about activity in time (§6.2 to §6.4), and with how much care.
public struct ActivityRequest: Sendable, Equatable {
  /// Tokens of a segment: what the bootstrap draws, because neighbouring tokens are no independent witnesses.
  public var segment = 256
  /// Whether every segment is a stream of its own, read from the beginning: for networks that fall apart in long ones.
  public var startsAnew = false
  /// Tokens at the beginning of every stream that no comparison with surprise uses: there is little yet to be reminded of.
  public var leftOut = 32
  /// Groups of neurons by the frequency of their clocks, of equal size, the fastest first.
  public var buckets = 8
  /// Bootstrap resamples, and permutations.
  public var resamples = 1000
  /// Pairs of neurons whose writes are looked at, drawn in every layer from the second on.
  public var synapses = 4000
  /// Tokens after which σ is looked at; nil for powers of 4 from 64 on, and the end of the first stream.
  public var positions: [Int]?
  /// The text is the memorising task.
  public var task: MemorisingTask?
  /// Of everything that is drawn.
  public var seed: UInt64 = 1

  public init() {}

  /// - Throws: ``ActivityStudyError/outOfRange(_:value:allowed:)``.
  public func check() throws(ActivityStudyError) {
    func require(_ holds: Bool, _ setting: ActivityStudySetting, _ value: Int, _ allowed: String)
      throws(ActivityStudyError)
    {
      if !holds { throw .outOfRange(setting, value: value, allowed: allowed) }
    }
    try require((2...1 << 24).contains(segment), .segment, segment, "2 to 16777216 tokens are needed")
    try require((0...1 << 24).contains(leftOut), .leftOut, leftOut, "0 to 16777216 tokens can be left out")
    try require(
      !startsAnew || leftOut < segment - 1, .leftOut, leftOut,
      "that leaves nothing of segments of \(segment) tokens")
    try require((1...64).contains(buckets), .buckets, buckets, "1 to 64 groups of neurons can be told apart")
    try require(
      (0...1_000_000).contains(resamples), .resamples, resamples, "0 to 1000000 resamples can be drawn")
    try require((0...1_000_000).contains(synapses), .synapses, synapses, "0 to 1000000 pairs can be drawn")
    for position in positions ?? [] {
      try require(position >= 1, .positions, position, "σ can be looked at after 1 token or more")
    }
    try task?.check()
  }
}

/// A number that decides how activity is looked at.
public enum ActivityStudySetting: String, Sendable {
  case segment = "tokens of a segment"
  case leftOut = "tokens left out"
  case buckets = "groups of neurons by frequency"
  case resamples = "resamples"
  case synapses = "pairs of neurons"
  case positions = "tokens after which σ is looked at"
  case warmUp = "letters of the warm-up"
  case word = "letters of a word"
  case showings = "showings of a word"
  case letters = "letters of the alphabet"
  case episodes = "episodes"
}

/// A text or a network whose activity cannot be looked at as asked.
public enum ActivityStudyError: InputError, Equatable {
  case outOfRange(ActivityStudySetting, value: Int, allowed: String)
  /// Nothing is left to compare.
  case tooShort(tokens: Int, needed: Int)
  case noEpisodes(tokens: Int, period: Int)
  case tooLong(tokens: Int, bytes: Int, half: Int)
  /// A neuron graph has no weights that an untrained network could have the sizes of.
  case noTwin(path: String)

  public var description: String {
    switch self {
    case .outOfRange(let setting, let value, let allowed): "\(setting.rawValue), \(value): \(allowed)"
    case .tooShort(let tokens, let needed):
      "\(grouped(tokens)) tokens are too few to compare with their surprise; \(grouped(needed)) are needed"
    case .noEpisodes(let tokens, let period):
      "\(grouped(tokens)) tokens hold fewer than 3 episodes of \(grouped(period)) letters"
    case .tooLong(let tokens, let bytes, let half):
      "who fired at \(grouped(tokens)) tokens would take \(grouped(bytes)) bytes, more than half of memory, \(grouped(half)); read fewer"
    case .noTwin(let path): "'\(path)' is a neuron graph; untrained networks are made of the sizes of weights"
    }
  }
}

extension Network {
  /// f, turns per token, of every neuron, `(n)`.
  var clocks: [Float] {
    switch self {
    case .weights(let model):
      (0..<model.hyperparameters.heads).flatMap { _ in model.weights.frequencies }
    case .graph(let file): file.graph.neurons.frequencies
    }
  }

  /// u, what a plastic weight of every neuron loses per token, `(n)`.
  var damping: [Float] {
    switch self {
    case .weights(let model):
      model.weights.damping ?? [Float](repeating: 0, count: model.hyperparameters.neurons)
    case .graph(let file): file.graph.neurons.damping
    }
  }

  /// A network of the same sizes, clocks and damping that has learned nothing, as training begins.
  /// - Throws: ``ActivityStudyError/noTwin(path:)``.
  public func untrainedTwin(seed: UInt64) throws(ActivityStudyError) -> Network {
    guard case .weights(let model) = self else { throw .noTwin(path: path) }
    return .weights(Model(path: model.path, weights: model.weights.untrainedTwin(seed: seed)))
  }
}
