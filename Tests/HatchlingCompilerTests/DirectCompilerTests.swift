import HatchlingCompiler
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

/// The passes of the direct form against plain loops over D and F.
@Suite struct DirectCompilerTests {
  private let weights: Weights<Double>
  /// Entry (j, i) of G_x and G_y, i neurons first, then tokens.
  private let x: [[Double]]
  private let y: [[Double]]
  private let neurons = 20
  private let nodes = 27

  init() {
    let sizes = Hyperparameters(neurons: 20, synapticDimension: 6, heads: 2, layers: 2, vocabulary: 7)
    let weights = Weights.random(sizes, seed: 11).converted(to: Double.self)
    let rows = (0..<27).map { node -> [Double] in
      let row = (0..<6).map { node < 20 ? weights.encoder[node, $0] : weights.embedding[node - 20, $0] }
      let mean = row.reduce(0, +) / 6
      return row.map { $0 - mean }
    }
    func product(_ decoder: Matrix<Double>) -> [[Double]] {
      (0..<20).map { j in rows.map { row in (0..<6).reduce(0) { $0 + decoder[j, $1] * row[$1] } } }
    }
    self.weights = weights
    (x, y) = (product(weights.decoderX), product(weights.decoderY))
  }

  private func compile(_ options: DirectOptions) throws -> DirectGraph<Double> {
    try Compiler().direct(from: weights, options: options, workers: Workers(threads: 1)).graph
  }

  /// The graph's own weight of every pair, `(n, n + V)`.
  private func entries(_ graph: DirectGraph<Double>, _ kind: SynapseKind) -> [[Double]] {
    (0..<neurons).map { j in
      (0..<nodes).map {
        graph.signedWeight(of: kind, from: graph.particle($0), to: .neuron(NeuronIndex(j))) ?? .nan
      }
    }
  }

  /// The magnitude of the `rank`-th strongest of the first `columns` columns, from 1.
  private func strength(_ matrix: [[Double]], _ rank: Int, columns: Int) -> Double {
    matrix.flatMap { $0.prefix(columns).map(\.magnitude) }.sorted(by: >)[rank - 1]
  }

  @Test func expandingIsTheProduct() throws {
    let (graph, reports) = try Compiler().direct(from: weights)
    #expect(reports.map(\.pass) == ["centre", "split", "expand", "lay out"])
    #expect(reports[2].edgesOut == 2 * neurons * nodes)
    #expect(relativeDifference(entries(graph, .x).flatMap { $0 }, x.flatMap { $0 }) <= 1e-13)
    #expect(relativeDifference(entries(graph, .y).flatMap { $0 }, y.flatMap { $0 }) <= 1e-13)
    #expect(graph.plastic == .complete && graph.compilation.isEmpty)
    #expect(graph.count(of: .x) == 400 && graph.count(of: .tokenY) == 140 && graph.count(of: .partner) == 20)
  }

  @Test(arguments: [0, 1, 37, 399, 400], [false, true])
  func theStrongestEdgesAreKept(edges: Int, prunesTokens: Bool) throws {
    let graph = try compile(DirectOptions(kept: .strongest(edges), prunesTokens: prunesTokens))
    let ranked = prunesTokens ? nodes : neurons
    for (kind, matrix) in [(SynapseKind.x, x), (.y, y)] {
      let bound = edges > 0 ? strength(matrix, edges, columns: ranked) : .infinity
      let found = entries(graph, kind)
      var kept = 0
      for j in 0..<neurons {
        for i in 0..<nodes {
          let isKept = i < ranked ? matrix[j][i].magnitude >= bound - 1e-12 : true
          #expect(absoluteDifference([found[j][i]], [isKept ? matrix[j][i] : 0]) <= 1e-12)
          kept += i < ranked && found[j][i] != 0 ? 1 : 0
        }
      }
      #expect(kept == edges)
    }
    // G_s ⊆ G_x: σ exists exactly where G_x is kept.
    for j in 0..<neurons {
      for i in 0..<nodes {
        let weight = graph.signedWeight(of: .x, from: graph.particle(i), to: .neuron(NeuronIndex(j)))
        #expect(graph.plastic.contains(i, NeuronIndex(j)) == (weight != 0))
      }
    }
    let complete = DirectOptions(kept: .strongest(edges), prunesTokens: prunesTokens, plastic: .complete)
    #expect(try compile(complete).plastic == .complete)
  }

  @Test func everyNeuronGetsTheSameNumber() throws {
    let graph = try compile(DirectOptions(kept: .strongestPerNeuron(109), prunesTokens: true))
    for (kind, matrix) in [(SynapseKind.x, x), (.y, y)] {
      for (row, all) in try paired(entries(graph, kind), matrix) {
        let bound = all.map(\.magnitude).sorted(by: >)[4]
        #expect(row.count { $0 != 0 } == 5)
        #expect(zip(row, all).allSatisfy { ($0 != 0) == ($1.magnitude >= bound) })
      }
    }
  }

