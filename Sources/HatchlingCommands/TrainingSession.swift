import HatchlingCheckpoint
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingShards
import HatchlingTraining

/// One training run with its texts, logs and pictures, from what was asked for to the model on disk.
public final class TrainingSession {
  private let request: TrainingRequest
  /// Two runs that write one model would each undo what the other does. Nil once the run has ended.
  private var claim: FileClaim?
  private let ranks: Ranks?
  private let workers: Workers
  private let texts: TrainingTexts
  private let training: TrainingRun
  private let log: TrainingLog?
  private let emergence: EmergenceLog?
  private var report: (TrainingEvent) throws -> Void = { _ in }
  /// The last update; it is logged when it is known whether a validation follows it.
  private var pending: TrainingLine?
  private var lossesSinceRow: [Double] = []
  private var wasMeasuring = false
  private var lastUpdate = ContinuousClock.now
  private static let betweenCheckpoints = Duration.seconds(300)

  /// Reads and checks everything before any work begins.
  ///
  /// - Parameters:
  ///   - ranks: train the network together; each has a session of its own for the same request, and the first one writes the files.
  ///   - warn: told what is odd about the model that the run begins with.
  /// - Throws: `InputError`s: ``TrainingFileError``, ``TextError``, `TrainingError`, `ModelError`, `CheckpointError`; on ranks `LaunchError`, for what
  ///   only one could not do or was told.
  public init(
    _ request: TrainingRequest, ranks: Ranks? = nil, workers: Workers = Workers(),
    warn: (String) -> Void = { _ in }
  ) throws {
    (self.request, self.ranks, self.workers) = (request, ranks, workers)
    claim = try ranks.together { try Self.claim(request, isWriter: ranks.speaks) }
    let (initial, settings) = try ranks.together {
      let initial = try Self.initialNetwork(request, workers, warn)
      return (initial, try TrainingSettings(request, begunFrom: initial.map(Self.name)))
    }
    let texts = try TrainingTexts(paths: request.texts, heldOut: settings.heldOut, ranks: ranks)
    self.texts = texts
    var (trainer, progress) = try ranks.together {
      try Self.trainer(request, initial, settings, texts, ranks, workers)
    }
    try ranks.together { try settings.check(block: trainer.options.block) }
    progress.settings = settings.saved(texts)
    var plan = TrainingRun.Plan(modelPath: request.out, checkpointPath: request.checkpointPath)
    (plan.validateEvery, plan.validationBytes) = (settings.validateEvery, settings.validationBytes)
    plan.minutes = request.minutes
    plan.metadata = settings.metadata(texts).merging(request.metadata(trainer.options)) { $1 }
    plan.metadata["training.graph"] = (trainer as? DirectTrainer<Float>)?.description
    plan.betweenCheckpoints = Self.betweenCheckpoints
    // Weights and texts are in the metadata, by their hashes.
    try ranks?.checkSame(
      "texts, options or files",
      "\(trainer.step) \(trainer.options) \(plan.metadata.sorted(by: <)) \(plan.minutes ?? 0) \(plan.validateEvery ?? 0) \(plan.validationBytes ?? 0)"
    )
    (log, emergence) = try ranks.together {
      guard ranks.speaks else { return (nil, nil) }
      try DiskSpace.check(checkpoint: request.checkpointPath, trainer)
      return (
        try request.log.map { try TrainingLog(path: $0, resumingAfter: trainer.step) },
        try request.emergenceLog.map { try EmergenceLog(path: $0, resumingAfter: trainer.step) }
      )
    }
    training = TrainingRun(trainer, validation: texts.heldOut, plan: plan, progress: progress)
  }

  /// - Parameter isWriter: whether this process writes the files, and claims them.
  private static func claim(_ request: TrainingRequest, isWriter: Bool) throws -> FileClaim? {
    try request.checkRanges()
    try request.checkFiles()
    guard isWriter else { return nil }
    try OutputPaths.check([request.out, request.checkpointPath, request.log, request.emergenceLog])
    return try FileClaim(request.checkpointPath)
  }

