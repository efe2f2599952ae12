import Foundation
import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics
import Synchronization
import TestSupport
import Testing

@testable import hatchling

/// Every option and argument of every command with values that are wrong, missing, huge, negative and not finite. The program itself says
/// which there are, so a new option is walked without a change here; a new command needs a call in ``calls``.
@Suite struct OptionWalkTests {
  /// A call of every command that works and is soon done, in a folder with `m.safetensors`, `text`, `a`, `b`, `s` and `t`.
  private static let calls = [
    "info": "--model m.safetensors", "step": "--model m.safetensors text --quiet",
    "generate": "--model m.safetensors --prompt ab --count 2 --seed 1",
    "verify": "--model m.safetensors text",
    "compile": "--model m.safetensors --out o.csv",
    "degrees": "--model m.safetensors --out d --bootstrap 0 --modularity-edges 9",
    "merge": "m.safetensors m.safetensors --out o.safetensors",
    "fidelity": "text --model m.safetensors --edges 10 --segment 8 --tokens 16",
    "train":
      "text --out o.safetensors --steps 1 --n 32 --d 8 --heads 2 --layers 1 --block 8 --batch 1 --validation 0 --sample 0",
    "record": "--model m.safetensors text --out o.npy",
    "watch": "--model m.safetensors text --synapse 2:h3:n12",
    "explain": "--model m.safetensors text --token 3 --check 5",
    "raster": "--model m.safetensors text --spiking few:2:6 --tokens 20 --out d",
    "calibrate": "--model m.safetensors text --out o.json",
    "concepts":
      "--model m.safetensors --sentences-with s --sentences-without t --count 10 --permutations 19 --only-this-network",
    "plan":
      "--model m.safetensors --ranks 1,2 --latency 2 --bandwidth 5 --memory-bandwidth 10 --active-x 0.2",
    "activity":
      "--model m.safetensors text --segment 20 --leave-out 4 --resamples 10 --pairs 10 --out d",
    "memorise-corpus": "--out o.txt --episodes 3",
    "translate-corpus": "a b --languages en,fr --out o.txt",
  ]

  /// nil: the value is missing. The rest, which takes half a minute more, with HATCHLING_WALK=all.
  private static let values: [String?] =
    [nil, "abc", "-1", "nan", huge]
    + (ProcessInfo.processInfo.environment["HATCHLING_WALK"] == nil
      ? [] : ["", "0", "inf", "1e400", "99999999999999999999", "none/x", "folder", "-\u{1B}[31m"])
  /// Runs that really take so long are ended.
  private static let huge = "9223372036854775807"
  private static let bytes = "\\377\\376"

  private struct Help: Decodable {
    struct Name: Decodable { let name: String }
    struct Argument: Decodable {
      let kind: String
      let names: [Name]?
      let valueName: String?
    }
    struct Command: Decodable {
      let commandName: String
      let arguments: [Argument]?
      let subcommands: [Command]?
    }
    let command: Command
  }

