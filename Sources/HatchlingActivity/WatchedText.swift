import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

/// A text and what some synapses and neurons did at each of its tokens (Figs. 12 and 13 of the paper).
public struct WatchedText: Sendable {
  /// A synapse, or a neuron.
  public struct Item: Sendable {
    /// `2:h3:n12`, or `2:n12`.
    public let name: String
    /// Nil for a neuron.
    public let synapse: LayerSynapse?
    /// Of a synapse its weight after the token, of a neuron its y, or x.
    public internal(set) var strength: [Double] = []
    /// What the token wrote on a synapse, before damping: presynaptic times postsynaptic. For a neuron, its change since the token before.
    public internal(set) var increment: [Double] = []
    /// v of the hub or z of the node at the write; of a neuron, its x.
    public internal(set) var presynaptic: [Double] = []
    /// x̃ of the neuron at the write; of a neuron, its y.
    public internal(set) var postsynaptic: [Double] = []

    /// The tokens that wrote most, strongest first.
    public func largestWrites(_ count: Int) -> [Int] {
      increment.indices.filter { increment[$0] != 0 }.sorted {
        (increment[$1].magnitude, $0) < (increment[$0].magnitude, $1)
      }.prefix(count).map { $0 }
    }
  }

  public private(set) var tokens: [Int] = []
  /// The loss of every token under the prediction before it; nil for the first.
  public private(set) var surprises: [Double?] = []
  public private(set) var items: [Item] = []

  /// Reads a text. - Parameter step: reads one token; the engine's own if nil.
  /// - Throws: ``ActivityError`` for what there is not, `TokenError`.
  public init<Scalar: NetworkScalar>(
    _ tokens: [Int], synapses: [LayerSynapse], neurons: [LayerNeuron], tintsByX: Bool = false,
    on engine: any WatchableEngine<Scalar>, by step: ((Int) throws -> StepActivity)? = nil
  ) throws {
    guard !synapses.isEmpty || !neurons.isEmpty else { throw ActivityError.nothingChosen }
    let listed = Array(Set(neurons.map(\.neuron))).sorted()
    var request = RecordingRequest(
      neurons.isEmpty ? [] : [.x, .y], layers: Set(neurons.map(\.layer)), neurons: listed)
    (request.isDense, request.synapses, request.synapseQuantities) = (
      true, synapses, SynapseQuantity.allCases
    )
    let recorder = try Recorder(request, on: engine)
    defer { recorder.detach() }
    let names = ParticleNames(of: engine)
    items =
      synapses.map { Item(name: names.name($0), synapse: $0) }
      + neurons.map { Item(name: "\($0.layer):n\($0.neuron)", synapse: nil) }
    let series = recorder.description.series
    for token in tokens {
      let seen = try recorder.read(token, by: step)
      self.tokens.append(token)
      surprises.append(seen.surprise)
      func value(_ name: String, _ layer: Int, _ place: (ActivitySeries) -> Int?) -> Double {
        for sample in seen.frame?.samples ?? [] {
          let one = series[sample.series]
          if one.layer == layer, one.name == name, let place = place(one) {
            return Double(sample.values[place])
          }
        }
        return .nan
      }
      for (index, synapse) in synapses.enumerated() {
        func part(_ what: SynapseQuantity) -> Double {
          value(what.rawValue, synapse.layer) { $0.synapses.firstIndex(of: synapse) }
        }
        items[index].strength.append(part(.sigma))
        items[index].increment.append(part(.written))
        items[index].presynaptic.append(part(.presynaptic))
        items[index].postsynaptic.append(part(.postsynaptic))
      }
      for (offset, neuron) in neurons.enumerated() {
        let index = synapses.count + offset
        func part(_ name: String) -> Double {
          value(name, neuron.layer) { $0.entries.firstIndex(of: neuron.neuron) }
        }
        let (x, y) = (part("x"), part("y"))
        items[index].increment.append((tintsByX ? x : y) - (items[index].strength.last ?? 0))
        items[index].strength.append(tintsByX ? x : y)
        items[index].presynaptic.append(x)
        items[index].postsynaptic.append(y)
      }
    }
  }
}
