import HatchlingCheckpoint
import HatchlingCompiler
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingTraining

/// Gradients of the direct graph against those of others: PyTorch's autograd of dense masked tensors (`Fixtures/make_direct.py`), and the
/// tensor form's, through the chain rule.
@Suite struct DirectPublicGradientTests {
  struct Kind: CustomStringConvertible, Sendable {
    var gains: Gains
    var keeps = false
    /// Whether the block stands behind another one.
    var carries = false
    /// What the fixture calls it.
    var description: String {
      (carries ? "carried." : "") + (gains == .local ? "local." : "") + (keeps ? "kept" : "complete")
    }
  }

  /// Both plasticities, through hubs and without, and with a state that is carried.
  @Test(
    arguments: [Gains.hubs, .local].flatMap {
      [Kind(gains: $0), Kind(gains: $0, keeps: true), Kind(gains: $0, keeps: true, carries: true)]
    }, [1, 2])
  func gradientsAreThoseOfAutograd(_ kind: Kind, threads: Int) throws {
    let (keeps, isLocal) = (kind.keeps, kind.gains == .local)
    let fixture = try PublicFixture("direct")
    let (n, nodes) = (24, 32)
    func matrix(_ name: String, _ rows: Int, _ columns: Int) throws -> Matrix<Double> {
      Matrix(rows: rows, columns: columns, try fixture.doubles(name))
    }
    var neurons = NeuronPopulation(headSizes: [12, 12])
    let frequencies = try fixture.doubles("frequencies")
    for neuron in stride(from: 0, to: n, by: 2) {
      neurons.pair(NeuronIndex(neuron), NeuronIndex(neuron + 1), frequency: Float(frequencies[neuron]))
    }
    neurons.damping = try fixture.doubles("damping").map { Float($0) }
    let x = SparseRows(try matrix("x", n, nodes))
    let graph = DirectGraph(
      layers: 3, variant: .released, neurons: neurons, tokenCount: 8,
      field: isLocal ? Matrix(rows: nodes, columns: 0) : try matrix("field", nodes, 6),
      readout: isLocal ? try matrix("node_readout", nodes, 8) : try matrix("readout", 6, 8),
      drivesX: Projection(.sparse(x.transposing())),
      drivesY: Projection(.sparse(SparseRows(try matrix("y", n, nodes)))),
      plastic: keeps ? .lists(x.edges) : .complete,
      localGains: isLocal ? try fixture.doubles("log_gains").map { Double.exp($0) } : nil)
    try graph.validate()
    let weights = try DirectWeights(graph)
    #expect(weights.gains == kind.gains)
    let pass = DirectPass(
      weights, batch: 2, block: 14, carries: kind.carries, workers: Workers(threads: threads))
    func block(_ name: String, at position: Int) throws -> TrainingBatch {
      TrainingBatch(
        tokens: try fixture.integers(name), targets: try fixture.integers("targets"),
        positions: [position, position])
    }
    let states = kind.carries ? DirectStates(weights, batch: 2) : nil
    if let states {
      _ = pass.forward(weights, try block("earlier", at: 0), states: states)
      states.turn()
    }
    let result = pass.forward(weights, try block("tokens", at: kind.carries ? 14 : 0), states: states)
    let word = kind.description
    #expect(relativeDifference([result.loss], try fixture.doubles("\(word).loss")) <= 1e-12)
    var gradients = DirectGradients(weights)
    pass.gradients(weights, into: &gradients)
    for (name, edges, place) in [("x", weights.edgesX, 0), ("y", weights.edgesY, 1)] {
      let expected = try fixture.doubles("\(word).\(name)")
      let between = (0..<n).flatMap { target in
        edges.sources[edges.offsets[target]..<edges.offsets[target + 1]].map {
          expected[target * nodes + Int($0)]
        }
      }
      #expect(
        relativeDifference(Array(gradients.all[place].elements), between) <= 1e-10, "\(name), between neurons"
      )
      let fromTokens = (0..<n).flatMap { expected[$0 * nodes + n..<($0 + 1) * nodes] }
      #expect(
        relativeDifference(Array(gradients.all[place + 2].elements), fromTokens) <= 1e-10,
        "\(name), from tokens")
    }
    let others = isLocal ? [(5, "node_readout"), (6, "log_gains")] : [(4, "field"), (5, "readout")]
    for (place, name) in others {
      let expected = try fixture.doubles("\(word).\(name)")
      #expect(relativeDifference(Array(gradients.all[place].elements), expected) <= 1e-10, "\(name)")
    }
    #expect(
      relativeDifference(Array(gradients.damping.elements), try fixture.doubles("\(word).damping")) <= 1e-10)
  }

  /// With all edges kept and G = D F, D hears of the loss through G alone: ∂/∂D_x = ∂/∂G_x Fᵀ.
  @Test(arguments: Variant.allCases, [1, 2, 3] as [UInt64])
  func allEdgesHaveTheGradientsOfTheTensors(_ variant: Variant, _ seed: UInt64) throws {
    let sizes = Hyperparameters(
      neurons: 20, synapticDimension: 5, heads: 2, layers: 3, vocabulary: 7, variant: variant)
    var single = Weights<Float>.random(sizes, seed: seed, rotates: true)
    single.damping = (0..<20).map { Float($0 / 2 % 5) / 16 }
    var tensors = single.converted(to: Double.self)
    if variant == .normfree { tensors.trained = tensors.trained.map { $0.map { $0 * 0.6 } } }
    let weights = try DirectWeights(
      Compiler().direct(from: tensors, options: DirectOptions(kept: .strongest(400), plastic: .complete))
        .graph)
    #expect(weights.edgesX.count == 400 && weights.edgesY.count == 400)
    let batch = TrainingBatch(
      tokens: randomTokens(34, vocabulary: 7, seed: seed),
      targets: randomTokens(34, vocabulary: 7, seed: seed + 5),
      positions: [0, 0])
    let pass = DirectPass(weights, batch: 2, block: 17, workers: Workers(threads: 1))
    let result = pass.forward(weights, batch)
    var gradients = DirectGradients(weights)
    pass.gradients(weights, into: &gradients)
    let reference = TrainingPass<Double>(
      sizes, PassShape(batch: 2, block: 17, chunk: 17), workers: Workers(threads: 1))
    let expectedResult = reference.forward(tensors, batch)
    var expected = Gradients<Double>(sizes)
    reference.gradients(tensors, batch, into: &expected)
    #expect(relativeDifference([result.loss], [expectedResult.loss]) <= 1e-12)
    for (edges, tokens, decoder) in [
      (gradients.all[0], gradients.all[2], expected.decoderX),
      (gradients.all[1], gradients.all[3], expected.decoderY),
    ] {
      var chained = [Double](repeating: 0, count: 100)
      for neuron in 0..<20 {
        for hub in 0..<5 {
          for node in 0..<27 {
            let change = node < 20 ? edges.pointer[neuron * 20 + node] : tokens[neuron, node - 20]
            chained[neuron * 5 + hub] += change * weights.field[node, hub]
          }
        }
      }
      #expect(relativeDifference(chained, Array(decoder.elements)) <= 1e-10)
    }
    #expect(relativeDifference(Array(gradients.all[5].elements), Array(expected.readout.elements)) <= 1e-10)
  }
}
