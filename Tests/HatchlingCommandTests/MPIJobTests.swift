import Foundation
import HatchlingCommands
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

/// The program on several ranks, as `mpirun` starts them: the same words and files as on one.
@Suite(.serialized, .enabled(if: MPIJob.isThere, "Open MPI is not installed; make setup-mpi installs it"))
struct MPIJobTests {
  private let folder: TemporaryFolder
  private let model: String
  private let text = String(repeating: "To be, or not to be: ", count: 3)

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path("m.safetensors")
    let sizes = Hyperparameters(neurons: 780, synapticDimension: 24, heads: 3, layers: 2, vocabulary: 256)
    try Weights.random(sizes, seed: 4).save(to: model)
  }

  /// Output and files of a command, on so many ranks; 0 is without `mpirun`.
  private func result(_ ranks: Int, _ arguments: [String], files: [String] = []) throws -> [String] {
    let run =
      ranks == 0 ? try CommandRun.run(arguments) : try MPIJob.run(ranks, arguments)
    #expect(run.status == 0, "\(ranks) ranks, \(arguments): \(run.errors)")
    let written = try files.map {
      try Data(contentsOf: folder.url.appendingPathComponent($0)).base64EncodedString()
    }
    for file in files { try FileManager.default.removeItem(atPath: folder.path(file)) }
    return [run.output] + written
  }

  @Test func everyNumberOfRanksWritesTheSame() throws {
    let network = ["--model", model, "--precision", "double"]
    let step =
      ["step", "--text", text, "--logits", folder.path("l.npy"), "--state-out", folder.path("s")] + network
    let record =
      [
        "record", "--text", text, "--what", "x,y,a,excitation_y", "--strongest", "4", "--writes", "--out",
        folder.path("r.csv"),
      ]
      + network
    let alone = try result(0, step, files: ["l.npy", "s"])
    let recorded = try result(0, record, files: ["r.csv"])
    let verified = try result(1, ["verify", "--json", "--text", text] + network)
    #expect(verified[0].contains("\"agree\":true"), "\(verified)")
    for ranks in 1...4 {
      let spread = try result(ranks, step, files: ["l.npy", "s"])
      #expect(spread[1...] == alone[1...], "\(ranks) ranks leave other logits or another state")
      let otherwise = try result(ranks, step + ["--exchange", "reduce"], files: ["l.npy", "s"])
      #expect(otherwise[1...] == alone[1...], "\(ranks) ranks that meet in pairs")
      #expect(
        try result(ranks, record, files: ["r.csv"])[1] == recorded[1], "\(ranks) ranks record otherwise")
      #expect(
        try result(ranks, ["verify", "--json", "--text", text] + network) == verified, "\(ranks) ranks")
    }
    let segments =
      ["fidelity", folder.path("t"), "--spiking", "few:3:10", "--segment", "16", "--json"] + network
    try folder.write("t", text.utf8)
    let costs = try result(0, segments)
    #expect(costs[0].contains("few:3:10"))
    for ranks in [2, 3] { #expect(try result(ranks, segments) == costs, "\(ranks) ranks") }
  }

  /// A rank is killed after some states were saved on the way; the job started again on others ends as an undisturbed one.
  @Test func aKilledJobGoesOn() throws {
    try folder.write("t", String(repeating: text, count: 120).utf8)
    let step = ["step", "--quiet", folder.path("t"), "--model", model]
    let alone = try result(0, step + ["--state-out", folder.path("s")], files: ["s"])
    let saving = step + ["--state-out", folder.path("way"), "--state-every", "97"]
    let killed = try MPIJob.run(3, saving) { job in
      while !FileManager.default.fileExists(atPath: folder.path("way")), job.isRunning { usleep(10_000) }
      MPIJob.signal(SIGKILL, rank: 1, of: job)
    }
    #expect(killed.status != 0 && killed.output.isEmpty && killed.errors.contains("signal 9"), "\(killed)")
    let resumed = try MPIJob.run(
      2, step + ["--state-in", folder.path("way"), "--state-out", folder.path("s")])
    #expect(resumed.status == 0 && resumed.errors.contains("has been read up to token"), "\(resumed.errors)")
    let state = try Data(contentsOf: folder.url.appendingPathComponent("s")).base64EncodedString()
    #expect(state == alone[1], "not what an undisturbed run leaves")
    #expect(folder.names == ["m.safetensors", "s", "t", "way"], "\(folder.names)")
  }

  /// A rank that is stopped is named and ends the job.
  @Test func aStoppedRankEndsTheJob() throws {
    try folder.write("t", String(repeating: text, count: 4000).utf8)
    let step = ["step", "--quiet", folder.path("t"), "--model", model, "--rank-timeout", "2"]
    let stopped = try MPIJob.run(3, step) { job in
      sleep(2)
      MPIJob.signal(SIGSTOP, rank: 1, of: job)
    }
    let lines = stopped.errors.split(separator: "\n").filter { $0.hasPrefix("hatchling: error") }
    #expect(stopped.status == 2 && stopped.output.isEmpty, "\(stopped)")
    #expect(lines.count == 1 && lines[0].contains("rank 1 is stopped"), "\(stopped.errors)")
  }

  /// A rank that gets no memory says so, and ends the job.
  @Test func aRankWithoutMemoryEndsTheJob() throws {
    // Open MPI itself wants up to a gigabyte of addresses, and breaks down without a word where it gets none.
    let script = "[ \"$OMPI_COMM_WORLD_RANK\" = 2 ] && ulimit -v 2000000; exec \"$@\""
    // Whatever a layer of 65 536 neurons has so much of that it may be the first to be refused is a large block, 4 MB or more: the
    // Swift runtime's own words about small ones name no rank.
    let large = Hyperparameters(
      neurons: 3 * 65_536, synapticDimension: 64, heads: 2, layers: 120, vocabulary: 256)
    let path = folder.path("large.safetensors")
    try Weights.random(large, seed: 1).save(to: path)
    let run = try MPIJob.run(
      3, ["-c", script, "sh", CommandRun.binary.path, "step", "--quiet", "--text", "ab", "--model", path],
      program: "/bin/sh")
    #expect(run.status == 2 && run.output.isEmpty, "\(run)")
    #expect(run.errors.contains("rank 2: not enough memory: the system refuses"), "\(run.errors)")
  }

  @Test func whatRanksCannotDoIsRefusedOnce() throws {
    for (arguments, words) in [
      (["degrees", "--model", model, "--out", folder.path("d")], ["degrees does not run on 2 ranks"]),
      (["step", "--text", "a", "--form", "direct"], ["--form direct", "mpirun"]),
      (["step", "--text", "a", "--state-every", "5"], ["--state-every 5", "--state-out"]),
      (["step", "--text", "a", "--rank-timeout", "0"], ["--rank-timeout 0"]),
      (["step", "--text", "a", "--exchange", "sometimes"], ["'sometimes'", "--exchange", "gather"]),
      (["verify", "--text", "a", "--nudge", "x:h3:n12:1.1"], ["--nudge"]),
    ] {
      let run = try MPIJob.run(2, arguments)
      let lines = run.errors.split(separator: "\n").filter { $0.hasPrefix("hatchling:") }
      #expect(run.status == 2 && lines.count == 1, "\(arguments): \(run.errors)")
      #expect(words.allSatisfy { lines.first?.contains($0) == true }, "\(arguments): \(run.errors)")
    }
  }
}

