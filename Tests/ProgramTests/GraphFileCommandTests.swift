import Foundation
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

/// A neuron graph in a file, in every command.
@Suite struct GraphFileCommandTests {
  private let folder: TemporaryFolder
  private var text: String { folder.path("text") }
  private var graph: String { folder.path("g.safetensors") }

  /// A model, a graph that is compiled from it, and a text.
  init() throws {
    folder = try TemporaryFolder()
    let sizes = Hyperparameters(neurons: 48, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 256)
    try Weights.random(sizes, seed: 3, damping: true).save(to: folder.path("m.safetensors"))
    try folder.write("text", Array(String(repeating: "To be, or not to be. ", count: 6).utf8))
    try folder.write("short", Array("To be, or not".utf8))
    let made = try run(
      "compile", "--model", folder.path("m.safetensors"), "--form", "direct", "--edges", "500", "--out", graph
    )
    try #require(made.status == 0, "\(made.errors)")
  }

  private func run(_ arguments: String...) throws -> CommandRun { try CommandRun.run(arguments) }

  private func json(_ line: some StringProtocol) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }

  /// The same network, to the last bit, as the one that is compiled anew.
  @Test func aGraphRunsAsWhenItWasCompiled() throws {
    let pruned = ["--model", folder.path("m.safetensors"), "--form", "direct", "--edges", "500"]
    for precision in ["float", "double"] {
      let (a, b) = (folder.path("a.npy"), folder.path("b.npy"))
      let more = ["--quiet", "--precision", precision, "--logits"]
      let own = try CommandRun.run(["step", "--model", graph, text] + more + [a])
      #expect(own.status == 0 && own.errors.isEmpty, "\(own.errors)")
      #expect(try CommandRun.run(["step"] + pruned + [text] + more + [b]).status == 0)
      if precision == "float" {
        #expect(try folder.data("a.npy") == folder.data("b.npy"))
      }
    }
    let words = ["--prompt", "To be", "--count", "20", "--seed", "1"]
    let said = try CommandRun.run(["generate", "--model", graph] + words)
    #expect(said.status == 0)
    #expect(try CommandRun.run(["generate"] + pruned + words).output == said.output)
  }

  @Test func verifyComparesItWithItsDenseTensors() throws {
    let double = try run("verify", "--model", graph, text, "--precision", "double", "--json")
    #expect(double.status == 0 && double.errors.isEmpty, "\(double.errors)")
    #expect(try json(double.output)["tolerance"] as? Double == 1e-10)
    #expect(try run("verify", "--model", graph, "--text", "To be", "--precision", "float").status == 0)
    for nudge in ["y:t84:n12:1.5", "x:t84:n12:-1"] {
      let nudged = try run("verify", "--model", graph, text, "--precision", "double", "--nudge", nudge)
      #expect(nudged.status == 1, "\(nudge): \(nudged.output)\(nudged.errors)")
    }
    // Who is active decides where a plastic weight shows.
    let plastic = try (0..<12).map { neuron in
      try run(
        "verify", "--model", graph, text, "--precision", "double", "--nudge", "plastic:t84:n\(neuron):9:3:1"
      ).status
    }
    #expect(plastic.contains(1) && plastic.allSatisfy { $0 < 2 }, "\(plastic)")
    for touched in [["--cut", "1:t84:n12"], ["--silence", "n12"], ["--set", "2:t84:n7=0.5@3"]] {
      let both = try CommandRun.run(
        ["verify", "--model", graph, text, "--precision", "double", "--controls", "0"] + touched)
      #expect(both.status == 0, "\(touched): \(both.output)\(both.errors)")
    }
    let spikes = try run("verify", "--model", graph, text, "--spiking", "few:4:12", "--max-kl", "5")
    #expect(spikes.status == 0, "\(spikes.output)\(spikes.errors)")
  }

  @Test func statesBelongToTheGraph() throws {
    let state = folder.path("s.state")
    #expect(try run("step", "--model", graph, text, "--quiet", "--state-out", state).status == 0)
    #expect(try run("step", "--model", graph, text, "--quiet", "--state-in", state).status == 0)
    let weights = try run(
      "step", "--model", folder.path("m.safetensors"), "--form", "direct", "--edges", "500", text,
      "--state-in",
      state)
    #expect(weights.isOneLine("model"), "\(weights.errors)")
    let other = folder.path("o.safetensors")
    #expect(try run("compile", "--model", graph, "--weights", "bf16", "--out", other).status == 0)
    #expect(try run("step", "--model", other, text, "--state-in", state).isOneLine("model"))
    let info = try json(try run("info", "--state", state, "--json").output)
    #expect(
      info["model"] as? String
        == (try json(try run("info", "--model", graph, "--json").output)["fingerprint"]) as? String)
  }

  @Test func infoSaysWhatItIs() throws {
    let info = try run("info", "--model", graph)
    #expect(info.status == 0 && info.errors.isEmpty)
    for part in ["500 from neurons", "from tokens", "damped by", "edges=500", "m.safetensors", "plastic"] {
      #expect(info.output.contains(part), "\(part)")
    }
    let object = try json(try run("info", "--model", graph, "--json").output)
    #expect(object["kind"] as? String == "graph" && object["n"] as? Int == 48)
    #expect((object["synapses"] as? [String: Int])?["x"] == 500)
    #expect(try run("info", "--model", graph, "--rounds").output.contains("direct form"))
    #expect(try run("info", "--model", graph, "--spiking").status == 0)
  }

  @Test func otherCommandsTakeIt() throws {
    for call in [
      ["record", "--model", graph, text, "--out", folder.path("r.npy")],
      ["record", "--model", graph, text, "--out", folder.path("r.csv"), "--strongest", "3", "--writes"],
      ["watch", "--model", graph, text, "--synapse", "2:t84:n12", "--neuron", "1:n3"],
      ["calibrate", "--model", graph, text, "--out", folder.path("s.json")],
      [
        "step", "--model", graph, text, "--quiet", "--spiking", "few:3:10", "--scales", folder.path("s.json"),
      ],
      ["step", "--model", graph, text, "--quiet", "--cut", "1:t84:n12", "--controls", "2"],
      ["step", "--model", graph, folder.path("short"), text, "--quiet"],
      ["compile", "--model", graph, "--out", folder.path("e.graphml")],
      ["compile", "--model", graph, "--form", "direct", "--out", folder.path("e.mtx")],
    ] {
      let result = try CommandRun.run(call)
      #expect(result.status == 0, "\(call): \(result.errors)")
    }
    #if Topology
      for which in ["x", "y"] {
        let out = folder.path("d\(which)")
        let result = try run(
          "degrees", "--model", graph, "--graph", which, "--out", out, "--bootstrap", "0", "--json")
        #expect(result.status == 0, "\(result.errors)")
        let edges = try folder.text("d\(which)/edges.csv").split(separator: "\n").count - 1
        #expect(edges > 100 && edges < 500)
      }
    #endif
  }

  /// A copy has the same content; in 16 bits another, of about half the size.
  @Test func aGraphIsCopied() throws {
    func fingerprint(_ path: String) throws -> String? {
      try json(try run("info", "--model", path, "--json").output)["fingerprint"] as? String
    }
    let (copy, short) = (folder.path("c.safetensors"), folder.path("b.safetensors"))
    #expect(try run("compile", "--model", graph, "--out", copy).status == 0)
    #expect(try run("compile", "--model", graph, "--out", short, "--weights", "bf16").status == 0)
    #expect(try fingerprint(copy) == fingerprint(graph))
    #expect(try fingerprint(short) != fingerprint(graph))
    #expect(try Double(folder.data("b.safetensors").count) < 0.8 * Double(folder.data("c.safetensors").count))
    #expect(try run("verify", "--model", short, text, "--precision", "double").status == 0)
  }

  @Test func whatItCannotDoIsOneLine() throws {
    let out = folder.path("x.safetensors")
    for call in [
      ["step", "--engine", "tensor", text], ["step", "--form", "circuit", text],
      ["step", "--form", "direct", "--edges", "10", text], ["step", "--weights", "bf16", text],
      ["step", "--layers", "3", text], ["step", "--prefix", "ema", text],
      ["generate", "--prompt", "To be", "--prompt-by", "tensor", "--count", "1", "--seed", "1"],
      ["verify", "--form", "circuit", text], ["fidelity", text, "--edges", "10"],
      ["compile", "--form", "circuit", "--out", folder.path("e.csv")],
      ["compile", "--form", "direct", "--edges", "10", "--out", folder.path("e.csv")],
      ["degrees", "--graph", "circuit", "--out", folder.path("d")],
      ["degrees", "--graph", "sigma", "--text", "To be", "--out", folder.path("d")],
      ["degrees", "--uncentred", "--out", folder.path("d")], ["info", "--rounds", "--form", "circuit"],
      ["calibrate", text, "--kl", "0.1", "--out", folder.path("s.json")],
    ] {
      let result = try CommandRun.run([call[0], "--model", graph] + call.dropFirst())
      #if !Topology
        if call[0] == "degrees" && call[2] != "circuit" { continue }
      #endif
      #expect(result.status == 2 && result.output.isEmpty, "\(call): \(result.output)")
      let lines = result.errors.split(separator: "\n")
      #expect(
        lines.count == 1 && (result.errors.contains("neuron graph") || call.contains("--weights")),
        "\(call): \(result.errors)")
    }
    let merged = try run("merge", graph, graph, "--out", out)
    #expect(merged.isOneLine("neuron graph"), "\(merged.errors)")
    for call in [
      ["--form", "circuit", "--out", out], ["--form", "direct", "--hubs", "2", "--edges", "9", "--out", out],
    ] {
      let refused = try CommandRun.run(["compile", "--model", folder.path("m.safetensors")] + call)
      #expect(refused.isOneLine(".safetensors"), "\(refused.errors)")
    }
  }

  /// A file that claims more than it has.
  @Test func aShortFileIsOneLine() throws {
    let bytes = try folder.data("g.safetensors")
    try folder.write("cut.safetensors", bytes.prefix(bytes.count - 40))
    #expect(try run("step", "--model", folder.path("cut.safetensors"), text).isOneLine("cut.safetensors"))
  }
}

extension TemporaryFolder {
  fileprivate func data(_ name: String) throws -> Data {
    try Data(contentsOf: url.appendingPathComponent(name))
  }
}
