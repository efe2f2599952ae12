import Foundation
import HatchlingCommands
import HatchlingCompiler
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

/// Who reads a prompt, and that it is said.
@Suite struct PromptTests {
  private let prompt = "To be, or not to be: that is the question: Whether 'tis nobler in the mind to suffer"

  private func generate(_ more: String...) throws -> CommandRun {
    try CommandRun.run(["generate", "--prompt", prompt, "--count", "6", "--temperature", "0"] + more)
  }

  @Test func aPromptThatTheTensorsReadForAGraphIsSaid() throws {
    let handedOver = try generate()
    #expect(handedOver.status == 0 && !handedOver.output.isEmpty)
    let lines = handedOver.errors.split(separator: "\n")
    #expect(lines.count == 1 && handedOver.errors.contains("the tensors read the prompt of 84 tokens"))
    for silent in [["--prompt-by", "graph"], ["--engine", "tensor"], ["--form", "direct"]] {
      let run = try CommandRun.run(
        ["generate", "--prompt", prompt, "--count", "6", "--temperature", "0"] + silent)
      #expect(run.status == 0 && !run.errors.contains("the tensors"), "\(silent): \(run.errors)")
      #expect(run.output == handedOver.output, "\(silent): \(run.output)")
    }
    let short = try CommandRun.run([
      "generate", "--prompt", "ROMEO:", "--count", "1", "--temperature", "0", "--prompt-by", "tensor",
    ])
    #expect(short.errors.contains("prompt of 6 tokens"))
  }

  @Test func jsonSaysItOnItsFirstLine() throws {
    let lines = try generate("--json").output.split(separator: "\n")
    try #require(lines.count == 7)
    #expect(lines[0] == #"{"prompt":{"read_by":"tensor","tokens":84}}"#)
    let own = try generate("--json", "--prompt-by", "graph").output.split(separator: "\n")
    #expect(own.count == 6 && own.allSatisfy { $0.contains("position") })
  }

  /// What was written decides, not the prompt; the text that ends it is the last that is written.
  @Test func writingEndsBehindAGivenText() throws {
    let call = ["generate", "--prompt", "ROMEO:", "--count", "60", "--temperature", "0"]
    let whole = Array(try CommandRun.run(call).output.utf8)
    try #require(whole.count == 60)
    for length in 1...4 {
      let end = whole[20..<20 + length]
      let first = try #require(
        (0...whole.count - length).first { whole[$0..<$0 + length].elementsEqual(end) })
      let run = try CommandRun.run(call + ["--until=\(String(decoding: end, as: UTF8.self))"])
      #expect(run.status == 0 && Array(run.output.utf8) == Array(whole[..<(first + length)]), "\(run.output)")
    }
    let overPrompt = "MEO:" + String(decoding: whole.prefix(1), as: UTF8.self)
    let never = try CommandRun.run(call + ["--until", overPrompt])
    #expect(Array(never.output.utf8) == whole, "the prompt's end and what follows it ended the writing")
    #expect(try CommandRun.run(call + ["--until", ""]).isOneLine("--until", "empty"))
  }

  @Test func whoCannotReadIsRefused() throws {
    let folder = try TemporaryFolder()
    for call in [
      ["--prompt-by", "graph", "--engine", "tensor"], ["--prompt-by", "tensor", "--form", "direct"],
      ["--prompt-by", "tensor", "--weights", "int8"],
      ["--prompt-by", "tensor", "--state-out", folder.path("state")],
      ["--prompt-by", "tensor", "--logits", folder.path("logits.npy")],
    ] {
      let run = try CommandRun.run(["generate", "--prompt", prompt, "--count", "1", "--seed", "1"] + call)
      #expect(run.isOneLine("--prompt-by", "the prompt"), "\(call): \(run.errors)")
    }
    #expect(folder.names.isEmpty, "\(folder.names)")
  }

  /// Read by the graph, a prompt leaves what stepping leaves, to the bit; read by the tensors, the same but for rounding.
  @Test func bothReadersLeaveOneState() throws {
    let folder = try TemporaryFolder()
    let sizes = Hyperparameters(neurons: 32, synapticDimension: 8, heads: 2, layers: 3, vocabulary: 128)
    try Weights.random(sizes, seed: 5).save(to: folder.path("m.safetensors"))
    let (model, workers) = (try Model.load(path: folder.path("m.safetensors")), Workers(threads: 2))
    func reader() throws -> StreamReader<Double> {
      try StreamReader(EngineDescription(.circuit), model, workers: workers)
    }
    let tokens = prompt.utf8.map(Int.init)
    let (stepped, byGraph, byTensors) = (try reader(), try reader(), try reader())
    for token in tokens { _ = try stepped.step(token) }
    #expect(try byGraph.read(prompt: tokens, by: .graph) == .graph)
    #expect(try byTensors.read(prompt: tokens) == .tensor)
    #expect(byGraph.engine.logits == stepped.engine.logits)
    #expect(byTensors.engine.position == tokens.count)
    #expect(byTensors.engine.logits != stepped.engine.logits, "the tensors cannot have read it")
    let pairs = zip(byTensors.engine.logits, stepped.engine.logits)
    #expect(pairs.allSatisfy { abs($0 - $1) < 1e-10 } && stepped.engine.logits.contains { $0 != 0 })
    #expect(try reader().read(prompt: Array(tokens.prefix(63))) == .graph)
  }

  @Test func oneDescriptionPerEngine() throws {
    let sizes = Hyperparameters(neurons: 32, synapticDimension: 8, heads: 2, layers: 3, vocabulary: 128)
    let (weights, workers) = (Weights.random(sizes, seed: 6).converted(to: Double.self), Workers(threads: 2))
    var all: [[Double]] = []
    for formulation in [EngineDescription.Formulation.circuit, .direct(DirectOptions()), .tensors] {
      let engine = try EngineDescription(formulation).engine(running: weights, workers: workers)
      for token in [84, 111, 32] { try engine.step(token) }
      all.append(engine.logits)
    }
    #expect(all[0].contains { $0 != 0 })
    for other in all.dropFirst() {
      #expect(other.count == 128 && zip(other, all[0]).allSatisfy { abs($0 - $1) < 1e-10 })
    }
    for (formulation, format) in [
      (EngineDescription.Formulation.circuit, ReducedFormat.int8), (.tensors, .int8),
    ] {
      #expect(throws: EngineDescriptionError.onlyCircuitsAreReduced) {
        _ = try EngineDescription(formulation, reduced: format).network(from: weights, workers: workers)
      }
    }
  }
}
