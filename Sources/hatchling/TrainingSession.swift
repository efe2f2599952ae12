import Foundation
import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics
import HatchlingTraining

/// One call of `hatchling train`: what it begins with, and everything that is said, logged and drawn while it runs.
final class TrainingSession {
  private let command: TrainCommand
  private let workers: Workers
  private let texts: TrainingTexts
  private let training: TrainingRun
  private let log: TrainingLog?
  private var emergence: EmergenceLog?
  private var report: TrainingReport
  /// The last update; it is logged when it is known whether a validation follows it.
  private var pending: TrainingLine?
  private var lossesSinceRow: [Double] = []
  private var wasMeasuring = false
  private var lastUpdate = ContinuousClock.now
  private var lastCheckpoint = ContinuousClock.now
  private static let betweenCheckpoints = Duration.seconds(300)

  /// Reads and checks everything before any work begins. - Throws: `InputError`s.
  init(_ command: TrainCommand, workers: Workers) throws {
    self.command = command
    self.workers = workers
    let initial = try command.`init`.map { try Self.initialModel($0, command, workers) }
    let settings = try TrainingSettings(command, begunFrom: initial.map(Self.name))
    try OutputPaths.check(command)
    texts = try TrainingTexts(paths: command.texts, heldOut: settings.heldOut)
    if command.resume == nil { try texts.check(vocabulary: initial?.hyperparameters.vocabulary ?? 256) }
    let trainer: Trainer<Float>
    var progress = TrainingProgress()
    var best: Weights<Float>?
    if let checkpoint = command.resume {
      (trainer, progress, best) = try Trainer<Float>.resume(
        from: checkpoint, text: texts.training, workers: workers)
      try settings.check(texts, of: checkpoint)
      try command.network.check(trainer.weights.hyperparameters, of: checkpoint)
      try command.schedule.check(trainer.options, of: checkpoint)
      try texts.check(vocabulary: trainer.weights.hyperparameters.vocabulary)
    } else {
      let options = command.schedule.options(isContinued: initial != nil)
      try options.validate()
      let sizes = try initial?.hyperparameters ?? command.network.sizes()
      try TrainingMemory(sizes, options).check()  // before the weights are drawn
      let weights = initial?.weights ?? .untrained(sizes, seed: options.seed)
      trainer = try Trainer(weights, text: texts.training, options: options, workers: workers)
    }
    progress.settings = settings.saved(texts)
    var plan = TrainingRun.Plan(modelPath: command.out, checkpointPath: command.checkpointPath)
    plan.validateEvery = settings.validateEvery
    plan.minutes = command.schedule.minutes
    plan.metadata = settings.metadata(texts, trainer.options)
    try DiskSpace.check(command, trainer)
    log = try command.log.map { try TrainingLog(path: $0, resumingAfter: trainer.step) }
    emergence = try command.logTopology.map { try EmergenceLog(path: $0, resumingAfter: trainer.step) }
    report = TrainingReport()
    training = TrainingRun(trainer, validation: texts.heldOut, plan: plan, progress: progress, best: best)
  }

  private static func initialModel(_ path: String, _ command: TrainCommand, _ workers: Workers) throws
    -> Model
  {
    let model = try Model.load(
      path: path, layers: command.network.layers, variant: command.network.variant, workers: workers)
    for warning in model.warnings { note("warning: \(warning)") }
    try command.network.check(model.hyperparameters, of: path)
    return model
  }

  private static func name(_ model: Model) -> String {
    "\(OutputPaths.name(model.path)), fingerprint \(model.fingerprint)"
  }

  /// Trains to the end, or until an interrupt; then the last update is finished and a checkpoint written.
  func train() throws {
    announce()
    Interrupts.ask()
    defer { Interrupts.end() }
    lastUpdate = .now
    do {
      let end = try training.run(
        isInterrupted: { Interrupts.requested != nil }, onUpdate: updated, onValidation: validated)
      try finish(end)
    } catch {
      // Whatever ended the run, the log and its picture tell what came before; the first error is the one to report.
      report.clear()
      _ = try? finishLog()
      if !(error is TrainingError) { try? training.saveCheckpoint() }
      throw error
    }
  }

}

// MARK: - While it runs

