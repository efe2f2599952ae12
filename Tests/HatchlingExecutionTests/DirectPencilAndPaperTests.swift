import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import Testing

/// A norm-free direct network of 2 neurons and 2 tokens, two layers, whose numbers were worked out on paper.
///
/// G_x: t0 → n0 (1), t0 → n1 (1), n0 → n1 (2), t1 ⊣ n0 (1). G_y: t0 → n0 (1), n0 → n1 (1). F: n0 → h0 (1), n1 → h1 (1).
/// Readout: h0 → o0 (1), h1 → o1 (1).
@Suite struct DirectPencilAndPaperTests {
  static func network(plastic: PlasticEdges = .complete) -> DirectGraph<Double> {
    DirectGraph(
      layers: 2, variant: .normfree, neurons: NeuronPopulation(headSizes: [2]), tokenCount: 2,
      field: Matrix(rows: 4, columns: 2, [1, 0, 0, 1, 0, 0, 0, 0]),
      readout: Matrix(rows: 2, columns: 2, [1, 0, 0, 1]),
      // Rows: from n0, n1, t0, t1.
      drivesX: Projection(.sparse(SparseRows(Matrix(rows: 4, columns: 2, [0, 2, 0, 0, 1, 1, -1, 0])))),
      // Rows: into n0, n1.
      drivesY: Projection(.sparse(SparseRows(Matrix(rows: 2, columns: 4, [0, 0, 1, 0, 1, 0, 0, 0])))),
      plastic: plastic)
  }

  @Test func givesTheNumbersWorkedOutOnPaper() throws {
    let engine = try DirectEngine(Self.network(), workers: Workers(threads: 1))
    // Token 0: X = (1, 1) in both layers, nothing is stored: Y = 0, z = 0 in layer 2. t0 → n0 and t0 → n1 learn 1.
    // Messages: 2 over G_x; in each layer two neurons read from 4 nodes.
    let first = try engine.step(0)
    #expect(engine.logits == [0, 0])
    #expect(first.messages == 2 + 8 + 8 && first.updates == 2)
    #expect(engine.plasticWeight(layer: 1, from: .token(0), to: 0) == 1)
    // Again: A(t0) = 1 + 1 = 2, Y = (2 · 1, 0), z = 2 at n0. Layer 2: X = (1, 1 + 2 · 2), nothing stored; n0 → n0 learns 2 · 1, n0 → n1 2 · 5.
    let second = try engine.step(0)
    #expect(engine.logits == [0, 0] && second.activeY == [1, 0])
    #expect(engine.plasticWeight(layer: 1, from: .token(0), to: 1) == 2)
    #expect(engine.plasticWeight(layer: 2, from: .neuron(0), to: 0) == 2)
    #expect(engine.plasticWeight(layer: 2, from: .neuron(0), to: 1) == 10)
    #expect(engine.plasticWeight(layer: 2, from: .neuron(1), to: 1) == 0)
    // Again: A(t0) = 4, Y = (4, 0). Layer 2: X = (1, 9), A(n0) = 2 · 1 + 10 · 9 = 92, Y = (0, 92 · 9). Messages: 2 + 8 + 1, then 1 + 8 + 1.
    let third = try engine.step(0)
    #expect(engine.logits == [0, 828])
    #expect(third.messages == 21 && third.updates == 2 + 2)
    #expect(engine.plasticWeight(layer: 2, from: .neuron(0), to: 1) == 46)
    #expect(engine.traces() == [0, 828, 0, 0])
    // Token 1 only inhibits: nobody fires.
    let fourth = try engine.step(1)
    #expect(engine.logits == [0, 0] && fourth.activeX == [0, 0])
    #expect(fourth.messages == 1 && fourth.updates == 0)
  }

  /// Without the plastic synapse n0 → n0, A(n0) is 10 · 9 = 90.
  @Test func missingPlasticSynapsesNeitherSendNorLearn() throws {
    let lists = EdgeLists(offsets: [0, 1, 3], sources: [2, 0, 2])  // t0 → n0; n0 → n1, t0 → n1
    let engine = try DirectEngine(Self.network(plastic: .lists(lists)), workers: Workers(threads: 2))
    for _ in 0..<2 { try engine.step(0) }
    let third = try engine.step(0)
    #expect(engine.logits == [0, 810])
    // 2 over G_x, 1 + 2 plastic, 1 over G_y; then 1, 3 and 1.
    #expect(third.messages == 2 + 3 + 1 + 1 + 3 + 1 && third.updates == 2 + 1)
    #expect(engine.plasticWeight(layer: 2, from: .neuron(0), to: 0) == nil)
    #expect(engine.plasticWeight(layer: 2, from: .neuron(0), to: 1) == 46)
  }
}
