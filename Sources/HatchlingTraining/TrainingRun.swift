import HatchlingModel
import HatchlingNumerics

/// A whole training run: updates, validation, checkpoints, the best model on disk.
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
  /// - Throws: ``TrainingError`` when training diverges, `CheckpointError` when a file cannot be written; the last checkpoint stays.
  public func run(
    isInterrupted: () -> Bool = { false }, onUpdate: (UpdateReport) throws -> Void = { _ in },
    onValidation: (Int, ValidationReport) throws -> Void = { _, _ in }
  ) throws -> End {
    let clock = ContinuousClock()
    let (start, before) = (clock.now, progress.seconds)
    let firstStep = trainer.step
    if trainer.hasBest { try saveModel(step: progress.bestStep, loss: progress.bestLoss) }
    while trainer.step < trainer.options.steps {
      // While the time of an update is measured, one must have been done.
      if isInterrupted(), !isMeasuring || trainer.step > firstStep {
        fixSteps()
        try saveCheckpoint()
        return .interrupted
      }
      let report = try trainer.update()
      progress.seconds = before + (clock.now - start).inSeconds
      if trainer.step - firstStep == Self.stepsBeforePlanning { fixSteps() }
      try onUpdate(report)
      if isValidated(trainer.step) {
        try validate(onValidation)
        try saveCheckpoint()
      }
    }
    return .finished
  }

  /// Whether a time limit has not become a number of steps yet.
  public var isMeasuring: Bool { plan.minutes != nil && !progress.stepsAreFixed }

  private func fixSteps() {
    guard isMeasuring, let minutes = plan.minutes else { return }
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

  /// Validation costs a third of training per byte.
  private var validationBytes: Int {
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
    try onValidation(trainer.step, report)
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
    try trainer.saveBest(to: plan.modelPath, metadata: metadata)
  }

  /// Writes the checkpoint that a resumed run goes on from. - Throws: `CheckpointError.unwritable`.
  public func saveCheckpoint() throws {
    try trainer.saveCheckpoint(to: plan.checkpointPath, progress: progress)
  }
}
