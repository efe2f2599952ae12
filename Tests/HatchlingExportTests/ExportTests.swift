import Foundation
import HatchlingGraph
import HatchlingNumerics
import Testing

@testable import HatchlingExport

/// Exported files as NetworkX and SciPy read them: the same nodes, edges and attributes.
@Suite struct ExportTests {
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures/read.py").path

  private static func python(_ arguments: [String]) throws -> (status: Int32, output: Data) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, data)
  }

  static let hasReaders = (try? python(["-c", "import networkx, scipy.io"]).status == 0) ?? false

  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("export-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  private func read(_ path: String) throws -> [String: Any] {
    let (status, output) = try Self.python([Self.script, path])
    #expect(status == 0, "\(path)")
    return try #require(try JSONSerialization.jsonObject(with: output) as? [String: Any])
  }

  /// Neurons 6 … 11 of a network of heads of 6, no edge twice.
  private func graph(seed: UInt64, sign: Sign) -> NeuronGraph {
    var random = SeededRandom(seed: seed)
    var pairs = (0..<36).map { (Int32($0 / 6), Int32($0 % 6)) }
    pairs.shuffle(using: &random)
    let kept = pairs.prefix(20)
    let weights = kept.map { _ in Float(random.uniform() + 1e-4) }.sorted(by: >)
    return NeuronGraph(
      firstNeuron: 6, nodeCount: 6, neuronsPerHead: 6, sign: sign, sources: kept.map(\.0),
      targets: kept.map(\.1), weights: weights)
  }

  private func exported(_ graph: NeuronGraph) -> ExportedGraph {
    ExportedGraph(graph, kind: "x", frequencies: [0.5, 0.25, 0.1, 0.01, 0.001, 0]).annotated(
      communities: [0, 0, 1, 1, 2, 2], positions: (0..<6).map { (Double($0) / 3, -Double($0)) })
  }

  @Test(.enabled(if: ExportTests.hasReaders, "python3 with networkx and scipy is not installed"))
  func networkXReadsWhatWasWritten() throws {
    for (seed, sign) in [(UInt64(1), Sign.excitatory), (2, .inhibitory)] {
      let graph = graph(seed: seed, sign: sign)
      try withFolder { folder in
        for ending in ["graphml", "gexf"] {
          let path = "\(folder)/graph.\(ending)"
          #expect(try GraphFormat(path: path).write(exported(graph), to: path) == [path])
          let found = try read(path)
          let nodes = try #require(found["nodes"] as? [[String: Any]])
          #expect(nodes.count == 6)
          for (index, node) in nodes.enumerated() {
            #expect(node["name"] as? String == "n\(6 + index)" && node["head"] as? Int == 1)
            #expect(node["kind"] as? String == "neuron" && node["community"] as? Int == index / 2)
            #expect(node["frequency_bucket"] as? Int == [1, 2, 3, 6, 9, nil][index])
            if ending == "gexf" {
              let place = (node["viz"] as? [String: Any])?["position"] as? [String: Double]
              #expect(place?["x"] == Double(index) / 3 && place?["y"] == -Double(index))
            }
          }
          try check(try #require(found["edges"] as? [[String: Any]]), graph, sign)
        }
      }
    }
  }

  private func check(_ edges: [[String: Any]], _ graph: NeuronGraph, _ sign: Sign) throws {
    var expected: [String: Double] = [:]
    for edge in 0..<graph.edgeCount {
      expected["n\(6 + graph.sources[edge]) n\(6 + graph.targets[edge])"] = Double(graph.weights[edge])
    }
    #expect(edges.count == graph.edgeCount && expected.count == graph.edgeCount)
    for edge in edges {
      let name = "\(edge["source"] as? String ?? "") \(edge["target"] as? String ?? "")"
      // The shortest decimal of a float32 reads back as that float32.
      #expect(Float(edge["weight"] as? Double ?? .nan) == expected[name].map { Float($0) }, "\(name)")
      #expect(edge["sign"] as? String == sign.rawValue && edge["kind"] as? String == "x")
    }
  }

  @Test(.enabled(if: ExportTests.hasReaders, "python3 with networkx and scipy is not installed"))
  func sciPyReadsMatrixMarket() throws {
    let graph = graph(seed: 3, sign: .inhibitory)
    try withFolder { folder in
      let path = "\(folder)/graph.mtx"
      let files = try GraphFormat(path: path).write(exported(graph), to: path)
      #expect(files == ["\(folder)/graph.x.mtx", "\(folder)/graph.nodes.csv"])
      let found = try read(files[0])
      #expect(found["rows"] as? Int == 12 && found["columns"] as? Int == 12)
      let edges = try #require(found["edges"] as? [[String: Any]])
      #expect(edges.count == graph.edgeCount)
      let seen = Set(
        edges.map {
          "\($0["source"] as? Int ?? -1) \($0["target"] as? Int ?? -1) \(Float($0["weight"] as? Double ?? .nan))"
        })
      let expected = (0..<graph.edgeCount).map {
        "\(6 + graph.sources[$0]) \(6 + graph.targets[$0]) \(-graph.weights[$0])"
      }
      #expect(seen == Set(expected))
    }
  }

  @Test func csvHoldsEdgesAndItsCompanionNodes() throws {
    let graph = graph(seed: 4, sign: .excitatory)
    try withFolder { folder in
      let path = "\(folder)/graph.csv"
      let files = try GraphFormat(path: path).write(exported(graph), to: path)
      let lines = try files.map { try String(contentsOfFile: $0, encoding: .utf8).split(separator: "\n") }
      #expect(lines[0].count == graph.edgeCount + 1 && lines[0][0] == "source,target,kind,sign,weight")
      #expect(
        lines[0][1]
          == "n\(6 + graph.sources[0]),n\(6 + graph.targets[0]),x,excitatory,\(graph.weights[0])")
      #expect(
        lines[1] == [
          "node,kind,head,frequency_bucket,community", "n6,neuron,1,1,0", "n7,neuron,1,2,0",
          "n8,neuron,1,3,1",
          "n9,neuron,1,6,1", "n10,neuron,1,9,2", "n11,neuron,1,,2",
        ])
    }
  }

  @Test func graphsWithoutEdgesAreFiles() throws {
    let empty = NeuronGraph(nodeCount: 1, neuronsPerHead: 1, sources: [], targets: [], weights: [])
    try withFolder { folder in
      for format in GraphFormat.allCases {
        let path = "\(folder)/empty.\(format.rawValue)"
        let files = try format.write(ExportedGraph(empty, kind: "x", frequencies: []), to: path)
        #expect(!files.isEmpty && files.allSatisfy { FileManager.default.fileExists(atPath: $0) })
      }
    }
  }

  @Test func numbersAreWrittenAsTheyRead() throws {
    let graph = NeuronGraph(
      nodeCount: 100_001, neuronsPerHead: 100_001, sources: [0, 10, 99_999, 100_000],
      targets: [100_000, 9, 101, 0], weights: [3e8, 1, 0.1, 1e-30])
    try withFolder { folder in
      let path = "\(folder)/n.csv"
      _ = try GraphFormat.csv.write(ExportedGraph(graph, kind: "y", frequencies: []), to: path)
      let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst()
      #expect(
        Array(lines) == [
          "n0,n100000,y,excitatory,3e+08", "n10,n9,y,excitatory,1.0", "n99999,n101,y,excitatory,0.1",
          "n100000,n0,y,excitatory,1e-30",
        ])
    }
  }
}
