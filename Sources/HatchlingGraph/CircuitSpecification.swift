import HatchlingNumerics

/// What makes a circuit graph valid, as a list of named rules. The compiler checks it on entry and exit of its passes, an engine
/// before it runs.
public struct CircuitSpecification<Scalar: NetworkScalar>: Sendable {
  /// A named rule: `violation` says what is wrong, or nil.
  public struct Rule: Sendable {
    public let name: String
    public let violation: @Sendable (CircuitGraph<Scalar>) -> String?
  }

  public let rules: [Rule]

  /// The rules that every engine relies on.
  public static var standard: CircuitSpecification {
    CircuitSpecification(rules: [
      Rule(name: "populations are not empty", violation: emptyPopulation),
      Rule(name: "heads tile the neurons") { $0.neurons.headViolation },
      Rule(name: "every projection joins its two populations", violation: projectionShapes),
      Rule(name: "weights are finite", violation: infiniteWeight),
      Rule(name: "outgoing lists are in order", violation: listOrder),
      Rule(name: "partners are mutual and share a head") { $0.neurons.partnerViolation },
      Rule(name: "clocks and damping are in range") { $0.neurons.clockViolation },
    ])
  }

  /// - Throws: ``GraphError/brokenRule(rule:detail:)`` naming the first rule that does not hold. Cost: one pass over the weights
  /// of projections without a census, one over neurons and lists.
  public func check(_ graph: CircuitGraph<Scalar>) throws(GraphError) {
    for rule in rules {
      if let detail = rule.violation(graph) { throw .brokenRule(rule: rule.name, detail: detail) }
    }
  }

  private static func emptyPopulation(_ graph: CircuitGraph<Scalar>) -> String? {
    if graph.neuronCount == 0 { return "no neurons" }
    if graph.hubCount == 0 { return "no hubs" }
    if graph.tokenCount == 0 { return "no tokens" }
    return graph.layers < 1 ? "\(graph.layers) layers" : nil
  }

  private static func projectionShapes(_ graph: CircuitGraph<Scalar>) -> String? {
    let (n, d, v) = (graph.neuronCount, graph.hubCount, graph.tokenCount)
    let shapes: [SynapseKind: (Int, Int)] = [
      .embedding: (v, d), .x: (n, d), .y: (n, d), .encoder: (n, d), .readout: (d, v),
    ]
    for (kind, projection) in graph.fixedProjections {
      guard let shape = shapes[kind], shape == (projection.rows, projection.columns) else {
        return "\(kind.rawValue) is \(projection.rows) × \(projection.columns)"
      }
    }
    let plastic = graph.plastic
    return plastic.neurons == n && plastic.hubs == d ? nil : "plastic is \(plastic.neurons) × \(plastic.hubs)"
  }

  private static func infiniteWeight(_ graph: CircuitGraph<Scalar>) -> String? {
    for (kind, projection) in graph.fixedProjections where !projection.isFinite {
      return "a \(kind.rawValue) synapse is not"
    }
    return nil
  }

  private static func listOrder(_ graph: CircuitGraph<Scalar>) -> String? {
    for (kind, projection) in graph.fixedProjections {
      if case .sparse(let lists) = projection.storage, let violation = lists.violation {
        return "\(kind.rawValue): \(violation)"
      }
    }
    return nil
  }
}

extension CircuitGraph {
  /// Checks the standard specification. - Throws: ``GraphError/brokenRule(rule:detail:)``.
  public func validate() throws(GraphError) { try CircuitSpecification.standard.check(self) }
}
