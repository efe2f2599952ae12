import Foundation
import HatchlingCheckpoint
import HatchlingModel
import HatchlingTraining

/// Whether a run's files can be written, found out before hours of work.
enum DiskSpace {
  /// - Throws: `CheckpointError.unwritable` for a folder that cannot be written, or too little room on its disk.
  static func check(model: String, checkpoint: String, _ trainer: Trainer<Float>) throws {
    // Made and discarded: the folder is there and may be written.
    for path in [model, checkpoint] { try AtomicFile(path: path).discard() }
    let sizes = trainer.weights.hyperparameters
    let weights = 4.0 * Double(sizes.parameters)
    let carried = trainer.options.carry ? 4.0 * Double(trainer.options.batch) * Double(sizes.stateSize) : 0
    // A new checkpoint exists beside the old one before it takes its place.
    let needed = weights + 2 * (4 * weights + carried)
    var status = statvfs()
    let folder = URL(fileURLWithPath: checkpoint).deletingLastPathComponent().path
    guard statvfs(folder, &status) == 0 else { return }
    let free = Double(status.f_bavail) * Double(status.f_frsize)
    guard free >= needed else {
      throw CheckpointError.unwritable(
        path: checkpoint,
        reason:
          "\(TrainingMemory.text(Int(free))) are free on its disk and model and checkpoints need \(TrainingMemory.text(Int(needed)))"
      )
    }
  }
}
