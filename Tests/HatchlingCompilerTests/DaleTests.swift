import HatchlingCompiler
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

/// Dale's law on random networks, neuron by neuron.
@Suite struct DaleTests {
  private static func weights(_ seed: Int) -> Weights<Double> {
    Weights.random(
      Hyperparameters(neurons: 32, synapticDimension: 8, heads: 2, layers: 2, vocabulary: 5),
      seed: UInt64(seed)
    ).converted(to: Double.self)
  }

  private static func direct(_ seed: Int, _ options: DirectOptions) throws -> DirectGraph<Double> {
    try Compiler().direct(from: weights(seed), options: options, workers: Workers(threads: 1)).graph
  }

  private static func dale(_ graph: DirectGraph<Double>, _ law: DaleLaw, seed: UInt64 = 1) throws
    -> DirectGraph<Double>
  {
    guard case .direct(let after) = try DalePass(law, seed: seed).run(Stage.direct(graph)).stage else {
      throw CompilerError.misplaced(pass: "dale", needs: "a direct graph")
    }
    try after.validate()
    return after
  }

  /// What a node sends over G_x and over G_y, by target.
  private static func sent(_ graph: DirectGraph<Double>, by node: Int) -> [[Double]] {
    let targets = 0..<graph.neuronCount
    return [targets.map { graph.drivesX[node, $0] }, targets.map { graph.drivesY[$0, node] }]
  }

  @Test(arguments: 0..<6)
  func aNeuronKeepsTheSignOfAllThatItSends(seed: Int) throws {
    let options = [
      DirectOptions(), DirectOptions(kept: .strongest(300)), DirectOptions(kept: .strongest(60)),
    ]
    let before = try Self.direct(seed, options[seed % 3])
    let (after, control) = (try Self.dale(before, .cut), try Self.dale(before, .lot))
    #expect(after.plastic == before.plastic && after.field.elements == before.field.elements)
    #expect(after.compilation.hasSuffix("dale=cut") && control.compilation.hasSuffix("dale=lot"))
    var (cut, kept) = (0, 0)
    for node in 0..<before.nodeCount {
      let (old, new) = (Self.sent(before, by: node), Self.sent(after, by: node))
      let drawn = Self.sent(control, by: node)
      guard node < before.neuronCount else {
        #expect(new == old && drawn == old)
        continue
      }
      let sum = old.joined().reduce(0, +)
      let expected = old.map { $0.map { ($0 > 0) == (sum >= 0) ? $0 : 0 } }
      #expect(new == expected, "seed \(seed), neuron \(node)")
      for (own, (lot, all)) in try paired(new, paired(drawn, old).map { $0 }) {
        #expect(own.count { $0 != 0 } == lot.count { $0 != 0 }, "seed \(seed), neuron \(node)")
        #expect(zip(lot, all).allSatisfy { $0 == 0 || $0 == $1 })
      }
      cut += old.joined().count { $0 != 0 } - new.joined().count { $0 != 0 }
      kept += new.joined().count { $0 != 0 }
    }
    #expect(cut > 20 && kept > 20)
    // The lot is drawn by its seed, and from all.
    let (same, other) = (try Self.dale(before, .lot), try Self.dale(before, .lot, seed: 2))
    #expect(same.drivesX.dense.elements == control.drivesX.dense.elements)
    #expect(other.drivesX.dense.elements != control.drivesX.dense.elements)
  }

  @Test func aCircuitsNeuronsKeepOneSignToHubs() throws {
    let before = try Compiler().circuit(from: Self.weights(3)).graph
    guard case .circuit(let after) = try DalePass(.cut).run(Stage.circuit(before)).stage else {
      throw CompilerError.misplaced(pass: "dale", needs: "a circuit")
    }
    try after.validate()
    var cut = 0
    for neuron in 0..<32 {
      let row = (0..<8).map { before.encoder[neuron, $0] }
      let excites = row.reduce(0, +) >= 0
      #expect((0..<8).map { after.encoder[neuron, $0] } == row.map { ($0 > 0) == excites ? $0 : 0 })
      cut += row.count { ($0 > 0) != excites }
    }
    #expect(cut > 20)
    guard case .circuit(let raised) = try DalePass(.shift).run(Stage.circuit(before)).stage else {
      throw CompilerError.misplaced(pass: "dale", needs: "a circuit")
    }
    for neuron in 0..<32 {
      let (old, new) = (
        (0..<8).map { before.encoder[neuron, $0] }, (0..<8).map { raised.encoder[neuron, $0] }
      )
      let least = try #require(old.min())
      #expect(new.min() == 0 && absoluteDifference(new, old.map { $0 - least }) <= 1e-15)
    }
  }

  @Test func nothingIsRaisedWhereNoMeanIsTakenAway() throws {
    let centred = try Compiler(centres: true).circuit(from: Self.weights(1)).graph
    let direct = try Self.direct(1, DirectOptions())
    for stage in [
      Stage.circuit(centred), .direct(direct),
      .circuit(
        try Compiler().circuit(
          from: Weights.random(
            Hyperparameters(
              neurons: 8, synapticDimension: 4, heads: 1, layers: 1, vocabulary: 3, variant: .normfree),
            seed: 1
          ).converted(to: Double.self)
        ).graph),
    ] {
      #expect(throws: CompilerError.nothingToShift) { try DalePass(.shift).run(stage) }
    }
    #expect(throws: CompilerError.misplaced(pass: "dale", needs: "a graph")) {
      try DalePass(.cut).run(Stage.weights(Self.weights(1)))
    }
  }
}
