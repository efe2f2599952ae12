import Foundation
import HatchlingNumerics
import TestSupport
import Testing

/// Programs that are killed or told to end at any moment, and programs that write one file at a time.
@Suite struct KillTests {
  /// `HATCHLING_KILLS=2000` kills more often.
  private static let kills = ProcessInfo.processInfo.environment["HATCHLING_KILLS"].flatMap { Int($0) } ?? 200

  /// Of one command with two networks in turn: at any time the output is one of both results.
  @Test(arguments: ["compile to one file", "step", "record arrays"])
  func afterAKillTheOldFileOrTheNewOneIsThere(name: String) throws {
    let stage = try FaultStage(try #require(WritingCommand.all.first { $0.name == name }))
    try stage.putOld()
    // How long it takes until the last result is there.
    let start = ContinuousClock.now
    try stage.checkNextStart("nothing")
    let whole = (ContinuousClock.now - start).inSeconds
    var random = SeededRandom(seed: 1)
    var (killed, changed) = (0, 0)
    for round in 1...Self.kills / 4 {
      if round % 2 == 0 { try stage.putOld() }
      let run = try stage.run { process in
        usleep(UInt32(1e6 * whole * random.uniform()))
        kill(process.processIdentifier, SIGKILL)
      }
      if !run.exited { killed += 1 }
      let what = "\(name), kill \(round)"
      try stage.checkResults(isDone: run.exited, died: !run.exited, what)
      if try stage.command.outputs.allSatisfy({ try stage.data($0) == stage.new[$0] }) { changed += 1 }
    }
    try stage.checkNextStart("\(Self.kills / 4) kills")
    #expect(killed > Self.kills / 16 && changed > 0, "\(killed) were killed, \(changed) came to the end")
  }

  /// A run that is killed again and again and goes on from its checkpoint ends with the network of a run that was not.
  @Test func trainingGoesOnAfterEveryKill() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("text", wordyText)
    let flags =
      [
        "--n", "16", "--d", "4", "--heads", "2", "--layers", "2", "--block", "16", "--batch", "2", "--steps",
        "600",
      ]
      + ["--validate-every", "2", "--passage", "64"]
    func arguments(_ name: String) -> [String] {
      let checkpoint = folder.path(name + ".checkpoint")
      let more = FileManager.default.fileExists(atPath: checkpoint) ? ["--resume", checkpoint] : flags
      return ["train", text, "--out", folder.path(name + ".safetensors"), "--sample", "0", "--threads", "1"]
        + more
    }
    let start = ContinuousClock.now
    try #require(try CommandRun.run(arguments("whole")).status == 0)
    let whole = (ContinuousClock.now - start).inSeconds
    var random = SeededRandom(seed: 2)
    var (killed, finished) = (0, 0)
    func checkFinished() throws {
      #expect(
        try Data(contentsOf: URL(filePath: folder.path("killed.safetensors")))
          == Data(contentsOf: URL(filePath: folder.path("whole.safetensors"))))
      finished += 1
    }
    for round in 1...Self.kills / 4 {
      let run = try CommandRun.run(arguments("killed")) { process in
        usleep(UInt32(1e6 * min(whole, 0.15) * random.uniform()))
        kill(process.processIdentifier, SIGKILL)
      }
      if !run.exited {
        killed += 1
        continue
      }
      try #require(run.status == 0, "after kill \(round): \(run.errors)")
      try checkFinished()
      // Again from the beginning, over the files of before.
      try FileManager.default.removeItem(atPath: folder.path("killed.checkpoint"))
    }
    let last = try CommandRun.run(arguments("killed"))
    try #require(last.status == 0, "\(last.errors)")
    try checkFinished()
    #expect(killed > Self.kills / 16, "only \(killed) were killed")
    let names = ["checkpoint", "safetensors"].flatMap { ["killed.\($0)", "whole.\($0)"] } + ["text"]
    #expect(folder.names == names.sorted(), "litter after \(killed) kills")
  }

  // MARK: Signals

  /// Commands that go on for long, with the shipped network: of a folder with the text `long`.
  private static let long: [[String]] = [
    ["step", "long", "--state-out", "s", "--logits", "l.npy"],
    ["generate", "--prompt", "so", "--count", "1000000", "--state-out", "s", "--logits", "l.npy"],
    ["verify", "long"], ["compile", "--out", "g.graphml"], ["compile", "--form", "direct", "--out", "g.mtx"],
    ["degrees", "--edges", "500000", "--out", "."],
    ["fidelity", "long", "--edges", "1000,2000,3000", "--out", "."],
    ["train", "long", "--out", "m.safetensors", "--steps", "100000", "--log", "m.csv"],
    ["explain", "long", "--token", "300000", "--out", "e.csv"],
    ["translate-corpus", "many", "many", "--languages", "en,fr", "--out", "c"],
  ]

  private static let texts = [
    "long": FaultStage.letters(400_000, perLine: 500), "many": FaultStage.letters(6_000_000, perLine: 12),
  ]

  private func folderWithTexts() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (name, text) in Self.texts { try folder.write(name, text) }
    return folder
  }

  @Test(arguments: long, [SIGINT, SIGTERM, SIGHUP])
  func aSignalEndsEveryLongCommand(arguments: [String], signal: Int32) throws {
    let folder = try folderWithTexts()
    let run = try CommandRun.run(arguments, in: folder.url.path) { process in
      // Before it waits for the signal nothing has begun.
      try wait(for: process, until: "SigBlk", has: signal)
      usleep(100_000)
      kill(process.processIdentifier, signal)
    }
    #expect(
      run.exited && run.status == 128 + signal && !run.errors.contains("error"),
      "\(arguments): \(run.status) \(run.errors)")
    try checkNoLitter(folder, arguments)
  }

  /// Until a signal is in a set of the process: those that it ignores, or those that it takes up itself.
  private func wait(for process: Process, until set: String, has signal: Int32) throws {
    let path = "/proc/\(process.processIdentifier)/status"
    while process.isRunning {
      let status = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      let mask = status.first { $0.hasPrefix(set) }?.split(separator: "\t").last
      if let signals = mask.flatMap({ UInt64($0, radix: 16) }), signals >> (signal - 1) & 1 == 1 { return }
      usleep(100)
    }
  }

  /// A signal that comes while the program prepares for signals is not lost: it ends it, in whatever way.
  @Test func aSignalAtTheStartIsNotLost() throws {
    for round in 0..<20 {
      let run = try CommandRun.run(["generate", "--prompt", "so", "--count", "1000000"]) { process in
        // SIGPIPE is ignored first.
        try wait(for: process, until: "SigIgn", has: SIGPIPE)
        kill(process.processIdentifier, SIGTERM)
        let start = ContinuousClock.now
        while process.isRunning, ContinuousClock.now - start < .seconds(20) { usleep(1000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      }
      #expect(run.status == (run.exited ? 128 + SIGTERM : SIGTERM), "round \(round)")
    }
  }

  /// `… | head -n 1`
  @Test(arguments: long.filter { $0[0] == "step" || $0[0] == "generate" })
  func aReaderThatGoesAwayEndsIt(arguments: [String]) throws {
    let folder = try folderWithTexts()
    let run = try CommandRun.run(
      ["-c", "\"$@\" | head -n 1; exit ${PIPESTATUS[0]}", "bash", CommandRun.binary.path] + arguments,
      program: "/bin/bash", in: folder.url.path)
    #expect(run.exited && run.status == 0 && !run.errors.contains("error"), "\(run.status) \(run.errors)")
    #expect(!run.output.isEmpty)
    try checkNoLitter(folder, arguments)
  }

  /// Nothing half written: a run that was told to end leaves whole files or none.
  private func checkNoLitter(_ folder: TemporaryFolder, _ arguments: [String]) throws {
    #expect(!folder.names.contains { $0.contains(".partial-") }, "\(arguments) leaves \(folder.names)")
    guard arguments[0] != "train" else { return }
    #expect(!folder.names.contains("s") && !folder.names.contains("l.npy"), "\(folder.names)")
  }

  // MARK: One output

  /// Two programs write one file at the same time: it is the one's or the other's.
  @Test(arguments: WritingCommand.all.filter { $0.varied.isEmpty && $0.outputs.count < 3 })
  func twoProgramsMayWriteOneFile(command: WritingCommand) throws {
    let stage = try FaultStage(command)
    for round in 0..<6 {
      var other: CommandRun?
      let one = try stage.run(seed: 1) { _ in
        usleep(UInt32(round * 1000))
        other = try stage.run(seed: 2)
      }
      for run in [one, try #require(other)] {
        #expect(run.exited && run.status == 0, "\(command.name): \(run.errors)")
      }
      try stage.checkResults(isDone: false, died: false, "two of \(command.name)")
    }
  }
}
