#if Topology
  import Foundation
  import HatchlingModel
  import TestSupport
  import Testing

  /// `degrees` on graphs of neurons: whole files, the same bytes for any number of threads, sensible answers where nothing is left.
  @Suite struct DegreesCommandTests {
    private func run(_ arguments: [String]) throws -> CommandRun {
      try CommandRun.run(["degrees"] + arguments)
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
      let folder = try TemporaryFolder()
      try body(folder.url.path)
    }

    private func text(_ arguments: [String]) throws -> String {
      let result = try run(arguments + ["--json"])
      #expect(result.status == 0 && result.errors.isEmpty, "\(arguments): \(result.errors)")
      return result.output
    }

    private func parse(_ text: String) throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private func summary(_ arguments: [String]) throws -> [String: Any] { try parse(text(arguments)) }

    private func lines(_ path: String) throws -> [Substring] {
      try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    }

    @Test func filesAgreeWithEachOtherAndThreadsDoNotMatter() throws {
      try withFolder { folder in
        let arguments = [
          "--graph", "x", "--head", "1", "--edges", "2e3", "--bootstrap", "4", "--modularity-edges",
          "300, 2_000", "--export", "\(folder)/graph.graphml",
        ]
        let answer = try text(arguments + ["--out", "\(folder)/one", "--threads", "1"])
        let one = try parse(answer)
        let export = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/graph.graphml"))
        #expect(try text(arguments + ["--out", "\(folder)/two", "--threads", "2"]) == answer)
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/graph.graphml")) == export)
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/one").sorted()
        #expect(!names.contains { $0.contains("partial") })
        for name in ["summary.json", "in_degree.csv", "out_degree.csv", "nodes.csv", "edges.csv"] {
          #expect(names.contains(name))
        }
        for name in names {
          let (a, b) = (
            try Data(contentsOf: URL(fileURLWithPath: "\(folder)/one/\(name)")),
            try Data(contentsOf: URL(fileURLWithPath: "\(folder)/two/\(name)"))
          )
          #expect(a == b && !a.isEmpty, "\(name)")
        }
        #expect(one["edges"] as? Int == 2000)
        let nodes = try #require(one["nodes"] as? Int)
        let (edgeLines, nodeLines) = (
          try lines("\(folder)/one/edges.csv"), try lines("\(folder)/one/nodes.csv")
        )
        #expect(edgeLines.count == 2001 && edgeLines[0] == "source,target,weight")
        #expect(nodeLines.count == nodes + 1 && nodeLines[1].hasPrefix("n\(nodes),1,"))
        let weights = edgeLines.dropFirst().compactMap { Float($0.split(separator: ",")[2]) }
        #expect(weights.count == 2000 && weights == weights.sorted(by: >))
        // As float32: JSON readers may differ in the last digit of a double.
        #expect(try #require(weights.last) == Float(try #require(one["threshold"] as? Double)))
        for (file, column) in [("in_degree", 1), ("out_degree", 0)] {
          let rows = try lines("\(folder)/one/\(file).csv").dropFirst().map { $0.split(separator: ",") }
          let (degrees, counts) = (rows.compactMap { Int($0[0]) }, rows.compactMap { Int($0[1]) })
          #expect(counts.reduce(0, +) == nodes && zip(degrees, counts).reduce(0) { $0 + $1.0 * $1.1 } == 2000)
          let busiest = Dictionary(grouping: edgeLines.dropFirst()) { $0.split(separator: ",")[column] }
            .values.map(\.count).max()
          #expect(degrees.last == busiest)
        }
      }
    }

    @Test func nothingLeftIsStillAnAnswer() throws {
      try withFolder { folder in
        for arguments in [
          ["--graph", "x", "--threshold", "1e9"], ["--graph", "y", "--edges", "1", "--head", "0"],
          ["--graph", "sigma", "--layer", "1", "--text", "hello"],
          ["--graph", "x", "--sign", "inhibitory", "--threshold", "1e9", "--uncentred", "--unweighted"],
        ] {
          let found = try summary(
            arguments + ["--out", folder, "--bootstrap", "2", "--modularity-edges", "1"])
          let edges = arguments.contains("--edges") ? 1 : 0
          #expect(found["edges"] as? Int == edges, "\(arguments)")
          #expect((found["nodes"] as? Int ?? 0) > 0)
          #expect(try lines("\(folder)/edges.csv").count == edges + 1)
          let degrees = try #require(found["in_degree"] as? [String: Any])
          #expect(degrees["mean"] != nil && degrees["power_law"] == nil)
        }
      }
    }

    @Test func sigmaStatesItsSignsAndTakesAFile() throws {
      try withFolder { folder in
        let (file, model) = ("\(folder)/text.txt", "\(folder)/m.safetensors")
        try "to be, or not to be".write(toFile: file, atomically: true, encoding: .utf8)
        let sizes = Hyperparameters(neurons: 256, synapticDimension: 16, heads: 2, layers: 3, vocabulary: 128)
        try Weights.random(sizes, seed: 3).save(to: model)
        let common =
          ["--graph", "sigma", "--head", "0", "--bootstrap", "0", "--modularity-edges", "100"]
          + ["--model", model]
        let answer = try text(common + [file, "--out", "\(folder)/a"])
        let first = try parse(answer)
        let entries = try #require(first["entries"] as? [String: Any])
        let positive = try #require(entries["positive"] as? Int)
        #expect((entries["negative"] as? Int ?? 0) > 0 && positive > 1000)
        // All positive entries but the weakest twentieth.
        #expect(first["edges"] as? Int == positive - positive / 20)
        #expect(
          try text(common + ["--text", "to be, or not to be", "--out", "\(folder)/b"]) == answer)
        let stored = try summary(
          common + ["--text", "to be, or not to be", "--frame", "stored", "--out", "\(folder)/c"])
        #expect(stored["frame"] as? String == "stored" && stored["threshold"] as? Double != nil)
        #expect(stored["threshold"] as? Double != first["threshold"] as? Double)
      }
    }

    /// G^(ab) of §5.5: the graphs between heads hold every edge of the whole one, once. A network's and a neuron graph's.
    @Test func pairsOfHeadsMakeUpTheGraph() throws {
      try withFolder { folder in
        let sizes = Hyperparameters(neurons: 24, synapticDimension: 8, heads: 3, layers: 2, vocabulary: 7)
        let (model, graph) = ("\(folder)/m.safetensors", "\(folder)/g.safetensors")
        try Weights.random(sizes, seed: 5).save(to: model)
        let compiled = try CommandRun.run(
          ["compile", "--form", "direct", "--edges", "200", "--model", model, "--out", graph])
        #expect(compiled.status == 0, "\(compiled.errors)")
        for (file, kept) in [(model, ["--threshold", "0"]), (graph, [])] {
          /// Source, target and weight of every edge; of nodes the neurons of a sender and a head.
          func edges(_ more: [String], from sender: Int = 0, to head: Int = 0) throws -> [[Int]: Double] {
            let out = "\(folder)/out"
            let always = ["--graph", "y", "--model", file, "--bootstrap", "0", "--modularity-edges", "9"]
            _ = try summary(always + ["--out", out] + kept + more)
            var found: [[Int]: Double] = [:]
            for line in try lines("\(out)/edges.csv").dropFirst() {
              let parts = line.split(separator: ",")
              let source = try #require(Int(parts[0].dropFirst())) + 8 * sender
              let target = try #require(Int(parts[1].dropFirst())) + 8 * head
              #expect(found.updateValue(try #require(Double(parts[2])), forKey: [source, target]) == nil)
            }
            return found
          }
          var parts: [[Int]: Double] = [:]
          for (head, sender) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
            let own = try edges(["--head", "\(head)", "--from-head", "\(sender)"], from: sender, to: head)
            parts.merge(own) { _, _ in .nan }
          }
          // Inside a head a node is its neuron.
          for head in 0..<3 {
            let own = try edges(["--head", "\(head)"])
            #expect(try edges(["--head", "\(head)", "--from-head", "\(head)"]) == own)
            parts.merge(own) { _, _ in .nan }
          }
          let whole = try edges([])
          #expect(whole.count > 50 && whole.count == parts.count, "\(whole.count), \(parts.count)")
          for (ends, weight) in whole {
            // Products of other blocks may round otherwise.
            #expect(abs((parts[ends] ?? .nan) - weight) <= 1e-6, "\(ends)")
          }
        }
      }
    }

    @Test func gexfHasPositions() throws {
      try withFolder { folder in
        _ = try summary([
          "--graph", "x", "--head", "2", "--edges", "300", "--bootstrap", "0", "--modularity-edges", "300",
          "--out", folder, "--export", "\(folder)/g.gexf",
        ])
        let text = try String(contentsOfFile: "\(folder)/g.gexf", encoding: .utf8)
        let nodes = try lines("\(folder)/nodes.csv").count - 1
        #expect(nodes > 0 && text.components(separatedBy: "<viz:position").count - 1 == nodes)
      }
    }

    /// Neurons, hubs, tokens and readouts of a circuit have positions, drawn from the seed.
    @Test func gexfOfACircuitHasPositions() throws {
      try withFolder { folder in
        let sizes = Hyperparameters(neurons: 24, synapticDimension: 8, heads: 2, layers: 3, vocabulary: 7)
        let model = "\(folder)/m.safetensors"
        try Weights.random(sizes, seed: 1).save(to: model)
        func export(_ name: String, _ more: String...) throws -> String {
          _ = try summary(
            [
              "--graph", "circuit", "--model", model, "--out", "\(folder)/out", "--export",
              "\(folder)/\(name)",
            ] + more)
          return try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
        }
        let one = try export("one.gexf", "--layout", "--threads", "1")
        #expect(one.components(separatedBy: "<viz:position").count - 1 == 24 + 8 + 7 + 7)
        #expect(try export("same.gexf", "--seed", "1") == one)
        #expect(try export("other.gexf", "--seed", "2") != one)
      }
    }

    @Test func badUsageIsOneLine() throws {
      try withFolder { folder in
        for arguments in [
          ["--graph", "sigma"], ["--graph", "x", "--head", "99"], ["--graph", "x", "--threshold", "-1"],
          ["--graph", "x", "--threshold", "nan"], ["--graph", "x", "--edges", "0"],
          ["--graph", "x", "--edges", "5", "--threshold", "1"],
          ["--graph", "sigma", "--text", "a", "--layer", "0"],
          ["--graph", "x", "--text", "a"], ["--graph", "x", "--export", "x.unknown"],
          ["--graph", "x", "--modularity-edges", "many"], ["--graph", "x", "--layout"],
          ["--graph", "x", "--edges", "1.5"], ["--graph", "x", "--edges", "4e7"],
          ["--graph", "x", "--modularity-edges", "1.5"], ["--graph", "x", "--modularity-edges", "5,,6"],
          ["--graph", "x", "--modularity-edges", "5,4e7"], ["--graph", "x", "--modularity-edges", "1e11"],
          ["--graph", "x", "--from-head", "1"], ["--graph", "x", "--head", "all", "--from-head", "1"],
          ["--graph", "x", "--head", "0", "--from-head", "-1"],
          ["--graph", "sigma", "--text", "a", "--head", "0", "--from-head", "1"],
          ["--graph", "circuit", "--from-head", "1"],
          ["--graph", "x", "--frame", "stored"], ["--graph", "sigma", "--text", "a", "--uncentred"],
        ] {
          let result = try run(arguments + ["--out", "\(folder)/out"])
          #expect(result.status == 2 && result.output.isEmpty, "\(arguments)")
          #expect(result.errors.split(separator: "\n").count == 1, "\(arguments): \(result.errors)")
        }
        let nobody = try run(["--graph", "x", "--head", "0", "--from-head", "4", "--out", "\(folder)/out"])
        #expect(nobody.isOneLine("--from-head 4: the model has heads 0 … 3"), "\(nobody.errors)")
      }
    }
  }
#endif
