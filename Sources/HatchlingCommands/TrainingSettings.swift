import HatchlingTraining

/// What a session decides beside the trainer's own options, and finds again in the checkpoint when the run goes on.
struct TrainingSettings {
  /// Fraction of every text.
  let heldOut: Double
  /// Nil: a twentieth of the steps.
  let validateEvery: Int?
  /// Nil: about a tenth of the work.
  let validationBytes: Int?
  /// As in the checkpoint: the three above, name and fingerprint of the model that the run began from, SHA-256 of every text.
  private var saved: [String: String]

  /// - Throws: `InputError` when the checkpoint that the run goes on from cannot be read, or the request contradicts it.
  init(_ request: TrainingRequest, begunFrom: String? = nil) throws {
    saved = try request.resumed.map(TrainingProgress.settings(inCheckpoint:)) ?? [:]
    let savedHeldOut = saved["held_out"].flatMap(Double.init)
    let savedEvery = saved["validate_every"].flatMap(Int.init)
    let savedBytes = saved["validation_bytes"].flatMap(Int.init)
    if let path = request.resumed {
      if let wanted = request.heldOut, let savedHeldOut, wanted != savedHeldOut {
        throw TrainingError.contradicts(path: path, .heldOut, value: "\(savedHeldOut)", wanted: "\(wanted)")
      }
      if let wanted = request.validateEvery, wanted != savedEvery {
        throw TrainingError.contradicts(
          path: path, .validateEvery, value: savedEvery.map(String.init) ?? "a twentieth of the steps",
          wanted: "\(wanted)")
      }
      if let wanted = request.validationBytes, wanted != savedBytes {
        throw TrainingError.contradicts(
          path: path, .validationBytes, value: savedBytes.map(Self.name) ?? "a tenth of the work",
          wanted: Self.name(wanted))
      }
      guard (0..<1).contains(savedHeldOut ?? 0), savedEvery ?? 1 >= 1, savedBytes ?? 1 >= 1 else {
        throw TrainingError.damagedCheckpoint(path: path, problem: "its settings are out of range")
      }
    }
    heldOut = savedHeldOut ?? request.heldOut ?? 0.1
    validateEvery = savedEvery ?? request.validateEvery
    validationBytes = savedBytes ?? request.validationBytes
    saved["held_out"] = "\(heldOut)"
    saved["validate_every"] = validateEvery.map(String.init)
    saved["validation_bytes"] = validationBytes.map(String.init)
    saved["begun_from"] = saved["begun_from"] ?? begunFrom
  }

  private static func name(_ bytes: Int) -> String { bytes == .max ? "all" : "\(bytes)" }

  /// A validation that reads no block would tell nothing. - Throws: `TrainingError.outOfRange`.
  func check(block: Int) throws {
    guard let validationBytes, validationBytes < block else { return }
    throw TrainingError.outOfRange(
      .validationBytes, "\(validationBytes)", allowed: "at least a block, here \(block), or all")
  }

  /// What is held out belongs to the run as what is learned does. - Throws: `TrainingError.otherText`.
  func check(_ texts: TrainingTexts, of path: String) throws {
    guard let hashes = saved["texts"], hashes != texts.hashes else { return }
    throw TrainingError.otherText(path: path, bytes: texts.training.count, given: texts.training.count)
  }

  /// For the checkpoint.
  func saved(_ texts: TrainingTexts) -> [String: String] { saved.merging(["texts": texts.hashes]) { $1 } }

  /// What the model's file says of its making: the same for a run that was interrupted as for one that was not.
  func metadata(_ texts: TrainingTexts) -> [String: String] {
    var metadata = ["training.data": texts.provenance, "training.held_out": "\(heldOut)"]
    metadata["training.begun_from"] = saved["begun_from"]
    return metadata
  }
}
