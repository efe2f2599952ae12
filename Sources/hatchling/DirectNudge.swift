import HatchlingExecution
import HatchlingGraph
import HatchlingNumerics

/// `KIND:PRE:POST:FACTOR` for the direct form: `x:n3:n12:1.1`, `y:t65:n12:1.1`, and `plastic:n3:n12:1.1:TOKEN:LAYER`.
struct DirectNudge {
  private let kind: DirectSynapseKind
  private let presynaptic: Particle
  private let neuron: NeuronIndex
  private let factor: Double
  /// When a plastic synapse is changed: after this token, in this layer (from 1).
  let time: (token: Int, layer: Int)?

  init(_ text: String) throws {
    func bad(_ why: String) -> OptionError {
      .bad("--nudge '\(text)': \(why); in the direct form write for example x:n3:n12:1.1 or y:t65:n12:1.1")
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 4 || parts.count == 6 else { throw bad("four parts separated by colons are needed") }
    let kinds: [String: DirectSynapseKind] = [
      "x": .x, "gx": .x, "y": .y, "gy": .y, "plastic": .plastic, "sigma": .plastic,
    ]
    guard let kind = kinds[parts[0].lowercased()] else { throw bad("the kind is one of x, y, plastic") }
    func particle(_ part: Substring) throws -> Particle {
      guard let particle = Particle(name: Int(part) == nil ? String(part) : "n\(part)") else {
        throw bad("'\(part)' names no particle")
      }
      return particle
    }
    self.kind = kind
    presynaptic = try particle(parts[1])
    guard case .neuron(let neuron) = try particle(parts[2]) else { throw bad("'\(parts[2])' is no neuron") }
    self.neuron = neuron
    guard let factor = Double(parts[3]), factor.isFinite else { throw bad("'\(parts[3])' is not a factor") }
    self.factor = factor
    guard (kind == .plastic) == (parts.count == 6) else {
      throw bad("a plastic weight is state: say when, plastic:n3:n12:1.1:TOKEN:LAYER; others are not")
    }
    guard parts.count == 6 else {
      time = nil
      return
    }
    guard let token = Int(parts[4]), let layer = Int(parts[5]), token >= 0, layer >= 1 else {
      throw bad("a plastic synapse is changed at a TOKEN and a LAYER")
    }
    time = (token, layer)
  }

  func apply<Scalar>(to graph: inout DirectGraph<Scalar>) throws {
    try graph.scale(kind, from: presynaptic, to: neuron, by: Scalar(factor))
  }

  func apply<Scalar>(to engine: DirectEngine<Scalar>) throws {
    guard let time else { return }
    try engine.scalePlasticWeight(layer: time.layer, from: presynaptic, to: neuron, by: Scalar(factor))
  }
}
