import ArgumentParser
import Foundation
import HatchlingCheckpoint
import HatchlingNumerics
import HatchlingTraining
import Synchronization

struct Hatchling: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hatchling",
    abstract: "Runs a Dragon Hatchling (BDH) network as a graph of neuron particles, and as tensors.",
    discussion: """
      Every command works without --model: then the small network that comes with the program is used.
      Exit status: 0 done, 1 a check failed, 2 bad usage or bad input.
      """,
    version: Version.report,
    subcommands: [
      InfoCommand.self, StepCommand.self, GenerateCommand.self, VerifyCommand.self, CompileCommand.self,
      DegreesCommand.self, MergeCommand.self, FidelityCommand.self, TrainCommand.self, RecordCommand.self,
      WatchCommand.self, RasterCommand.self, ExplainCommand.self, ConceptsCommand.self,
      CalibrateCommand.self, ActivityCommand.self, MemoriseCorpusCommand.self, TranslateCorpusCommand.self,
      PlanCommand.self,
    ])
}

/// A check that ran and failed; the report is on standard output already.
struct CheckFailed: Error {}

/// Work that an interrupt ended in good order.
struct Interrupted: Error { let signal: Int32 }

#if !FUZZING
  @main
#endif
enum Main {
  static func main() {
    Interrupts.install()
    OutOfMemory.ends { bytes in
      UnfinishedFiles.removeAll()
      let rank = Job.speaks ? "" : "rank \(Job.ranks?.rank ?? 0): "
      say("error: \(rank)not enough memory: the system refuses \(TrainingMemory.text(bytes)) more")
      _exit(2)
    }
    do {
      try Job.join()
      var command = try Hatchling.parseAsRoot(Arguments.ofProgram)
      try Job.check(command)
      try command.run()
      Output.flush()
      Job.finish()
    } catch {
      end(error)
    }
    // Work that ended in good order all the same has said why.
    if Output.isLost { exit(2) }
  }

  /// One line on standard error and the exit status; help goes to standard output.
  private static func end(_ error: any Error) -> Never {
    Output.flush()
    UnfinishedFiles.removeAll()
    if error is CheckFailed {
      Job.finish()
      exit(1)
    }
    if let error = error as? Interrupted {
      // All ranks were interrupted together. The first status that is not 0 makes mpirun end the job, and what others said may be lost.
      Job.finish()
      if !Job.speaks { exit(0) }
      exit(Output.isLost ? 2 : 128 + error.signal)
    }
    guard let complaint = complaint(about: error) else {
      if Job.speaks { print(Hatchling.fullMessage(for: error)) }
      Job.finish()
      exit(0)
    }
    Job.fail(complaint, status: 2)
  }

  /// What is said of bad usage or bad input, on one line; nil where help was asked for.
  static func complaint(about error: any Error) -> String? {
    if let error = error as? any InputError { return FlagAdvice.message(for: error) }
    switch Hatchling.exitCode(for: error) {
    case .success: return nil
    case .validationFailure: return Hatchling.message(for: error).onOneLine
    default: return "\(error)".onOneLine
    }
  }
}

extension String {
  /// The lines of a message as one.
  fileprivate var onOneLine: String { split(whereSeparator: \.isNewline).joined(separator: "; ") }
}

/// Ctrl-C, a terminal that closes and a terminating signal leave no half-written file behind. Long work that can stop in good order
/// asks for the first one itself; the second ends the program as ever.
enum Interrupts {
  private enum Wish: Equatable {
    case end
    case ask
    case asked(Int32, at: ContinuousClock.Instant)
  }
  private static let wish = Mutex(Wish.end)
  /// The thread that waits for signals; 0 before there is one.
  nonisolated(unsafe) private static var waiting: pthread_t = 0

  static func install() {
    signal(SIGPIPE, SIG_IGN)
    // A file that may not grow any further is an error of the write, not a signal.
    signal(SIGXFSZ, SIG_IGN)
    var numbers = sigset_t()
    sigemptyset(&numbers)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      // What the caller wants to be ignored (nohup) stays so.
      let before = signal(number, passOn)
      if number == SIGHUP && unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
        signal(number, SIG_IGN)
        continue
      }
      sigaddset(&numbers, number)
    }
    // Every later thread inherits the mask, so the signals wait for the one below. No dispatch source: libdispatch wants /proc.
    pthread_sigmask(SIG_BLOCK, &numbers, nil)
    let awaited = numbers
    Thread {
      waiting = pthread_self()
      while true { obey(awaited) }
    }.start()
  }

  /// Threads that OpenBLAS began before the program did know nothing of the mask. What they get goes to the thread that waits.
  private static let passOn: @convention(c) (Int32) -> Void = { number in
    if waiting == 0 { _exit(128 + number) }
    pthread_kill(waiting, number)
  }

  /// Waits for one of the signals and does what it asks for.
  private static func obey(_ numbers: sigset_t) {
    var numbers = numbers
    var number: Int32 = 0
    guard sigwait(&numbers, &number) == 0, !request(number), !isEcho else { return }
    UnfinishedFiles.removeAll()
    _exit(128 + number)
  }

  /// Asks for an end in good order. False when nobody has said that it will look, or one was asked for before.
  static func request(_ number: Int32) -> Bool {
    wish.withLock { wish in
      defer { if wish == .ask { wish = .asked(number, at: .now) } }
      return wish == .ask
    }
  }

  /// Whether the first signal was so short ago that this one is no second wish: some programs signal a child and its group.
  private static var isEcho: Bool {
    wish.withLock { wish in
      guard case .asked(_, let time) = wish else { return false }
      return ContinuousClock.now - time < .milliseconds(200)
    }
  }

  /// From now on the first interrupt only shows in ``requested``.
  static func ask() { wish.withLock { $0 = .ask } }

  /// Interrupts end the program again.
  static func end() { wish.withLock { $0 = .end } }

  /// The signal that asked for an end in good order.
  static var requested: Int32? {
    wish.withLock { wish in
      guard case .asked(let number, _) = wish else { return nil }
      return number
    }
  }
}
