import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// A plastic synapse in one of the layers, each of which has a weight of its own on it.
public struct LayerSynapse: Sendable, Hashable {
  /// 1 … L.
  public let layer: Int
  public let synapse: PlasticSynapse

  public init(layer: Int, _ synapse: PlasticSynapse) { (self.layer, self.synapse) = (layer, synapse) }
}

extension LayerSynapse: Comparable {
  /// By layer, then postsynaptic, then presynaptic particle.
  public static func < (a: LayerSynapse, b: LayerSynapse) -> Bool {
    (a.layer, a.synapse.postsynaptic, a.synapse.presynaptic)
      < (b.layer, b.synapse.postsynaptic, b.synapse.presynaptic)
  }
}

/// Names of particles of one network: which form it has, and how many there are.
public struct ParticleNames: Sendable, Hashable {
  public let form: GraphForm
  public let neurons: Int
  public let layers: Int

  public init(form: GraphForm, _ sizes: Hyperparameters) {
    self.form = form
    (neurons, layers) = (sizes.neurons, sizes.layers)
  }

  public init(of engine: some WatchableEngine) {
    self.init(form: engine.schedule.form, engine.hyperparameters)
  }

  /// `h3`, or in the direct form `n3` or `t65`.
  public func presynaptic(_ number: Int) -> String {
    form == .circuit ? "h\(number)" : number < neurons ? "n\(number)" : "t\(number - neurons)"
  }

  /// `2:h3:n12`.
  public func name(_ synapse: LayerSynapse) -> String {
    "\(synapse.layer):\(presynaptic(synapse.synapse.presynaptic)):n\(synapse.synapse.postsynaptic)"
  }

  /// Reads `L:PRE:POST`. A number alone is a hub in the circuit and a neuron in the direct form.
  /// - Throws: ``ActivityError``.
  public func synapse(_ text: String) throws(ActivityError) -> LayerSynapse {
    let bad = ActivityError.badSynapse(text, example: form == .circuit ? "2:h3:n12" : "2:n3:n12 or 2:t65:n12")
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, let layer = Int(parts[0]) else { throw bad }
    guard (1...layers).contains(layer) else { throw .noSuchLayer(layer, layers: layers) }
    guard let post = try neuron(parts[2]) else { throw bad }
    let source: Int
    switch (
      form, Int(parts[1]).map { Particle(form == .circuit ? .hub : .neuron, $0) } ?? Particle(name: parts[1])
    )
    {
    case (.circuit, .hub(let hub)): source = hub.index
    case (.direct, .neuron(let neuron)):
      guard neuron.index < neurons else { throw .noSuchNeuron(neuron.index, neurons: neurons) }
      source = neuron.index
    case (.direct, .token(let token)): source = neurons + token.index
    default: throw bad
    }
    guard source >= 0 else { throw bad }
    return LayerSynapse(layer: layer, PlasticSynapse(from: source, to: post))
  }

  /// Reads `12` or `n12`; nil for anything else. - Throws: ``ActivityError/noSuchNeuron(_:neurons:)``.
  public func neuron(_ text: Substring) throws(ActivityError) -> Int? {
    guard let number = Int(text.hasPrefix("n") ? text.dropFirst() : text) else { return nil }
    guard (0..<neurons).contains(number) else { throw .noSuchNeuron(number, neurons: neurons) }
    return number
  }

  /// Reads `L:N`. - Throws: ``ActivityError``.
  public func layerNeuron(_ text: String) throws(ActivityError) -> LayerNeuron {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let layer = Int(parts[0]), let number = try neuron(parts[1]) else {
      throw .badSynapse(text, example: "2:n12")
    }
    guard (1...layers).contains(layer) else { throw .noSuchLayer(layer, layers: layers) }
    return LayerNeuron(layer: layer, neuron: number)
  }

  /// Reads neurons separated by commas, each `12`, `n12` or a range `8-15`, in ascending order.
  /// - Throws: ``ActivityError``.
  public func neurons(_ list: String) throws(ActivityError) -> [Int] {
    var found: Set<Int> = []
    for part in list.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false)
      guard (1...2).contains(ends.count), let first = try neuron(ends[0]),
        let last = try neuron(ends[ends.count - 1]),
        first <= last
      else { throw .badNeuron(String(part)) }
      found.formUnion(first...last)
    }
    return found.sorted()
  }
}

/// A neuron in one of the layers.
public struct LayerNeuron: Sendable, Hashable {
  /// 1 … L.
  public let layer: Int
  public let neuron: Int
}