extension TrainingSession {
  private func announce() {
    let (sizes, options) = (training.trainer.weights.hyperparameters, training.trainer.options)
    let memory = TrainingMemory(sizes, options)
    Output.line(
      "network    n \(grouped(sizes.neurons)), d \(sizes.synapticDimension), H \(sizes.heads), L \(sizes.layers), \(sizes.variant.rawValue), \(grouped(sizes.parameters)) parameters"
    )
    Output.line(
      "text       \(grouped(texts.training.count)) bytes to learn, \(grouped(texts.heldOut.count)) held out")
    Output.line("run        \(options.flags)")
    Output.line(
      "memory     up to \(TrainingMemory.text(memory.total)): parameters and optimiser \(TrainingMemory.text(memory.parameters)), activity \(TrainingMemory.text(memory.activity)), plastic states \(TrainingMemory.text(memory.plasticState)), workspace \(TrainingMemory.text(memory.workspace))"
    )
    if !texts.heldOut.isEmpty && texts.heldOut.count <= options.block {
      note(
        "warning: \(texts.heldOut.count) held-out bytes are no whole block of \(options.block); nothing is validated and the last network is kept. A smaller --block, or --validation 0"
      )
    }
    if training.trainer.step > 0 { Output.line("goes on after step \(training.trainer.step)") }
    Output.line(TrainingReport.header)
    Output.flush()
  }

  private func updated(_ update: UpdateReport) throws {
    try logPending()
    let now = ContinuousClock.now
    let seconds = (now - lastUpdate).inSeconds
    lastUpdate = now
    let options = training.trainer.options
    let rows = options.block * options.batch
    func mean(_ layers: [Double]) -> Double { layers.reduce(0, +) / Double(max(1, layers.count)) }
    let line = TrainingLine(
      step: update.step, tokens: update.step * rows, seconds: training.progress.seconds,
      learningRate: update.learningRate, loss: update.loss, gradientNorm: update.gradientNorm,
      activeX: mean(update.activeX), activeY: mean(update.activeY),
      tokensPerSecond: seconds > 0 ? Double(rows) / seconds : 0, steps: options.steps)
    pending = line
    lossesSinceRow.append(update.loss)
    report.update(line, of: options.steps, seconds: seconds)
    if training.progress.stepsAreFixed && wasMeasuring {
      report.clear()
      Output.line("\(options.steps) steps fit into the time")
    }
    wasMeasuring = training.isMeasuring
    let isRow = training.isValidated(update.step)
    if isRow && texts.heldOut.count <= options.block { try writeRow(isBest: false) }
    if now - lastCheckpoint > Self.betweenCheckpoints && !isRow && !training.isMeasuring {
      lastCheckpoint = now
      try training.trainer.saveCheckpoint(to: training.plan.checkpointPath, progress: training.progress)
    }
  }

  private func validated(_ step: Int, _ validation: ValidationReport) throws {
    pending?.validationLoss = validation.loss
    report.validated(validation.loss)
    lastCheckpoint = .now
    try writeRow(isBest: validation.loss < training.progress.bestLoss ?? .infinity)
    lastUpdate = .now
  }

  /// A row of the table, and what the network writes by now.
  private func writeRow(isBest: Bool) throws {
    guard let line = pending else { return }
    try logPending()
    report.clear()
    let mean = lossesSinceRow.reduce(0, +) / Double(max(1, lossesSinceRow.count))
    lossesSinceRow = []
    Output.line(TrainingReport.row(line, meanLoss: mean, isBest: isBest))
    try emergence?.append(
      step: line.step, training.trainer.weights, activeX: line.activeX, activeY: line.activeY,
      workers: workers)
    if command.sample > 0 {
      let prompt = (texts.heldOut.isEmpty ? texts.training : texts.heldOut).prefix(64)
      Output.lines(
        try TrainingReport.sample(
          training.trainer.weights, after: prompt, count: command.sample, seed: training.trainer.options.seed,
          workers: workers))
    }
    Output.flush()
  }

  private func logPending() throws {
    guard let line = pending else { return }
    pending = nil
    try log?.append(line)
  }

  private func finish(_ end: TrainingRun.End) throws {
    report.clear()
    let pictures = try finishLog()
    let (step, steps) = (training.trainer.step, training.trainer.options.steps)
    switch end {
    case .finished:
      if let best = training.progress.bestLoss, let bestStep = training.progress.bestStep {
        Output.line(
          "best held-out loss \(decimal(best)) nats per byte after step \(bestStep), written to \(command.out)"
        )
      } else {
        Output.line("written to \(command.out)")
      }
    case .interrupted:
      Output.line("interrupted after step \(step) of \(steps); --resume \(command.checkpointPath) goes on")
    }
    Output.lines(pictures)
    Output.flush()
    if end == .interrupted, let signal = Interrupts.requested { throw Interrupted(signal: signal) }
  }

  /// - Returns: what is to be said of the pictures.
  private func finishLog() throws -> [String] {
    try logPending()
    var pictures: [String] = []
    if let path = command.log {
      let picture = try LossPicture(log: path)
      if !picture.isEmpty { pictures.append(try picture.draw(besideLog: path)) }
    }
    if let picture = try emergence?.draw() { pictures.append(picture) }
    return pictures
  }
}