/// Without `mpirun` there is nobody to wait for.
@Suite struct WithoutRanksTests {
  @Test func aTimeoutOfRanksNeedsRanks() throws {
    let run = try CommandRun.run(["step", "--text", "a", "--rank-timeout", "9"])
    #expect(run.isOneLine("--rank-timeout", "mpirun"), "\(run.errors)")
  }

  @Test func aWayOfExchangeNeedsRanks() throws {
    let run = try CommandRun.run(["step", "--text", "a", "--exchange", "reduce"])
    #expect(run.isOneLine("--exchange reduce", "mpirun"), "\(run.errors)")
  }

  /// One process saves states on the way, too; with another text it begins at the beginning.
  @Test func aStateOnTheWayKnowsItsText() throws {
    let folder = try TemporaryFolder()
    let text = Array("To be, or not to be: that is the question".utf8).map { Int($0) }
    func reader(_ files: StreamFiles) throws -> StreamReader<Float> {
      try StreamReader(
        EngineDescription(.circuit), Model.shipped(), files: files, workers: Workers(threads: 1))
    }
    func bytes(_ name: String) throws -> Data {
      try Data(contentsOf: folder.url.appendingPathComponent(name))
    }
    let whole = try reader(StreamFiles(stateOut: folder.path("whole")))
    for token in text { _ = try whole.step(token) }
    try whole.finish()
    // One that ends after 27 tokens without a word.
    let lost = try reader(StreamFiles(stateOut: folder.path("way"), stateEvery: 10))
    for token in text[..<27] { _ = try lost.step(token) }
    let again = try reader(
      StreamFiles(stateIn: folder.path("way"), stateOut: folder.path("end"), stateEvery: 10))
    #expect(again.rest(of: text) == text[20...])
    for token in text[20...] { _ = try again.step(token) }
    // Counted from the beginning of the text.
    #expect(try StateFile.read(folder.path("end")).text?.tokens == 40)
    try again.finish()
    #expect(try bytes("end") == bytes("whole"))
    let other = Array(text.reversed())
    #expect(try reader(StreamFiles(stateIn: folder.path("way"))).rest(of: other) == other[...])
    #expect(try reader(StreamFiles(stateIn: folder.path("end"))).rest(of: text) == text[...])
    let said = try CommandRun.run(
      [
        "step", "--quiet", "--text", String(decoding: text.map { UInt8($0) }, as: UTF8.self), "--state-in",
        folder.path("way"),
      ])
    #expect(said.status == 0 && said.errors.contains("read up to token 20"), "\(said.errors)")
  }
}

/// Jobs of Open MPI on this machine.
enum MPIJob {
  static var isThere: Bool {
    #if MPI
      FileManager.default.isExecutableFile(atPath: "/usr/bin/mpirun")
    #else
      false
    #endif
  }

  /// As root and on more ranks than processors, which containers are.
  static func run(
    _ ranks: Int, _ arguments: [String], program: String = CommandRun.binary.path,
    during: ((Process) throws -> Void)? = nil
  ) throws -> CommandRun {
    try CommandRun.run(
      ["-np", "\(ranks)", program] + arguments, program: "/usr/bin/mpirun",
      environment: [
        "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
      ], during: during)
  }

  static func signal(_ number: Int32, rank: Int, of job: Process) {
    let children =
      (try? CommandRun.run(["-o", "pid=", "--ppid", "\(job.processIdentifier)"], program: "/bin/ps"))?
      .output.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) } ?? []
    guard children.indices.contains(rank) else {
      Issue.record("the job has \(children.count) ranks")
      return
    }
    kill(children[rank], number)
  }
}