  /// A run that begins, or one that goes on and agrees with what is asked for.
  private static func trainer(
    _ request: TrainingRequest, _ initial: Network?, _ settings: TrainingSettings, _ texts: TrainingTexts,
    _ ranks: Ranks?, _ workers: Workers
  ) throws -> (any NetworkTrainer, TrainingProgress) {
    guard let checkpoint = request.resumed else {
      try texts.check(vocabulary: initial?.hyperparameters.vocabulary ?? 256)
      return (try begin(request, initial, texts.training, ranks, workers), TrainingProgress())
    }
    let (trainer, progress) = try resume(checkpoint, texts.training, ranks, workers)
    try settings.check(texts, of: checkpoint)
    try request.network.check(trainer.sizes, of: checkpoint)
    if request.minutes != nil {
      throw TrainingError.lengthIsFixed(path: checkpoint, steps: trainer.options.steps)
    }
    try request.schedule.check(trainer.options, of: checkpoint)
    try texts.check(vocabulary: trainer.sizes.vocabulary)
    return (trainer, progress)
  }

  private static func initialNetwork(
    _ request: TrainingRequest, _ workers: Workers, _ warn: (String) -> Void
  ) throws -> Network? {
    guard case .model(let path, let prefix) = request.beginning else { return nil }
    let network = try Network.load(
      path: path, layers: request.network.value(of: .layers), variant: request.network.value(of: .variant),
      prefix: prefix, workers: workers)
    for warning in network.warnings { warn(warning) }
    try request.network.check(network.hyperparameters, of: path)
    return network
  }

  private static func name(_ network: Network) -> String {
    "\(network.path.nameInPath.escaped), fingerprint \(network.fingerprint)"
  }

  /// A run that begins: of the weights of tensors, or of a graph's synapses.
  private static func begin(
    _ request: TrainingRequest, _ initial: Network?, _ text: [UInt8], _ ranks: Ranks?, _ workers: Workers
  ) throws -> any NetworkTrainer {
    let direct = request.direct ?? (initial?.standardForm == .direct ? DirectTrainingRequest() : nil)
    let options = request.options(isContinued: initial != nil, isDirect: direct != nil)
    try options.validate()
    let sizes = try initial?.hyperparameters ?? request.sizes()
    if let direct {
      try checkIsAlone(ranks)
      guard request.emergenceLog == nil else { throw DirectTrainingError.logsNoTopology }
      try direct.memory(sizes, options).check()  // before a graph is drawn or compiled
      let weights = try direct.weights(
        from: initial, sizes, text: text, seed: options.seed, workers)
      return try DirectTrainer(
        weights, text: text, options: options, rewiring: direct.rewiring, signs: direct.signs,
        workers: workers)
    }
    // Before the weights are drawn.
    try TrainingMemory(sizes, options, ranks: ranks?.size ?? 1).check(processes: ranks?.neighbours ?? 1)
    let weights = try initial?.model().weights ?? .untrained(sizes, seed: options.seed)
    return try Trainer(weights, text: text, options: options, ranks: ranks, workers: workers)
  }

  /// Neuron graphs are trained by one process.
  private static func checkIsAlone(_ ranks: Ranks?) throws(DirectTrainingError) {
    if let ranks, ranks.size > 1 { throw .isNotShared(ranks: ranks.size) }
  }

  private static func resume(
    _ checkpoint: String, _ text: [UInt8], _ ranks: Ranks?, _ workers: Workers
  ) throws -> (any NetworkTrainer, TrainingProgress) {
    if try TrainingProgress.isDirect(checkpoint: checkpoint) {
      try checkIsAlone(ranks)
      return try DirectTrainer<Float>.resume(from: checkpoint, text: text, workers: workers)
    }
    let (trainer, progress) = try Trainer<Float>.resume(
      from: checkpoint, text: text, ranks: ranks, workers: workers)
    return (trainer, progress)
  }

  public var sizes: Hyperparameters { training.trainer.sizes }
  /// What the run holds, here.
  public var memory: TrainingMemory { training.trainer.memory }
  /// How many numbers are trained.
  public var trainedCount: Int { training.trainer.trainedCount }
  /// What is trained of a neuron graph; nil for the weights of tensors.
  public var graph: String? { (training.trainer as? DirectTrainer<Float>)?.description }
  public var options: TrainingOptions { training.trainer.options }
  /// Updates that were done up to now.
  public var step: Int { training.trainer.step }
  /// Bytes of the texts.
  public var learnedBytes: Int { texts.training.count }
  public var heldOutBytes: Int { texts.heldOut.count }
  /// Bytes at the beginning of the held-out text that every validation reads.
  public var validatedBytes: Int { min(heldOutBytes, training.validationBytes) }
  /// Whether the held-out text has a whole block; otherwise nothing is validated and the last network is kept.
  public var isValidated: Bool { heldOutBytes > options.block }

