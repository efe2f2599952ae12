import Foundation
import HatchlingCheckpoint
import HatchlingHDF5
import HatchlingModel
import TestSupport
import Testing

/// A command that writes files, on a network and texts so small that it is over at once.
struct WritingCommand: Sendable, CustomTestStringConvertible {
  let name: String
  /// In a folder with `1.safetensors`, `2.safetensors` and `text`; results go to the folder `out`. `SEED` is 1 or 2.
  let arguments: [String]
  /// What lies in `out` afterwards.
  let outputs: [String]
  /// Outputs in which the time stands, or how far the work came: whole they must be all the same.
  var varied: Set<String> = []

  var testDescription: String { name }
  var writesHDF5: Bool { outputs.contains { $0.hasSuffix(".h5") || $0.hasSuffix(".nwb") } }

  private static let one = ["--threads", "1"]
  private static let model = ["--model", "SEED.safetensors"]
  static let training =
    ["train", "text", "--out", "out/m.safetensors", "--n", "16", "--d", "4", "--heads", "2", "--layers", "2"]
    + [
      "--block", "16", "--batch", "2", "--steps", "2", "--validate-every", "2", "--sample", "0", "--seed",
      "SEED",
    ] + one

  static let all = plain + hierarchical

  /// In HDF5, which libhdf5 writes.
  private static var hierarchical: [WritingCommand] {
    #if HDF5
      [
        WritingCommand(
          name: "compile to SONATA", arguments: ["compile", "--out", "out/g.h5"] + model,
          outputs: ["g.h5", "g.edge_types.csv", "g.node_types.csv"]),
        WritingCommand(
          name: "record in SONATA", arguments: ["record", "text", "--out", "out/r.h5"] + model + one,
          outputs: ["r.h5"]),
        WritingCommand(
          name: "record in NWB", arguments: ["record", "text", "--out", "out/r.nwb"] + model + one,
          outputs: ["r.nwb"], varied: ["r.nwb"]),
      ]
    #else
      []
    #endif
  }

  private static let plain = [
    WritingCommand(
      name: "compile to one file", arguments: ["compile", "--out", "out/g.graphml"] + model,
      outputs: ["g.graphml"]),
    WritingCommand(
      name: "compile to many files", arguments: ["compile", "--out", "out/g.mtx"] + model,
      outputs: ["embedding", "encoder", "partner", "plastic", "readout", "x", "y"].map { "g.\($0).mtx" } + [
        "g.nodes.csv"
      ]),
    WritingCommand(
      name: "compile to a graph that runs",
      arguments: ["compile", "--form", "direct", "--edges", "60", "--out", "out/g.safetensors"] + model,
      outputs: ["g.safetensors"]),
    WritingCommand(
      name: "step",
      arguments: ["step", "text", "--quiet", "--state-out", "out/s", "--logits", "out/l.npy"] + model + one,
      outputs: ["s", "l.npy"]),
    WritingCommand(
      name: "generate",
      arguments: ["generate", "--prompt", "so", "--count", "3", "--seed", "1", "--state-out", "out/s"]
        + ["--logits", "out/l.npy"] + model + one, outputs: ["s", "l.npy"]),
    WritingCommand(
      name: "merge",
      arguments: ["merge", "SEED.safetensors", "SEED.safetensors", "--out", "out/m.safetensors"],
      outputs: ["m.safetensors"]),
    WritingCommand(
      name: "degrees", arguments: ["degrees", "--graph", "circuit", "--out", "out"] + model,
      outputs: ["in", "out"].flatMap { way in
        ["", "_hub", "_neuron", "_token"].map { "\(way)_degree\($0).csv" }
      }
        + ["edges.csv", "nodes.csv", "summary.json"]),
    WritingCommand(
      name: "fidelity",
      arguments: ["fidelity", "text", "--segment", "8", "--edges", "10", "--out", "out"] + model + one,
      outputs: ["fidelity-1.dat", "fidelity.csv", "fidelity.gp"]),
    WritingCommand(
      name: "train", arguments: training + ["--log", "out/m.csv"],
      outputs: ["m.safetensors", "m.checkpoint", "m.csv", "m.gp", "m-training.dat", "m-held-out.dat"],
      varied: ["m.checkpoint", "m.csv", "m.gp", "m-training.dat", "m-held-out.dat"]),
    WritingCommand(
      name: "train a graph", arguments: training + ["--form", "direct", "--edges", "40"],
      outputs: ["m.safetensors", "m.checkpoint"], varied: ["m.checkpoint"]),
    WritingCommand(
      name: "record arrays", arguments: ["record", "text", "--out", "out/r.npy"] + model + one,
      outputs: ["r.npy", "r.json"]),
    WritingCommand(
      name: "record a table", arguments: ["record", "text", "--out", "out/r.csv"] + model + one,
      outputs: ["r.csv"]),
    WritingCommand(
      name: "translate-corpus",
      arguments: [
        "translate-corpus", "text", "text", "--languages", "en,fr", "--out", "out/c", "--seed", "SEED",
      ],
      outputs: ["c"]),
  ]
}

