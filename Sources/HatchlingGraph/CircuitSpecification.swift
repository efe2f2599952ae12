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
      Rule(name: "heads tile the neurons", violation: headTiling),
      Rule(name: "every projection joins its two populations", violation: projectionShapes),
      Rule(name: "weights are finite", violation: infiniteWeight),
      Rule(name: "outgoing lists are in order", violation: listOrder),
      Rule(name: "partners are mutual and share a head", violation: partners),
      Rule(name: "clocks and damping are in range", violation: clocks),
    ])
  }

  /// - Throws: ``GraphError/brokenRule(rule:detail:)`` naming the first rule that does not hold. Cost: one pass over all weights.
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

  private static func headTiling(_ graph: CircuitGraph<Scalar>) -> String? {
    var next = 0
    for (head, range) in graph.neurons.heads.enumerated() {
      if range.lowerBound != next { return "head \(head) starts at \(range.lowerBound), not \(next)" }
      if range.isEmpty { return "head \(head) has no neurons" }
      next = range.upperBound
    }
    return next == graph.neuronCount ? nil : "heads cover \(next) of \(graph.neuronCount) neurons"
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
    for (kind, projection) in graph.fixedProjections {
      switch projection.storage {
      case .dense(let matrix):
        if !allFinite(matrix.pointer, matrix.count) { return "a \(kind.rawValue) synapse is not" }
      case .sparse(let lists):
        let finite = lists.weights.withUnsafeBufferPointer {
          $0.baseAddress.map { allFinite($0, lists.count) } ?? true
        }
        if !finite { return "a \(kind.rawValue) synapse is not" }
      case .reduced(let rows):
        let matrix = rows.dense
        if !CircuitSpecification<Float>.allFinite(matrix.pointer, matrix.count) {
          return "a \(kind.rawValue) synapse is not"
        }
      }
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

  private static func partners(_ graph: CircuitGraph<Scalar>) -> String? {
    let neurons = graph.neurons
    guard neurons.partners.count == neurons.count, neurons.leads.count == neurons.count else {
      return "\(neurons.partners.count) partners"
    }
    for range in neurons.heads {
      for neuron in range where neurons.partners[neuron] >= 0 {
        let partner = Int(neurons.partners[neuron])
        guard range.contains(partner), partner != neuron else {
          return "neuron \(neuron) is paired with \(partner), outside its head"
        }
        guard Int(neurons.partners[partner]) == neuron else {
          return "neurons \(neuron) and \(partner) disagree"
        }
        guard neurons.leads[neuron] != neurons.leads[partner] else {
          return "neurons \(neuron) and \(partner) do not agree on who leads the pair"
        }
      }
    }
    return nil
  }

  private static func clocks(_ graph: CircuitGraph<Scalar>) -> String? {
    let neurons = graph.neurons
    guard neurons.damping.count == neurons.count else { return "\(neurons.damping.count) damping values" }
    for neuron in 0..<neurons.count {
      if !neurons.frequencies[neuron].isFinite { return "the clock of neuron \(neuron) is not finite" }
      if !(0...1).contains(neurons.damping[neuron]) {
        return "the damping of neuron \(neuron) is \(neurons.damping[neuron]), not between 0 and 1"
      }
      if neurons.partners[neuron] < 0 && neurons.frequencies[neuron] != 0 {
        return "neuron \(neuron) has a running clock but no partner"
      }
    }
    return nil
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func allFinite(_ values: UnsafePointer<Scalar>, _ count: Int) -> Bool {
    // x · 0 is 0 for finite x and NaN otherwise; one sum finds any.
    var sum: Scalar = 0
    for index in 0..<count { sum += values[index] * 0 }
    return sum == 0
  }
}

extension CircuitGraph {
  /// Checks the standard specification. - Throws: ``GraphError/brokenRule(rule:detail:)``.
  public func validate() throws(GraphError) { try CircuitSpecification.standard.check(self) }
}