  /// Trains to the end, or until `isInterrupted`; then the last update is finished and a checkpoint written.
  ///
  /// - Parameter report: called for every event, on this thread.
  /// - Throws: `TrainingError` when training diverges, `CheckpointError` when a file cannot be written. Whatever ended the run, the log
  ///   and its picture tell what came before.
  public func train(
    report: @escaping (TrainingEvent) throws -> Void = { _ in }, isInterrupted: () -> Bool = { false }
  ) throws -> TrainingOutcome {
    self.report = report
    defer {
      self.report = { _ in }
      claim = nil
    }
    lastUpdate = .now
    do {
      let end = try training.run(isInterrupted: isInterrupted, onUpdate: updated, onValidation: validated)
      return TrainingOutcome(
        end: end, step: step, steps: options.steps, bestLoss: training.progress.bestLoss,
        bestStep: training.progress.bestStep, pictures: try ranks.together { try finishLog() })
    } catch {
      // The first error is the one to report.
      _ = try? finishLog()
      if !(error is TrainingError) { try? training.saveCheckpoint() }
      throw error
    }
  }
}

// MARK: - While it runs

extension TrainingSession {
  private func updated(_ update: UpdateReport) throws {
    try logPending()
    let now = ContinuousClock.now
    let seconds = (now - lastUpdate).inSeconds
    lastUpdate = now
    let rows = options.block * options.batch
    func mean(_ layers: [Double]) -> Double { layers.reduce(0, +) / Double(max(1, layers.count)) }
    let line = TrainingLine(
      step: update.step, tokens: update.step * rows, seconds: training.progress.seconds,
      learningRate: update.learningRate, loss: update.loss, gradientNorm: update.gradientNorm,
      activeX: mean(update.activeX), activeY: mean(update.activeY),
      tokensPerSecond: seconds > 0 ? Double(rows) / seconds : 0, steps: options.steps)
    pending = line
    lossesSinceRow.append(update.loss)
    try report(.updated(line, seconds: seconds))
    if training.progress.stepsAreFixed && wasMeasuring { try report(.stepsFixed(options.steps)) }
    wasMeasuring = training.isMeasuring
    if training.isValidated(update.step) && !isValidated { try writeRow(isBest: false) }
  }

  private func validated(_ step: Int, _ validation: ValidationReport) throws {
    pending?.validationLoss = validation.loss
    try writeRow(isBest: validation.loss < training.progress.bestLoss ?? .infinity)
    lastUpdate = .now
  }

  /// A row of the table, and what the network writes by now.
  private func writeRow(isBest: Bool) throws {
    guard let line = pending else { return }
    try logPending()
    let mean = lossesSinceRow.reduce(0, +) / Double(max(1, lossesSinceRow.count))
    lossesSinceRow = []
    try report(.validated(line, meanLoss: mean, isBest: isBest))
    if let trainer = training.trainer as? Trainer<Float> {
      try emergence?.append(line, trainer.weights, workers: workers)
    }
    guard request.sample > 0, ranks.speaks else { return }
    let prompt = (texts.heldOut.isEmpty ? texts.training : texts.heldOut).prefix(64)
    try report(.sampled(sample(after: prompt)))
  }

  /// How the network goes on after `prompt`. Cost: a pass over `prompt` and the sample.
  private func sample(after prompt: some Sequence<UInt8>) throws -> [UInt8] {
    let engine = try engine()
    for byte in prompt { try engine.step(Int(byte)) }
    var sampler = Sampler(temperature: 0.8, seed: training.trainer.options.seed)
    return try (0..<request.sample).map { _ in
      let token = sampler.draw(from: engine.logits)
      try engine.step(token)
      return token < 256 ? UInt8(token) : UInt8(ascii: "?")
    }
  }

  /// The network as it is now, with an empty state.
  private func engine() throws -> any SteppingEngine<Float> {
    if let direct = training.trainer as? DirectTrainer<Float> {
      return try DirectEngine(direct.weights.graph(), workers: workers)
    }
    guard let trainer = training.trainer as? Trainer<Float> else { preconditionFailure("no such trainer") }
    return try EngineDescription(.tensors).engine(running: trainer.weights, workers: workers)
  }

  private func logPending() throws {
    guard let line = pending else { return }
    pending = nil
    try log?.append(line)
  }

  /// - Returns: what is to be said of the pictures.
  private func finishLog() throws -> [String] {
    try logPending()
    return try [log?.draw(), emergence?.draw()].compactMap { $0 }
  }
}