/// A folder in which a command runs again and again, over old results, and what it writes when nothing fails.
final class FaultStage {
  let command: WritingCommand
  let folder: TemporaryFolder
  private(set) var old: [String: Data] = [:]
  private(set) var new: [String: Data] = [:]
  /// A library that lets calls fail, from `Tests/faults.c`, beside the program.
  private static let library = Result {
    let place = CommandRun.binary.deletingLastPathComponent().appending(path: "faults.so").path
    let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../faults.c").path
    let new = "\(place)-\(ProcessInfo.processInfo.processIdentifier)"
    let built = try CommandRun.run(
      ["-shared", "-fPIC", "-O1", "-o", new, source], program: try #require(compiler))
    try #require(built.status == 0 && rename(new, place) == 0, "\(built.errors)")
    return place
  }

  static let compiler = ["clang", "cc"].lazy.compactMap { name in
    (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":").map { "\($0)/\(name)" }
      .first(where: FileManager.default.isExecutableFile)
  }.first

  init(_ command: WritingCommand) throws {
    self.command = command
    folder = try TemporaryFolder()
    try folder.write("text", Self.letters(220, perLine: 20))
    try FileManager.default.createDirectory(atPath: folder.path("out"), withIntermediateDirectories: false)
    let sizes = Hyperparameters(neurons: 16, synapticDimension: 4, heads: 2, layers: 2, vocabulary: 128)
    for seed in 1...2 {
      try Weights.random(sizes, seed: UInt64(seed)).save(to: folder.path("\(seed).safetensors"))
    }
    (old, new) = (try results(of: 1), try results(of: 2))
    try #require(old.keys.sorted() == new.keys.sorted() && !new.isEmpty && old != new)
  }

  /// Lines of letters in no short period.
  static func letters(_ count: Int, perLine: Int) -> [UInt8] {
    (0..<count).map { (index: Int) -> UInt8 in
      let letter: Int = 97 + index * index / 7 % 26
      return (index + 1) % perLine == 0 ? 10 : UInt8(letter)
    }
  }

  private func results(of seed: Int) throws -> [String: Data] {
    for name in names { try FileManager.default.removeItem(atPath: folder.path("out/\(name)")) }
    let run = try run(seed: seed)
    try #require(run.status == 0, "\(run.errors)")
    try #require(names == command.outputs.sorted())
    return try Dictionary(uniqueKeysWithValues: command.outputs.map { ($0, try data($0)) })
  }

  func data(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: folder.path("out/\(name)"))) }

  /// What lies in `out`.
  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path("out"))) ?? []).sorted()
  }

  /// The results of before lie in `out`. What else is there stays there.
  func putOld() throws { for (name, data) in old { try folder.write("out/\(name)", data) } }

  /// Runs the command, for the new results or for those of another seed; `fault` as `Tests/faults.c` reads it.
  func run(
    _ fault: String? = nil, counts: String? = nil, seed: Int = 2, during: ((Process) throws -> Void)? = nil
  ) throws -> CommandRun {
    var environment = environment
    if fault != nil || counts != nil { environment["LD_PRELOAD"] = try Self.library.get() }
    environment["HATCHLING_FAULT"] = fault
    environment["HATCHLING_FAULT_COUNTS"] = counts
    return try CommandRun.run(
      arguments(seed: seed), environment: environment, in: folder.url.path, during: during)
  }

  func arguments(seed: Int = 2) -> [String] {
    command.arguments.map { $0.replacing("SEED", with: "\(seed)") }
  }
  /// No gnuplot, which takes its time, and no report of a crash.
  let environment = ["SWIFT_BACKTRACE": "enable=no", "PATH": "/nonexistent"]

  /// How often the command calls what can fail.
  func calls() throws -> [String: Int] {
    try putOld()
    try #require(try run(counts: folder.path("counts")).status == 0)
    var calls: [String: Int] = [:]
    for line in try folder.text("counts").split(separator: "\n") {
      let words = line.split(separator: " ")
      calls[String(words[0])] = try #require(Int(words[1]))
    }
    return calls
  }

  /// Every result is there, as before or as it must be; nothing else is, unless the program `died`.
  func checkResults(isDone: Bool, died: Bool, _ what: String) throws {
    for name in command.outputs {
      let found = try? data(name)
      let isNew = found.map { isRight($0, name) } ?? false
      #expect(isNew || !isDone && found == old[name], "\(what): \(name), \(found?.count ?? -1) bytes")
    }
    let litter = Set(names).subtracting(command.outputs)
    #expect(
      litter.isEmpty || died && litter.allSatisfy { $0.contains(".partial-") }, "\(what) leaves \(litter)")
  }

  private func isRight(_ found: Data, _ name: String) -> Bool {
    guard command.varied.contains(name) else { return found == new[name] }
    guard name != "m.checkpoint" else { return (try? StateFile.read(folder.path("out/\(name)"))) != nil }
    #if HDF5
      // A file that is cut off does not open.
      if name == "r.nwb" {
        return found.count == new[name]?.count && (try? HDF5Input(path: folder.path("out/\(name)"))) != nil
      }
    #endif
    // Whole lines, below the same first one.
    let header = new[name]?.prefix { $0 != 10 } ?? Data()
    return found.last == 10 && found.starts(with: header)
  }

  /// The next start works, and leaves nothing of what was before.
  func checkNextStart(_ what: String) throws {
    let next = try run()
    #expect(next.exited && next.status == 0, "after \(what): \(next.status) \(next.errors)")
    try checkResults(isDone: true, died: false, "the start after \(what)")
  }
}
