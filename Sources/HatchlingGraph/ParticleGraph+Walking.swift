import HatchlingNumerics

extension ParticleGraph {
  /// Calls `body` for every synapse, kind by kind; nothing is materialised. Plastic synapses come once, without weight.
  public func forEachSynapse(
    of kinds: [SynapseKind] = Self.kinds, _ body: (Synapse<Scalar>) throws -> Void
  ) rethrows {
    for kind in kinds { try forEachSynapse(of: kind, body) }
  }

  /// Calls `body` for every synapse of a kind.
  @_specialize(where Self == CircuitGraph<Float>)
  @_specialize(where Self == DirectGraph<Float>)
  public func forEachSynapse(of kind: SynapseKind, _ body: (Synapse<Scalar>) throws -> Void) rethrows {
    guard let wiring = Self.wiring(of: kind) else { return }
    let (sources, targets) = (numbers(of: wiring.presynaptic), numbers(of: wiring.postsynaptic))
    func visit(_ source: Int, _ target: Int, _ sign: Sign, _ weight: Scalar?) throws {
      try body(
        Synapse(
          kind: kind, presynaptic: Particle(wiring.presynaptic, source - sources.lowerBound),
          postsynaptic: Particle(wiring.postsynaptic, target - targets.lowerBound), sign: sign, weight: weight
        ))
    }
    if let path = wiring.projection {
      let (rows, columns) = wiring.rowsSend ? (sources, targets) : (targets, sources)
      try self[keyPath: path].forEachEntry(rows: rows) { row, column, weight in
        guard columns.contains(column) else { return }
        let sign = weight > 0 ? Sign.excitatory : .inhibitory
        if wiring.rowsSend {
          try visit(row, column, sign, weight.magnitude)
        } else {
          try visit(column, row, sign, weight.magnitude)
        }
      }
    } else if kind == .partner {
      for neuron in sources where neurons.partners[neuron] >= 0 {
        let sign = neurons.leads[neuron] ? Sign.excitatory : .inhibitory
        try visit(neuron, Int(neurons.partners[neuron]), sign, nil)
      }
    } else {
      for neuron in targets {
        try plastic.forEachSource(of: neuron, in: sources) { try visit($0, neuron, .excitatory, nil) }
      }
    }
  }

  /// How many synapses there are of a kind. Plastic synapses count once, not once per layer. Cost: at most one pass.
  public func count(of kind: SynapseKind) -> Int {
    guard let wiring = Self.wiring(of: kind) else { return 0 }
    let (sources, targets) = (numbers(of: wiring.presynaptic), numbers(of: wiring.postsynaptic))
    if let path = wiring.projection {
      let projection = self[keyPath: path]
      let (rows, columns) = wiring.rowsSend ? (sources, targets) : (targets, sources)
      if rows.count < projection.rows { return projection.rowDegrees[rows].reduce(0) { $0 + Int($1) } }
      if columns.count < projection.columns { return projection.columnDegrees[columns].reduce(0, +) }
      return projection.count
    }
    if kind == .partner { return neurons.partners.count { $0 >= 0 } }
    return plastic.count(neurons: targets.count, in: sources)
  }

  /// All synapses of all kinds.
  public var synapseCount: Int { Self.kinds.reduce(0) { $0 + count(of: $1) } }

  /// The weight of a fixed synapse with its sign, 0 where there is none; nil when the particles cannot be joined by that kind
  /// or do not exist. An edge out of a token is found under the kind of neurons' edges, too: `x` for `token_x`.
  public func signedWeight(of kind: SynapseKind, from presynaptic: Particle, to postsynaptic: Particle)
    -> Scalar?
  {
    guard let place = place(of: kind, from: presynaptic, to: postsynaptic), let path = place.wiring.projection
    else { return nil }
    return self[keyPath: path][place.row, place.column]
  }

  static func wiring(of kind: SynapseKind) -> Wiring<Self>? { wirings.first { $0.kind == kind } }

  /// Where the synapse is (or would be) stored; nil when particles of that kind cannot be joined, or do not exist. Plastic synapses lie
  /// by neuron.
  func place(
    of kind: SynapseKind, from presynaptic: Particle, to postsynaptic: Particle
  ) -> (wiring: Wiring<Self>, row: Int, column: Int)? {
    let ofTokens = presynaptic.kind == .token ? kind.fromTokens.flatMap(Self.wiring(of:)) : nil
    guard let wiring = ofTokens ?? Self.wiring(of: kind), wiring.presynaptic == presynaptic.kind,
      wiring.postsynaptic == postsynaptic.kind, contains(presynaptic), contains(postsynaptic)
    else { return nil }
    let source = numbers(of: presynaptic.kind).lowerBound + presynaptic.index
    let target = numbers(of: postsynaptic.kind).lowerBound + postsynaptic.index
    return wiring.rowsSend ? (wiring, source, target) : (wiring, target, source)
  }
}
