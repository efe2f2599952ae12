import HatchlingModel
import HatchlingTraining

/// What a training run is, before it goes on.
public struct TrainingOutline: Sendable {
  public let sizes: Hyperparameters
  public let options: TrainingOptions
  public let memory: TrainingMemory
  public let learnedBytes: Int
  public let heldOutBytes: Int
  /// Updates that were done before.
  public let step: Int

  /// Whether the held-out text has a whole block; otherwise nothing is validated and the last network is kept.
  public var isValidated: Bool { heldOutBytes > options.block }
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
