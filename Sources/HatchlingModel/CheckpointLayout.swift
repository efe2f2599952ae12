import Foundation
import HatchlingCheckpoint
import HatchlingNumerics

/// Finds the tensors of the public code in a checkpoint and checks them against each other.
///
/// The names mislead: the code's *encoder* is the paper's D_x and its *decoder* is E.
struct CheckpointLayout {
  private let file: CheckpointFile
  /// What stands before the names in this file, such as `model._orig_mod.`.
  private let prefix: String

  init(_ file: CheckpointFile) throws(ModelError) {
    self.file = file
    let candidates = file.tensors.keys.filter { $0 == "encoder" || $0.hasSuffix(".encoder") }
    guard let key = candidates.min(by: { ($0.count, $0) < ($1.count, $1) }) else {
      throw .missingTensor(path: file.path, key: "encoder")
    }
    prefix = String(key.dropLast("encoder".count))
  }

  func model(layers: Int?, variant: Variant?, workers: Workers) throws -> Model {
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
    let weights = Weights(
      hyperparameters: sizes,
      decoderX: try neuronRows("encoder", heads, d, perHead, workers),
      decoderY: try neuronRows("encoder_v", heads, d, perHead, workers),
      encoder: try matrix("decoder", n, d, workers),
      embedding: try matrix("embed.weight", vocabulary, d, workers),
      readout: try matrix("lm_head", d, vocabulary, workers),
      frequencies: try frequencies(perHead), damping: try damping(n),
      plasticSynapses: try plasticSynapses(n, d))
    return Model(path: file.path, weights: weights, metadata: file.metadata, warnings: warnings)
  }

  // MARK: Tensors

  private func tensor(_ name: String, _ expected: [Int]? = nil) throws(ModelError) -> TensorView {
    guard let view = file.tensors[prefix + name] else {
      throw .missingTensor(path: file.path, key: prefix + name)
    }
    guard view.type.isFloat else {
      throw .wrongType(path: file.path, key: prefix + name, type: view.type.rawValue)
    }
    if let expected, view.shape != expected { throw shape(name, "\(expected)") }
    return view
  }

  private func shape(_ name: String, _ expected: String) -> ModelError {
    .wrongShape(
      path: file.path, key: prefix + name, shape: file.tensors[prefix + name]?.shape ?? [], expected: expected
    )
  }

  private func matrix(
    _ name: String, _ rows: Int, _ columns: Int, _ workers: Workers
  ) throws(ModelError) -> Matrix<Float> {
    let view = try tensor(name)
    let storage: NumberStorage<Float>
    if let packed = view.packedFloats {
      storage = packed
    } else {
      storage = NumberStorage(zeros: rows * columns)
      view.copy(0..<rows * columns, to: storage.base)
    }
    guard SignCensus(of: UnsafePointer(storage.base), count: rows * columns, workers: workers).isFinite else {
      throw notFinite(name, view)
    }
    return Matrix(rows: rows, columns: columns, storage: storage)
  }

