import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics

extension DirectGraph where Scalar == Float {
  /// Writes the graph as a safetensors file, whole or not at all; docs/files.md has the format.
  ///
  /// - Parameters:
  ///   - metadata: who made the graph from what; entries that describe the graph itself are the graph's.
  ///   - type: of the weights of synapses, F and W_out: `.f32` (exact) or `.bf16` (rounded to nearest even, never to zero or infinity).
  /// - Throws: `GraphError` for a graph that breaks its specification or has a remainder on hubs, `CheckpointError.unwritable`. Cost: one
  ///   pass over the graph, and a copy of G_x.
  public func save(
    to path: String, metadata: [String: String] = [:], as type: ElementType = .f32
  ) throws {
    guard remainderX == nil, remainderY == nil else { throw GraphError.remainderNotSaved }
    try validate()
    let content = GraphContent(self)
    var entries = metadata
    for (key, value) in content.entries { entries[key.rawValue] = value }
    try SafetensorsWriter.write(content.tensors(as: type), metadata: entries, to: path)
  }

  /// SHA-256 over sizes, rule and all numbers of the graph, 64 hexadecimal digits; the same for every way to store it. Cost: one pass,
  /// and a copy of G_x.
  public var contentFingerprint: String { GraphContent(self).fingerprint }
}

/// What a file of a graph holds.
private struct GraphContent {
  private let graph: DirectGraph<Float>
  /// Incoming lists of G_x and G_y, `(n, n + V)`.
  private let x, y: SparseRows<Float>
  private let plastic: GraphFile.PlasticSpelling

  init(_ graph: DirectGraph<Float>) {
    self.graph = graph
    (x, y) = (graph.drivesX.lists.transposing(), graph.drivesY.lists)
    plastic =
      switch graph.plastic {
      case .complete: .complete
      case .lists(let lists): lists == x.edges ? .asX : .lists
      }
  }

  var entries: [(key: GraphFile.Key, value: String)] {
    [
      (.format, GraphFile.format), (.variant, graph.variant.rawValue), (.layers, String(graph.layers)),
      (.compilation, graph.compilation), (.plastic, plastic.rawValue),
    ] + (graph.hasHubs ? [] : [(.gains, Gains.local.rawValue)])
  }

  func tensors(as type: ElementType) -> [TensorToWrite] {
    let neurons = graph.neurons
    var tensors = [
      Self.integers("heads", neurons.heads.map { Int64($0.count) }),
      Self.numbers("frequencies", neurons.frequencies),
    ]
    if !pairs.isEmpty {
      tensors.append(
        TensorToWrite("pairs", .i32, [pairs.count / 2, 2], Matrix(rows: 1, columns: pairs.count, pairs)))
    }
    if neurons.isDamped { tensors.append(Self.numbers("damping", neurons.damping)) }
    if let gains = graph.localGains {
      tensors.append(Self.numbers("gains", gains))
    } else {
      tensors.append(Self.weights("field", [graph.nodeCount, graph.hubCount], type, graph.field))
    }
    tensors.append(
      Self.weights("readout", [graph.readout.rows, graph.tokenCount], type, graph.readout))
    for (name, rows) in [("x", x), ("y", y)] {
      tensors += Self.lists(name, rows.edges, of: graph.nodeCount)
      tensors.append(
        Self.weights(
          "\(name).weights", [rows.count], type, Matrix(rows: 1, columns: rows.count, rows.weights),
          canBeZero: false))
    }
    if plastic == .lists, case .lists(let edges) = graph.plastic {
      tensors += Self.lists("plastic", edges, of: graph.nodeCount)
    }
    return tensors
  }

  /// The two neurons of every rotating pair, the one that leads first.
  private var pairs: [Int32] {
    let neurons = graph.neurons
    return (0..<neurons.count).flatMap {
      neurons.leads[$0] && neurons.partners[$0] >= 0 ? [Int32($0), neurons.partners[$0]] : []
    }
  }

  /// Of the digests of all parts, so that none is copied.
  var fingerprint: String {
    let neurons = graph.neurons
    func digest<Element: BitwiseCopyable>(_ values: [Element]) -> String {
      values.withUnsafeBytes { ContentHash.sha256($0) }
    }
    func digest(_ matrix: Matrix<Float>) -> String {
      ContentHash.sha256(UnsafeRawBufferPointer(start: matrix.pointer, count: matrix.count * 4))
    }
    var parts = [
      "\(graph.neuronCount) \(graph.tokenCount) \(graph.hubCount) \(graph.layers) \(graph.variant.rawValue)",
      digest(neurons.heads.map { Int64($0.count) }), digest(neurons.frequencies), digest(pairs),
      digest(neurons.damping), digest(graph.field), digest(graph.readout),
    ]
    for rows in [x, y] {
      parts += [digest(rows.offsets.map(Int64.init)), digest(rows.columns), digest(rows.weights)]
    }
    parts.append(plastic.rawValue)
    if plastic == .lists, case .lists(let edges) = graph.plastic {
      parts += [digest(edges.offsets.map(Int64.init)), digest(edges.sources)]
    }
    if let gains = graph.localGains { parts += ["local gains", digest(gains)] }
    return digest(Array(parts.joined(separator: "\n").utf8))
  }

  private static func integers(_ name: String, _ values: [Int64]) -> TensorToWrite {
    TensorToWrite(name, .i64, [values.count], Matrix(rows: 1, columns: values.count, values))
  }

  private static func numbers(_ name: String, _ values: [Float]) -> TensorToWrite {
    TensorToWrite(name, .f32, [values.count], Matrix(rows: 1, columns: values.count, values))
  }

  /// Sources take 16 bits where all `nodes` have such a number.
  private static func lists(_ name: String, _ edges: EdgeLists, of nodes: Int) -> [TensorToWrite] {
    let isShort = nodes <= Int(UInt16.max) + 1
    return [
      integers("\(name).offsets", edges.offsets.map(Int64.init)),
      TensorToWrite("\(name).sources", isShort ? .u16 : .i32, [edges.count]) { sink in
        guard isShort else { return try edges.sources.withUnsafeBytes { try sink($0) } }
        try edges.sources.map { UInt16(truncatingIfNeeded: $0) }.withUnsafeBytes { try sink($0) }
      },
    ]
  }

  /// - Parameter canBeZero: whether a weight may be rounded to zero; a synapse may not, it would be none.
  private static func weights(
    _ name: String, _ shape: [Int], _ type: ElementType, _ matrix: Matrix<Float>, canBeZero: Bool = true
  ) -> TensorToWrite {
    guard type == .bf16 else { return TensorToWrite(name, .f32, shape, matrix) }
    return TensorToWrite(
      name, .bf16, shape,
      matrix.map { weight -> UInt16 in
        let half = weight.bfloat16
        if half & 0x7FFF == 0x7F80 { return half - 1 }
        return half & 0x7FFF == 0 && !canBeZero ? half + 1 : half
      })
  }
}
