import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Changes of a network that runs: plastic synapses that are cut or set, neurons that are silenced.
public struct Interventions: Sendable, Hashable {
  /// A plastic weight, as it is when a token is read.
  public struct Setting: Sendable, Hashable {
    public let synapse: LayerSynapse
    public let weight: Double
    /// Position in the stream.
    public let token: Int

    public init(synapse: LayerSynapse, weight: Double, token: Int) {
      (self.synapse, self.weight, self.token) = (synapse, weight, token)
    }
  }

  /// Synapses that have weight 0 whenever a token is read.
  public var cuts: [LayerSynapse] = []
  /// Neurons whose x, and so y, is 0. What a partner turns into their x̃ still passes.
  public var silenced: [Int] = []
  public var settings: [Setting] = []

  public init() {}

  public var isEmpty: Bool { cuts.isEmpty && silenced.isEmpty && settings.isEmpty }

  /// Reads `L:PRE:POST=W@TOKEN`. - Throws: ``ActivityError``.
  public static func setting(_ text: String, _ names: ParticleNames) throws(ActivityError) -> Setting {
    let bad = ActivityError.badSetting(
      text, example: names.form == .circuit ? "2:h3:n12=0.5@40" : "2:n3:n12=0.5@40")
    let sides = text.split(separator: "=", omittingEmptySubsequences: false)
    guard sides.count == 2 else { throw bad }
    let values = sides[1].split(separator: "@", omittingEmptySubsequences: false)
    guard values.count == 2, let weight = Double(values[0]), weight.isFinite, let token = Int(values[1]),
      token >= 0
    else { throw bad }
    return Setting(synapse: try names.synapse(String(sides[0])), weight: weight, token: token)
  }

  /// Weights in which the silenced neurons hear nothing: their rows of D_x are 0.
  public func silencing<Scalar>(_ weights: Weights<Scalar>) -> Weights<Scalar> {
    guard !silenced.isEmpty else { return weights }
    var weights = weights
    let (d, rows) = (weights.decoderX.columns, weights.decoderX.mutablePointer())
    for neuron in silenced { (rows + neuron * d).update(repeating: 0, count: d) }
    return weights
  }

  /// The same of a neuron graph: nothing reaches the silenced neurons over G_x.
  public func silencing<Scalar>(_ graph: DirectGraph<Scalar>) -> DirectGraph<Scalar> {
    silenced.isEmpty ? graph : graph.deafening(Set(silenced))
  }

  /// - Throws: ``ActivityError`` for a synapse or a neuron that there is not.
  public func check(on engine: some WatchableEngine) throws(ActivityError) {
    for neuron in silenced where !(0..<engine.hyperparameters.neurons).contains(neuron) {
      throw .noSuchNeuron(neuron, neurons: engine.hyperparameters.neurons)
    }
    for synapse in cuts + settings.map(\.synapse) where !engine.hasPlasticSynapse(synapse.synapse) {
      throw .noSuchSynapse(ParticleNames(of: engine).name(synapse))
    }
  }

  /// Before the token at the engine's position is read: cuts, then settings. `changed` is told every difference of a weight.
  public func apply<Scalar: NetworkScalar>(
    to engine: any WatchableEngine<Scalar>, changed: (LayerSynapse, Scalar) -> Void = { _, _ in }
  ) {
    func put(_ weight: Scalar, on synapse: LayerSynapse) {
      engine.replacePlasticWeight(layer: synapse.layer, of: synapse.synapse) { before in
        changed(synapse, weight - before)
        return weight
      }
    }
    for synapse in cuts { put(0, on: synapse) }
    for setting in settings where setting.token == engine.position {
      put(Scalar(setting.weight), on: setting.synapse)
    }
  }
}
