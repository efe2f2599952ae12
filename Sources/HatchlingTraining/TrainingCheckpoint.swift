import Foundation
import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// Everything that a training run needs to go on with exactly the result of an uninterrupted one.
struct TrainingRecord: Codable {
  var sizes: Hyperparameters
  var options: TrainingOptions
  var streams: TextStreams
  /// Streams whose state is all zero.
  var emptyStreams: [Bool]
  /// Bytes of the training text and their digest, so that another text is refused.
  var textBytes: Int
  var textDigest: String
  var progress: TrainingProgress
}

/// What a run remembers beside its network.
public struct TrainingProgress: Codable, Equatable, Sendable {
  /// The lowest validation loss so far, nats, and the update after which it was measured.
  public var bestLoss: Double?
  public var bestStep: Int?
  /// Whether the number of steps was fixed from a time limit after the first updates.
  public var stepsAreFixed = false
  /// Seconds of training, interruptions not counted.
  public var seconds = 0.0
  /// What the caller wants to find again when the run goes on: how the text was divided, for example.
  public var settings: [String: String]?

  public init() {}

  /// What checkpoints of direct graphs call themselves.
  static let directEngine = "direct trainer"

  /// Whether a checkpoint is that of a direct graph in training. - Throws: `CheckpointError`.
  public static func isDirect(checkpoint path: String) throws -> Bool {
    try CheckpointFile.open(path).metadata["engine"] == directEngine
  }

  /// The settings in a checkpoint, read without its numbers.
  /// - Throws: `CheckpointError` or ``TrainingError`` for a file that is no checkpoint of a training run.
  public static func settings(inCheckpoint path: String) throws -> [String: String] {
    struct Record: Decodable { let progress: TrainingProgress }
    let metadata = try CheckpointFile.open(path).metadata
    guard metadata["engine"] == "trainer" || metadata["engine"] == directEngine,
      let options = metadata["options"],
      let record = try? JSONDecoder().decode(Record.self, from: Data(options.utf8))
    else {
      throw TrainingError.damagedCheckpoint(path: path, problem: "it is no checkpoint of a training run")
    }
    return record.progress.settings ?? [:]
  }
}

extension Trainer {
  private static var weightNames: [String] {
    ["decoder_x", "decoder_y", "encoder", "embedding", "readout"]
  }

  /// Writes a checkpoint, whole or not at all: weights, optimiser, streams with their plastic state, random state, options; and the best
  /// network so far where that is another one. Ranks write one file together, the first one all but the plastic states, which each has of its
  /// own streams.
  /// - Throws: `CheckpointError.unwritable`, on all ranks.
  public func saveCheckpoint(
    to path: String, progress: TrainingProgress = TrainingProgress(), best: Weights<Scalar>? = nil
  ) throws {
    let record = TrainingRecord(
      sizes: weights.hyperparameters, options: options, streams: streams,
      emptyStreams: states?.isEmpty ?? [], textBytes: text.count, textDigest: TextTokens.digest(of: text),
      progress: progress)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    var json = Array(try encoder.encode(record))
    // Seconds are the first rank's: all write under one header.
    if let ranks { json = ranks.broadcast(json, from: 0) }
    let identity = StateIdentity(
      model: "training", engine: "trainer", form: "none", precision: Scalar.precisionName,
      variant: weights.hyperparameters.variant,
      options: String(decoding: json, as: UTF8.self))
    func row(_ values: [Float]) -> StateArray { .float(Matrix(rows: 1, columns: values.count, values)) }
    var arrays: [String: StateArray] = ["frequencies": row(weights.frequencies)]
    arrays["damping"] = weights.damping.map(row)
    arrays["best.damping"] = best?.damping.map(row)
    arrays["theta"] = theta.map(StateArray.make)
    for (index, name) in Self.weightNames.enumerated() {
      arrays[name] = .make(weights.trained[index])
      if let best { arrays["best.\(name)"] = .make(best.trained[index]) }
    }
    for index in optimiser.first.indices {
      arrays["first.\(index)"] = .make(optimiser.first[index])
      arrays["second.\(index)"] = .make(optimiser.second[index])
    }
    if let states {
      let (n, d) = (weights.hyperparameters.neurons, weights.hyperparameters.synapticDimension)
      for (layer, storage) in states.layers.enumerated() {
        arrays["plastic.\(layer + 1)"] = .make(
          Matrix(rows: states.own.count * n, columns: d, storage: storage))
      }
    }
    let state = SavedState(identity: identity, position: step, arrays: arrays)
    guard let ranks else { return try StateFile.write(state, to: path) }
    try StateFile.write(state, of: shares.rows(weights.hyperparameters), to: path, among: ranks)
  }

