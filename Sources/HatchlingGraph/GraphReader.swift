import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics

/// Makes a graph of the tensors of a file that nobody vouches for: every size is checked before it is used, so that nothing larger than
/// the file is ever made.
struct GraphReader {
  let file: CheckpointFile

  func graph() throws -> DirectGraph<Float> {
    let readout = try weights("readout", dimensions: 2)
    let (rowCount, tokens) = (readout.shape[0], readout.shape[1])
    guard rowCount > 0, tokens > 0 else { throw shape("readout", "(d, V), neither of them 0") }
    let hasHubs = try gains() == .hubs
    let field = hasHubs ? try weights("field", dimensions: 2) : nil
    let nodes = field?.shape[0] ?? rowCount
    guard field.map({ $0.shape[1] == rowCount }) ?? true, nodes > tokens, nodes <= Int(Int32.max) else {
      throw hasHubs
        ? shape("field", "(n + \(tokens), \(rowCount))") : shape("readout", "(n + \(tokens), \(tokens))")
    }
    let neurons = try population(nodes - tokens)
    let (x, y) = (try rows("x", neurons.count, nodes), try rows("y", neurons.count, nodes))
    let variant = try variant()
    let normalisers = variant.normaliserCount(heads: neurons.heads.count)
    var graph = DirectGraph(
      layers: try layers(), variant: variant, neurons: neurons, tokenCount: tokens,
      field: try field.map { try matrix("field", $0) } ?? Matrix(rows: nodes, columns: 0),
      readout: try matrix("readout", readout),
      drivesX: Projection(.sparse(x.transposing())).laidOut, drivesY: Projection(.sparse(y)).laidOut,
      plastic: try plastic(x, neurons.count, nodes),
      localGains: hasHubs ? nil : try numbers("gains", normalisers))
    graph.compilation = file.metadata[GraphFile.Key.compilation.rawValue] ?? ""
    graph.takeCensus()
    do throws(GraphError) { try graph.validate() } catch {
      throw CheckpointError.damaged(path: file.path, place: "the graph", problem: "\(error)")
    }
    return graph
  }

  // MARK: What the metadata say

  private func entry<Value>(
    _ key: GraphFile.Key, _ expected: String, _ read: (String) -> Value?
  ) throws -> Value {
    guard let text = file.metadata[key.rawValue] else {
      throw damaged("metadata", "'\(key.rawValue)' is missing")
    }
    guard let value = read(text) else {
      throw ModelError.badMetadata(path: file.path, key: key.rawValue, value: text, expected: expected)
    }
    return value
  }

  private func layers() throws -> Int {
    try entry(.layers, "a number of layers, 1 … 10000") { text in
      Int(text).flatMap { (1...10_000).contains($0) ? $0 : nil }
    }
  }

  private func variant() throws -> Variant {
    let names = Variant.allCases.map(\.rawValue).joined(separator: ", ")
    return try entry(.variant, "one of \(names)", Variant.init(rawValue:))
  }

  /// What gains go through; in a file that does not say it, hubs.
  private func gains() throws -> Gains {
    guard file.metadata[GraphFile.Key.gains.rawValue] != nil else { return .hubs }
    let names = Gains.allCases.map(\.rawValue).joined(separator: ", ")
    return try entry(.gains, "one of \(names)", Gains.init(rawValue:))
  }

  private func plastic(_ x: SparseRows<Float>, _ neurons: Int, _ nodes: Int) throws -> PlasticEdges {
    let names = GraphFile.PlasticSpelling.allCases.map(\.rawValue).joined(separator: ", ")
    switch try entry(.plastic, "one of \(names)", GraphFile.PlasticSpelling.init(rawValue:)) {
    case .complete: return .complete
    case .asX: return .lists(x.edges)
    case .lists: return .lists(try edges("plastic", neurons, nodes))
    }
  }

  // MARK: Neurons

  private func population(_ count: Int) throws -> NeuronPopulation {
    let sizes = try tensor("heads", .i64, dimensions: 1).integers
    guard (1...count).contains(sizes.count), sizes.allSatisfy({ (1...Int64(Int32.max)).contains($0) }),
      sizes.reduce(0, +) == count
    else { throw damaged("key 'heads'", "the sizes do not add up to \(count) neurons") }
    var neurons = NeuronPopulation(headSizes: sizes.map(Int.init))
    neurons.frequencies = try numbers("frequencies", count)
    if holds("damping") { neurons.damping = try numbers("damping", count) }
    if let index = neurons.damping.firstIndex(where: { !(0...1).contains($0) }) {
      throw damaged("key 'damping'", "element \(index) is \(neurons.damping[index]), not between 0 and 1")
    }
    if holds("pairs") { try pair(&neurons) }
    return neurons
  }

