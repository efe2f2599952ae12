import Foundation
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
      self.modelPath = modelPath
      self.checkpointPath = checkpointPath
    }
  }

  /// Why a run came to its end.
  public enum End: Equatable, Sendable { case finished, interrupted }

  public let trainer: Trainer<Float>
  public let plan: Plan
  public private(set) var progress: TrainingProgress
  private let validation: [UInt8]
  private static let stepsBeforePlanning = 20

  public init(
    _ trainer: Trainer<Float>, validation: [UInt8], plan: Plan,
    progress: TrainingProgress = TrainingProgress()
  ) {
    self.trainer = trainer
    self.validation = validation
    self.plan = plan
    self.progress = progress
  }

  /// Trains until all steps are done or `isInterrupted` says so; then, and after every validation, a checkpoint is written.
  ///
  /// - Throws: ``TrainingError`` when training diverges, `CheckpointError` when a file cannot be written; the last checkpoint stays.
  public func run(
    isInterrupted: () -> Bool = { false }, onUpdate: (UpdateReport) throws -> Void = { _ in },
    onValidation: (Int, ValidationReport) throws -> Void = { _, _ in }
  ) throws -> End {
    let clock = ContinuousClock()
    let (start, before) = (clock.now, progress.seconds)
    let firstStep = trainer.step
    while trainer.step < trainer.options.steps {
      if isInterrupted() {
        try saveCheckpoint()
        return .interrupted
      }
      let report = try trainer.update()
      progress.seconds = before + (clock.now - start).inSeconds
      if let minutes = plan.minutes, !progress.stepsAreFixed,
        trainer.step - firstStep == Self.stepsBeforePlanning
      {
        let perStep = progress.seconds / Double(trainer.step)
        trainer.plan(steps: max(trainer.step + 1, Int(minutes * 60 / perStep)))
        progress.stepsAreFixed = true
      }
      try onUpdate(report)
      if isValidated(trainer.step) {
        try validate(onValidation)
        try saveCheckpoint()
      }
    }
    return .finished
  }

  /// Updates between validations.
  public var validateEvery: Int { plan.validateEvery ?? max(1, trainer.options.steps / 20) }

  /// Whether a validation and a checkpoint follow update `step`.
  public func isValidated(_ step: Int) -> Bool {
    step % validateEvery == 0 || step == trainer.options.steps
  }

  /// Validation costs a third of training per byte.
  private var validationBytes: Int {
    let rows = trainer.options.block * trainer.options.batch
    return plan.validationBytes ?? max(2 * rows, 3 * validateEvery * rows / 10)
  }

  private func validate(_ onValidation: (Int, ValidationReport) throws -> Void) throws {
    guard let report = trainer.validate(validation, atMost: validationBytes) else {
      return try saveModel(loss: nil)
    }
    try onValidation(trainer.step, report)
    if report.loss < progress.bestLoss ?? .infinity {
      progress.bestLoss = report.loss
      progress.bestStep = trainer.step
      try saveModel(loss: report.loss)
    }
  }

  private func saveModel(loss: Double?) throws {
    var metadata = plan.metadata
    metadata["training.step"] = String(trainer.step)
    metadata["training.steps"] = String(trainer.options.steps)
    metadata["training.validation_loss"] = loss.map { String($0) }
    try trainer.weights.save(to: plan.modelPath, metadata: metadata)
  }

  private func saveCheckpoint() throws {
    try trainer.saveCheckpoint(to: plan.checkpointPath, progress: progress)
  }
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
