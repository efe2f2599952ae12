import HatchlingCheckpoint
import HatchlingNumerics

/// A checkpoint that is no usable network.
public enum ModelError: InputError, Equatable {
  case missingTensor(path: String, key: String)
  case wrongShape(path: String, key: String, shape: [Int], expected: String)
  case wrongType(path: String, key: String, type: String)
  case notFinite(path: String, key: String, index: Int)
  case dampingOutOfRange(path: String, index: Int, value: Float)
  case missingLayers(path: String)
  case badMetadata(path: String, key: String, value: String, expected: String)
  /// Several values of a key that the network itself could have meant; `found` is in the form `config.n_layer 2`.
  case ambiguousMetadata(path: String, key: String, found: [String])
  /// Several networks in one file, or none where `wanted` says; `found` are their prefixes.
  case ambiguousNetwork(path: String, wanted: String?, found: [String])
  /// Frequencies that differ between layers: here every neuron has one clock, the same in all layers.
  case frequenciesDiffer(path: String, keys: [String])
  case badLayerCount(Int)
  /// A neuron graph where weights are wanted.
  case isGraph(path: String)
  /// Weights where a neuron graph is wanted.
  case isNoGraph(path: String)
  /// `searched`: the files that were looked for.
  case noShippedModel(searched: [String])

  public var description: String { message.escaped }

  private var message: String {
    switch self {
    case .missingTensor(let path, let key): "'\(path)' has no tensor '\(key)'; is it a BDH state dict?"
    case .wrongShape(let path, let key, let shape, let expected):
      "'\(path)', key '\(key)': shape \(shape) does not fit, expected \(expected)"
    case .wrongType(let path, let key, let type):
      "'\(path)', key '\(key)': its type, \(type), cannot be used for weights; save them as F32, BF16 or F16"
    case .notFinite(let path, let key, let index):
      "'\(path)', key '\(key)': element \(index) is NaN or infinite; the training run that made it diverged"
    case .dampingOutOfRange(let path, let index, let value):
      "'\(path)', key 'attn.damping': element \(index) is \(value), not between 0 and 1"
    case .missingLayers(let path):
      "'\(path)' does not record its number of layers; say it"
    case .badMetadata(let path, let key, let value, let expected):
      "'\(path)', metadata '\(key)': '\(value)' is not \(expected)"
    case .ambiguousMetadata(let path, let key, let found):
      "'\(path)' records several different values of \(key): \(listed(found)); say which"
    case .ambiguousNetwork(let path, let wanted?, let found):
      "'\(path)' has no network '\(wanted)'; its prefixes are \(listed(found))"
    case .ambiguousNetwork(let path, nil, let found):
      "'\(path)' holds \(found.count) networks; choose one: \(listed(found))"
    case .frequenciesDiffer(let path, let keys):
      "'\(path)': \(listed(keys)) differ; frequencies of each layer's own are not supported, all layers share one clock per neuron"
    case .isGraph(let path):
      "'\(path)' is a neuron graph, whose synapses are weights of their own; D_x, D_y and E, which are needed here, it has not"
    case .isNoGraph(let path):
      "'\(path)' holds the weights D_x, D_y and E, not a neuron graph; compile it to one"
    case .badLayerCount(let layers): "\(layers) layers: a network has 1 … 10000"
    case .noShippedModel(let searched):
      "the network that comes with hatchling is not there; searched: \(searched.joined(separator: ", ")); name another"
    }
  }

  /// At most six of them.
  private func listed(_ names: [String]) -> String {
    names.prefix(6).joined(separator: ", ") + (names.count > 6 ? " and \(names.count - 6) more" : "")
  }
}
