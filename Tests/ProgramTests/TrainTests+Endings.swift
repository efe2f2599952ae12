import Foundation
import TestSupport
import Testing

/// Runs that end early, or by the clock, and go on.
extension TrainTests {
  @Test func aTimeLimitFixesTheStepsAfterTwenty() throws {
    let folder = try TemporaryFolder()
    let run = try train(
      folder,
      Self.sizes + [
        "--out", folder.path("m.safetensors"), "--log", folder.path("m.csv"), "--minutes", "0.005",
        "--sample", "0",
      ])
    try #require(run.status == 0, "\(run.errors)")
    let planned = try folder.text("m.csv").split(separator: "\n").dropFirst().map {
      try #require($0.split(separator: ",", omittingEmptySubsequences: false).last.flatMap { Int($0) })
    }
    // Fixed with the twentieth update, the same from then on, and all of them were done.
    try #require(planned.count > 20)
    #expect(Set(planned[19...]).count == 1 && planned.last == planned.count)
    #expect(run.output.contains("\(planned.count) steps fit into the time"))
    // A finished run that is resumed has nothing left to do.
    let model = try data(folder, "m.safetensors")
    let again = try train(
      folder,
      ["--out", folder.path("m.safetensors"), "--resume", folder.path("m.checkpoint"), "--sample", "0"])
    #expect(try again.status == 0 && data(folder, "m.safetensors") == model)
  }

  /// Two runs with one output: the second is refused at once and the first goes on; a killed one is in nobody's way.
  @Test func oneModelHasOneRun() throws {
    let folder = try TemporaryFolder()
    let flags = Self.sizes + ["--out", folder.path("m.safetensors"), "--sample", "0"]
    var second: CommandRun?
    let first = try train(folder, flags + ["--steps", "100000"]) { process in
      while process.isRunning, !folder.names.contains(where: { $0.contains(".partial-") }) { usleep(500) }
      second = try train(folder, flags + ["--steps", "3"], text: folder.path("text"))
      kill(process.processIdentifier, SIGKILL)
    }
    #expect(first.status != 0 && !first.exited)
    #expect(try #require(second).isOneLine("m.checkpoint", "another program is writing it"))
    #expect(folder.names.contains { $0.contains(".partial-") })
    let third = try train(folder, flags + ["--steps", "3"])
    #expect(third.status == 0, "\(third.errors)")
    #expect(folder.names.contains("m.safetensors") && !folder.names.contains { $0.contains(".partial-") })
  }