  private func pair(_ neurons: inout NeuronPopulation) throws {
    let view = try tensor("pairs", .i32, dimensions: 2)
    guard view.shape[1] == 2 else { throw shape("pairs", "(pairs, 2)") }
    let ends = view.integers.map(Int.init)
    for place in stride(from: 0, to: ends.count, by: 2) {
      let (first, second) = (ends[place], ends[place + 1])
      let isFree = [first, second].allSatisfy {
        (0..<neurons.count).contains($0) && neurons.partners[$0] < 0
      }
      guard isFree, first != second else {
        throw damaged(
          "key 'pairs'", "pair \(place / 2), of \(first) and \(second), is none of two free neurons")
      }
      (neurons.partners[first], neurons.partners[second]) = (Int32(second), Int32(first))
      neurons.leads[first] = true
    }
  }

  /// - Throws: `CheckpointError` for numbers that are not finite.
  private func numbers(_ name: String, _ count: Int) throws -> [Float] {
    let view = try tensor(name, .f32, dimensions: 1)
    guard view.count == count else { throw shape(name, "(\(count))") }
    let values = view.floats
    try checkFinite(name, values)
    return values
  }

  // MARK: Synapses

  private func rows(_ name: String, _ targets: Int, _ sources: Int) throws -> SparseRows<Float> {
    let edges = try edges(name, targets, sources)
    let view = try weights("\(name).weights", dimensions: 1)
    guard view.count == edges.count else {
      throw shape("\(name).weights", "(\(edges.count)), as the sources")
    }
    let weights = view.floats
    try checkFinite("\(name).weights", weights)
    if let index = weights.firstIndex(of: 0) {
      throw damaged("key '\(name).weights'", "element \(index) is 0, and a synapse of weight 0 is none")
    }
    return SparseRows(
      columnCount: sources, offsets: edges.offsets, columns: edges.sources, weights: weights)
  }

  private func edges(_ name: String, _ targets: Int, _ sources: Int) throws -> EdgeLists {
    let offsets = try tensor("\(name).offsets", .i64, dimensions: 1)
    guard offsets.count == targets + 1 else { throw shape("\(name).offsets", "(\(targets + 1))") }
    let view = try tensor("\(name).sources", .i32, .u16, dimensions: 1)
    guard let numbers = view.integers32 else { throw wrongType("\(name).sources", view, [.i32, .u16]) }
    let lists = EdgeLists(offsets: offsets.integers.map(Int.init), sources: numbers)
    if let wrong = lists.violation(sourceCount: sources) { throw damaged("key '\(name).sources'", wrong) }
    return lists
  }

  // MARK: Tensors

  /// A tensor of weights, in any type that widens to float32.
  func weights(_ name: String, dimensions: Int = 1) throws -> TensorView {
    if let type = file.opaque[name] { throw ModelError.wrongType(path: file.path, key: name, type: type) }
    guard let view = file.tensors[name] else { throw damaged("key '\(name)'", "it is missing") }
    guard [.f32, .bf16, .f16].contains(view.type) else {
      throw ModelError.wrongType(path: file.path, key: name, type: view.type.rawValue)
    }
    guard view.shape.count == dimensions else { throw shape(name, "\(dimensions) dimensions") }
    return view
  }

  private func holds(_ name: String) -> Bool { file.tensors[name] != nil || file.opaque[name] != nil }

  private func tensor(_ name: String, _ types: ElementType..., dimensions: Int) throws -> TensorView {
    guard let view = file.tensors[name] else {
      throw damaged("key '\(name)'", file.opaque[name].map { "it is \($0)" } ?? "it is missing")
    }
    guard types.contains(view.type) else { throw wrongType(name, view, types) }
    guard view.shape.count == dimensions else { throw shape(name, "\(dimensions) dimensions") }
    return view
  }

  private func matrix(_ name: String, _ view: TensorView) throws -> Matrix<Float> {
    let storage: NumberStorage<Float>
    if let packed = view.packedFloats {
      storage = packed
    } else {
      storage = NumberStorage(zeros: view.count)
      view.copy(0..<view.count, to: storage.base)
    }
    guard SignCensus(of: UnsafePointer(storage.base), count: view.count).isFinite else {
      try checkFinite(name, view.floats)
      preconditionFailure("a census and a search that differ")
    }
    return Matrix(rows: view.shape[0], columns: view.shape[1], storage: storage)
  }

  private func checkFinite(_ name: String, _ values: [Float]) throws {
    guard let index = values.firstIndex(where: { !$0.isFinite }) else { return }
    throw ModelError.notFinite(path: file.path, key: name, index: index)
  }

  private func shape(_ name: String, _ expected: String) -> ModelError {
    .wrongShape(path: file.path, key: name, shape: file.tensors[name]?.shape ?? [], expected: expected)
  }

  private func wrongType(_ name: String, _ view: TensorView, _ types: [ElementType]) -> CheckpointError {
    let known = types.map(\.rawValue).joined(separator: " or ")
    return damaged("key '\(name)'", "its type is \(view.type.rawValue), not \(known)")
  }

  private func damaged(_ place: String, _ problem: String) -> CheckpointError {
    .damaged(path: file.path, place: place, problem: problem)
  }
}