  private struct Call: Sendable {
    var arguments: [String]
    /// The option, or what an argument is called.
    let name: String
    /// nil: missing.
    let value: String?
    var isBytes: Bool { value == OptionWalkTests.bytes }
    /// 0 aside.
    var isNumber: Bool { value != "0" && value.flatMap(Double.init) != nil }
  }

  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let sizes = Hyperparameters(neurons: 32, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 256)
    try Weights.random(sizes, seed: 1).save(to: folder.path("m.safetensors"))
    try folder.write("text", Array(String(repeating: "To be, or not to be: that is it. ", count: 4).utf8))
    for (name, word) in [("s", "king"), ("t", "bird")] {
      let lines = (0..<48).map { "\(word)\($0 % 4)\tthere is \(word)\($0 % 4) for \($0) days" }
      try folder.write(name, Array(lines.joined(separator: "\n").utf8))
    }
    try folder.write("a", Array("one\ntwo\n".utf8))
    try folder.write("b", Array("un\ndeux\n".utf8))
    try FileManager.default.createDirectory(atPath: folder.path("folder"), withIntermediateDirectories: true)
    return folder
  }

  /// Every call with one thing wrong, or possibly so.
  private static func walk(_ help: Help) -> [Call] {
    var walk: [Call] = []
    for command in help.command.subcommands ?? [] where command.commandName != "help" {
      let words = (calls[command.commandName] ?? "").split(separator: " ").map(String.init)
      for argument in command.arguments ?? [] where argument.kind != "flag" {
        let option = argument.names?.first.map { "--" + $0.name }
        var call = [command.commandName] + words
        if let option, let place = call.firstIndex(of: option) { call.removeSubrange(place...place + 1) }
        let name = option ?? argument.valueName ?? "?"
        for value in values where option != nil || value != nil {
          walk.append(
            Call(arguments: call + [option, value].compactMap { $0 }, name: name, value: value))
        }
        walk.append(Call(arguments: call + [option].compactMap { $0 }, name: name, value: bytes))
      }
    }
    return walk
  }

  /// What is wrong with a complaint; nil for one line that names the option, the value or the file.
  private static func fault(_ complaint: String, _ call: Call) -> String? {
    let value = call.isBytes ? "\\xFF\\xFE" : (call.value ?? "").escaped
    // An argument `files` is FILE in messages.
    let word = call.name.uppercased()
    let argument = word.hasSuffix("S") ? String(word.dropLast()) : word
    let names = ["'\(value)'", call.name.hasPrefix("--") ? call.name : argument]
    guard names.contains(where: complaint.contains) else { return "names neither \(call.name) nor its value" }
    return internals(complaint)
  }

  /// Anything in a message that is not for users.
  private static func internals(_ text: String) -> String? {
    let words = [
      "Error Domain", "Error(", "Optional(", "fatal", "Fatal", "Swift.", "Foundation.", "Backtrac",
    ]
    if let word = words.first(where: text.contains) { return "says \(word)" }
    if let word = text.firstMatch(of: /[A-Z][a-z]+[A-Za-z]*(Error|Exception|Kit|View)\b/) {
      return "says \(word.0)"
    }
    return text.contains { $0 != "\n" && $0.unicodeScalars.contains(where: \.needsEscape) }
      ? "not escaped" : nil
  }

  private static func fault(_ call: Call, in folder: String) throws -> String? {
    // Pictures take long and are not what is tried.
    let environment = ["PATH": "/nonexistent"]
    let run =
      call.isBytes
      ? try CommandRun.run(call.arguments, last: bytes, environment: environment, in: folder)
      : try CommandRun.run(call.arguments, environment: environment, in: folder) { process in
        let patience = call.value == huge ? 0.5 : 30.0
        DispatchQueue.global().asyncAfter(deadline: .now() + patience) {
          if process.isRunning { process.terminate() }
        }
      }
    guard run.exited else { return "ended by signal \(run.status): \(run.errors.prefix(300))" }
    if run.status == 0 || run.status == 1 { return internals(run.errors) }
    if run.status == 128 + SIGTERM { return call.value == huge ? nil : "does not end" }
    guard run.status == 2 else { return "status \(run.status)" }
    let lines = run.errors.split(separator: "\n")
    guard lines.count == 1, run.errors.hasPrefix("hatchling: error: ") else {
      return "\(lines.count) lines: \(run.errors)"
    }
    return fault(run.errors, call).map { "\($0): \(run.errors)" }
  }

  @Test func everyOptionIsRefusedInOneLineOrWorks() throws {
    let help = try JSONDecoder().decode(
      Help.self, from: Data(try CommandRun.run(["--experimental-dump-help"]).output.utf8))
    let folder = try folder()
    for command in help.command.subcommands ?? [] where command.commandName != "help" {
      let words = try #require(
        Self.calls[command.commandName], "a call of '\(command.commandName)' that works is needed here")
      let run = try CommandRun.run(
        [command.commandName] + words.split(separator: " ").map(String.init), in: folder.url.path)
      #expect(run.status == 0, "\(command.commandName): \(run.errors)")
    }
    // What is not even parsed needs no process; where any text will do, one number stands for all.
    var (parsed, refused, texts): ([Call], Int, Set<ArraySlice<String>>) = ([], 0, [])
    for call in Self.walk(help) {
      let arguments = call.arguments + (call.isBytes ? [String(anyBytes: [0xFF, 0xFE])] : [])
      do {
        _ = try Hatchling.parseAsRoot(Arguments.prepared(arguments))
        if call.value == "abc" { texts.insert(arguments.dropLast()) }
        if call.isNumber && texts.contains(arguments.dropLast()) { continue }
        parsed.append(call)
      } catch {
        let complaint = Main.complaint(about: error) ?? "help"
        if let fault = Self.fault(complaint.escaped, call) {
          Issue.record("\(call.arguments): \(fault): \(complaint)")
        }
        refused += 1
      }
    }
    #expect(refused > 150 && parsed.count > 150, "\(refused) refused, \(parsed.count) to run")
    let faults = Mutex<[String]>([])
    let (calls, place) = (parsed, folder.url.path)
    DispatchQueue.concurrentPerform(iterations: calls.count) { index in
      let fault: String?
      var call = calls[index]
      // Two runs of training may not write one network.
      call.arguments = call.arguments.map { $0 == "o.safetensors" ? "o\(index).safetensors" : $0 }
      do { fault = try Self.fault(call, in: place) } catch { fault = "\(error)" }
      if let fault { faults.withLock { $0.append("\(calls[index].arguments): \(fault)") } }
    }
    for fault in faults.withLock({ $0 }) { Issue.record("\(fault)") }
  }
}
