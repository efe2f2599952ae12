import HatchlingNumerics

/// What makes a direct graph valid, as a list of named rules. The compiler checks it on entry and exit of its last pass, an engine
/// before it runs.
public struct DirectSpecification<Scalar: NetworkScalar>: Sendable {
  /// A named rule: `violation` says what is wrong, or nil.
  public struct Rule: Sendable {
    public let name: String
    public let violation: @Sendable (DirectGraph<Scalar>) -> String?
  }

  public let rules: [Rule]

  /// The rules that every engine relies on.
  public static var standard: DirectSpecification {
    DirectSpecification(rules: [
      Rule(name: "populations are not empty", violation: emptyPopulation),
      Rule(name: "heads tile the neurons") { $0.neurons.headViolation },
      Rule(name: "every projection joins its two populations", violation: shapes),
      Rule(name: "weights are finite", violation: infiniteWeight),
      Rule(name: "lists are in order", violation: listOrder),
      Rule(name: "plastic synapses join nodes and neurons", violation: plasticLists),
      Rule(name: "partners are mutual and share a head") { $0.neurons.partnerViolation },
      Rule(name: "clocks and damping are in range") { $0.neurons.clockViolation },
    ])
  }

  /// - Throws: ``GraphError/brokenRule(rule:detail:)`` naming the first rule that does not hold. Cost: one pass over all weights.
  public func check(_ graph: DirectGraph<Scalar>) throws(GraphError) {
    for rule in rules {
      if let detail = rule.violation(graph) { throw .brokenRule(rule: rule.name, detail: detail) }
    }
  }

  private static func emptyPopulation(_ graph: DirectGraph<Scalar>) -> String? {
    if graph.neuronCount == 0 { return "no neurons" }
    if graph.hubCount == 0 { return "no hubs" }
    if graph.tokenCount == 0 { return "no tokens" }
    if graph.nodeCount > Int(Int32.max) { return "\(graph.nodeCount) nodes; lists number at most 2³¹ − 1" }
    return graph.layers < 1 ? "\(graph.layers) layers" : nil
  }

  private static func shapes(_ graph: DirectGraph<Scalar>) -> String? {
    let (n, m, d) = (graph.neuronCount, graph.nodeCount, graph.hubCount)
    var found = [
      ("field", (graph.field.rows, graph.field.columns), (m, d)),
      ("readout", (graph.readout.rows, graph.readout.columns), (d, graph.tokenCount)),
      ("x", (graph.drivesX.rows, graph.drivesX.columns), (m, n)),
      ("y", (graph.drivesY.rows, graph.drivesY.columns), (n, m)),
    ]
    for (name, remainder) in [("x", graph.remainderX), ("y", graph.remainderY)] {
      guard let remainder else { continue }
      let hubs = remainder.hubs
      found.append(("encoder of \(name)", (remainder.encoder.rows, remainder.encoder.columns), (m, hubs)))
      found.append(("decoder of \(name)", (remainder.decoder.rows, remainder.decoder.columns), (n, hubs)))
    }
    return found.first { $0.1 != $0.2 }.map { "\($0.0) is \($0.1.0) × \($0.1.1), not \($0.2.0) × \($0.2.1)" }
  }

  private static func infiniteWeight(_ graph: DirectGraph<Scalar>) -> String? {
    func finite(_ matrix: Matrix<Scalar>?) -> Bool {
      matrix.map { Projection(dense: $0).census.isFinite } ?? true
    }
    if !finite(graph.field) { return "a synapse to a hub is not" }
    if !finite(graph.readout) { return "a readout synapse is not" }
    if !graph.drivesX.census.isFinite { return "an x synapse is not" }
    if !graph.drivesY.census.isFinite { return "a y synapse is not" }
    for remainder in [graph.remainderX, graph.remainderY] {
      if !finite(remainder?.encoder) || !finite(remainder?.decoder) {
        return "a synapse of the remainder is not"
      }
    }
    return nil
  }

  private static func listOrder(_ graph: DirectGraph<Scalar>) -> String? {
    for (name, projection) in [("x", graph.drivesX), ("y", graph.drivesY)] {
      if case .sparse(let lists) = projection.storage, let violation = lists.violation {
        return "\(name): \(violation)"
      }
    }
    return nil
  }

  private static func plasticLists(_ graph: DirectGraph<Scalar>) -> String? {
    guard case .lists(let lists) = graph.plastic else { return nil }
    guard lists.targetCount == graph.neuronCount else { return "lists for \(lists.targetCount) neurons" }
    return lists.violation(sourceCount: graph.nodeCount)
  }
}

extension DirectGraph {
  /// Checks the standard specification. - Throws: ``GraphError/brokenRule(rule:detail:)``.
  public func validate() throws(GraphError) { try DirectSpecification.standard.check(self) }
}
