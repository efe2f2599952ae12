import HatchlingNumerics

/// What makes a graph valid, as a list of named rules. The compiler checks it on entry and exit of its passes, an engine before it
/// runs.
public struct Specification<Graph: ParticleGraph>: Sendable {
  /// A named rule: `violation` says what is wrong, or nil.
  public struct Rule: Sendable {
    public let name: String
    public let violation: @Sendable (Graph) -> String?
  }

  public let rules: [Rule]

  /// The rules that every engine relies on: those of all forms, and the form's own before the rules of neurons.
  public static var standard: Specification {
    let shared = [
      Rule(name: "populations are not empty", violation: emptyPopulation),
      Rule(name: "heads tile the neurons") { $0.neurons.headViolation },
      Rule(name: "every projection joins its two populations", violation: shapes),
      Rule(name: "weights are finite") { graph in
        graph.fixedSynapses.first { !$0.projection.isFinite }.map { "\($0.noun) is not" }
      },
      Rule(name: "lists are in order", violation: listOrder),
    ]
    let ofNeurons = [
      Rule(name: "partners are mutual and share a head") { $0.neurons.partnerViolation },
      Rule(name: "clocks and damping are in range") { $0.neurons.clockViolation },
    ]
    return Specification(rules: shared + Graph.ownRules + ofNeurons)
  }

  /// - Throws: ``GraphError/brokenRule(rule:detail:)`` naming the first rule that does not hold. Cost: one pass over the weights
  /// of projections without a census, one over neurons and lists.
  public func check(_ graph: Graph) throws(GraphError) {
    for rule in rules {
      if let detail = rule.violation(graph) { throw .brokenRule(rule: rule.name, detail: detail) }
    }
  }

  private static func emptyPopulation(_ graph: Graph) -> String? {
    if graph.neuronCount == 0 && graph.neurons.part == nil { return "no neurons" }
    if graph.hubCount == 0 && graph.hasHubs { return "no hubs" }
    if graph.tokenCount == 0 { return "no tokens" }
    return graph.layers < 1 ? "\(graph.layers) layers" : nil
  }

  private static func shapes(_ graph: Graph) -> String? {
    graph.fixedSynapses.first { ($0.rows, $0.columns) != ($0.projection.rows, $0.projection.columns) }.map {
      "\($0.name) is \($0.projection.rows) × \($0.projection.columns), not \($0.rows) × \($0.columns)"
    }
  }

  private static func listOrder(_ graph: Graph) -> String? {
    for synapses in graph.fixedSynapses {
      if case .sparse(let lists) = synapses.projection.storage, let violation = lists.violation {
        return "\(synapses.name): \(violation)"
      }
    }
    return nil
  }
}