  /// σ cannot lack what lies between a neuron and a hub: to say nothing and learn there would be another network.
  @Test func missingPlasticSynapsesAreRefused() throws {
    var lacking = weights
    for absent in [UInt8(1), 0] {
      lacking.plasticSynapses = Matrix(rows: 20, columns: 6, [UInt8](repeating: 1, count: 119) + [absent])
      for options in [DirectOptions(), DirectOptions(kept: .strongest(50))] {
        #expect(throws: CompilerError.lacksPlasticSynapses) {
          try Compiler().direct(from: lacking, options: options, workers: Workers(threads: 1))
        }
      }
      _ = try Compiler().circuit(from: lacking)
    }
  }

  @Test func excitatoryEdgesAlone() throws {
    let graph = try compile(DirectOptions(kept: .strongest(50), excitatoryOnly: true, prunesTokens: true))
    let bound = x.flatMap { $0 }.sorted(by: >)[49]
    let found = entries(graph, .x)
    #expect(found.joined().count { $0 > 0 } == 50 && !found.joined().contains { $0 < 0 })
    #expect((found.joined().filter { $0 > 0 }.min() ?? 0) >= bound - 1e-12)
  }

  @Test func rescaledWeightsKeepEveryNeuronsNorm() throws {
    func norm(_ row: some Sequence<Double>) -> Double { row.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    for prunesTokens in [false, true] {
      let ranked = prunesTokens ? nodes : neurons
      let graph = try compile(
        DirectOptions(kept: .strongest(120), prunesTokens: prunesTokens, rescales: true))
      var compared = 0
      for (row, all) in zip(entries(graph, .x), x) where row.prefix(ranked).contains(where: { $0 != 0 }) {
        #expect(abs(norm(row.prefix(ranked)) / norm(all.prefix(ranked)) - 1) <= 1e-12)
        if !prunesTokens { #expect(relativeDifference(Array(row[20...]), Array(all[20...])) <= 1e-12) }
        compared += 1
      }
      #expect(compared > 10)
    }
  }

  /// Kept + hubs is G on kept entries; the hubs alone are as near to G as rank R can be.
  @Test(arguments: 1...6)
  func hubsCarryWhatWasCut(hubs: Int) throws {
    let graph = try compile(DirectOptions(kept: .strongest(60), plastic: .kept, hubs: hubs))
    for (kind, matrix, remainder) in [
      (SynapseKind.x, x, graph.remainderX), (.y, y, graph.remainderY),
    ] {
      let remainder = try #require(remainder)
      #expect(remainder.hubs == hubs)
      let kept = entries(graph, kind)
      var (error, keptCount) = (0.0, 0)
      for j in 0..<neurons {
        for i in 0..<nodes {
          let carried = (0..<hubs).reduce(0) { $0 + remainder.decoder[j, $1] * remainder.encoder[i, $1] }
          error += (matrix[j][i] - carried) * (matrix[j][i] - carried)
          guard kept[j][i] != 0 else { continue }
          keptCount += 1
          #expect(abs(kept[j][i] + carried - matrix[j][i]) <= 1e-11)
        }
      }
      #expect(keptCount == (hubs == 6 ? 0 : 60 + neurons * 7))
      // Eckart and Young: the squared error is the sum of the squared singular values left out.
      let all = Matrix(rows: neurons, columns: nodes, matrix.flatMap { $0 })
      var gram = Matrix<Double>(rows: neurons, columns: neurons)
      BLAS.multiply(
        all.pointer, by: all.pointer, transposedB: true, into: gram.mutablePointer(), m: neurons, n: neurons,
        k: nodes)
      let values = try #require(SymmetricEigen(gram)).values
      let best = values.dropFirst(hubs).reduce(0) { $0 + max(0, $1) }
      #expect(abs(error - best) <= 1e-9 * values[0], "\(hubs) hubs: \(error), best \(best)")
    }
    #expect(graph.plastic.count(neurons: neurons, in: 0..<nodes) == 60 + neurons * 7)
  }

  @Test func optionsThatMakeNoSenseAreRefused() throws {
    let bad: [DirectOptions] = [
      DirectOptions(kept: .strongest(-1)), DirectOptions(kept: .atLeast(.nan)),
      DirectOptions(kept: .atLeast(-1)), DirectOptions(kept: .strongest(5), hubs: 7),
      DirectOptions(kept: .strongest(5), hubs: -1), DirectOptions(hubs: 2), DirectOptions(rescales: true),
      DirectOptions(kept: .strongest(5), rescales: true, hubs: 2),
    ]
    for options in bad {
      #expect(throws: CompilerError.self, "\(options)") { try compile(options) }
    }
  }

  @Test func nothingKeptAndThresholdsAboveEverything() throws {
    for options in [
      DirectOptions(kept: .strongest(0), prunesTokens: true),
      DirectOptions(kept: .atLeast(1e9), prunesTokens: true),
    ] {
      let graph = try compile(options)
      #expect(graph.count(of: .x) == 0 && graph.count(of: .tokenX) == 0 && graph.count(of: .y) == 0)
      #expect(graph.plastic.count(neurons: neurons, in: 0..<nodes) == 0)
    }
  }

  @Test func synapsesAreCountedWalkedAndChanged() throws {
    var graph = try compile(DirectOptions(kept: .strongest(33)))
    for kind in DirectGraph<Double>.kinds {
      var walked = 0
      graph.forEachSynapse(of: kind) { synapse in
        walked += 1
        #expect((synapse.weight ?? 1) > 0)
        if case .token = synapse.presynaptic {
          #expect(kind.rawValue.hasPrefix("token"))
        } else {
          #expect(!kind.rawValue.hasPrefix("token"))
        }
      }
      #expect(walked == graph.count(of: kind), "\(kind)")
    }
    #expect(graph.count(of: .x) == 33 && graph.count(of: .tokenX) == 140 && graph.count(of: .plastic) == 33)
    let before = try #require(graph.signedWeight(of: .tokenX, from: .token(2), to: .neuron(5)))
    try graph.scale(.tokenX, from: .token(2), to: .neuron(5), by: -2)
    #expect(graph.signedWeight(of: .tokenX, from: .token(2), to: .neuron(5)) == -2 * before)
    #expect(throws: GraphError.self) { try graph.scale(.plastic, from: .token(2), to: .neuron(5), by: 2) }
    #expect(throws: GraphError.self) { try graph.scale(.x, from: .hub(2), to: .neuron(5), by: 2) }
    #expect(throws: GraphError.self) { try graph.scale(.x, from: .neuron(2), to: .neuron(55), by: 2) }
  }
}

/// The list of passes: what runs it logs, checks and refuses.
@Suite struct PassListTests {
  private let weights = Weights.random(
    Hyperparameters(neurons: 8, synapticDimension: 4, heads: 2, layers: 1, vocabulary: 3), seed: 2)

  /// A pass that breaks the graph.
  private struct BreakPass: CompilerPass {
    let name = "break"

    func run<Scalar: NetworkScalar>(_ stage: Stage<Scalar>) throws -> PassResult<Scalar> {
      guard case .circuit(var graph) = stage else { return (stage, nil, "") }
      graph.drivesX[0, 0] = .nan
      return (.circuit(graph), nil, "")
    }
  }

  @Test func reportsCountSynapses() throws {
    var weights = weights
    for hub in 0..<4 { weights.decoderX[1, hub] = 0 }
    let all = 2 * 3 * 4 + 3 * 8 * 4
    let plain = try Compiler().circuit(from: weights, workers: Workers(threads: 2)).reports
    #expect(plain.map(\.pass) == ["split", "lay out"])
    let centred = try Compiler(centres: true).circuit(from: weights).reports
    #expect(centred.map(\.pass) == ["centre", "split", "lay out"])
    for report in plain + centred {
      #expect(report.edgesIn == all - 4 && report.edgesOut == all - 4 && report.seconds >= 0)
    }
    let pruned = try Compiler().direct(
      from: weights, options: DirectOptions(kept: .strongest(5), prunesTokens: true)
    ).reports
    #expect(pruned.map(\.pass) == ["centre", "split", "prune", "lay out"])
    #expect(pruned[2].edgesIn == 2 * 8 * 11 && pruned[2].edgesOut == 10)
    #expect(pruned[3].edgesIn == 10 && pruned[3].note == "lists for x, y")
  }

  @Test func whatAPassLeavesIsChecked() {
    #expect(
      throws: GraphError.brokenRule(rule: "weights are finite", detail: "an x synapse is not")
    ) {
      try Compiler.run([SplitPass(), BreakPass(), LayOutPass()], on: weights)
    }
  }

  @Test func passesInTheWrongOrderAreRefused() {
    let (expand, prune) = (
      ExpandPass(workers: Workers(threads: 1), memory: .max),
      PrunePass(options: DirectOptions(kept: .strongest(1)), workers: Workers(threads: 1))
    )
    let lists: [[any CompilerPass]] = [
      [expand], [prune], [LayOutPass()], [SplitPass(), CentrePass()], [SplitPass(), SplitPass()],
      [SplitPass(), expand, prune],
    ]
    for list in lists {
      #expect(throws: CompilerError.self, "\(list.map(\.name))") { try Compiler.run(list, on: weights) }
    }
  }
}
