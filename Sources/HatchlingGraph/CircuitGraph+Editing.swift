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
    }
  }
}

extension CircuitGraph {
  /// Gives a fixed synapse another signed weight; zero removes it. - Throws: ``GraphError`` when no such synapse can exist.
  public mutating func setSignedWeight(
    _ weight: Scalar, of kind: SynapseKind, from presynaptic: Particle, to postsynaptic: Particle
  ) throws(GraphError) {
    guard kind != .plastic, kind != .partner else { throw .weightIsState(kind: kind.rawValue) }
    guard let (row, column) = location(of: kind, from: presynaptic, to: postsynaptic) else {
      throw .noSuchParticle("\(presynaptic.name) → \(postsynaptic.name)", kind: kind.rawValue)
    }
    switch kind {
    case .embedding: embedding[row, column] = weight
    case .x: drivesX[row, column] = weight
    case .y: drivesY[row, column] = weight
    case .encoder: encoder[row, column] = weight
    case .readout: readout[row, column] = weight
    case .plastic, .partner: break
    }
  }

  /// Multiplies the weight of an existing fixed synapse. - Throws: ``GraphError`` when there is none.
  public mutating func scale(
    _ kind: SynapseKind, from presynaptic: Particle, to postsynaptic: Particle, by factor: Scalar
  ) throws(GraphError) {
    guard kind != .plastic, kind != .partner else { throw .weightIsState(kind: kind.rawValue) }
    guard let weight = signedWeight(of: kind, from: presynaptic, to: postsynaptic) else {
      throw .noSuchParticle("\(presynaptic.name) → \(postsynaptic.name)", kind: kind.rawValue)
    }
    guard weight != 0 else {
      throw .noSuchSynapse(
        kind: kind.rawValue, presynaptic: presynaptic.name, postsynaptic: postsynaptic.name)
    }
    try setSignedWeight(weight * factor, of: kind, from: presynaptic, to: postsynaptic)
  }

  /// Cuts one synapse of any kind but partner. - Throws: ``GraphError`` when there is none.
  public mutating func remove(
    _ kind: SynapseKind, from presynaptic: Particle, to postsynaptic: Particle
  ) throws(GraphError) {
    guard kind == .plastic else { return try scale(kind, from: presynaptic, to: postsynaptic, by: 0) }
    guard let (row, column) = location(of: kind, from: presynaptic, to: postsynaptic),
      plastic.contains(HubIndex(column), NeuronIndex(row))
    else {
      throw .noSuchSynapse(
        kind: kind.rawValue, presynaptic: presynaptic.name, postsynaptic: postsynaptic.name)
    }
    plastic.set(HubIndex(column), NeuronIndex(row), exists: false)
  }

  /// The same network with its neurons renumbered: neuron `order[j]` becomes neuron j. Neurons stay inside their heads.
  /// - Throws: ``GraphError`` when `order` is no permutation of every head.
  public func renumbered(_ order: [Int]) throws(GraphError) -> CircuitGraph {
    guard order.count == neuronCount, Set(order) == Set(0..<neuronCount) else {
      throw .brokenRule(
        rule: "renumbering", detail: "the order is not a permutation of the \(neuronCount) neurons")
    }
    for range in neurons.heads where !range.allSatisfy({ range.contains(order[$0]) }) {
      throw .brokenRule(rule: "renumbering", detail: "a neuron would leave its head \(range)")
    }
    func permute(_ projection: Projection<Scalar>) -> Projection<Scalar> {
      var matrix = Matrix<Scalar>(rows: projection.rows, columns: projection.columns)
      let target = matrix.mutablePointer()
      for (row, source) in order.enumerated() {
        projection.forEachEntry(rows: source..<source + 1) { _, column, weight in
          target[row * projection.columns + column] = weight
        }
      }
      if case .sparse = projection.storage { return Projection(.sparse(SparseRows(matrix))) }
      return Projection(dense: matrix)
    }
    var result = self
    result.drivesX = permute(drivesX)
    result.drivesY = permute(drivesY)
    result.encoder = permute(encoder)
    if let present = plastic.present {
      let elements = order.flatMap { Array(UnsafeBufferPointer(start: present.row($0), count: hubCount)) }
      result.plastic = PlasticProjection(
        neurons: neuronCount, hubs: hubCount, present: Matrix(rows: neuronCount, columns: hubCount, elements))
    }
    var place = [Int32](repeating: 0, count: neuronCount)
    for (new, old) in order.enumerated() { place[old] = Int32(new) }
    result.neurons.frequencies = order.map { neurons.frequencies[$0] }
    result.neurons.damping = order.map { neurons.damping[$0] }
    result.neurons.partners = order.map { neurons.partners[$0] < 0 ? -1 : place[Int(neurons.partners[$0])] }
    result.neurons.leads = order.map { neurons.leads[$0] }
    return result
  }
}
