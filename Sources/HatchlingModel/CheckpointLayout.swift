import HatchlingCheckpoint
import HatchlingNumerics

/// Finds the tensors of the public code in a checkpoint and checks them against each other.
///
/// The names mislead: the code's *encoder* is the paper's D_x and its *decoder* is E.
struct CheckpointLayout {
  let file: CheckpointFile
  /// What stands before the names in this file, such as `model._orig_mod.`.
  let prefix: String
  /// The prefixes of other networks in the file.
  let otherPrefixes: [String]

  /// - Parameter wanted: which of several networks: a prefix, or parts of its beginning. Nil where there is one alone.
  init(_ file: CheckpointFile, prefix wanted: String? = nil) throws(ModelError) {
    self.file = file
    func has(_ key: String) -> Bool { file.tensors[key] != nil || file.opaque[key] != nil }
    let begun = Set(file.tensors.keys).union(file.opaque.keys).filter {
      $0 == "encoder" || $0.hasSuffix(".encoder")
    }
    .map { String($0.dropLast("encoder".count)) }.sorted { ($0.count, $0) < ($1.count, $1) }
    let whole = begun.filter { prefix in
      ["encoder_v", "decoder", "embed.weight", "lm_head"].allSatisfy { has(prefix + $0) }
    }
    // Without a whole network the errors below name what the best attempt lacks.
    var found = whole.isEmpty ? Array(begun.prefix(1)) : whole
    if let wanted {
      let exact = found.filter { $0 == wanted || $0 == wanted + "." }
      let chosen = exact.isEmpty ? found.filter { !wanted.isEmpty && $0.hasPrefix(wanted + ".") } : exact
      guard !chosen.isEmpty else {
        throw .ambiguousNetwork(path: file.path, wanted: wanted, found: found.map(Self.shown))
      }
      found = chosen
    }
    guard found.count <= 1 else {
      throw .ambiguousNetwork(path: file.path, wanted: nil, found: found.map(Self.shown))
    }
    guard let prefix = found.first else { throw .missingTensor(path: file.path, key: "encoder") }
    self.prefix = prefix
    otherPrefixes = whole.filter { $0 != prefix }
  }

  /// A prefix as a user names it.
  private static func shown(_ prefix: String) -> String {
    prefix.isEmpty ? "'' (no prefix)" : prefix.hasSuffix(".") ? String(prefix.dropLast()) : prefix
  }

  func model(layers: Int?, variant: Variant?, only choice: NeuronChoice?, workers: Workers) throws -> Model {
    var warnings: [String] = []
    let encoder = try tensor("encoder")
    guard encoder.shape.count == 3, !encoder.shape.contains(0) else { throw shape("encoder", "(H, d, N)") }
    let (heads, d, perHead) = (encoder.shape[0], encoder.shape[1], encoder.shape[2])
    guard perHead % 2 == 0 else {
      throw shape("encoder", "an even number of neurons per head (neurons rotate in pairs), not \(perHead)")
    }
    let n = heads * perHead
    _ = try tensor("encoder_v", [heads, d, perHead])
    _ = try tensor("decoder", [n, d])
    let embedding = try tensor("embed.weight")
    guard embedding.shape.count == 2, embedding.shape[1] == d, embedding.shape[0] > 0 else {
      throw shape("embed.weight", "(V, \(d))")
    }
    let vocabulary = embedding.shape[0]
    _ = try tensor("lm_head", [d, vocabulary])
    let sizes = Hyperparameters(
      neurons: n, synapticDimension: d, heads: heads, layers: try layerCount(layers, &warnings),
      vocabulary: vocabulary, variant: try variantName(variant, &warnings))
    let part = choice.map { NeuronPart($0(sizes), of: n) }
    let neurons = part?.neurons ?? 0..<n
    let weights = Weights(
      hyperparameters: sizes,
      decoderX: try neuronRows("encoder", neurons, d, perHead, workers),
      decoderY: try neuronRows("encoder_v", neurons, d, perHead, workers),
      encoder: try matrix("decoder", neurons, d, workers),
      embedding: try matrix("embed.weight", 0..<vocabulary, d, workers),
      readout: try matrix("lm_head", 0..<d, vocabulary, workers),
      frequencies: try frequencies(perHead, &warnings),
      damping: try damping(n).map { Array($0[neurons]) },
      plasticSynapses: try plasticSynapses(n, d, neurons), part: part)
    warnUnknownTensors(&warnings)
    return Model(
      path: file.path, weights: weights, metadata: file.metadata, prefix: prefix,
      warnings: warnings.map(\.escaped))
  }

  // MARK: Tensors

  private func tensor(_ name: String, _ expected: [Int]? = nil) throws(ModelError) -> TensorView {
    guard let view = try optional(name) else { throw .missingTensor(path: file.path, key: prefix + name) }
    guard view.type.isFloat else {
      throw .wrongType(path: file.path, key: prefix + name, type: view.type.rawValue)
    }
    if let expected, view.shape != expected { throw shape(name, "\(expected)") }
    return view
  }

  /// A tensor that need not be there; what is there under its name must be one.
  func optional(_ name: String) throws(ModelError) -> TensorView? {
    if let type = file.opaque[prefix + name] {
      throw .wrongType(path: file.path, key: prefix + name, type: type)
    }
    return file.tensors[prefix + name]
  }

  func shape(_ name: String, _ expected: String) -> ModelError {
    .wrongShape(
      path: file.path, key: prefix + name, shape: file.tensors[prefix + name]?.shape ?? [], expected: expected
    )
  }

