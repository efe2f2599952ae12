import HatchlingNumerics

/// The synapses that learn: from hubs (presynaptic, the field wrote them) to neurons (postsynaptic). The graph only says
/// which of them exist; each one's weight, one per layer, is state of the engine.
public struct PlasticProjection: Sendable {
  public let neurons, hubs: Int
  /// `(n, d)`, 1 where the synapse exists; nil when all do.
  public private(set) var present: Matrix<UInt8>?

  public init(neurons: Int, hubs: Int, present: Matrix<UInt8>? = nil) {
    (self.neurons, self.hubs) = (neurons, hubs)
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

extension PlasticProjection: PlasticSynapses {
  public func contains(source: Int, neuron: Int) -> Bool { contains(HubIndex(source), NeuronIndex(neuron)) }

  public func forEachSource(of neuron: Int, in sources: Range<Int>, _ body: (Int) throws -> Void) rethrows {
    for hub in sources where contains(source: hub, neuron: neuron) { try body(hub) }
  }

  public func count(neurons: Int, in sources: Range<Int>) -> Int { count }

  public mutating func remove(source: Int, neuron: Int, neurons: Int, sources: Int) {
    set(HubIndex(source), NeuronIndex(neuron), exists: false)
  }

  /// The same synapses with neuron `order[j]` as neuron j.
  func renumbered(_ order: [Int]) -> PlasticProjection {
    PlasticProjection(neurons: neurons, hubs: hubs, present: present?.selecting(order))
  }
}
