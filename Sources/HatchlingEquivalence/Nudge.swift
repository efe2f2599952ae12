import HatchlingExecution
import HatchlingGraph
import HatchlingNumerics

/// A change of one synapse, to show that a check can fail: `KIND:PRE:POST:FACTOR`, for plastic synapses
/// `plastic:PRE:POST:FACTOR:TOKEN:LAYER`. Which kinds there are and what they join is the graph form's.
public struct Nudge<Graph: ParticleGraph>: Sendable {
  public let kind: SynapseKind
  public let presynaptic: Particle
  public let postsynaptic: Particle
  public let factor: Double
  /// When a plastic synapse is changed: after this token, in this layer (from 1).
  public let time: (token: Int, layer: Int)?

  /// Other spellings of kinds.
  private static var aliases: [String: String] {
    [
      "d_x": "x", "dx": "x", "gx": "x", "d_y": "y", "dy": "y", "gy": "y", "e": "encoder", "encode": "encoder",
      "emb": "embedding", "embed": "embedding", "w_out": "readout", "rho": "plastic", "sigma": "plastic",
    ]
  }

  /// Reads a nudge; a particle that is a number alone belongs to the population that its kind joins.
  /// - Throws: ``NudgeError`` with the text and what is wrong with it.
  public init(_ text: String) throws(NudgeError) {
    let ends = Graph.form == .circuit ? "h3:n12" : "n3:n12"
    func bad(_ why: String) -> NudgeError {
      let hint = Graph.form == .circuit ? "" : "in the direct form "
      let more = Graph.form == .circuit ? "" : " or y:t65:n12:1.1"
      return NudgeError(description: "'\(text)': \(why); \(hint)write for example x:\(ends):1.1\(more)")
    }
    func particle(_ part: Substring, _ kind: ParticleKind) throws(NudgeError) -> Particle {
      guard let particle = Int(part).map({ Particle(kind, $0) }) ?? Particle(name: part), particle.index >= 0
      else { throw bad("'\(part)' names no particle") }
      return particle
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 4 || parts.count == 6 else { throw bad("four parts separated by colons are needed") }
    let name = parts[0].lowercased()
    // Edges out of tokens are told by their presynaptic particle.
    let wirings = Graph.wirings.filter {
      $0.kind != .partner && $0.presynaptic != .token || $0.kind == .embedding
    }
    guard let wiring = wirings.first(where: { $0.kind.rawValue == Self.aliases[name] ?? name }) else {
      let order: [SynapseKind] = [.x, .y, .encoder, .embedding, .readout, .plastic]
      let kinds = order.filter { kind in wirings.contains { $0.kind == kind } }
      throw bad("the kind is one of \(kinds.map(\.rawValue).joined(separator: ", "))")
    }
    kind = wiring.kind
    presynaptic = try particle(parts[1], wiring.presynaptic)
    postsynaptic = try particle(parts[2], wiring.postsynaptic)
    guard let factor = Double(parts[3]), factor.isFinite else { throw bad("'\(parts[3])' is not a factor") }
    self.factor = factor
    guard parts.count == 6 else {
      guard kind != .plastic else {
        throw bad("a plastic weight is state: say when, plastic:\(ends):1.1:TOKEN:LAYER")
      }
      time = nil
      return
    }
    guard kind == .plastic, let token = Int(parts[4]), let layer = Int(parts[5]), token >= 0, layer >= 1
    else { throw bad("only a plastic synapse is changed at a TOKEN and a LAYER") }
    time = (token, layer)
  }

  /// The graph with its fixed synapse scaled; a plastic one is state of an engine and left alone. - Throws: `GraphError`.
  public func applied(to graph: Graph) throws(GraphError) -> Graph {
    var graph = graph
    if time == nil { try graph.scale(kind, from: presynaptic, to: postsynaptic, by: Graph.Scalar(factor)) }
    return graph
  }

  /// Scales a plastic synapse after its token. - Throws: `GraphError`.
  public func apply<Scalar>(
    to engine: CircuitEngine<Scalar>, after token: Int
  ) throws where Graph == CircuitGraph<Scalar> {
    guard let time, time.token == token else { return }
    guard case .hub(let hub) = presynaptic, case .neuron(let neuron) = postsynaptic else { throw noEnds }
    try engine.scalePlasticWeight(layer: time.layer, from: hub, to: neuron, by: Scalar(factor))
  }

  /// Scales a plastic synapse after its token. - Throws: `GraphError`.
  public func apply<Scalar>(
    to engine: DirectEngine<Scalar>, after token: Int
  ) throws where Graph == DirectGraph<Scalar> {
    guard let time, time.token == token else { return }
    guard case .neuron(let neuron) = postsynaptic else { throw noEnds }
    try engine.scalePlasticWeight(layer: time.layer, from: presynaptic, to: neuron, by: Scalar(factor))
  }

  private var noEnds: GraphError {
    .noSuchParticle("\(presynaptic.name) → \(postsynaptic.name)", kind: kind.rawValue)
  }
}

/// A nudge that cannot be read.
public struct NudgeError: InputError, Equatable {
  public let description: String
}