  /// Goes on from a checkpoint over the same text, on any number of ranks, whatever number wrote it.
  /// - Throws: `CheckpointError`, `StateError` or ``TrainingError`` when the file is damaged, of another precision, or the text differs.
  public static func resume(
    from path: String, text: [UInt8], ranks: Ranks? = nil, workers: Workers = Workers()
  ) throws -> (trainer: Trainer, progress: TrainingProgress) {
    let state = try StateFile.read(path, only: ranks.flatMap { try rows(inCheckpoint: path, of: $0) })
    guard state.identity.engine == "trainer" else {
      throw TrainingError.damagedCheckpoint(
        path: path, problem: "it is the state of a run, not of a training")
    }
    guard state.identity.precision == Scalar.precisionName else {
      throw StateError.mismatch(
        field: "precision", saved: state.identity.precision, expected: Scalar.precisionName)
    }
    guard
      let record = try? JSONDecoder().decode(TrainingRecord.self, from: Data(state.identity.options.utf8))
    else { throw TrainingError.damagedCheckpoint(path: path, problem: "its record cannot be read") }
    guard record.textBytes == text.count, record.textDigest == TextTokens.digest(of: text) else {
      throw TrainingError.otherText(path: path, bytes: record.textBytes, given: text.count)
    }
    let trainer = try Trainer(
      try weights(state, record), text: text, options: record.options, ranks: ranks, workers: workers)
    try trainer.restore(state, record, path)
    if state.arrays["best.decoder_x"] != nil { trainer.best = try weights(state, record, "best.") }
    return (trainer, record.progress)
  }

  /// The rows of plastic states that a rank goes on from; nil where the file's record makes no sense, which is said later.
  private static func rows(inCheckpoint path: String, of ranks: Ranks) throws -> NeuronPart? {
    let text = try CheckpointFile.open(path).metadata["options"] ?? ""
    guard let record = try? JSONDecoder().decode(TrainingRecord.self, from: Data(text.utf8)) else {
      return nil
    }
    try record.options.validate()
    try record.sizes.checkTrainable()
    return StreamShares(record.options, ranks: ranks.size, rank: ranks.rank).rows(record.sizes)
  }

  private static func weights(
    _ state: SavedState, _ record: TrainingRecord, _ prefix: String = ""
  ) throws -> Weights<Scalar> {
    let s = record.sizes
    try s.checkTrainable()
    let (n, d, v) = (s.neurons, s.synapticDimension, s.vocabulary)
    guard case .float(let frequencies) = state.arrays["frequencies"], frequencies.count == s.neuronsPerHead,
      frequencies.elements.allSatisfy(\.isFinite)
    else { throw StateError.missingArray("frequencies") }
    var weights = Weights<Scalar>(
      hyperparameters: s, decoderX: try state.matrix(prefix + "decoder_x", rows: n, columns: d),
      decoderY: try state.matrix(prefix + "decoder_y", rows: n, columns: d),
      encoder: try state.matrix(prefix + "encoder", rows: n, columns: d),
      embedding: try state.matrix(prefix + "embedding", rows: v, columns: d),
      readout: try state.matrix(prefix + "readout", rows: d, columns: v), frequencies: frequencies.elements)
    if case .float(let damping) = state.arrays[prefix + "damping"], damping.count == n,
      damping.elements.allSatisfy({ (0...1).contains($0) })
    {
      weights.damping = damping.elements
    }
    return weights
  }

  private func restore(_ state: SavedState, _ record: TrainingRecord, _ path: String) throws {
    if let theta {
      let saved: Matrix<Scalar> = try state.matrix("theta", rows: 1, columns: theta.count)
      self.theta = saved
      weights.damping = LearnedDamping.damping(saved)
    }
    for index in optimiser.first.indices {
      let (rows, columns) = (optimiser.first[index].rows, optimiser.first[index].columns)
      optimiser.first[index] = try state.matrix("first.\(index)", rows: rows, columns: columns)
      optimiser.second[index] = try state.matrix("second.\(index)", rows: rows, columns: columns)
    }
    optimiser.step = state.position
    guard record.streams.fits(textCount: text.count, options),
      record.emptyStreams.count == states?.isEmpty.count ?? 0
    else {
      throw TrainingError.damagedCheckpoint(path: path, problem: "its streams do not fit the text")
    }
    streams = record.streams
    guard let states else { return }
    let (n, d) = (weights.hyperparameters.neurons, weights.hyperparameters.synapticDimension)
    for (layer, storage) in states.layers.enumerated() {
      let saved: Matrix<Scalar> = try state.matrix(
        "plastic.\(layer + 1)", rows: states.own.count * n, columns: d)
      storage.base.update(from: saved.pointer, count: saved.count)
    }
    states.isEmpty = record.emptyStreams
  }
}
