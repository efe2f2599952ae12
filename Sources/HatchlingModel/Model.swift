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
  /// With `choice` only the rows of some neurons are read, see ``Weights/part``.
  /// - Throws: `CheckpointError` or ``ModelError``. Cost: one pass over the file, or over those rows.
  public static func load(
    path: String, layers: Int? = nil, variant: Variant? = nil, prefix: String? = nil,
    only choice: NeuronChoice? = nil, workers: Workers = Workers()
  ) throws -> Model {
    try load(
      CheckpointFile.open(path), layers: layers, variant: variant, prefix: prefix, only: choice,
      workers: workers)
  }

  /// The same of a file that was opened before.
  public static func load(
    _ file: CheckpointFile, layers: Int? = nil, variant: Variant? = nil, prefix: String? = nil,
    only choice: NeuronChoice? = nil, workers: Workers = Workers()
  ) throws -> Model {
    guard file.graphFormat == nil else { throw ModelError.isGraph(path: file.path) }
    return try CheckpointLayout(file, prefix: prefix).model(
      layers: layers, variant: variant, only: choice, workers: workers)
  }

  /// The small trained model that comes with the program.
  /// - Throws: ``ModelError/noShippedModel(searched:)`` where it is missing, else as ``load(path:layers:variant:prefix:workers:)``.
  public static func shipped(
    layers: Int? = nil, variant: Variant? = nil, only choice: NeuronChoice? = nil,
    workers: Workers = Workers()
  ) throws -> Model {
    try load(
      path: ShippedNetwork.shipped.path(), layers: layers, variant: variant, only: choice, workers: workers)
  }

  /// 16 hexadecimal digits over the sizes, the rule and all numbers of the network, whatever file and number type they came from.
  /// Cost: one pass over the weights.
  public var fingerprint: String { weights.fingerprint }
}

extension Model {
  /// A network that no checkpoint holds.
  package init(path: String, weights: Weights<Float>) {
    self.init(path: path, weights: weights, metadata: [:], prefix: "", warnings: [])
  }
}

extension CheckpointFile {
  /// What the formats of neuron graphs begin with; versions follow.
  package static var graphFormats: String { "hatchling-graph-" }

  /// The format of a neuron graph; nil for every other file.
  public var graphFormat: String? {
    metadata["format"].flatMap { $0.hasPrefix(Self.graphFormats) ? $0 : nil }
  }
}
