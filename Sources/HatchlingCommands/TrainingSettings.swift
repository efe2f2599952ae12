import Foundation
import HatchlingCheckpoint
import HatchlingModel
import HatchlingTraining

/// What a session decides beside the trainer's own options, and finds again in the checkpoint when the run goes on.
struct TrainingSettings {
  /// Fraction of every text.
  let heldOut: Double
  /// Nil: a twentieth of the steps.
  let validateEvery: Int?
  /// Name and fingerprint of the model that the run began from.
  private let begunFrom: String?

  private static let heldOutKey = "held_out"
  private static let everyKey = "validate_every"
  private static let begunKey = "begun_from"
  private static let textsKey = "texts"
  /// SHA-256 of every text that the run began with; nil for a new run.
  private let savedTexts: String?

  /// - Throws: `InputError` when the checkpoint that the run goes on from cannot be read, or the request contradicts it.
  init(_ request: TrainingRequest, begunFrom: String? = nil) throws {
    let saved = try request.resumed.map(TrainingProgress.settings(inCheckpoint:)) ?? [:]
    let (savedHeldOut, savedEvery) = (
      saved[Self.heldOutKey].flatMap(Double.init), saved[Self.everyKey].flatMap(Int.init)
    )
    if let path = request.resumed {
      let require = Agreement(path: path)
      if let savedHeldOut { try require(.heldOut, request.heldOut, savedHeldOut) }
      let every = savedEvery.map(String.init) ?? "a twentieth of the steps"
      try require(.validateEvery, request.validateEvery.map(String.init), every)
      guard (0..<1).contains(savedHeldOut ?? 0), savedEvery ?? 1 >= 1 else {
        throw TrainingError.damagedCheckpoint(path: path, problem: "its settings are out of range")
      }
    }
    heldOut = savedHeldOut ?? request.heldOut ?? 0.1
    validateEvery = savedEvery ?? request.validateEvery
    savedTexts = saved[Self.textsKey]
    self.begunFrom = saved[Self.begunKey] ?? begunFrom
  }

  /// What is held out belongs to the run as what is learned does. - Throws: `TrainingError.otherText`.
  func check(_ texts: TrainingTexts, of path: String) throws {
    guard let savedTexts, savedTexts != texts.hashes else { return }
    throw TrainingError.otherText(path: path, bytes: texts.training.count, given: texts.training.count)
  }

  /// For the checkpoint.
  func saved(_ texts: TrainingTexts) -> [String: String] {
    var settings = [Self.heldOutKey: "\(heldOut)", Self.textsKey: texts.hashes]
    if let validateEvery { settings[Self.everyKey] = String(validateEvery) }
    if let begunFrom { settings[Self.begunKey] = begunFrom }
    return settings
  }

  /// What the model's file says of its making: the same for a run that was interrupted as for one that was not.
  func metadata(_ texts: TrainingTexts) -> [String: String] {
    var metadata = ["training.data": texts.provenance, "training.held_out": "\(heldOut)"]
    if let begunFrom { metadata["training.begun_from"] = begunFrom }
    return metadata
  }
}
