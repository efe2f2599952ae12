import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingCompiler

/// Streaming selection against sorting the whole matrix, for every sign and criterion.
@Suite struct SelectionTests {
  struct Edge: Equatable {
    let (target, source, weight): (Int, Int, Double)
    static func == (a: Edge, b: Edge) -> Bool {
      a.target == b.target && a.source == b.source && a.weight == b.weight
    }
  }

  /// The plain way: form every entry, sort, cut.
  private func plain<Scalar: NetworkScalar>(
    _ graph: FactoredMatrix<Scalar>, _ criterion: EdgeCriterion, _ sign: EdgeSign
  ) -> [Edge] {
    var all: [Edge] = []
    for target in graph.targets {
      for source in graph.sources {
        var sum = Scalar(0)
        for column in 0..<graph.rank { sum += graph.left[target, column] * graph.right[source, column] }
        if sign.strength(sum) > 0 { all.append(Edge(target: target, source: source, weight: Double(sum))) }
      }
    }
    func strongest(_ count: Int, of edges: [Edge]) -> [Edge] {
      let sorted = edges.sorted {
        (-$0.weight.magnitude, $0.target, $0.source) < (-$1.weight.magnitude, $1.target, $1.source)
      }
      return Array(sorted.prefix(count))
    }
    let kept: [Edge]
    switch criterion {
    case .strongest(let count): kept = strongest(count, of: all)
    case .atLeast(let threshold): kept = all.filter { $0.weight.magnitude >= threshold }
    case .strongestPerTarget(let count):
      kept = graph.targets.flatMap { row in strongest(count, of: all.filter { $0.target == row }) }
    case .strongestPerSource(let count):
      kept = graph.sources.flatMap { column in
        var column = all.filter { $0.source == column }
        column.sort { (-$0.weight.magnitude, $0.target) < (-$1.weight.magnitude, $1.target) }
        return column.prefix(count)
      }
    }
    return kept.sorted { ($0.target, $0.source) < ($1.target, $1.source) }
  }

  private func list<Scalar>(_ edges: SelectedEdges<Scalar>) -> [Edge] {
    (0..<edges.count).map {
      Edge(
        target: Int(edges.targets[$0]), source: Int(edges.sources[$0]), weight: Double(edges.weights[$0]))
    }
  }

  /// Whole numbers: products are exact, so the order of summation is no excuse, and many entries are equal.
  private func wholeNumbers<Scalar: NetworkScalar>(
    _ rows: Int, _ columns: Int, _ d: Int, _ random: inout SeededRandom, as: Scalar.Type
  ) -> FactoredMatrix<Scalar> {
    func matrix(_ rows: Int) -> Matrix<Scalar> {
      Matrix(
        rows: rows, columns: d, (0..<rows * d).map { _ in Scalar(Int.random(in: -3...3, using: &random)) })
    }
    return FactoredMatrix(left: matrix(rows), right: matrix(columns))
  }

