import Foundation
import TestSupport
import Testing

/// Disks and memory that fail, at every single call, and programs that die in it: results are those of before or the new ones, never half
/// of them, the reason is said in one line, and the next start works and leaves nothing of what was before.
///
/// `HATCHLING_FAULTS=all` starts the program after every fault, not only after the last of a kind, and tries more of them.
@Suite(.enabled(if: FaultStage.compiler != nil, "needs a C compiler")) struct FaultTests {
  private static let isThorough = ProcessInfo.processInfo.environment["HATCHLING_FAULTS"] == "all"

  private enum Outcome {
    /// It says what went wrong.
    case refuses
    /// It says so, except where nothing depends on the call any more.
    case mayRefuse
    /// Nothing went wrong, or what did is no matter.
    case succeeds
    case dies
  }

  /// Which calls of a kind fail where ``isThorough`` does not ask for all.
  private enum Tried { case all, last, none }

  /// How a call of a kind fails, in the words of `Tests/faults.c`, and what becomes of that.
  private static let faults: [(kind: String, how: String, outcome: Outcome, tried: Tried)] = [
    ("write", "\(ENOSPC) on", .refuses, .all), ("write", "\(EIO)", .refuses, .none),
    ("write", "short", .succeeds, .none), ("write", "\(EINTR)", .succeeds, .last),
    ("write", "kill", .dies, .all), ("sync", "\(EIO)", .refuses, .all),
    ("sync", "\(EINVAL)", .succeeds, .none),
    ("sync", "kill", .dies, .none), ("close", "\(EDQUOT)", .mayRefuse, .all), ("close", "kill", .dies, .none),
    ("rename", "\(EACCES)", .refuses, .all), ("rename", "kill", .dies, .all),
    ("create", "\(ENOSPC) on", .refuses, .all), ("create", "\(EMFILE)", .refuses, .none),
    ("create", "kill", .dies, .none),
  ]

  @Test(arguments: WritingCommand.all) func everyCallOfACommandMayFail(command: WritingCommand) throws {
    let stage = try FaultStage(command)
    let calls = try stage.calls()
    for (kind, how, outcome, tried) in Self.faults where tried != .none || Self.isThorough {
      let count = try #require(calls[kind])
      try #require(count > 0, "\(command.name) does not \(kind)")
      var refused = 0
      for call in (tried == .last && !Self.isThorough ? count : 1)...count {
        let what = "\(command.name), \(kind) \(call) of \(count), \(how)"
        try stage.putOld()
        let run = try stage.run("\(kind) \(call) \(how)")
        switch outcome {
        case .dies: #expect(!run.exited && run.status == SIGKILL, "\(what): \(run.status) \(run.errors)")
        case .succeeds: #expect(run.exited && run.status == 0, "\(what): \(run.status) \(run.errors)")
        case .mayRefuse where run.status == 0: break
        case .refuses, .mayRefuse:
          refused += 1
          #expect(
            run.exited && run.status == 2 && run.saysWhatWentWrong, "\(what): \(run.status) \(run.errors)")
        }
        try stage.checkResults(isDone: run.exited && run.status == 0, died: outcome == .dies, what)
        if call == count || Self.isThorough { try stage.checkNextStart(what) }
      }
      #expect(refused > 0 || outcome == .succeeds || outcome == .dies, "\(command.name): no \(kind) mattered")
    }
  }

  /// Large blocks come from the system, and what it refuses is said. Small ones are the Swift runtime's, which ends the program; then
  /// too the results are whole.
  @Test(arguments: WritingCommand.all) func memoryMayBeRefused(command: WritingCommand) throws {
    let stage = try FaultStage(command)
    let calls = try stage.calls()
    for call in 1...(try #require(calls["map"])) {
      let what = "\(command.name), block \(call)"
      try stage.putOld()
      let run = try stage.run("map \(call) \(ENOMEM)")
      #expect(
        run.exited && (run.status == 0 || run.saysWhatWentWrong), "\(what): \(run.status) \(run.errors)")
      try stage.checkResults(isDone: run.status == 0, died: false, what)
    }
    let count = try #require(calls["allocate"])
    try #require(count > 1000)
    let rounds = Self.isThorough ? 200 : 4
    for round in 0..<rounds {
      let call = count * (2 * round + 1) / (2 * rounds)
      let what = "\(command.name), allocation \(call) of \(count)"
      try stage.putOld()
      let run = try stage.run("allocate \(call) \(ENOMEM) on")
      // libhdf5 calls exit(-1) where it gets no identifier: H5I_register.
      let died = !run.exited || run.status == 255 && stage.command.writesHDF5 && run.errors.isEmpty
      try stage.checkResults(isDone: run.exited && run.status == 0, died: died, what)
      if round == rounds - 1 || Self.isThorough { try stage.checkNextStart(what) }
    }
  }

  private static let mayMount: Bool = {
    let run = try? CommandRun.run(
      ["-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "none", "/tmp"], program: "/usr/bin/unshare")
    return run?.status == 0
  }()

  /// A disk of every size up to one on which there is room for everything.
  @Test(.enabled(if: mayMount, "no file system may be mounted here"), arguments: WritingCommand.all)
  func theDiskIsFull(command: WritingCommand) throws {
    let stage = try FaultStage(command)
    let (disk, out) = (stage.folder.path("disk"), stage.folder.path("out"))
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
    // Old results lie on the disk before; what is there at the end is copied where the test sees it.
    let script = """
      set -e
      mount -t tmpfs -o size=$1k none '\(disk)'
      cp -r '\(out)' '\(disk)/out' && mount --bind '\(disk)/out' '\(out)'
      status=0
      PATH=/nonexistent "${@:2}" || status=$?
      umount '\(out)'
      rm -rf '\(out)' && cp -r '\(disk)/out' '\(out)'
      exit $status
      """
    var (size, refused) = (0, 0)
    let room = stage.old.values.reduce(0) { $0 + ($1.count + 4095) / 4096 * 4 }
    while size < 4 * room + 64 {
      try stage.putOld()
      let arguments =
        ["-rm", "/bin/bash", "-c", script, "bash", "\(room + size)", CommandRun.binary.path]
        + stage.arguments()
      let run = try CommandRun.run(arguments, program: "/usr/bin/unshare", in: stage.folder.url.path)
      let what = "\(command.name), \(size) kB free"
      #expect(
        run.exited && (run.status == 0 || run.status == 2 && run.saysWhatWentWrong), "\(what): \(run.errors)")
      try stage.checkResults(isDone: run.status == 0, died: false, what)
      if run.status == 0 { break }
      #expect(
        run.errors.contains("No space left") || run.errors.contains("are free"), "\(what): \(run.errors)")
      refused += 1
      size += Self.isThorough || size < 16 ? 4 : size / 2
    }
    #expect(refused > 0, "the disk was never full")
    try stage.checkNextStart("a full disk")
  }
}

extension CommandRun {
  /// A line that says what went wrong, after remarks if there are any; two, where standard output and a file are on one full disk.
  var saysWhatWentWrong: Bool {
    (1...2).contains(errors.split(separator: "\n").count { $0.hasPrefix("hatchling: error: ") })
      && errors.split(separator: "\n").allSatisfy { $0.hasPrefix("hatchling: ") }
  }
}
