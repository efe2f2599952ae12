import HatchlingNumerics

/// The kinds of synapses of the direct form, edges out of token neurons apart from those between neurons.
public enum DirectSynapseKind: String, CaseIterable, Sendable {
  /// Neuron → neuron, drives x: G_x.
  case x
  /// Token → neuron, drives x.
  case tokenX = "token_x"
  /// Neuron → neuron, drives y: G_y.
  case y
  /// Token → neuron, drives y.
  case tokenY = "token_y"
  /// Neuron → neuron, learns while text goes by: σ.
  case plastic
  /// Token → neuron, learns.
  case tokenPlastic = "token_plastic"
  /// Neuron ↔ neuron: the two members of a rotating pair.
  case partner

  /// Whether edges start at token neurons.
  public var startsAtTokens: Bool { [.tokenX, .tokenY, .tokenPlastic].contains(self) }
}

/// One synapse of a direct graph: what a walk yields.
public struct DirectSynapse<Scalar: Sendable & Equatable>: Equatable, Sendable {
  public let kind: DirectSynapseKind
  /// A neuron or a token neuron.
  public let presynaptic: Particle
  public let postsynaptic: NeuronIndex
  public let sign: Sign
  /// At least 0. Nil for a plastic synapse, whose weight is state, and for a partner edge, whose weight is the neuron's clock.
  public let weight: Scalar?
}

extension DirectGraph {
  /// Calls `body` for every synapse of a kind; nothing is materialised. Plastic synapses come once, without weight.
  public func forEachSynapse(
    of kind: DirectSynapseKind, _ body: (DirectSynapse<Scalar>) throws -> Void
  ) rethrows {
    func visit(_ node: Int, _ neuron: Int, _ weight: Scalar?) throws {
      try body(
        DirectSynapse(
          kind: kind, presynaptic: particle(node), postsynaptic: NeuronIndex(neuron),
          sign: (weight ?? 1) > 0 ? .excitatory : .inhibitory, weight: weight?.magnitude))
    }
    let nodes = kind.startsAtTokens ? neuronCount..<nodeCount : 0..<neuronCount
    switch kind {
    case .x, .tokenX: try drivesX.forEachEntry(rows: nodes) { try visit($0, $1, $2) }
    case .y, .tokenY:
      try drivesY.forEachEntry { if nodes.contains($1) { try visit($1, $0, $2) } }
    case .plastic, .tokenPlastic:
      for neuron in 0..<neuronCount {
        switch plastic {
        case .complete: for node in nodes { try visit(node, neuron, nil) }
        case .lists(let lists):
          for position in lists.offsets[neuron]..<lists.offsets[neuron + 1] {
            let node = Int(lists.sources[position])
            if nodes.contains(node) { try visit(node, neuron, nil) }
          }
        }
      }
    case .partner:
      for neuron in 0..<neuronCount where neurons.partners[neuron] >= 0 {
        try body(
          DirectSynapse(
            kind: kind, presynaptic: .neuron(NeuronIndex(neuron)),
            postsynaptic: NeuronIndex(Int(neurons.partners[neuron])),
            sign: neurons.leads[neuron] ? .excitatory : .inhibitory, weight: nil))
      }
    }
  }

  /// How many synapses there are of a kind. Plastic synapses count once, not once per layer. Cost: at most one pass.
  public func count(of kind: DirectSynapseKind) -> Int {
    let nodes = kind.startsAtTokens ? neuronCount..<nodeCount : 0..<neuronCount
    switch kind {
    case .x, .tokenX: return drivesX.rowDegrees[nodes].reduce(0) { $0 + Int($1) }
    case .y, .tokenY: return drivesY.columnDegrees[nodes].reduce(0, +)
    case .plastic, .tokenPlastic:
      guard case .lists(let lists) = plastic else { return neuronCount * nodes.count }
      return lists.sources.reduce(0) { $0 + (nodes.contains(Int($1)) ? 1 : 0) }
    case .partner: return neurons.partners.reduce(0) { $0 + ($1 >= 0 ? 1 : 0) }
    }
  }

  /// The weight of a fixed synapse with its sign, 0 where there is none; nil when the particles do not exist or the kind has no
  /// fixed weights.
  public func signedWeight(
    of kind: DirectSynapseKind, from presynaptic: Particle, to neuron: NeuronIndex
  ) -> Scalar? {
    guard let node = node(presynaptic), (0..<neuronCount).contains(neuron.index) else { return nil }
    switch kind {
    case .x, .tokenX: return drivesX[node, neuron.index]
    case .y, .tokenY: return drivesY[neuron.index, node]
    case .plastic, .tokenPlastic, .partner: return nil
    }
  }

  /// Gives a fixed synapse another signed weight; zero removes it. - Throws: ``GraphError`` when no such synapse can exist.
  public mutating func setSignedWeight(
    _ weight: Scalar, of kind: DirectSynapseKind, from presynaptic: Particle, to neuron: NeuronIndex
  ) throws(GraphError) {
    guard let node = node(presynaptic), (0..<neuronCount).contains(neuron.index) else {
      throw .noSuchParticle("\(presynaptic.name) → n\(neuron.index)", kind: kind.rawValue)
    }
    switch kind {
    case .x, .tokenX: drivesX[node, neuron.index] = weight
    case .y, .tokenY: drivesY[neuron.index, node] = weight
    case .plastic, .tokenPlastic, .partner: throw .weightIsState(kind: kind.rawValue)
    }
  }

  /// Multiplies the weight of an existing fixed synapse. - Throws: ``GraphError`` when there is none.
  public mutating func scale(
    _ kind: DirectSynapseKind, from presynaptic: Particle, to neuron: NeuronIndex, by factor: Scalar
  ) throws(GraphError) {
    let weight = signedWeight(of: kind, from: presynaptic, to: neuron) ?? 0
    guard weight != 0 else {
      throw .noSuchSynapse(
        kind: kind.rawValue, presynaptic: presynaptic.name, postsynaptic: "n\(neuron.index)")
    }
    try setSignedWeight(weight * factor, of: kind, from: presynaptic, to: neuron)
  }
}
