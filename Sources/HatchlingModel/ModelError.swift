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
  case badLayerCount(Int)
  case noShippedModel

  public var description: String {
    switch self {
    case .missingTensor(let path, let key): "'\(path)' has no tensor '\(key)'; is it a BDH state dict?"
    case .wrongShape(let path, let key, let shape, let expected):
      "'\(path)', key '\(key)': shape \(shape) does not fit, expected \(expected)"
    case .wrongType(let path, let key, let type):
      "'\(path)', key '\(key)': dtype \(type) is not a float type; save weights as F32, BF16 or F16"
    case .notFinite(let path, let key, let index):
      "'\(path)', key '\(key)': element \(index) is NaN or infinite; the training run that made it diverged"
    case .dampingOutOfRange(let path, let index, let value):
      "'\(path)', key 'attn.damping': element \(index) is \(value), not between 0 and 1"
    case .missingLayers(let path):
      "'\(path)' does not record its number of layers; say it"
    case .badMetadata(let path, let key, let value, let expected):
      "'\(path)', metadata '\(key)': '\(value)' is not \(expected)"
    case .badLayerCount(let layers): "\(layers) layers: a network has 1 … 10000"
    case .noShippedModel: "the model that ships inside the package was not found; name one"
    }
  }
}