  private func matrix(
    _ name: String, _ rows: Range<Int>, _ columns: Int, _ workers: Workers
  ) throws(ModelError) -> Matrix<Float> {
    let view = try tensor(name)
    let (first, count) = (rows.lowerBound * columns, rows.count * columns)
    let storage: NumberStorage<Float>
    if let packed = view.packedFloats {
      storage = NumberStorage(viewing: UnsafePointer(packed.base + first), count: count, owner: packed)
    } else {
      storage = NumberStorage(zeros: count)
      view.copy(first..<first + count, to: storage.base)
    }
    guard SignCensus(of: UnsafePointer(storage.base), count: count, workers: workers).isFinite else {
      throw notFinite(name, view)
    }
    return Matrix(rows: rows.count, columns: columns, storage: storage)
  }

  /// (H, d, N) → one row of d numbers for each of some neurons. A block of work is 32 neurons: it reads two cache lines of every hub, its rows stay
  /// in the cache until they are full, and they are checked there.
  private func neuronRows(
    _ name: String, _ neurons: Range<Int>, _ d: Int, _ perHead: Int, _ workers: Workers
  ) throws(ModelError) -> Matrix<Float> {
    let view = try tensor(name)
    var result = Matrix<Float>(rows: neurons.count, columns: d)
    nonisolated(unsafe) let target = result.mutablePointer()
    let packed = view.packedFloats
    let tile = 32
    let tiles = Self.tiles(neurons, perHead: perHead, size: tile)
    let isFinite = NumberStorage<UInt8>(zeros: tiles.count)
    workers.run(blocks: tiles.count) { block in
      let (head, first) = (tiles[block].lowerBound / perHead, tiles[block].lowerBound % perHead)
      let count = tiles[block].count
      let rows = target + (tiles[block].lowerBound - neurons.lowerBound) * d
      withUnsafeTemporaryAllocation(of: Float.self, capacity: tile) { line in
        guard let line = line.baseAddress else { return }
        for hub in 0..<d {
          let start = (head * d + hub) * perHead + first
          let source: UnsafePointer<Float>
          if let packed {
            source = UnsafePointer(packed.base + start)
          } else {
            view.copy(start..<start + count, to: line)
            source = UnsafePointer(line)
          }
          let place = rows + hub
          for neuron in 0..<count { place[neuron * d] = source[neuron] }
        }
      }
      isFinite.base[block] = SignCensus(of: UnsafePointer(rows), count: count * d).isFinite ? 1 : 0
    }
    guard (0..<isFinite.count).allSatisfy({ isFinite.base[$0] == 1 }) else { throw notFinite(name, view) }
    return result
  }

  /// Cuts some neurons into tiles that lie in one head each.
  private static func tiles(_ neurons: Range<Int>, perHead: Int, size: Int) -> [Range<Int>] {
    var tiles: [Range<Int>] = []
    var first = neurons.lowerBound
    while first < neurons.upperBound {
      let end = min(first + size, (first / perHead + 1) * perHead, neurons.upperBound)
      tiles.append(first..<end)
      first = end
    }
    return tiles
  }

  /// The error that names the first number of a tensor, in the file's order, that is not finite.
  private func notFinite(_ name: String, _ view: TensorView) -> ModelError {
    let index = view.floats.firstIndex { !$0.isFinite }
    return .notFinite(path: file.path, key: prefix + name, index: index ?? 0)
  }

  private func damping(_ n: Int) throws(ModelError) -> [Float]? {
    guard let view = try optional("attn.damping") else { return nil }
    guard view.count == n, view.type.isFloat else { throw shape("attn.damping", "\(n) values") }
    let values = view.floats
    if let index = values.firstIndex(where: { !(0...1).contains($0) }) {
      throw .dampingOutOfRange(path: file.path, index: index, value: values[index])
    }
    return values.allSatisfy { $0 == 0 } ? nil : values
  }

  private func plasticSynapses(
    _ n: Int, _ d: Int, _ neurons: Range<Int>
  ) throws(ModelError) -> Matrix<UInt8>? {
    guard let view = try optional("attn.plastic") else { return nil }
    guard view.shape == [n, d], !view.type.isFloat else { throw shape("attn.plastic", "(\(n), \(d)) of U8") }
    let synapses = view.integers(neurons.lowerBound * d..<neurons.upperBound * d)
    return Matrix(rows: neurons.count, columns: d, synapses.map { $0 == 0 ? 0 : 1 })
  }

  /// Tensors of the network's module that the equations here have no place for: another version of the code wrote them. At the top of
  /// a file anything may lie beside the network, so there only its own parts count.
  private func warnUnknownTensors(_ warnings: inout [String]) {
    let parts: Set<Substring> = [
      "encoder", "encoder_v", "decoder", "embed", "lm_head", "lm_gate", "attn", "attns", "ln",
    ]
    let known: Set<Substring> = [
      "encoder", "encoder_v", "decoder", "embed.weight", "lm_head", "attn.freqs", "attn.damping",
      "attn.plastic",
    ]
    let unknown = file.tensors.keys.filter { key in
      guard key.hasPrefix(prefix),
        !otherPrefixes.contains(where: { $0.count > prefix.count && key.hasPrefix($0) })
      else { return false }
      let name = key.dropFirst(prefix.count)
      return (!prefix.isEmpty || parts.contains(name.prefix { $0 != "." })) && !known.contains(name)
        && layerOfFrequencies(name) == nil
    }
    guard !unknown.isEmpty else { return }
    let names = unknown.sorted().prefix(4).joined(separator: ", ") + (unknown.count > 4 ? ", …" : "")
    warnings.append(
      "'\(file.path)' holds what this network has no place for: \(names); it is left out, and predictions may differ from the code that wrote it"
    )
  }
}
