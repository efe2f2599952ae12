import HatchlingModel
import HatchlingNumerics

/// A graph that cannot be edited as asked, or that breaks the specification.
public enum GraphError: InputError, Equatable {
  case noSuchParticle(String, kind: String)
  case noSuchSynapse(kind: String, presynaptic: String, postsynaptic: String)
  case weightIsState(kind: String)
  /// `rule` is the name of the broken rule of the specification.
  case brokenRule(rule: String, detail: String)
  case notDecompilable(String)
  case remainderNotSaved

  public var description: String {
    switch self {
    case .noSuchParticle(let name, let kind):
      "'\(name)' is not a particle that a synapse of kind '\(kind)' can join; see `hatchling info` for the sizes"
    case .noSuchSynapse(let kind, let presynaptic, let postsynaptic):
      "there is no \(kind) synapse from \(presynaptic) to \(postsynaptic)"
    case .weightIsState(let kind):
      "the weight of a \(kind) synapse is state of the running engine, not of the graph; change it in the engine"
    case .brokenRule(let rule, let detail): "the graph breaks the rule '\(rule)': \(detail)"
    case .notDecompilable(let reason): "the graph has no tensor form: \(reason)"
    case .remainderNotSaved:
      "hubs carry what was cut from this graph, and a file of a graph has no place for them; compile it without"
    }
  }

  static func noEnds(_ kind: SynapseKind, _ presynaptic: Particle, _ postsynaptic: Particle) -> GraphError {
    .noSuchParticle("\(presynaptic.name) → \(postsynaptic.name)", kind: kind.rawValue)
  }

  static func noSynapse(_ kind: SynapseKind, _ presynaptic: Particle, _ postsynaptic: Particle) -> GraphError
  {
    .noSuchSynapse(kind: kind.rawValue, presynaptic: presynaptic.name, postsynaptic: postsynaptic.name)
  }
}

extension ParticleGraph {
  /// Gives a fixed synapse another signed weight; zero removes it. - Throws: ``GraphError`` when no such synapse can exist.
  public mutating func setSignedWeight(
    _ weight: Scalar, of kind: SynapseKind, from presynaptic: Particle, to postsynaptic: Particle
  ) throws(GraphError) {
    guard kind.hasWeights else { throw .weightIsState(kind: kind.rawValue) }
    guard let place = place(of: kind, from: presynaptic, to: postsynaptic), let path = place.wiring.projection
    else { throw .noEnds(kind, presynaptic, postsynaptic) }
    self[keyPath: path][place.row, place.column] = weight
  }

  /// Multiplies the weight of an existing fixed synapse. - Throws: ``GraphError`` when there is none.
  public mutating func scale(
    _ kind: SynapseKind, from presynaptic: Particle, to postsynaptic: Particle, by factor: Scalar
  ) throws(GraphError) {
    guard kind.hasWeights else { throw .weightIsState(kind: kind.rawValue) }
    guard let weight = signedWeight(of: kind, from: presynaptic, to: postsynaptic) else {
      throw .noEnds(kind, presynaptic, postsynaptic)
    }
    guard weight != 0 else { throw .noSynapse(kind, presynaptic, postsynaptic) }
    try setSignedWeight(weight * factor, of: kind, from: presynaptic, to: postsynaptic)
  }

  /// Cuts one synapse of any kind but partner. - Throws: ``GraphError`` when there is none.
  public mutating func remove(
    _ kind: SynapseKind, from presynaptic: Particle, to postsynaptic: Particle
  ) throws(GraphError) {
    guard kind == .plastic || kind == .tokenPlastic else {
      return try scale(kind, from: presynaptic, to: postsynaptic, by: 0)
    }
    guard let (_, neuron, source) = place(of: kind, from: presynaptic, to: postsynaptic),
      plastic.contains(source: source, neuron: neuron)
    else { throw .noSynapse(kind, presynaptic, postsynaptic) }
    let sources = Self.wirings.filter { $0.kind == .plastic || $0.kind == .tokenPlastic }
      .map { numbers(of: $0.presynaptic).upperBound }.max()
    plastic.remove(source: source, neuron: neuron, neurons: neuronCount, sources: sources ?? 0)
  }
}
