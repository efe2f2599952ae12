import HatchlingCompiler
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingGraph

/// Every rule of both specifications, broken alone: the error names the rule and says what is wrong.
@Suite struct SpecificationTests {
  private static let sizes = Hyperparameters(
    neurons: 8, synapticDimension: 3, heads: 2, layers: 2, vocabulary: 5)

  private func circuit() throws -> CircuitGraph<Double> {
    try Compiler().circuit(from: Weights.random(Self.sizes, seed: 1).converted(to: Double.self)).graph
  }

  private func direct() throws -> DirectGraph<Double> {
    try Compiler().direct(
      from: Weights.random(Self.sizes, seed: 1).converted(to: Double.self),
      options: DirectOptions(kept: .strongest(20), hubs: 1), workers: Workers(threads: 1)
    ).graph
  }

  /// Breaks each graph anew, and holds the error to the rule and the text. Returns the rules that were broken.
  private func check<Graph: ParticleGraph>(
    _ whole: Graph, _ breaks: [(rule: String, detail: String, change: (inout Graph) -> Void)]
  ) throws -> Set<String> {
    try whole.validate()
    for (rule, detail, change) in breaks {
      var graph = whole
      change(&graph)
      #expect(throws: GraphError.brokenRule(rule: rule, detail: detail), "\(rule): \(detail)") {
        try graph.validate()
      }
    }
    return Set(breaks.map(\.rule))
  }

  private func lists(_ columns: Int, _ offsets: [Int], _ entries: [Int32], _ weights: [Double])
    -> Projection<Double>
  {
    Projection(
      .sparse(SparseRows(columnCount: columns, offsets: offsets, columns: entries, weights: weights)))
  }

  @Test func theCircuit() throws {
    let rows = [Int](repeating: 2, count: 8)
    let empty = Projection<Double>(dense: Matrix(rows: 5, columns: 0))
    let (shape, order) = ("every projection joins its two populations", "lists are in order")
    let (populations, heads) = ("populations are not empty", "heads tile the neurons")
    let (partners, clocks) = ("partners are mutual and share a head", "clocks and damping are in range")
    let broken = try check(
      circuit(),
      [
        (populations, "no neurons", { $0.neurons = NeuronPopulation(headSizes: []) }),
        (populations, "no hubs", { $0.embedding = empty }),
        (populations, "no tokens", { $0.embedding = Projection(dense: Matrix(rows: 0, columns: 3)) }),
        (populations, "0 layers", { $0.layers = 0 }),
        (heads, "head 1 starts at 5, not 4", { $0.neurons.heads[1] = 5..<8 }),
        (heads, "head 1 has no neurons", { $0.neurons.heads[1] = 4..<4 }),
        (heads, "heads cover 7 of 8 neurons", { $0.neurons.heads[1] = 4..<7 }),
        (shape, "x is 7 × 3, not 8 × 3", { $0.drivesX = Projection(dense: Matrix(rows: 7, columns: 3)) }),
        (shape, "y is 8 × 2, not 8 × 3", { $0.drivesY = Projection(dense: Matrix(rows: 8, columns: 2)) }),
        (
          shape, "encoder is 9 × 3, not 8 × 3",
          { $0.encoder = Projection(dense: Matrix(rows: 9, columns: 3)) }
        ),
        (
          shape, "readout is 3 × 4, not 3 × 5",
          { $0.readout = Projection(dense: Matrix(rows: 3, columns: 4)) }
        ),
        (shape, "plastic is 8 × 2, not 8 × 3", { $0.plastic = PlasticProjection(neurons: 8, hubs: 2) }),
        ("weights are finite", "an embedding synapse is not", { $0.embedding[1, 1] = .nan }),
        ("weights are finite", "an x synapse is not", { $0.drivesX[7, 2] = .infinity }),
        ("weights are finite", "a y synapse is not", { $0.drivesY[0, 0] = -.infinity }),
        ("weights are finite", "an encoder synapse is not", { $0.encoder[3, 0] = .nan }),
        ("weights are finite", "a readout synapse is not", { $0.readout[2, 4] = .nan }),
        (order, "x: columns of row 0 do not ascend", { $0.drivesX = lists(3, [0] + rows, [1, 1], [1, 1]) }),
        (order, "y: row 0 names column 3 of 3", { $0.drivesY = lists(3, [0] + rows, [1, 3], [1, 1]) }),
        (order, "y: row 0 names column -1 of 3", { $0.drivesY = lists(3, [0] + rows, [-1, 2], [1, 1]) }),
        (
          order, "encoder: row 0 stores a synapse of weight zero",
          { $0.encoder = lists(3, [0] + rows, [1, 2], [1, 0]) }
        ),
        (
          // The first list would reach behind the array.
          order, "x: offsets descend at row 1",
          { $0.drivesX = lists(3, [0, 9] + rows.dropLast(), [0, 1], [1, 1]) }
        ),
        (
          order, "x: offsets do not cover the edges",
          { $0.drivesX = lists(3, [1] + rows, [0, 1], [1, 1]) }
        ),
        (
          order, "x: offsets do not cover the stored synapses",
          { $0.drivesX = lists(3, [0] + rows, [0, 1], [1]) }
        ),
        (partners, "neuron 0 is paired with 7, outside its head", { $0.neurons.partners[0] = 7 }),
        (partners, "neurons 0 and 3 disagree", { $0.neurons.partners[0] = 3 }),
        (partners, "7 partners", { $0.neurons.partners.removeLast() }),
        (
          partners, "neurons 0 and 1 do not agree on who leads the pair", { $0.neurons.leads[1] = true }
        ),
        (clocks, "the clock of neuron 2 is not finite", { $0.neurons.frequencies[2] = .nan }),
        (clocks, "the damping of neuron 3 is 2.0, not between 0 and 1", { $0.neurons.damping[3] = 2 }),
        (clocks, "the damping of neuron 3 is nan, not between 0 and 1", { $0.neurons.damping[3] = .nan }),
        (clocks, "9 damping values", { $0.neurons.damping.append(0) }),
        (
          clocks, "neuron 4 has a running clock but no partner",
          {
            ($0.neurons.partners[4], $0.neurons.partners[5]) = (-1, -1)
            $0.neurons.frequencies[4] = 0.5
          }
        ),
      ])
    #expect(broken == Set(Specification<CircuitGraph<Double>>.standard.rules.map(\.name)))
  }

  @Test func theDirectGraph() throws {
    let (shape, order) = ("every projection joins its two populations", "lists are in order")
    let (populations, plastic) = ("populations are not empty", "plastic synapses join nodes and neurons")
    func matrix(_ rows: Int, _ columns: Int) -> Matrix<Double> { Matrix(rows: rows, columns: columns) }
    func plasticLists(_ offsets: [Int], _ sources: [Int32]) -> PlasticEdges {
      .lists(EdgeLists(offsets: offsets, sources: sources))
    }
    let local = "local gains need no hubs"
    func withoutHubs(_ graph: inout DirectGraph<Double>, _ gains: [Double], carries: Bool = false) {
      (graph.field, graph.readout, graph.variant) = (matrix(13, 0), matrix(13, 5), .released)
      graph.localGains = gains
      if !carries { (graph.remainderX, graph.remainderY) = (nil, nil) }
    }
    let two = [Int](repeating: 2, count: 8)
    let broken = try check(
      direct(),
      [
        (populations, "no neurons", { $0.neurons = NeuronPopulation(headSizes: []) }),
        (populations, "no hubs", { $0.field = matrix(13, 0) }),
        (populations, "no tokens", { $0.tokenCount = 0 }),
        (populations, "-1 layers", { $0.layers = -1 }),
        ("heads tile the neurons", "head 0 starts at 1, not 0", { $0.neurons.heads[0] = 1..<4 }),
        (shape, "field is 13 × 3, not 14 × 3", { $0.tokenCount = 6 }),
        (shape, "readout is 3 × 4, not 3 × 5", { $0.readout = matrix(3, 4) }),
        (shape, "x is 8 × 13, not 13 × 8", { $0.drivesX = Projection(dense: matrix(8, 13)) }),
        (shape, "y is 13 × 8, not 8 × 13", { $0.drivesY = Projection(dense: matrix(13, 8)) }),
        (shape, "encoder of x is 12 × 1, not 13 × 1", { $0.remainderX?.encoder = matrix(12, 1) }),
        (shape, "decoder of y is 8 × 2, not 8 × 1", { $0.remainderY?.decoder = matrix(8, 2) }),
        ("weights are finite", "a synapse to a hub is not", { $0.field[3, 2] = .nan }),
        ("weights are finite", "a readout synapse is not", { $0.readout[0, 0] = .infinity }),
        ("weights are finite", "an x synapse is not", { $0.drivesX[0, 0] = .nan }),
        ("weights are finite", "a y synapse is not", { $0.drivesY[0, 12] = .nan }),
        ("weights are finite", "a synapse of the remainder is not", { $0.remainderX?.encoder[1, 0] = .nan }),
        ("weights are finite", "a synapse of the remainder is not", { $0.remainderY?.decoder[1, 0] = .nan }),
        (
          order, "y: columns of row 0 do not ascend",
          { $0.drivesY = lists(13, [0] + two, [12, 3], [1, 1]) }
        ),
        (plastic, "lists for 7 neurons", { $0.plastic = plasticLists([0] + two.dropLast(), [0, 1]) }),
        (plastic, "neuron 0 names node 13 of 13", { $0.plastic = plasticLists([0] + two, [0, 13]) }),
        (plastic, "sources of neuron 0 do not ascend", { $0.plastic = plasticLists([0] + two, [5, 5]) }),
        (
          plastic, "offsets descend at neuron 1",
          { $0.plastic = plasticLists([0, 3] + two.dropLast(), [1, 2]) }
        ),
        (plastic, "offsets do not cover the edges", { $0.plastic = plasticLists([0] + two, [5]) }),
        (
          local, "3 hubs",
          {
            $0.readout = matrix(13, 5)
            $0.localGains = []
          }
        ),
        (local, "hubs carry what was cut", { withoutHubs(&$0, [], carries: true) }),
        (local, "2 gains for 5 normalisers", { withoutHubs(&$0, [1, 2]) }),
        (local, "a gain of 0.0, not above 0", { withoutHubs(&$0, [1, 2, 0, 3, 4]) }),
        (local, "a gain of inf, not above 0", { withoutHubs(&$0, [1, 2, .infinity, 3, 4]) }),
        (
          "partners are mutual and share a head", "neuron 0 is paired with 7, outside its head",
          { $0.neurons.partners[0] = 7 }
        ),
        (
          "clocks and damping are in range", "the damping of neuron 0 is -0.5, not between 0 and 1",
          { $0.neurons.damping[0] = -0.5 }
        ),
      ])
    let huge = "nodes have numbers of 32 bits"
    #expect(broken.union([huge]) == Set(Specification<DirectGraph<Double>>.standard.rules.map(\.name)))
    // Matrices of that many rows do not fit: the rule alone.
    var graph = try direct()
    graph.tokenCount = Int(Int32.max)
    let rule = try #require(Specification<DirectGraph<Double>>.standard.rules.first { $0.name == huge })
    #expect(rule.violation(graph) == "2147483655 nodes; lists number at most 2³¹ − 1")
    #expect(try rule.violation(direct()) == nil)
  }
}
