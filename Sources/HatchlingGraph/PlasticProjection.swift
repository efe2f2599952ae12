import HatchlingNumerics

/// The synapses that learn: from hubs (presynaptic, the field wrote them) to neurons (postsynaptic). The graph only says
/// which of them exist; each one's weight, one per layer, is state of the engine.
public struct PlasticProjection: Sendable {
  public let neurons: Int
  public let hubs: Int
  /// `(n, d)`, 1 where the synapse exists; nil when all do.
  public private(set) var present: Matrix<UInt8>?

  public init(neurons: Int, hubs: Int, present: Matrix<UInt8>? = nil) {
    self.neurons = neurons
    self.hubs = hubs
    let isComplete = present.map { mask in (0..<mask.count).allSatisfy { mask.pointer[$0] != 0 } } ?? true
    self.present = isComplete ? nil : present
  }

  /// Number of synapses, in one layer.
  public var count: Int {
    guard let present else { return neurons * hubs }
    return (0..<present.count).reduce(0) { $0 + (present.pointer[$1] != 0 ? 1 : 0) }
  }

  /// Whether the synapse from `hub` to `neuron` exists.
  public func contains(_ hub: HubIndex, _ neuron: NeuronIndex) -> Bool {
    present.map { $0[neuron.index, hub.index] != 0 } ?? true
  }

  /// Adds or removes one synapse.
  public mutating func set(_ hub: HubIndex, _ neuron: NeuronIndex, exists: Bool) {
    var mask =
      present ?? Matrix(rows: neurons, columns: hubs, repeatElement(UInt8(1), count: neurons * hubs))
    mask[neuron.index, hub.index] = exists ? 1 : 0
    present = mask
  }

  /// Plastic synapses of each neuron, `(n)`.
  public var neuronDegrees: [Int32] {
    guard let present else { return [Int32](repeating: Int32(hubs), count: neurons) }
    return (0..<neurons).map { neuron in
      let row = present.row(neuron)
      return (0..<hubs).reduce(0) { $0 + (row[$1] != 0 ? 1 : 0) }
    }
  }
}
