import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// A whole training run: updates, validation, checkpoints, the best model on disk. Ranks that train together each have one, and run it at the
/// same time; whether to stop, how many steps fit into a time, and what went wrong somewhere they decide together.
public final class TrainingRun {
  /// Where things go and how often.
  public struct Plan: Sendable {
    /// The model with the lowest validation loss, or the last one without validation text.
    public var modelPath: String
    /// Written at every validation and when the run stops.
    public var checkpointPath: String
    /// Updates between validations; nil means a twentieth of the run.
    public var validateEvery: Int?
    /// Bytes of held-out text that one validation reads at most; nil means about a tenth of the work, two blocks of every stream at
    /// least.
    public var validationBytes: Int?
    /// Ends the run about after this time: the number of steps is fixed after the first 20.
    public var minutes: Double?
    /// A checkpoint is also written when the last one is as old as this; nil: only at validations and in the end.
    public var betweenCheckpoints: Duration?
    /// What the model's file says of its making, beside what the run adds.
    public var metadata: [String: String] = [:]

    public init(modelPath: String, checkpointPath: String) {
      (self.modelPath, self.checkpointPath) = (modelPath, checkpointPath)
    }
  }

  /// Why a run came to its end.
  public enum End: Equatable, Sendable { case finished, interrupted }

  public let trainer: any NetworkTrainer
  public let plan: Plan
  public private(set) var progress: TrainingProgress
  private let validation: [UInt8]
  private var lastCheckpoint = ContinuousClock.now
  private static let stepsBeforePlanning = 20

  public init(
    _ trainer: any NetworkTrainer, validation: [UInt8], plan: Plan,
    progress: TrainingProgress = TrainingProgress()
  ) {
    (self.trainer, self.validation) = (trainer, validation)
    (self.plan, self.progress) = (plan, progress)
  }

  /// Trains until all steps are done or `isInterrupted` says so; then, and after every validation, a checkpoint is written. A run that
  /// goes on first writes the best network so far, so that the model is there wherever the run went on from.
  ///
  /// - Parameters: closures are called on every rank, and what one throws ends the run of all.
  /// - Throws: ``TrainingError`` when training diverges, `CheckpointError` when a file cannot be written; the last checkpoint stays. On
  ///   ranks `LaunchError` too, for what only one could not do.
  public func run(
    isInterrupted: () -> Bool = { false }, onUpdate: (UpdateReport) throws -> Void = { _ in },
    onValidation: (Int, ValidationReport) throws -> Void = { _, _ in }
  ) throws -> End {
    let clock = ContinuousClock()
    let (start, before) = (clock.now, progress.seconds)
    let firstStep = trainer.step
    lastCheckpoint = .now
    if trainer.hasBest { try saveModel(step: progress.bestStep, loss: progress.bestLoss) }
    while trainer.step < trainer.options.steps {
      let wishes = wishes(isInterrupted())
      // While the time of an update is measured, one must have been done.
      if wishes.stops, !isMeasuring || trainer.step > firstStep {
        fixSteps()
        try saveCheckpoint()
        return .interrupted
      }
      if wishes.saves { try saveCheckpoint() }
      let report = try trainer.update()
      progress.seconds = before + (clock.now - start).inSeconds
      if trainer.step - firstStep == Self.stepsBeforePlanning { fixSteps() }
      try trainer.ranks.together { try onUpdate(report) }
      if isValidated(trainer.step) {
        try validate(onValidation)
        try saveCheckpoint()
      }
    }
    return .finished
  }

  /// Whether to stop, which any rank may ask for, and whether it is time for a checkpoint, which the first one says: clocks and signals are each
  /// process's own.
  private func wishes(_ isInterrupted: Bool) -> (stops: Bool, saves: Bool) {
    let isOld = plan.betweenCheckpoints.map { ContinuousClock.now - lastCheckpoint > $0 } ?? false
    let own = (stops: isInterrupted, saves: isOld && !isMeasuring)
    guard let ranks = trainer.ranks else { return own }
    let all = ranks.gather(UInt8(own.stops ? 1 : 0) | UInt8(own.saves ? 2 : 0))
    return (all.contains { $0 & 1 != 0 }, all[0] & 2 != 0)
  }

  /// Whether a time limit has not become a number of steps yet.
  public var isMeasuring: Bool { plan.minutes != nil && !progress.stepsAreFixed }

  private func fixSteps() {
    guard isMeasuring, let minutes = plan.minutes else { return }
    if let ranks = trainer.ranks { progress.seconds = ranks.broadcast(progress.seconds, from: 0) }
    let perStep = progress.seconds / Double(trainer.step)
    // Minutes are at most a million; a step that took no time is not believed.
    trainer.plan(steps: max(trainer.step + 1, Int(minutes * 60 / max(perStep, 1e-6))))
    progress.stepsAreFixed = true
  }

  /// Updates between validations.
  public var validateEvery: Int {
    let steps = trainer.options.steps
    return plan.validateEvery.map { min(max(1, $0), steps) } ?? max(1, steps / 20)
  }

  /// Whether a validation and a checkpoint follow update `step`.
  public func isValidated(_ step: Int) -> Bool {
    step % validateEvery == 0 || step == trainer.options.steps
  }

  /// So many bytes of the held-out text, from its beginning, a validation reads at most: a tenth of the time of the updates between two, where
  /// the plan says nothing else; a byte costs a third of one in training.
  public var validationBytes: Int {
    let rows = trainer.options.block * trainer.options.batch
    // Steps and rows are at most 2⁴⁰ and 2³².
    return plan.validationBytes
      ?? max(2 * rows, Int(min(3 * Double(validateEvery) * Double(rows) / 10, 0x1p62)))
  }

  private func validate(_ onValidation: (Int, ValidationReport) throws -> Void) throws {
    guard let report = try trainer.validate(validation, atMost: validationBytes) else {
      trainer.keepAsBest()
      progress.bestStep = trainer.step
      return try saveModel(step: trainer.step, loss: nil)
    }
    try trainer.ranks.together { try onValidation(trainer.step, report) }
    if report.loss < progress.bestLoss ?? .infinity {
      progress.bestLoss = report.loss
      progress.bestStep = trainer.step
      trainer.keepAsBest()
      try saveModel(step: trainer.step, loss: report.loss)
    }
  }

  private func saveModel(step: Int?, loss: Double?) throws {
    var metadata = plan.metadata
    metadata["training.step"] = step.map { String($0) }
    metadata["training.steps"] = String(trainer.options.steps)
    metadata["training.validation_loss"] = loss.map { String($0) }
    try trainer.ranks.together {
      if trainer.ranks.speaks { try trainer.saveBest(to: plan.modelPath, metadata: metadata) }
    }
  }

  /// Writes the checkpoint that a resumed run goes on from. - Throws: `CheckpointError.unwritable`.
  public func saveCheckpoint() throws {
    try trainer.saveCheckpoint(to: plan.checkpointPath, progress: progress)
    lastCheckpoint = .now
  }
}
