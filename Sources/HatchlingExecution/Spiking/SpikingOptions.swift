import HatchlingDynamics
import HatchlingModel

/// How a network runs on spikes.
public struct SpikingOptions: Sendable {
  /// Of quantities that have no code of their own.
  public var code: SpikeCode
  public var codes: [Quantity: SpikeCode]
  public var granularity: SpikeScales.Granularity
  public var neuron: any NeuronModel
  /// For codes that draw.
  public var seed: UInt64
  /// Bits of the mantissa of the gains that normalisers broadcast; nil for gains as they are.
  public var gainBits: Int?
  /// Whether the residual stream of the field keeps what was said instead of what was meant.
  public var spikesResidual: Bool

  public init(
    _ code: SpikeCode, codes: [Quantity: SpikeCode] = [:],
    granularity: SpikeScales.Granularity = .quantity, neuron: any NeuronModel = IntegrateAndFire(),
    seed: UInt64 = 1, gainBits: Int? = nil, spikesResidual: Bool = false
  ) {
    (self.code, self.codes, self.granularity) = (code, codes, granularity)
    (self.neuron, self.seed, self.gainBits, self.spikesResidual) = (neuron, seed, gainBits, spikesResidual)
  }

  /// As it is written: a code for all, or one and further ones for some quantities, `few:3:10,v=few:4:12,y=rate:32`.
  ///
  /// - Throws: ``SpikeCodeError``.
  public init(named text: String) throws(SpikeCodeError) {
    var (code, codes): (SpikeCode?, [Quantity: SpikeCode]) = (nil, [:])
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2 else {
        guard code == nil else { throw .twice("every quantity") }
        code = try SpikeCode(named: String(part))
        continue
      }
      let name = String(sides[0])
      guard let quantity = Self.quantity(named: name) else {
        throw .unknownQuantity(name, known: Self.names.map(\.name))
      }
      guard codes[quantity] == nil else { throw .twice(name) }
      codes[quantity] = try SpikeCode(named: String(sides[1]))
    }
    guard let code else { throw .unknown(text) }
    self.init(code, codes: codes)
  }

  /// Quantities that are said in spikes, by the names that options have for them; those of the direct form last.
  static let names: [(name: String, quantity: Quantity)] = [
    ("v", .v), ("x", .x), ("rotated", .rotated), ("a", .heard), ("y", .y), ("z", .z), ("A", .attention),
  ]

  static func quantity(named name: String) -> Quantity? { names.first { $0.name == name }?.quantity }

  /// The name of a quantity in options and reports.
  public static func name(of quantity: Quantity) -> String {
    names.first { $0.quantity == quantity }?.name ?? quantity.rawValue
  }

  public func code(of quantity: Quantity) -> SpikeCode { codes[quantity] ?? code }

  /// As in a saved state.
  public var name: String {
    let own = codes.map { "\(Self.name(of: $0.key))=\($0.value.name)" }.sorted()
    let marks = [
      granularity == .quantity ? nil : "scales by \(granularity.rawValue)",
      neuron.name.isEmpty ? nil : neuron.name, gainBits.map { "gains of \($0) bits" },
      spikesResidual ? "spiked residual" : nil, isRandom ? "seed \(seed)" : nil,
    ]
    return (["\(code.name)"] + own + marks.compactMap(\.self)).joined(separator: ", ")
  }

  /// Whether chance has a part in it.
  public var isRandom: Bool { ([code] + codes.values).contains { $0.kind == .chance } }

  /// Values as they are: the exact network, message by message.
  public static let graded = SpikingOptions(.graded)
}

extension SpikingOptions: Equatable {
  /// Neurons are equal that have one name.
  public static func == (left: SpikingOptions, right: SpikingOptions) -> Bool {
    left.code == right.code && left.codes == right.codes && left.granularity == right.granularity
      && left.neuron.name == right.neuron.name && left.seed == right.seed && left.gainBits == right.gainBits
      && left.spikesResidual == right.spikesResidual
  }
}
