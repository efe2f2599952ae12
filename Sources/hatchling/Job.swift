import ArgumentParser
import Foundation
import HatchlingCheckpoint
import HatchlingCommands
import HatchlingShards

/// The job of several processes that this one is a rank of, where `mpirun` started it. The first rank speaks and writes the files.
enum Job {
  /// Nil without `mpirun`.
  nonisolated(unsafe) private(set) static var ranks: Ranks?

  /// Whether this process is the one that speaks.
  static var speaks: Bool { ranks?.speaks ?? true }

  /// Whether results appear on a terminal. `mpirun` hands a rank one that nobody sees, and passes on what is written.
  static var showsOutput: Bool { ranks == nil && isatty(1) != 0 }

  /// Threads of a rank where nobody says how many: those of a machine are shared out. Nil without `mpirun`.
  static var threads: Int? {
    ranks.map { max(1, ProcessInfo.processInfo.activeProcessorCount / $0.neighbours) }
  }

  /// - Throws: `LaunchError` in a program that was built without MPI.
  static func join() throws { ranks = try Launch.ranks() }

  /// The commands that several ranks run together.
  private static let shared: [any ParsableCommand.Type] = [
    StepCommand.self, GenerateCommand.self, VerifyCommand.self, RecordCommand.self,
    FidelityCommand.self, TrainCommand.self, PlanCommand.self,
  ]

  /// Only some commands share out a network.
  static func check(_ command: any ParsableCommand) throws {
    guard let size = ranks?.size, size > 1, !shared.contains(where: { $0 == type(of: command) }),
      Hatchling.configuration.subcommands.contains(where: { $0 == type(of: command) }),
      let name = type(of: command).configuration.commandName
    else { return }
    let known = shared.compactMap { $0.configuration.commandName }.joined(separator: ", ")
    throw ValidationError("\(name) does not run on \(size) ranks, only \(known) do; leave mpirun out")
  }

  nonisolated(unsafe) private static var isLimited = false

  /// Ends the job when this rank has waited for the others for so many seconds; the first call counts.
  static func limitWaiting(to seconds: Double) {
    guard let ranks, !isLimited else { return }
    isLimited = true
    ranks.limitWaiting(to: seconds) { reason, isFirst in
      // The first that ends takes the others along; they speak only if it does not.
      if !isFirst { Thread.sleep(forTimeInterval: 10) }
      UnfinishedFiles.removeAll()
      say("error: \(reason)")
      _exit(2)
    }
  }

  /// The signal that asked some rank for an end in good order; all ranks ask together.
  static var interrupt: Int32? {
    guard let ranks else { return Interrupts.requested }
    return ranks.gather(Interrupts.requested ?? 0).max().flatMap { $0 > 0 ? $0 : nil }
  }

  /// All ranks are done.
  static func finish() { ranks?.finish() }

  /// Says why this process cannot go on, and ends all ranks. What several ranks cannot do the first of them says: each waits its turn.
  static func fail(_ complaint: String, status: Int32) -> Never {
    guard let ranks else {
      note("error: \(complaint)")
      exit(status)
    }
    if ranks.speaks {
      note("error: \(complaint)")
    } else {
      Thread.sleep(forTimeInterval: 0.2 * Double(min(ranks.rank, 10)))
      say("error: rank \(ranks.rank): \(complaint)")
    }
    ranks.abort(status: status)
    exit(status)
  }
}

extension SteppingOptions {
  /// The ranks that share out the network; nil where one process runs it.
  /// - Throws: `ValidationError` for what several ranks cannot do yet.
  func ranks() throws -> Ranks? {
    guard let ranks = Job.ranks else { return nil }
    let unshared = [
      (form == .direct, "--form direct"),
      (spikes.spiking != nil, "--spiking"), (interventions.isUsed, "--cut, --silence and --set"),
    ]
    guard let (_, flag) = unshared.first(where: { $0.0 }) else { return ranks }
    try require(ranks.size == 1, "\(flag): not on several ranks yet; leave mpirun out")
    return nil
  }
}
