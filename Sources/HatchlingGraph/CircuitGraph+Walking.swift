import HatchlingNumerics

extension CircuitGraph {
  /// The fixed projections with the populations of their rows and columns, in the order of a walk.
  var fixedProjections: [(kind: SynapseKind, projection: Projection<Scalar>)] {
    [
      (.embedding, embedding), (.x, drivesX), (.y, drivesY), (.encoder, encoder), (.readout, readout),
    ]
  }

  /// Presynaptic and postsynaptic particle of the synapse stored at (row, column) of a kind.
  static func ends(of kind: SynapseKind, row: Int, column: Int) -> (
    presynaptic: Particle, postsynaptic: Particle
  ) {
    switch kind {
    case .embedding: (.token(TokenIndex(row)), .hub(HubIndex(column)))
    case .x, .y, .plastic: (.hub(HubIndex(column)), .neuron(NeuronIndex(row)))
    case .encoder: (.neuron(NeuronIndex(row)), .hub(HubIndex(column)))
    case .readout: (.hub(HubIndex(row)), .readout(ReadoutIndex(column)))
    case .partner: (.neuron(NeuronIndex(row)), .neuron(NeuronIndex(column)))
    }
  }

  /// Calls `body` for every synapse, kind by kind; nothing is materialised. Plastic synapses come once, without weight.
  public func forEachSynapse(
    of kinds: [SynapseKind] = SynapseKind.allCases, _ body: (Synapse<Scalar>) throws -> Void
  ) rethrows {
    for kind in kinds {
      switch kind {
      case .plastic: try forEachPlasticSynapse(body)
      case .partner: try forEachPartnerEdge(body)
      default:
        guard let projection = fixedProjections.first(where: { $0.kind == kind })?.projection else {
          continue
        }
        try projection.forEachEntry { row, column, weight in
          let (presynaptic, postsynaptic) = Self.ends(of: kind, row: row, column: column)
          try body(
            Synapse(
              kind: kind, from: presynaptic, to: postsynaptic, sign: weight > 0 ? .excitatory : .inhibitory,
              weight: weight.magnitude))
        }
      }
    }
  }

  private func forEachPlasticSynapse(_ body: (Synapse<Scalar>) throws -> Void) rethrows {
    for neuron in 0..<neuronCount {
      for hub in 0..<hubCount where plastic.contains(HubIndex(hub), NeuronIndex(neuron)) {
        try body(
          Synapse(
            kind: .plastic, from: .hub(HubIndex(hub)), to: .neuron(NeuronIndex(neuron)), sign: .excitatory,
            weight: nil))
      }
    }
  }

  private func forEachPartnerEdge(_ body: (Synapse<Scalar>) throws -> Void) rethrows {
    for neuron in 0..<neuronCount where neurons.partners[neuron] >= 0 {
      try body(
        Synapse(
          kind: .partner, from: .neuron(NeuronIndex(neuron)),
          to: .neuron(NeuronIndex(Int(neurons.partners[neuron]))),
          sign: neurons.leads[neuron] ? .excitatory : .inhibitory, weight: nil))
    }
  }

  /// How many synapses there are of a kind. Plastic synapses count once, not once per layer.
  public func count(of kind: SynapseKind) -> Int {
    switch kind {
    case .plastic: plastic.count
    case .partner: neurons.partners.reduce(0) { $0 + ($1 >= 0 ? 1 : 0) }
    default: fixedProjections.first { $0.kind == kind }?.projection.count ?? 0
    }
  }

  /// All synapses of all kinds.
  public var synapseCount: Int { SynapseKind.allCases.reduce(0) { $0 + count(of: $1) } }

  /// The weight of a fixed synapse with its sign, 0 where there is none; nil when the particles cannot be joined by that kind
  /// or do not exist.
  public func signedWeight(of kind: SynapseKind, from presynaptic: Particle, to postsynaptic: Particle)
    -> Scalar?
  {
    guard let (row, column) = location(of: kind, from: presynaptic, to: postsynaptic) else { return nil }
    return fixedProjections.first { $0.kind == kind }?.projection[row, column]
  }

  /// Row and column where the synapse is (or would be) stored.
  func location(
    of kind: SynapseKind, from presynaptic: Particle, to postsynaptic: Particle
  ) -> (row: Int, column: Int)? {
    let place: (Int, Int)?
    switch (kind, presynaptic, postsynaptic) {
    case (.embedding, .token(let token), .hub(let hub)): place = (token.index, hub.index)
    case (.x, .hub(let hub), .neuron(let neuron)), (.y, .hub(let hub), .neuron(let neuron)),
      (.plastic, .hub(let hub), .neuron(let neuron)):
      place = (neuron.index, hub.index)
    case (.encoder, .neuron(let neuron), .hub(let hub)): place = (neuron.index, hub.index)
    case (.readout, .hub(let hub), .readout(let readout)): place = (hub.index, readout.index)
    default: place = nil
    }
    guard let place, contains(presynaptic), contains(postsynaptic) else { return nil }
    return place
  }

  /// Whether the particle exists in this graph.
  public func contains(_ particle: Particle) -> Bool {
    switch particle {
    case .neuron: particle.index < neuronCount
    case .hub: particle.index < hubCount
    case .token, .readout: particle.index < tokenCount
    }
  }
}
