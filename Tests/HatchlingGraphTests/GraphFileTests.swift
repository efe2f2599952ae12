import Foundation
import HatchlingCheckpoint
import HatchlingCompiler
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

/// Graphs in files: what is saved comes back to the last bit, and a wrong file is one line.
@Suite final class GraphFileTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "hatchling-graph-\(UUID().uuidString)")
  private var path: String { folder.appendingPathComponent("graph.safetensors").path }

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: folder) }

  private func isSame(_ a: Projection<Float>, _ b: Projection<Float>) -> Bool {
    a.dense.elements.map(\.bitPattern) == b.dense.elements.map(\.bitPattern)
  }

  private func isSame(_ a: DirectGraph<Float>, _ b: DirectGraph<Float>) -> Bool {
    a.layers == b.layers && a.variant == b.variant && a.neurons == b.neurons && a.tokenCount == b.tokenCount
      && a.plastic == b.plastic && a.compilation == b.compilation && a.localGains == b.localGains
      && isSame(Projection(dense: a.field), Projection(dense: b.field))
      && isSame(Projection(dense: a.readout), Projection(dense: b.readout)) && isSame(a.drivesX, b.drivesX)
      && isSame(a.drivesY, b.drivesY)
  }

  @Test(arguments: Variant.allCases, RandomPlasticity.allCases)
  func aGraphComesBackBitForBit(variant: Variant, plasticity: RandomPlasticity) throws {
    for seed in 0..<18 as Range<UInt64> {
      var graph = DirectGraph.random(
        seed: seed, variant: variant, plasticity: plasticity, damping: seed % 2 == 0,
        density: seed == 3 ? 0 : nil, hasHubs: seed < 12)
      graph.compilation = "edges=30 plastic=kept"
      try graph.save(to: path, metadata: ["made.by": "a \"test\"", "format": "mine"])
      let (loaded, metadata) = try DirectGraph<Float>.load(path: path)
      #expect(isSame(graph, loaded), "seed \(seed)")
      #expect(metadata == ["made.by": "a \"test\""])
      #expect(loaded.fingerprint == graph.contentFingerprint && loaded.fingerprint.count == 64)
      let wide = try DirectGraph<Double>.load(path: path).graph
      #expect(isSame(wide.drivesX.dense.map { Float($0) }, graph.drivesX), "seed \(seed)")
      #expect(wide.plastic == graph.plastic && wide.fingerprint == loaded.fingerprint)
      #expect(wide.localGains?.map { Float($0) } == graph.localGains)
      #expect(try CheckpointFile.open(path).tensors.keys.contains("field") == (seed < 12))
    }
  }

  private func isSame(_ a: Matrix<Float>, _ b: Projection<Float>) -> Bool { isSame(Projection(dense: a), b) }

  @Test func compiledGraphsComeBackWithTheirPruning() throws {
    let sizes = Hyperparameters(
      neurons: 36, synapticDimension: 7, heads: 3, layers: 2, vocabulary: 9, variant: .definition4)
    let weights = Weights.random(sizes, seed: 5, damping: true)
    for options in [
      DirectOptions(), DirectOptions(kept: .strongest(90)),
      DirectOptions(kept: .strongest(300), prunesTokens: true, plastic: .complete),
    ] {
      let graph = try Compiler().direct(from: weights, options: options).graph
      try graph.save(to: path)
      let loaded = try DirectGraph<Float>.load(path: path).graph
      #expect(isSame(graph, loaded), "\(options.spelling)")
      #expect(loaded.compilation == options.spelling)
    }
    let onHubs = try Compiler().direct(from: weights, options: DirectOptions(kept: .strongest(90), hubs: 2))
      .graph
    #expect(throws: GraphError.remainderNotSaved) { try onHubs.save(to: path) }
  }

  /// Anything that changes what the network computes changes the fingerprint, how it is stored does not.
  @Test func fingerprintsTellGraphsApart() throws {
    let graph = DirectGraph.random(seed: 1, plasticity: .lists, damping: true, density: 0.5)
    var others = [graph]
    func change(_ body: (inout DirectGraph<Float>) -> Void) {
      others.append(graph)
      body(&others[others.count - 1])
    }
    change { $0.layers += 1 }
    change { $0.variant = .normfree }
    change { $0.neurons.damping[0] = 0.7 }
    change { $0.neurons.frequencies = $0.neurons.frequencies.map { $0 * 2 } }
    change { $0.field[0, 0] += 1 }
    change { $0.readout[0, 0] += 1 }
    change { $0.drivesX[0, 0] += 1 }
    change { $0.drivesY[0, 0] += 1 }
    change { $0.plastic = .complete }
    change {
      $0.field = Matrix(rows: $0.nodeCount, columns: 0)
      $0.localGains = [1, 2]
    }
    change {
      $0.field = Matrix(rows: $0.nodeCount, columns: 0)
      $0.localGains = [1, 3]
    }
    change {
      $0.plastic.remove(source: Int(firstSource($0)), neuron: firstNeuron($0), neurons: 0, sources: 0)
    }
    #expect(Set(others.map(\.contentFingerprint)).count == others.count)
    var stored = graph
    stored.drivesX = Projection(.sparse(SparseRows(graph.drivesX.dense)))
    #expect(stored.contentFingerprint == graph.contentFingerprint)
  }

  private func firstNeuron(_ graph: DirectGraph<Float>) -> Int {
    guard case .lists(let lists) = graph.plastic else { return 0 }
    return (0..<lists.targetCount).first { lists.offsets[$0 + 1] > 0 } ?? 0
  }

  private func firstSource(_ graph: DirectGraph<Float>) -> Int32 {
    guard case .lists(let lists) = graph.plastic else { return 0 }
    return lists.sources[0]
  }

  @Test func shortWeightsAreRoundedAndStaySynapses() throws {
    var graph = DirectGraph.random(seed: 4, density: 0.5)
    let (first, column) = try #require(entry(graph.drivesX))
    graph.drivesX[first, column] = Float.leastNonzeroMagnitude
    try graph.save(to: path, as: .bf16)
    let loaded = try DirectGraph<Float>.load(path: path).graph
    #expect(try GraphFile(path: path).weightType == .bf16)
    let (before, after) = (graph.drivesX.dense.elements, loaded.drivesX.dense.elements)
    for (a, b) in zip(before, after) {
      #expect((a == 0) == (b == 0) && abs(a - b) <= max(abs(a) * 0x1p-8, 0x1p-132))
    }
    #expect(loaded.plastic == graph.plastic)
    // Once rounded, it is the same in either type.
    try loaded.save(to: path)
    #expect(try DirectGraph<Float>.load(path: path).graph.fingerprint == loaded.fingerprint)
  }

  private func entry(_ projection: Projection<Float>) -> (Int, Int)? {
    var found: (Int, Int)?
    projection.forEachEntry { row, column, _ in if found == nil { found = (row, column) } }
    return found
  }

  // MARK: Wrong files

  /// The tensors of a file, to be changed and written again.
  private struct Parts {
    var metadata: [String: String]
    var tensors: [String: (type: ElementType, shape: [Int], bytes: [UInt8])] = [:]

    init(_ path: String) throws {
      let file = try CheckpointFile.open(path)
      metadata = file.metadata
      for (name, view) in file.tensors {
        let bytes: [UInt8] =
          switch view.type {
          case .i64: view.integers.withUnsafeBytes { Array($0) }
          case .u16: view.integers.map { UInt16($0) }.withUnsafeBytes { Array($0) }
          case .i32: view.integers.map { Int32($0) }.withUnsafeBytes { Array($0) }
          default: view.floats.withUnsafeBytes { Array($0) }
          }
        tensors[name] = (view.type, view.shape, bytes)
      }
    }

    mutating func set<Value: BitwiseCopyable>(_ name: String, _ index: Int, _ value: Value) {
      withUnsafeBytes(of: value) { bytes in
        let first = index * MemoryLayout<Value>.size
        tensors[name]?.bytes.replaceSubrange(first..<first + bytes.count, with: bytes)
      }
    }

    /// Sources as files of more than 65 536 nodes have them.
    mutating func widen(_ name: String) {
      guard let tensor = tensors[name] else { return }
      let sources = tensor.bytes.withUnsafeBytes { $0.bindMemory(to: UInt16.self).map { Int32($0) } }
      tensors[name] = (.i32, tensor.shape, sources.withUnsafeBytes { Array($0) })
    }

    func write(to path: String) throws {
      try SafetensorsWriter.write(
        tensors.sorted { $0.key < $1.key }.map { name, tensor in
          TensorToWrite(name, tensor.type, tensor.shape) { sink in
            try tensor.bytes.withUnsafeBytes { try sink($0) }
          }
        }, metadata: metadata, to: path)
    }
  }

  private static let changes: [(String, @Sendable (inout Parts) -> Void)] = [
    ("missing", { $0.tensors["x.weights"] = nil }), ("missing", { $0.tensors["heads"] = nil }),
    ("missing", { $0.tensors["y.offsets"] = nil }), ("missing", { $0.metadata["n_layer"] = nil }),
    ("number of layers", { $0.metadata["n_layer"] = "0" }),
    ("number of layers", { $0.metadata["n_layer"] = "1e30" }), ("one of", { $0.metadata["variant"] = "v" }),
    ("one of complete", { $0.metadata["plastic"] = "some" }),
    ("missing", { $0.metadata["plastic"] = "lists" }),
    ("hatchling-graph-2", { $0.metadata["format"] = "hatchling-graph-2" }),
    ("no neuron graph", { $0.metadata["format"] = nil }),
    ("NaN", { $0.set("x.weights", 1, Float.nan) }), ("infinite", { $0.set("y.weights", 0, Float.infinity) }),
    ("NaN", { $0.set("field", 2, Float.nan) }), ("NaN", { $0.set("readout", 0, -Float.infinity) }),
    ("NaN", { $0.set("frequencies", 0, Float.nan) }), ("is 0", { $0.set("x.weights", 0, Float(0)) }),
    ("is 0", { $0.set("y.weights", 2, -Float(0)) }),
    ("names node", { $0.set("x.sources", 0, UInt16.max) }),
    (
      "names node",
      {
        $0.widen("x.sources")
        $0.set("x.sources", 0, Int32(-1))
      }
    ),
    (
      "names node",
      {
        $0.widen("y.sources")
        $0.set("y.sources", 0, Int32.max)
      }
    ),
    ("do not ascend", { $0.set("x.sources", 1, UInt16(0)) }),
    ("do not cover", { $0.set("x.offsets", 0, Int64(1)) }),
    ("descend", { $0.set("x.offsets", 1, Int64.max) }), ("descend", { $0.set("y.offsets", 2, Int64(-4)) }),
    ("add up", { $0.set("heads", 0, Int64.max) }), ("add up", { $0.set("heads", 0, Int64(0)) }),
    ("free neurons", { $0.set("pairs", 1, Int32.max) }), ("free neurons", { $0.set("pairs", 0, Int32(-7)) }),
    ("has a running clock", { $0.tensors["pairs"] = (.i32, [0, 2], []) }),
    ("between 0 and 1", { $0.set("damping", 0, Float(1.5)) }), ("NaN", { $0.set("damping", 0, Float.nan) }),
    ("(d, V)", { $0.tensors["readout"] = (.f32, [0, 1 << 40], []) }),
    ("does not fit", { $0.tensors["field"] = (.f32, [1 << 40, 0], []) }),
    (
      "does not fit",
      {
        $0.tensors["x.offsets"]?.shape[0] -= 1
        $0.tensors["x.offsets"]?.bytes.removeLast(8)
      }
    ),
    (
      "as the sources",
      {
        $0.tensors["y.weights"]?.shape[0] -= 1
        $0.tensors["y.weights"]?.bytes.removeLast(4)
      }
    ),
    ("cannot be used for weights", { $0.tensors["x.weights"]?.type = .i32 }),
    ("its type is I32", { $0.tensors["frequencies"]?.type = .i32 }),
    ("its type is BF16, not I32 or U16", { $0.tensors["x.sources"]?.type = .bf16 }),
    ("dimensions", { $0.tensors["x.weights"]?.shape.append(1) }),
  ]

  /// Sources take 16 bits where they fit; 32 bits say the same.
  @Test func sourcesMayBeShortOrLong() throws {
    let graph = DirectGraph.random(seed: 9, plasticity: .lists, density: 0.4)
    try graph.save(to: path)
    var parts = try Parts(path)
    for name in ["x.sources", "y.sources", "plastic.sources"] {
      #expect(parts.tensors[name]?.type == .u16)
      parts.widen(name)
    }
    try parts.write(to: path)
    let loaded = try DirectGraph<Float>.load(path: path).graph
    #expect(loaded.fingerprint == graph.contentFingerprint)
    #expect(loaded.plastic == graph.plastic)
  }

  private static let localChanges: [(String, @Sendable (inout Parts) -> Void)] = [
    ("one of hubs, local", { $0.metadata["gains"] = "global" }),
    ("missing", { $0.metadata["gains"] = "hubs" }), ("missing", { $0.metadata["gains"] = nil }),
    ("missing", { $0.tensors["gains"] = nil }), ("NaN", { $0.set("gains", 0, Float.nan) }),
    ("not above 0", { $0.set("gains", 1, Float(0)) }), ("not above 0", { $0.set("gains", 0, Float(-2)) }),
    (
      "does not fit",
      {
        $0.tensors["gains"]?.shape[0] -= 1
        $0.tensors["gains"]?.bytes.removeLast(4)
      }
    ),
    ("(n + ", { $0.tensors["readout"] = (.f32, [3, 3], [UInt8](repeating: 0, count: 36)) }),
  ]

  @Test(arguments: 0..<GraphFileTests.localChanges.count)
  func aWrongFileWithoutHubsIsOneLine(number: Int) throws {
    try expectOneLine(
      Self.localChanges[number], of: .random(seed: 8, damping: true, density: 0.9, hasHubs: false))
  }

  @Test(arguments: 0..<GraphFileTests.changes.count)
  func aWrongFileIsOneLine(number: Int) throws {
    try expectOneLine(Self.changes[number], of: .random(seed: 8, damping: true, density: 0.9))
  }

  /// A file loads, and what is changed in it is named.
  private func expectOneLine(
    _ change: (part: String, change: @Sendable (inout Parts) -> Void), of graph: DirectGraph<Float>
  ) throws {
    try graph.save(to: path)
    var parts = try Parts(path)
    _ = try DirectGraph<Float>.load(path: path)
    change.change(&parts)
    try parts.write(to: path)
    do {
      _ = try DirectGraph<Float>.load(path: path)
      Issue.record("a change (\(change.part)) went unnoticed")
    } catch {
      let text = "\(error)"
      #expect(error is any InputError)
      #expect(
        text.contains(change.part) && !text.contains("\n") && text.contains("graph.safetensors"), "\(text)")
    }
  }

  /// Every byte of a small file, changed: either the graph loads or there is a line.
  @Test func damagedBytesNeverTrap() throws {
    let graph = DirectGraph.random(seed: 2, plasticity: .lists, damping: true, density: 0.3)
    try graph.save(to: path)
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var random = SeededRandom(seed: 11)
    for round in 0..<1500 {
      var damaged = bytes
      damaged[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      if round % 5 == 0 { damaged.removeLast(Int.random(in: 1..<bytes.count, using: &random)) }
      try Data(damaged).write(to: URL(fileURLWithPath: path))
      do { _ = try DirectGraph<Float>.load(path: path) } catch {
        #expect(error is any InputError, "\(error)")
      }
    }
  }

  @Test func weightsAndGraphsAreToldApart() throws {
    let sizes = Hyperparameters(
      neurons: 8, synapticDimension: 4, heads: 2, layers: 2, vocabulary: 3, variant: .released)
    try Weights.random(sizes, seed: 1).save(to: path)
    #expect(throws: ModelError.isNoGraph(path: path)) { try DirectGraph<Float>.load(path: path) }
    try DirectGraph.random(seed: 1).save(to: path)
    #expect(throws: ModelError.isGraph(path: path)) { try Model.load(path: path) }
  }
}