  /// (H, d, N) → one row of d numbers per neuron. A block of work is 32 neurons: it reads two cache lines of every hub, its rows stay
  /// in the cache until they are full, and they are checked there.
  private func neuronRows(
    _ name: String, _ heads: Int, _ d: Int, _ perHead: Int, _ workers: Workers
  ) throws(ModelError) -> Matrix<Float> {
    let view = try tensor(name)
    var result = Matrix<Float>(rows: heads * perHead, columns: d)
    nonisolated(unsafe) let target = result.mutablePointer()
    let packed = view.packedFloats
    let tile = 32
    let tilesPerHead = (perHead + tile - 1) / tile
    let isFinite = NumberStorage<UInt8>(zeros: heads * tilesPerHead)
    workers.run(blocks: heads * tilesPerHead) { block in
      let (head, first) = (block / tilesPerHead, block % tilesPerHead * tile)
      let count = min(tile, perHead - first)
      let rows = target + (head * perHead + first) * d
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

  /// The error that names the first number of a tensor, in the file's order, that is not finite.
  private func notFinite(_ name: String, _ view: TensorView) -> ModelError {
    let stretch = 4096
    var values = [Float](repeating: 0, count: stretch)
    var bad = 0
    for start in stride(from: 0, to: view.count, by: stretch) {
      let end = min(start + stretch, view.count)
      values.withUnsafeMutableBufferPointer { values in
        if let base = values.baseAddress { view.copy(start..<end, to: base) }
      }
      if let index = values[..<(end - start)].firstIndex(where: { !$0.isFinite }) {
        bad = start + index
        break
      }
    }
    return .notFinite(path: file.path, key: prefix + name, index: bad)
  }

  private func frequencies(_ perHead: Int) throws(ModelError) -> [Float] {
    guard let view = file.tensors[prefix + "attn.freqs"] else {
      return Phases.publicFrequencies(neuronsPerHead: perHead)
    }
    guard view.count == perHead, view.type.isFloat else {
      throw shape("attn.freqs", "\(perHead) frequencies")
    }
    let values = view.floats
    if let index = values.firstIndex(where: { !$0.isFinite }) {
      throw .notFinite(path: file.path, key: prefix + "attn.freqs", index: index)
    }
    return values
  }

  private func damping(_ n: Int) throws(ModelError) -> [Float]? {
    guard let view = file.tensors[prefix + "attn.damping"] else { return nil }
    guard view.count == n, view.type.isFloat else { throw shape("attn.damping", "\(n) values") }
    let values = view.floats
    if let index = values.firstIndex(where: { !(0...1).contains($0) }) {
      throw .dampingOutOfRange(path: file.path, index: index, value: values[index])
    }
    return values.allSatisfy { $0 == 0 } ? nil : values
  }

  private func plasticSynapses(_ n: Int, _ d: Int) throws(ModelError) -> Matrix<UInt8>? {
    guard let view = file.tensors[prefix + "attn.plastic"] else { return nil }
    guard view.shape == [n, d], !view.type.isFloat else { throw shape("attn.plastic", "(\(n), \(d)) of U8") }
    return Matrix(rows: n, columns: d, view.integers.map { $0 == 0 ? 0 : 1 })
  }

  // MARK: What the tensors do not say

  private func layerCount(_ option: Int?, _ warnings: inout [String]) throws(ModelError) -> Int {
    if let option, !(1...10_000).contains(option) {
      throw .badLayerCount(option)
    }
    // Training checkpoints keep it in a nested configuration, such as `config.n_layer`.
    let nested = file.metadata.keys.filter { $0.hasSuffix(".n_layer") }.min().flatMap { file.metadata[$0] }
    guard let text = file.metadata["n_layer"] ?? nested else {
      guard let option else { throw .missingLayers(path: file.path) }
      return option
    }
    guard let recorded = Int(text), (1...10_000).contains(recorded) else {
      throw .badMetadata(path: file.path, key: "n_layer", value: text, expected: "a number of layers")
    }
    if let option, option != recorded {
      warnings.append("'\(file.path)' records \(recorded) layers; \(option) are used, as was said")
    }
    return option ?? recorded
  }

  private func variantName(_ option: Variant?, _ warnings: inout [String]) throws(ModelError) -> Variant {
    guard let text = file.metadata["variant"] else { return option ?? .released }
    guard let recorded = Variant(rawValue: text) else {
      let names = Variant.allCases.map(\.rawValue).joined(separator: ", ")
      throw .badMetadata(path: file.path, key: "variant", value: text, expected: "one of \(names)")
    }
    if let option, option != recorded {
      warnings.append(
        "'\(file.path)' records the variant \(recorded.rawValue); \(option.rawValue) is used, as was said")
    }
    return option ?? recorded
  }
}
