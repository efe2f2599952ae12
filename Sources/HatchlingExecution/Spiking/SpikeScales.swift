import HatchlingCheckpoint
import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// The largest values that a network's particles held while it read a text, from which the scales of spikes are made.
public struct SpikeScales: Sendable, Equatable {
  /// What has a scale of its own.
  public enum Granularity: String, Sendable, CaseIterable, Codable {
    case quantity, layer, particle
  }

  /// Of the model's file; empty where it is not known.
  public let model: String
  public let form: GraphForm
  /// How many tokens were read.
  public let tokens: Int
  /// Of each quantity: for layer 1 … L and, where the readout hears it, once more for that, the largest |u| of every entry.
  let largest: [Quantity: [[Double]]]

  init(model: String, form: GraphForm, tokens: Int, largest: [Quantity: [[Double]]]) {
    (self.model, self.form, self.tokens, self.largest) = (model, form, tokens, largest)
  }

  /// Scales of every entry of a quantity in a layer, `(entries)`.
  ///
  /// A particle whose largest value is small beside its layer's gets a sixteenth of the layer's: that it was silent on the text of calibration does
  /// not say that it always is.
  ///
  /// - Parameters:
  ///   - layer: from 1; L + 1 for the readout.
  ///   - headroom: the scale, in units of the largest value.
  func scales(of quantity: Quantity, layer: Int, _ granularity: Granularity, headroom: Double) -> [Double] {
    guard let layers = largest[quantity], layers.indices.contains(layer - 1) else { return [] }
    let own = layers[layer - 1]
    let overall = layers.map { $0.max() ?? 0 }.max() ?? 0
    let ofLayer = own.max() ?? 0
    return own.map { value in
      let size =
        switch granularity {
        case .quantity: overall
        case .layer: ofLayer > 0 ? ofLayer : overall
        case .particle: max(value, (ofLayer > 0 ? ofLayer : overall) / 16)
        }
      // A quantity that is never anything but 0 is never said.
      return size > 0 ? headroom * size : 1
    }
  }

  /// Whether these are the scales of a network that runs a schedule with such codes. - Throws: ``SpikeScalesError``.
  public func check(
    _ sizes: Hyperparameters, _ schedule: Schedule, _ options: SpikingOptions
  ) throws(SpikeScalesError) {
    guard form == schedule.form else { throw .otherForm(form.rawValue) }
    for quantity in schedule.spokenQuantities
    where quantity != .token && options.code(of: quantity).kind != .graded {
      guard let layers = largest[quantity] else { throw .missing(quantity.rawValue) }
      let count = quantity.count(in: sizes)
      guard layers.count == schedule.layers + 1, layers.allSatisfy({ $0.count == count }) else {
        throw .wrongShape(quantity.rawValue)
      }
    }
  }

  /// 8 hexadecimal digits over all numbers.
  var digest: String {
    let numbers = quantities.flatMap { Array((largest[$0] ?? []).joined()) }
    return String(numbers.withUnsafeBytes(ContentHash.sha256).prefix(8))
  }

  /// Which quantities have scales.
  public var quantities: [Quantity] { Quantity.allCases.filter { largest[$0] != nil } }

  /// The largest value of a quantity in every layer (and for the readout).
  public func largestByLayer(_ quantity: Quantity) -> [Double] {
    largest[quantity]?.map { $0.max() ?? 0 } ?? []
  }
}

// MARK: Files

extension SpikeScales: Codable {
  private enum CodingKeys: String, CodingKey { case model, form, tokens, largest }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    model = try container.decode(String.self, forKey: .model)
    let name = try container.decode(String.self, forKey: .form)
    guard let form = GraphForm(rawValue: name) else { throw SpikeScalesError.unknown("form", name) }
    self.form = form
    tokens = try container.decode(Int.self, forKey: .tokens)
    var found: [Quantity: [[Double]]] = [:]
    for (name, layers) in try container.decode([String: [[Double]]].self, forKey: .largest) {
      guard let quantity = Quantity(rawValue: name) else { throw SpikeScalesError.unknown("quantity", name) }
      guard layers.joined().allSatisfy({ $0 >= 0 && $0.isFinite }) else {
        throw SpikeScalesError.notANumber(name)
      }
      guard layers.joined().contains(where: { $0 > 0 }) else { throw SpikeScalesError.zero(name) }
      found[quantity] = layers
    }
    largest = found
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(model, forKey: .model)
    try container.encode(form.rawValue, forKey: .form)
    try container.encode(tokens, forKey: .tokens)
    try container.encode(
      Dictionary(uniqueKeysWithValues: largest.map { ($0.key.rawValue, $0.value) }), forKey: .largest)
  }
}

/// Scales that cannot be used.
public enum SpikeScalesError: InputError, Equatable {
  case tooShort(tokens: Int, needed: Int)
  case unknown(String, String)
  case notANumber(String)
  case zero(String)
  case missing(String)
  case wrongShape(String)
  case otherModel
  case otherForm(String)

  public var description: String {
    switch self {
    case .tooShort(let tokens, let needed):
      "a text of \(tokens) tokens is too short to find the scales of spikes; \(needed) are needed"
    case .unknown(let what, let name): "there is no \(what) '\(name)'"
    case .notANumber(let name): "the scales of \(name) hold a number that is negative or not finite"
    case .zero(let name): "all scales of \(name) are 0"
    case .missing(let name): "there are no scales of \(name)"
    case .wrongShape(let name): "the scales of \(name) belong to a network of other sizes"
    case .otherModel: "the scales belong to another model"
    case .otherForm(let form): "the scales belong to the \(form) form"
    }
  }
}
