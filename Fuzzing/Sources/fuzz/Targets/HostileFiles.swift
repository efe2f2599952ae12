import Foundation
import HatchlingCheckpoint
import HatchlingCompiler
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport

/// Files as they come: read, and used if they can be read.
enum HostileFiles {
  static let one = Workers(threads: 1)

  // MARK: Networks

  static func readCheckpoint(_ content: [UInt8]) throws {
    let scratch = try ScratchFile(content)
    let file = try CheckpointFile.open(scratch.path)
    for view in file.tensors.values {
      var numbers = [Float](repeating: 0, count: 64)
      let count = view.count
      view.copy(0..<min(64, count), to: &numbers)
      view.copy(max(0, count - 64)..<count, to: &numbers)
      if count <= 4096 { try mustHold(view.doubles.count == count, "numbers are missing") }
      if count <= 4096, !view.type.isFloat {
        try mustHold(view.integers.count == count, "numbers are missing")
      }
    }
    let model: Model
    do { model = try Model.load(path: scratch.path, workers: one) } catch is ModelError {
      model = try Model.load(path: scratch.path, layers: 2, variant: .released, prefix: nil, workers: one)
    }
    let sizes = model.hyperparameters
    try sizes.checkState(bytesPerWeight: 4, memory: 1 << 20)
    try mustHold(model.fingerprint.count == 16, "a fingerprint has 16 digits")
    let engine = try CircuitEngine(Compiler().circuit(from: model.weights).graph, workers: one)
    for token in 0..<min(3, sizes.vocabulary) { try engine.step(token) }
    try mustHold(engine.logits.count == sizes.vocabulary, "a logit for every token")
  }

  /// The smallest network with everything in it.
  static func smallWeights(_ variant: Variant = .released) -> Weights<Float> {
    .random(
      Hyperparameters(
        neurons: 8, synapticDimension: 4, heads: 2, layers: 2, vocabulary: 5, variant: variant),
      seed: 1, damping: variant == .released)
  }

  static func saved(_ write: (String) throws -> Void) throws -> [UInt8] {
    let scratch = try ScratchFile()
    try write(scratch.path)
    return Array(try Data(contentsOf: URL(fileURLWithPath: scratch.path)))
  }

  static func safetensorsSeeds() throws -> [[UInt8]] {
    let file = try saved { try smallWeights().save(to: $0, metadata: ["note": "é \u{1B}"]) }
    let rounded = try saved { try smallWeights(.definition4).save(to: $0, as: .bf16) }
    let header =
      #"{"a":{"dtype":"I64","shape":[2,1],"data_offsets":[0,16]},"b":{"dtype":"F8_E4M3","shape":[],"data_offsets":[16,17]}, "c" : {"shape" : [0,3],"dtype":"F16","data_offsets":[17,17]}}"#
    return [file, FuzzTarget.unframed(file), FuzzTarget.unframed(rounded)]
      + [Array(header.utf8) + [0] + [UInt8](repeating: 3, count: 17)]
  }

