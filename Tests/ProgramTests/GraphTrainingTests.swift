import Foundation
import HatchlingGraph
import TestSupport
import Testing

/// `hatchling train --form direct`: a sparse graph that is trained on its own synapses, and what other commands do with it.
@Suite(.serialized) struct GraphTrainingTests {
  static let sizes = [
    "--n", "64", "--d", "16", "--heads", "2", "--layers", "2", "--block", "32", "--batch", "2", "--sample",
    "0",
  ]

  func train(_ folder: TemporaryFolder, _ name: String, _ more: [String]) throws -> CommandRun {
    let path = try folder.write("text", wordyText)
    return try CommandRun.run(["train", path, "--out", folder.path(name)] + Self.sizes + more)
  }

  func bytes(_ folder: TemporaryFolder, _ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: folder.path(name)))
  }

  @Test func aGraphFromNothingLearnsStepsAndAgreesWithItsTensors() throws {
    let folder = try TemporaryFolder()
    let run = try train(
      folder, "g.safetensors",
      [
        "--form", "direct", "--edges", "600", "--steps", "120", "--rewire", "gradient", "--rewire-every",
        "10",
      ])
    try #require(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    #expect(run.output.contains("600 + 600 synapses between neurons, exchanged every 10 updates"))
    let info = try CommandRun.run(["info", "--model", folder.path("g.safetensors")])
    #expect(info.output.contains("600 from neurons") && info.output.contains("training.graph"))
    let verify = try CommandRun.run([
      "verify", folder.path("text"), "--model", folder.path("g.safetensors"), "--tokens", "80", "--precision",
      "double",
    ])
    #expect(verify.status == 0 && verify.output.contains("AGREE within 1.00e-10"), "\(verify.output)")
    let step = try CommandRun.run([
      "step", folder.path("text"), "--model", folder.path("g.safetensors"), "--quiet", "--json",
    ])
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(step.output.utf8)) as? [String: Any])
    let loss = try #require((object["summary"] as? [String: Any])?["loss"] as? Double)
    #expect(loss < 4.6)
  }

  @Test(arguments: [
    ["--plastic", "kept"], ["--rewire", "random", "--rewire-every", "7"],
    ["--plastic", "kept", "--carry", "--damping", "learned"],
    ["--plastic", "kept", "--passage", "100", "--rewire", "gradient", "--rewire-every", "7"],
    ["--dale", "--seen-tokens", "--rewire", "gradient", "--rewire-every", "7"],
  ])
  func threadsAndAnInterruptionChangeNoBit(_ more: [String]) throws {
    let folder = try TemporaryFolder()
    let flags = ["--form", "direct", "--edges", "500", "--steps", "40"] + more
    for (name, threads) in [("one", "1"), ("two", "2")] {
      let run = try train(folder, name + ".safetensors", flags + ["--threads", threads])
      try #require(run.status == 0, "\(run.errors)")
    }
    #expect(try bytes(folder, "two.safetensors") == bytes(folder, "one.safetensors"))
    let text = folder.path("text")
    let interrupted = try CommandRun.run(
      ["train", text, "--out", folder.path("cut.safetensors"), "--threads", "1"] + Self.sizes + flags,
      during: { process in
        while process.isRunning, !folder.names.contains("cut.checkpoint") { usleep(2000) }
        process.interrupt()
      })
    #expect(interrupted.status == 130 || interrupted.status == 0)
    let resumed = try CommandRun.run([
      "train", text, "--out", folder.path("cut.safetensors"), "--resume", folder.path("cut.checkpoint"),
      "--sample",
      "0",
    ])
    try #require(resumed.status == 0, "\(resumed.errors)")
    #expect(try bytes(folder, "cut.safetensors") == bytes(folder, "one.safetensors"))
  }

  /// Only tokens that the text has send, and every neuron sends one sign.
  @Test func seenTokensAndDaleAreInTheFile() throws {
    let folder = try TemporaryFolder()
    let run = try train(
      folder, "g.safetensors",
      ["--form", "direct", "--edges", "600", "--steps", "30", "--seen-tokens", "--dale", "--validation", "0"])
    try #require(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("all synapses of a neuron have one sign"))
    let graph = try DirectGraph<Float>.load(path: folder.path("g.safetensors")).graph
    let seen = Set(wordyText.map { 64 + Int($0) })
    var signs: [Int: Set<Bool>] = [:]
    var senders: Set<Int> = []
    func note(_ node: Int, _ weight: Float) {
      if node < 64 { signs[node, default: []].insert(weight > 0) } else { senders.insert(node) }
    }
    graph.drivesX.forEachEntry { node, _, weight in note(node, weight) }
    graph.drivesY.forEachEntry { _, node, weight in note(node, weight) }
    #expect(senders == seen)
    #expect(signs.count > 50 && signs.values.allSatisfy { $0.count == 1 } && Set(signs.values).count == 2)
  }

  /// The graph that comes with the program: small, literal, and it predicts the text that it did not learn from.
  @Test func theShippedGraphReads() throws {
    let info = try CommandRun.run(["info", "--model", "sparse"])
    try #require(info.status == 0, "\(info.errors)")
    let path = try #require(info.output.split(separator: "\n").first?.split(separator: " ").last)
    let size = try FileManager.default.attributesOfItem(atPath: String(path))[.size] as? Int
    #expect(try #require(size) < 8_000_000)
    let text = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "../../Benchmarks/held-out.txt")
    let folder = try TemporaryFolder()
    let part = try folder.write("part", Array(try Data(contentsOf: text).prefix(300)))
    let step = try CommandRun.run(["step", part, "--model", "sparse", "--quiet", "--json"])
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(step.output.utf8)) as? [String: Any])
    let loss = try #require((object["summary"] as? [String: Any])?["loss"] as? Double)
    #expect(loss < 2, "nats per byte: \(loss)")
  }

  /// A network without hubs, from nothing, from a graph with hubs, and from itself.
  @Test func localGainsNeedNoHubs() throws {
    let folder = try TemporaryFolder()
    let direct = ["--form", "direct", "--edges", "600", "--steps", "60"]
    let text = try folder.write("text", wordyText)
    func train(_ name: String, _ flags: [String]) throws -> CommandRun {
      try CommandRun.run(
        ["train", text, "--out", folder.path(name), "--block", "32", "--batch", "2", "--sample", "20"] + flags
      )
    }
    let sizes = ["--n", "64", "--heads", "2", "--layers", "2"]
    let run = try train("g.safetensors", sizes + direct + ["--gains", "local"])
    try #require(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("local gains, no hubs") && run.output.contains("n 64, no hubs, H 2"))
    let hubs = try train("h.safetensors", sizes + ["--d", "16"] + direct)
    try #require(hubs.status == 0, "\(hubs.errors)")
    let turned = try train(
      "t.safetensors", ["--init", folder.path("h.safetensors"), "--gains", "local", "--steps", "20"])
    try #require(turned.status == 0, "\(turned.errors)")
    let further = try train("f.safetensors", ["--init", folder.path("t.safetensors"), "--steps", "20"])
    try #require(further.status == 0 && further.output.contains("local gains"), "\(further.errors)")
    let back = try train("b.safetensors", ["--init", folder.path("t.safetensors"), "--gains", "hubs"])
    #expect(back.status != 0 && back.errors.contains("no hubs that gains could go through"), "\(back.errors)")
    for name in ["g", "t", "f"] {
      let path = folder.path("\(name).safetensors")
      let graph = try DirectGraph<Float>.load(path: path).graph
      #expect(!graph.hasHubs && graph.localGains?.count == 5)
      let verify = try CommandRun.run([
        "verify", text, "--model", path, "--tokens", "80", "--precision", "double",
      ])
      #expect(verify.status == 0 && verify.output.contains("AGREE within 1.00e-10"), "\(verify.output)")
      #expect(verify.output.contains("sigma") && !verify.output.contains("rho"))
      for (arguments, words) in [
        (["info", "--model", path], "no hubs, local gains"),
        (["info", "--model", path, "--rounds"], "z → logits over R"),
        (["info", "--model", path, "--json"], "\"gains\""),
        (["generate", "--model", path, "--prompt", "a ", "--count", "5", "--seed", "1"], ""),
        (["degrees", "--model", path, "--graph", "x", "--bootstrap", "0", "--out", folder.path("d")], ""),
        (["step", text, "--model", path, "--quiet", "--state-out", folder.path("s")], ""),
        (["step", text, "--model", path, "--quiet", "--state-in", folder.path("s")], ""),
      ] {
        let run = try CommandRun.run(arguments)
        #expect(run.status == 0, "\(arguments): \(run.errors)")
        #expect(words.isEmpty || run.output.contains(words), "\(arguments): \(run.output)")
      }
      for (arguments, words) in [
        (["step", text, "--model", path, "--spiking", "graded"], "does not run on spikes"),
        (["info", "--model", path, "--spiking"], "does not run on spikes"),
        (["fidelity", text, "--model", path, "--edges", "100"], "is a neuron graph"),
        (
          ["record", text, "--model", path, "--what", "v", "--out", folder.path("r.csv")],
          "'v' cannot be watched"
        ),
      ] {
        let run = try CommandRun.run(arguments)
        #expect(run.status != 0 && run.errors.contains(words), "\(arguments): \(run.errors)")
        #expect(run.errors.components(separatedBy: "error:").count == 2, "\(run.errors)")
      }
    }
  }

  @Test func mistakesAreOneLine() throws {
    let folder = try TemporaryFolder()
    let graph = try train(folder, "g.safetensors", ["--form", "direct", "--edges", "300", "--steps", "2"])
    try #require(graph.status == 0, "\(graph.errors)")
    let mistakes: [([String], String)] = [
      (["--form", "direct"], "give a number of edges (--edges M)"),
      (["--form", "direct", "--edges", "10", "--n", "268435456"], "of memory and this machine has"),
      (
        ["--form", "direct", "--edges", "5000"],
        "5000 edges: a graph of this size has 4096 between its neurons"
      ),
      (["--form", "circuit", "--edges", "5"], "say --form direct"),
      (["--form", "circuit", "--gains", "local"], "say --form direct"),
      (["--form", "direct", "--edges", "300", "--gains", "local"], "no hubs to count"),
      (["--form", "direct", "--edges", "300", "--gains", "global"], "'global'"),
      (["--form", "circuit", "--dale"], "say --form direct"), (["--dale"], "give a number of edges"),
      (["--rewire-every", "5"], "give it too"),
      (["--form", "direct", "--edges", "300", "--rewire", "random", "--rewire-drop", "2"], "up to 1"),
      (["--form", "direct", "--edges", "300", "--detach"], "cannot count as constants"),
      (
        ["--form", "direct", "--edges", "300", "--log-topology", folder.path("t.csv")],
        "degrees are found from its file"
      ),
      (["--init", folder.path("g.safetensors"), "--edges", "10"], "is a neuron graph"),
      (["--resume", folder.path("g.checkpoint"), "--edges", "10"], "leave them out with --resume"),
      (
        ["--form", "direct", "--edges", "300", "--passage", "64"],
        "too much to carry from block to block"
      ),
      (["--form", "direct", "--edges", "300", "--carry"], "(--plastic kept, --no-carry)"),
      (
        ["--resume", folder.path("g.checkpoint"), "--carry"],
        "was begun without --carry or --passage; leave the option out"
      ),
    ]
    for (flags, words) in mistakes {
      let run = try train(folder, "m.safetensors", flags)
      #expect(run.status != 0 && run.errors.contains(words), "\(flags): \(run.errors)")
      #expect(!folder.names.contains("m.safetensors"))
    }
  }
}
