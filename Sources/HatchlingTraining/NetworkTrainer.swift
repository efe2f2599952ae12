import HatchlingModel
import HatchlingShards

/// A network in training, whatever its form: what ``TrainingRun`` needs to drive it, to keep the best one and to go on later.
public protocol NetworkTrainer: AnyObject {
  var sizes: Hyperparameters { get }
  var options: TrainingOptions { get }
  /// The text that is trained on.
  var text: [UInt8] { get }
  /// Updates done.
  var step: Int { get }
  /// The ranks that train together, each calling the same in the same order; nil for one process alone.
  var ranks: Ranks? { get }
  /// What the run holds, here.
  var memory: TrainingMemory { get }
  /// Bytes of a checkpoint that are what streams carry from block to block.
  var carriedBytes: Int { get }
  /// How many numbers are trained.
  var trainedCount: Int { get }

  /// One update. - Throws: ``TrainingError/diverged(step:what:)``; the weights stay as they were.
  func update() throws(TrainingError) -> UpdateReport
  /// Fixes how many updates the run will have.
  func plan(steps: Int)
  /// The loss on held-out text, at most `limit` bytes of it; nil where it is shorter than one block.
  func validate(_ text: [UInt8], atMost limit: Int) throws(TrainingError) -> ValidationReport?

  /// Whether a best network is kept.
  var hasBest: Bool { get }
  /// Keeps the network as it is now.
  func keepAsBest()
  /// Writes the network that is kept, as a file that every command reads; nothing where none is. For one rank.
  func saveBest(to path: String, metadata: [String: String]) throws
  /// Writes everything that a resumed run needs, the network that is kept included; all ranks together.
  func saveCheckpoint(to path: String, progress: TrainingProgress) throws
}

extension Trainer: NetworkTrainer where Scalar == Float {
  public var sizes: Hyperparameters { weights.hyperparameters }
  public var memory: TrainingMemory {
    TrainingMemory(sizes, options, ranks: ranks?.size ?? 1)
  }
  public var carriedBytes: Int { options.carry ? 4 * options.batch * sizes.stateSize : 0 }
  public var trainedCount: Int { sizes.parameters }
  public var hasBest: Bool { best != nil }
  public func keepAsBest() { best = weights }

  public func saveBest(to path: String, metadata: [String: String]) throws {
    try best?.save(to: path, metadata: metadata)
  }

  public func saveCheckpoint(to path: String, progress: TrainingProgress) throws {
    try saveCheckpoint(to: path, progress: progress, best: best)
  }
}

extension DirectTrainer: NetworkTrainer where Scalar == Float {
  public var sizes: Hyperparameters { weights.sizes }
  public var ranks: Ranks? { nil }
  public var memory: TrainingMemory { weights.memory(options, rewires: rewiring != nil) }
  public var carriedBytes: Int { states?.bytes ?? 0 }
  public var trainedCount: Int { weights.trainedCount }
  public var hasBest: Bool { best != nil }
  public func keepAsBest() { best = weights }

  public func saveBest(to path: String, metadata: [String: String]) throws {
    try best?.graph().save(to: path, metadata: metadata)
  }

  public func saveCheckpoint(to path: String, progress: TrainingProgress) throws {
    try saveCheckpoint(to: path, progress: progress, best: best)
  }
}