  /// A state dict in protocol 2, in the storages of ``StoredZip/torch(pickle:)``, with what checkpoints have beside it.
  static var statePickle: [UInt8] {
    func text(_ text: String) -> [UInt8] { [0x58] + bytes(of: UInt32(text.utf8.count)) + text.utf8 }
    func numbers(_ values: [Int]) -> [UInt8] {
      [0x28] + values.flatMap { [0x4B, UInt8($0)] } + [0x74]
    }
    func name(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }
    func tensor(_ key: Int, _ shape: [Int]) -> [UInt8] {
      let strides = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
      let storage = [0x28] + text("storage") + name("torch", "FloatStorage") + text("\(key)") + text("cpu")
      return name("torch._utils", "_rebuild_tensor_v2") + [0x28] + storage + [0x4B, 64, 0x74, 0x51, 0x4B, 0]
        + numbers(shape) + numbers(strides) + [0x89] + name("collections", "OrderedDict")
        + [0x29, 0x52, 0x74, 0x52]
    }
    let tensors: [(String, [Int])] = [
      ("encoder", [2, 4, 4]), ("encoder_v", [2, 4, 4]), ("decoder", [8, 4]), ("embed.weight", [5, 4]),
      ("lm_head", [4, 5]), ("attn.freqs", [1, 1, 1, 4]),
    ]
    let network = tensors.enumerated().flatMap { text($1.0) + tensor($0, $1.1) }
    let settings =
      text("config") + name("argparse", "Namespace") + [0x29, 0x81, 0x7D, 0x28] + text("n_layer")
      + [0x4B, 2, 0x75, 0x62]
    let rest = text("loss") + [0x47, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0] + text("step") + [0x8A, 2, 1, 2]
    return [0x80, 2, 0x7D, 0x71, 0, 0x28] + text("model") + [0x7D, 0x28] + network + [0x75] + settings + rest
      + [0x75, 0x2E]
  }

  // MARK: Arrays

  static func readArray(_ content: [UInt8]) throws {
    let scratch = try ScratchFile(content)
    let array = try NumpyArray.read(scratch.path)
    try mustHold(array.view.count == array.shape.reduce(1, *), "a number for every place")
    if array.view.count <= 4096 { _ = array.view.floats + array.view.doubles.map(Float.init) }
    let tokens = try array.tokens(path: scratch.path)
    try mustHold(tokens.count == array.shape[0], "a token for every place")
  }

  static var arraySeeds: [[UInt8]] {
    let headers: [(UInt8, String, Int)] = [
      (1, "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }", 24),
      (1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", 24),
      (2, "{\"shape\": (4L,), \"descr\": u'|u1', 'fortran_order': False}", 4),
      (3, "{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': ()}", 4),
    ]
    return headers.map { version, header, data in
      let length = header.utf8.count
      let size = version == 1 ? bytes(of: UInt16(length)) : bytes(of: UInt32(length))
      return [0x93] + Array("NUMPY".utf8) + [version, 0] + size + Array(header.utf8)
        + [UInt8](repeating: 1, count: data)
    }
  }

  // MARK: States

  /// Engines that a state may belong to, all over the same small network.
  private static func engines() throws -> [any SteppingEngine] {
    let weights = smallWeights()
    let pruned = DirectOptions(kept: .strongest(12))
    return [
      try CircuitEngine(Compiler().circuit(from: weights).graph, workers: one),
      try CircuitEngine(
        Compiler().circuit(from: weights).graph, workers: one,
        options: CircuitEngineOptions(defersWrites: true)),
      try DirectEngine(Compiler().direct(from: weights, workers: one).graph, workers: one),
      try DirectEngine(Compiler().direct(from: weights, options: pruned, workers: one).graph, workers: one),
      TensorEngine(weights, workers: one),
      try CircuitEngine(
        Compiler().circuit(from: weights.converted(to: Double.self)).graph, workers: one),
    ]
  }
  private nonisolated(unsafe) static let everyEngine = Result { try engines() }

  static func restoreState(_ content: [UInt8]) throws {
    let scratch = try ScratchFile(content)
    let state = try StateFile.read(scratch.path)
    for engine in try everyEngine.get() {
      engine.reset()
      do { try engine.restore(state) } catch is StateError { continue }
      try mustHold(engine.position == state.position, "the position is the saved one")
      for token in [1, 4, 1] { try engine.step(token) }
      try mustHold(engine.position == state.position + 3, "three tokens later")
    }
  }

  static func stateSeeds() throws -> [[UInt8]] {
    try engines().flatMap { engine in
      for token in [0, 3, 3, 1, 2] { try engine.step(token) }
      let state = engine.save()
      let file = try saved { try StateFile.write(state, to: $0) }
      return [file, FuzzTarget.unframed(file)]
    }
  }
}
