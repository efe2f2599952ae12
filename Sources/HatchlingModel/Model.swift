import Foundation
import HatchlingCheckpoint
import HatchlingNumerics

/// A network that was loaded from a file: weights, what the file says about itself, and where it came from.
public struct Model: Sendable {
  public let path: String
  public let weights: Weights<Float>
  public let metadata: [String: String]
  /// What stands before the names of the network's tensors in the file, such as `model._orig_mod.`.
  public let prefix: String
  /// What the user should know although nothing is wrong, one line each.
  public let warnings: [String]

  public var hyperparameters: Hyperparameters { weights.hyperparameters }

  /// Loads a checkpoint of the public code, or one that this project wrote.
  ///
  /// `layers` and `variant` are for files that do not record them; against a file that does, they win with a warning. `prefix` chooses
  /// among several networks in one file, such as `ema`; without it they are an error that lists them. D_x and D_y
  /// are transposed into one row per neuron; a packed float32 `decoder` is used where it lies in the mapped file.
  /// - Throws: `CheckpointError` or ``ModelError``. Cost: one pass over the file.
  public static func load(
    path: String, layers: Int? = nil, variant: Variant? = nil, prefix: String? = nil,
    workers: Workers = Workers()
  ) throws -> Model {
    try load(
      CheckpointFile.open(path), layers: layers, variant: variant, prefix: prefix, workers: workers)
  }

  /// The same of a file that was opened before.
  public static func load(
    _ file: CheckpointFile, layers: Int? = nil, variant: Variant? = nil, prefix: String? = nil,
    workers: Workers = Workers()
  ) throws -> Model {
    guard file.graphFormat == nil else { throw ModelError.isGraph(path: file.path) }
    return try CheckpointLayout(file, prefix: prefix).model(
      layers: layers, variant: variant, workers: workers)
  }

  /// The small trained model that comes with the program.
  /// - Throws: ``ModelError/noShippedModel(searched:)`` where it is missing, else as ``load(path:layers:variant:prefix:workers:)``.
  public static func shipped(
    layers: Int? = nil, variant: Variant? = nil, workers: Workers = Workers()
  ) throws -> Model {
    let path = try ShippedNetwork.shipped.path()
    return try load(path: path, layers: layers, variant: variant, workers: workers)
  }

  /// 16 hexadecimal digits over the sizes, the rule and all numbers of the network, whatever file and number type they came from.
  /// Cost: one pass over the weights.
  public var fingerprint: String { weights.fingerprint }
}

extension CheckpointFile {
  /// What the formats of neuron graphs begin with; versions follow.
  package static var graphFormats: String { "hatchling-graph-" }

  /// The format of a neuron graph; nil for every other file.
  public var graphFormat: String? {
    metadata["format"].flatMap { $0.hasPrefix(Self.graphFormats) ? $0 : nil }
  }
}

extension Weights where Scalar == Float {
  /// See ``Model/fingerprint``.
  public var fingerprint: String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ bytes: UnsafeRawBufferPointer) { hash = contentHash(bytes, seed: hash) }
    let sizes = hyperparameters
    let text =
      "\(sizes.neurons) \(sizes.synapticDimension) \(sizes.heads) \(sizes.layers) \(sizes.vocabulary) \(sizes.variant.rawValue)"
    Array(text.utf8).withUnsafeBytes(mix)
    for matrix in [decoderX, decoderY, encoder, embedding, readout] {
      mix(UnsafeRawBufferPointer(start: matrix.pointer, count: matrix.count * 4))
    }
    frequencies.withUnsafeBytes(mix)
    damping?.withUnsafeBytes(mix)
    if let plasticSynapses {
      mix(UnsafeRawBufferPointer(start: plasticSynapses.pointer, count: plasticSynapses.count))
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// A 64-bit hash of bytes in four independent lanes (multiply and rotate), for telling models apart, not for security.
private func contentHash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
  let prime: UInt64 = 0x9E37_79B1_85EB_CA87
  var (a, b, c, d) = (seed &+ prime, seed ^ prime, seed, seed &- prime)
  func turn(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    let mixed = lane &+ word &* 0xC2B2_AE3D_27D4_EB4F
    return (mixed << 31 | mixed >> 33) &* prime
  }
  var offset = 0
  while offset + 32 <= bytes.count {
    a = turn(a, bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    b = turn(b, bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
    c = turn(c, bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self))
    d = turn(d, bytes.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self))
    offset += 32
  }
  while offset < bytes.count {
    a = turn(a, UInt64(bytes[offset]))
    offset += 1
  }
  var hash = turn(turn(turn(turn(UInt64(bytes.count), a), b), c), d)
  hash ^= hash >> 33
  hash = hash &* prime
  return hash ^ hash >> 29
}
