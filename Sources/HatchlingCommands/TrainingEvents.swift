import HatchlingTraining

/// One update of a training run, as the log and the progress line show it. Losses in nats per token.
public struct TrainingLine: Sendable {
  public var step: Int
  /// Tokens read up to now.
  public var tokens: Int
  /// Wall-clock seconds of training up to now, those before a resumption included.
  public var seconds: Double
  public var learningRate: Double
  public var loss: Double
  /// Global norm before clipping.
  public var gradientNorm: Double
  /// Fractions of n, mean over layers and tokens.
  public var activeX: Double
  public var activeY: Double
  public var tokensPerSecond: Double
  /// Where the step was validated.
  public var validationLoss: Double?
  /// All planned updates.
  public var steps: Int
}

/// What happens while a session trains.
public enum TrainingEvent: Sendable {
  /// After every update; `seconds` is how long it took.
  case updated(TrainingLine, seconds: Double)
  /// A time limit has become a number of steps.
  case stepsFixed(Int)
  /// After a validation, or where one would have been without held-out text; `meanLoss` is the mean training loss since the last one.
  case validated(TrainingLine, meanLoss: Double, isBest: Bool)
  /// What the network writes after the beginning of the held-out text.
  case sampled([UInt8])
}

/// How a training session ended.
public struct TrainingOutcome: Sendable {
  public let end: TrainingRun.End
  /// Updates that were done, and that were planned.
  public let step: Int
  public let steps: Int
  /// The lowest held-out loss, nats per byte; nil where nothing is held out.
  public let bestLoss: Double?
  public let bestStep: Int?
  /// What is to be said of the pictures of the logs.
  public let pictures: [String]
}