  @Test(arguments: [EdgeSign.excitatory, .inhibitory, .both]) func equalsSortingEverything(_ sign: EdgeSign)
    throws
  {
    for seed in UInt64(1)...25 {
      var random = SeededRandom(seed: seed)
      let (rows, columns) = (
        Int.random(in: 1...70, using: &random), Int.random(in: 1...70, using: &random)
      )
      let whole = wholeNumbers(
        rows, columns, Int.random(in: 1...6, using: &random), &random, as: Float.self)
      let first = Int.random(in: 0..<rows, using: &random)
      let part = FactoredMatrix(
        left: whole.left, right: whole.right, targets: first..<rows, sources: 0..<(columns + 1) / 2)
      let threads = Workers(threads: 1 + Int(seed % 3))
      for graph in [whole, part] {
        for criterion in [
          EdgeCriterion.strongest(0), .strongest(1), .strongest(graph.count / 3),
          .strongest(2 * graph.count), .atLeast(4), .atLeast(0), .atLeast(1e9), .strongestPerTarget(3),
          .strongestPerSource(2), .strongestPerTarget(0),
        ] {
          let found = try graph.select(criterion, sign: sign, workers: threads).edges
          #expect(
            list(found) == plain(graph, criterion, sign),
            "seed \(seed), \(criterion), \(rows) × \(columns)")
        }
      }
    }
  }

  @Test func manyBlocksInDoubleAndManyThreads() throws {
    var random = SeededRandom(seed: 5)
    let graph = wholeNumbers(600, 2100, 3, &random, as: Double.self)
    let expected = plain(graph, .strongest(5000), .both)
    for threads in [1, 2, 5] {
      let found = try graph.select(.strongest(5000), sign: .both, workers: Workers(threads: threads)).edges
      #expect(found.count == 5000 && list(found) == expected, "\(threads) threads")
    }
  }

  /// More candidates than the collector holds, so that its threshold has to rise on the way.
  @Test func aRisingThresholdLosesNothing() throws {
    var random = SeededRandom(seed: 6)
    let graph = wholeNumbers(500, 1000, 4, &random, as: Float.self)
    let expected = plain(graph, .strongest(700), .excitatory)
    let collector = EntryCollector<Float>(wanted: 700, threshold: 0, limit: .max)
    _ = graph.pass(collector, .excitatory, nil, Workers(threads: 2))
    let kept = try #require(collector.finish()).sorted { $0.place < $1.place }
    #expect(kept.count == 700)
    #expect(
      kept.map { Edge(target: Int($0.target), source: Int($0.source), weight: Double($0.weight)) } == expected
    )
  }

  @Test func realNumbersBetweenThreadsAreTheSameBits() throws {
    var random = SeededRandom(seed: 7)
    func matrix(_ rows: Int) -> Matrix<Float> {
      Matrix(rows: rows, columns: 24, (0..<rows * 24).map { _ in Float(random.normal()) })
    }
    let graph = FactoredMatrix(left: matrix(700), right: matrix(1500))
    let request = EntryStatistics.Request(bins: 50, reach: 20)
    let one = try graph.select(
      .strongest(3000), sign: .both, statistics: request, workers: Workers(threads: 1))
    let four = try graph.select(
      .strongest(3000), sign: .both, statistics: request, workers: Workers(threads: 4))
    #expect(one.edges.count == 3000 && list(one.edges) == list(four.edges))
    #expect(one.statistics == four.statistics && one.statistics?.count == 1_050_000)
    let weakest = try #require(one.edges.threshold)
    let above = try graph.select(.atLeast(Double(weakest)), sign: .both, workers: Workers(threads: 3)).edges
    #expect(list(above) == list(one.edges))
  }

  @Test func statisticsEqualPlainLoops() throws {
    var random = SeededRandom(seed: 8)
    let graph = wholeNumbers(300, 1100, 5, &random, as: Float.self)
    let request = EntryStatistics.Request(bins: 20, reach: 10)
    let found = try #require(
      try graph.select(.strongest(1), statistics: request, workers: Workers(threads: 2)).statistics)
    var values: [Double] = []
    for target in 0..<300 {
      for source in 0..<1100 {
        values.append((0..<5).reduce(0) { $0 + Double(graph.left[target, $1] * graph.right[source, $1]) })
      }
    }
    var histogram = [Int](repeating: 0, count: 40)
    for value in values { histogram[min(39, max(0, Int((value / 0.5).rounded(.down)) + 20))] += 1 }
    #expect(found.histogram == histogram && found.count == values.count)
    #expect(found.positive == values.count { $0 > 0 } && found.negative == values.count { $0 < 0 })
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    let third = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) } / Double(values.count)
    #expect(abs(found.mean - mean) < 1e-12 && abs(found.variance - variance) < 1e-9)
    #expect(abs(found.skewness - third / (variance * variance.squareRoot())) < 1e-9)
    #expect(found.minimum == values.min() && found.maximum == values.max())
    #expect((0..<40).allSatisfy { found.symmetricPart($0) + found.skewPart($0) == histogram[$0] })
  }

  /// G_x = D_x P E and G_y = D_y P E, entry by entry; one head is a part of all; the paper's D E on request.
  @Test func graphsOfNeuronsAreProducts() throws {
    let sizes = Hyperparameters(neurons: 24, synapticDimension: 5, heads: 3, layers: 1, vocabulary: 4)
    let weights = Weights.random(sizes, seed: 3)
    for (drive, decoder) in [(FactoredMatrix<Float>.Drive.x, weights.decoderX), (.y, weights.decoderY)] {
      for (centred, head, sender) in [
        (true, nil, nil), (false, nil, nil), (true, 1, nil), (false, 2, nil), (true, 0, 2), (false, 2, 1),
        (true, 1, 1),
      ] as [(Bool, Int?, Int?)] {
        let graph = try FactoredMatrix(drive, of: weights, centred: centred, head: head, from: sender)
        let found = try graph.select(.atLeast(0), sign: .both, workers: Workers(threads: 1)).edges
        let neurons = head.map { $0 * 8..<($0 + 1) * 8 } ?? 0..<24
        let senders = sender.map { $0 * 8..<($0 + 1) * 8 } ?? neurons
        #expect(found.count == neurons.count * neurons.count)
        for edge in 0..<found.count {
          let (source, target) = (Int(found.sources[edge]), Int(found.targets[edge]))
          #expect(senders.contains(source) && neurons.contains(target))
          let column = (0..<5).map { Double(weights.encoder[source, $0]) }
          let mean = centred ? column.reduce(0, +) / 5 : 0
          let entry = (0..<5).reduce(0) { $0 + Double(decoder[target, $1]) * (column[$1] - mean) }
          #expect(abs(Double(found.weights[edge]) - entry) < 1e-5)
        }
      }
    }
  }

  /// ‖(G + Gᵀ) / 2‖² / ‖G‖² against the formed matrix.
  @Test func theSymmetricFractionIsThatOfTheFormedMatrix() throws {
    var random = SeededRandom(seed: 12)
    let graph = wholeNumbers(30, 30, 4, &random, as: Double.self)
    let edges = try graph.select(.atLeast(0), sign: .both, workers: Workers(threads: 1)).edges
    var dense = [[Double]](repeating: [Double](repeating: 0, count: 30), count: 30)
    for edge in 0..<edges.count {
      dense[Int(edges.targets[edge])][Int(edges.sources[edge])] = edges.weights[edge]
    }
    var (symmetric, whole) = (0.0, 0.0)
    for row in 0..<30 {
      for column in 0..<30 {
        let half = (dense[row][column] + dense[column][row]) / 2
        symmetric += half * half
        whole += dense[row][column] * dense[row][column]
      }
    }
    #expect(abs(try #require(graph.symmetricFraction) - symmetric / whole) < 1e-12)
    #expect(
      abs(try #require(FactoredMatrix(left: graph.left, right: graph.left).symmetricFraction) - 1) < 1e-12)
  }

  @Test func tooManyEdgesAreRefused() {
    var random = SeededRandom(seed: 9)
    let graph = wholeNumbers(50, 50, 2, &random, as: Float.self)
    #expect(throws: CompilerError.tooManyEdges(limit: 10)) {
      try graph.select(.atLeast(1), limit: 10, workers: Workers(threads: 1))
    }
  }
}