  @Test func interruptedAndResumedEqualsUninterrupted() throws {
    let folder = try TemporaryFolder()
    let flags = [
      "--n", "256", "--d", "32", "--heads", "2", "--layers", "2", "--block", "64", "--batch", "4", "--steps",
      "200",
      "--validate-every", "80", "--validation-bytes", "512", "--sample", "0", "--passage", "1000",
      "--threads", "1",
    ]
    func out(_ name: String) -> [String] {
      ["--out", folder.path(name + ".safetensors"), "--log", folder.path(name + ".csv")]
    }
    let whole = try train(folder, flags + out("whole"))
    try #require(whole.status == 0, "\(whole.errors)")
    #expect(whole.output.contains("held out, the first 512 of them read at every validation"))
    // Ctrl-C twice, once before the first validation; then to the end.
    var (arguments, interrupted) = (flags + out("parts"), 0)
    for lines in [20, 110] {
      let run = try train(folder, arguments) { process in
        while process.isRunning, ((try? folder.text("parts.csv").split(separator: "\n").count) ?? 0) < lines {
          usleep(500)
        }
        process.interrupt()
      }
      arguments =
        ["--resume", folder.path("parts.checkpoint"), "--sample", "0", "--threads", "1"] + out("parts")
      if run.status == 0 { break }
      #expect(
        run.exited && run.status == 130 && run.errors.isEmpty && run.output.contains("interrupted after step")
      )
      interrupted += 1
    }
    #expect(interrupted > 0, "the run was over before it could be interrupted")
    let rest = try train(folder, arguments)
    try #require(rest.status == 0, "\(rest.errors)")
    #expect(try data(folder, "parts.safetensors") == data(folder, "whole.safetensors"))
    #expect(try columns(folder, "parts.csv") == columns(folder, "whole.csv"))
  }

  @Test func afterAKillTheLastCheckpointGoesOnToTheSameResult() throws {
    let folder = try TemporaryFolder()
    let flags = Self.sizes + ["--steps", "120", "--validate-every", "2", "--sample", "0", "--threads", "1"]
    func out(_ name: String) -> [String] { ["--out", folder.path(name + ".safetensors")] }
    try #require(try train(folder, flags + out("whole")).status == 0)
    var (more, kills) = (flags, 0)
    // Checkpoints are written all the time, so that kills meet them at any point.
    for round in 0..<5 {
      let run = try train(folder, more + out("killed")) { process in
        while process.isRunning, !FileManager.default.fileExists(atPath: folder.path("killed.checkpoint")) {
          usleep(500)
        }
        usleep(UInt32(5_000 + 17_377 * round % 30_000))
        kill(process.processIdentifier, SIGKILL)
      }
      more = ["--resume", folder.path("killed.checkpoint"), "--sample", "0", "--threads", "1"]
      if run.exited {
        #expect(run.status == 0, "\(run.errors)")
      } else {
        kills += 1
      }
    }
    #expect(kills > 0, "every run was over before it could be killed")
    let rest = try train(folder, more + out("killed"))
    try #require(rest.status == 0, "\(rest.errors)")
    #expect(try data(folder, "killed.safetensors") == data(folder, "whole.safetensors"))
  }

  /// `train … | head`: the run ends like an interrupted one, with a checkpoint to go on from.
  @Test func whenNobodyReadsTheRunEndsWithACheckpoint() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("text", wordyText)
    let out = folder.path("m.safetensors")
    let run = try CommandRun.run(
      [
        "-c", "\"$@\" | head -n 1; exit ${PIPESTATUS[0]}", "bash", CommandRun.binary.path, "train", text,
        "--out", out,
        "--steps", "100000", "--validate-every", "5",
      ] + Self.sizes, program: "/bin/bash")
    #expect(run.status == 141 && run.errors.isEmpty, "\(run.status) \(run.errors)")
    #expect(folder.names == ["m.checkpoint", "m.safetensors", "text"])
  }

  @Test func aRunThatGoesOnElsewhereBringsItsBestNetwork() throws {
    let folder = try TemporaryFolder()
    // So few words that it learns them by heart and the held-out loss rises again.
    let text = try folder.write("text", wordyText.prefix(1500))
    let flags = Self.sizes + ["--steps", "400", "--validate-every", "10", "--sample", "0", "--lr", "0.01"]
    try #require(
      try CommandRun.run(["train", text, "--out", folder.path("a.safetensors")] + flags).status == 0)
    let more = [
      "--resume", folder.path("a.checkpoint"), "--out", folder.path("b.safetensors"), "--sample", "0",
    ]
    let run = try CommandRun.run(["train", text] + more)
    #expect(
      run.status == 0 && run.output.contains("written to \(folder.path("b.safetensors"))"), "\(run.errors)")
    #expect(!run.output.contains("byte after step 400"), "the best network is the last: nothing was tested")
    #expect(try data(folder, "b.safetensors") == data(folder, "a.safetensors"))
  }

  @Test func aCheckpointKnowsTheHeldOutTextToo() throws {
    let folder = try TemporaryFolder()
    let flags = Self.sizes + ["--steps", "3", "--sample", "0", "--out", folder.path("m.safetensors")]
    try #require(try train(folder, flags).status == 0)
    var other = wordyText
    other[other.count - 7] ^= 1
    let run = try CommandRun.run([
      "train", try folder.write("other", other), "--resume", folder.path("m.checkpoint"), "--out",
      folder.path("m.safetensors"),
    ])
    #expect(run.isOneLine("another text"), "\(run.errors)")
  }

  @Test func aTerminalThatClosesLeavesACheckpoint() throws {
    let folder = try TemporaryFolder()
    let out = ["--out", folder.path("m.safetensors"), "--log", folder.path("m.csv"), "--sample", "0"]
    let run = try train(folder, Self.sizes + ["--steps", "1000000", "--validate-every", "1000000"] + out) {
      process in
      while process.isRunning, ((try? folder.text("m.csv").split(separator: "\n").count) ?? 0) < 3 {
        usleep(500)
      }
      kill(process.processIdentifier, SIGHUP)
    }
    #expect(run.exited && run.status == 129 && run.errors.isEmpty, "\(run.status) \(run.errors)")
    #expect(folder.names.contains("m.checkpoint"))
  }

  @Test func aTimeLimitIsInterruptedAfterTheUpdateAtHand() throws {
    let folder = try TemporaryFolder()
    let out = ["--out", folder.path("m.safetensors"), "--sample", "0", "--threads", "1"]
    let flags = [
      "--n", "512", "--d", "64", "--layers", "4", "--minutes", "60", "--log", folder.path("m.csv"),
    ]
    let run = try train(folder, flags + out) { process in
      while process.isRunning, ((try? folder.text("m.csv").split(separator: "\n").count) ?? 0) < 3 {
        usleep(500)
      }
      process.interrupt()
    }
    #expect(run.exited && run.status == 130 && run.errors.isEmpty, "\(run.errors)")
    #expect(try folder.text("m.csv").split(separator: "\n").count < 15)
    #expect(folder.names.contains("m.checkpoint"))
  }

  @Test func aLongWarmUpAndATimeLimitGoTogether() throws {
    let folder = try TemporaryFolder()
    let run = try train(
      folder,
      Self.sizes + [
        "--out", folder.path("m.safetensors"), "--minutes", "0.003", "--warmup", "3000", "--sample", "0",
      ])
    try #require(run.status == 0, "\(run.errors)")
    let again = try train(
      folder,
      ["--out", folder.path("m.safetensors"), "--resume", folder.path("m.checkpoint"), "--sample", "0"])
    #expect(again.status == 0, "\(again.errors)")
  }
}
