import HatchlingExecution
import HatchlingGraph
import HatchlingNumerics
import TestSupport
import Testing

/// Delivery from active sources against a plain loop over a dense matrix.
@Suite struct OutgoingSynapsesTests {
  private func matrix(_ rows: Int, _ columns: Int, density: Double, seed: UInt64) -> Matrix<Double> {
    var random = SeededRandom(seed: seed)
    return Matrix(
      rows: rows, columns: columns,
      (0..<rows * columns).map { _ in random.uniform() < density ? random.normal() : 0 })
  }

  private func check<Scalar: NetworkScalar>(
    _ matrix: Matrix<Scalar>, _ projection: Projection<Scalar>, seed: UInt64, tolerance: Double
  ) {
    var random = SeededRandom(seed: seed &+ 1)
    let outgoing = OutgoingSynapses(projection)
    for fraction in [0, 0.05, 0.5, 1] {
      let active = (0..<matrix.rows).filter { _ in random.uniform() < fraction }.map { Int32($0) }
      let values = active.map { _ in Scalar(random.normal()) }
      var expected = [Double](repeating: 0, count: matrix.columns)
      for (source, value) in zip(active, values) {
        for target in expected.indices {
          expected[target] += Double(value) * Double(matrix[Int(source), target])
        }
      }
      var results: [[Scalar]] = []
      for threads in 1...3 {
        var sums = [Scalar](repeating: .nan, count: matrix.columns)
        outgoing.deliver(
          from: active, values, count: active.count, into: &sums, workers: Workers(threads: threads))
        results.append(sums)
      }
      #expect(results[0] == results[1] && results[1] == results[2], "threads, seed \(seed)")
      let scale = expected.reduce(1) { max($0, abs($1)) }
      #expect(absoluteDifference(results[0], expected) <= tolerance * scale, "seed \(seed), \(fraction)")
      let edges = active.reduce(0) { sum, source in
        sum + (0..<matrix.columns).count { matrix[Int(source), $0] != 0 }
      }
      #expect(active.reduce(0) { $0 + Int(outgoing.degrees[Int($1)]) } == edges)
    }
  }

  @Test(arguments: 0..<8)
  func deliversWhatAPlainLoopDoes(seed: Int) {
    let rows = [1, 7, 64, 200, 31, 90, 150, 3][seed]
    let columns = [1, 5, 300, 1000, 17, 2049, 64, 777][seed]
    let sparse = matrix(
      rows, columns, density: [0, 1, 0.3, 0.02, 0.5, 0.1, 0.9, 0.2][seed], seed: UInt64(seed))
    let floats = sparse.map { Float($0) }
    check(sparse, Projection(dense: sparse), seed: UInt64(seed), tolerance: 1e-13)
    check(sparse, Projection(.sparse(SparseRows(sparse))), seed: UInt64(seed), tolerance: 1e-13)
    check(floats, Projection(dense: floats), seed: UInt64(seed), tolerance: 1e-5)
    check(floats, Projection(.sparse(SparseRows(floats))), seed: UInt64(seed), tolerance: 1e-5)
  }

  /// More targets than a 16-bit number can tell apart.
  @Test func manyTargetsAreCutIntoBlocks() {
    let sparse = matrix(3, 150_001, density: 0.01, seed: 4)
    check(sparse, Projection(.sparse(SparseRows(sparse))), seed: 4, tolerance: 1e-13)
  }
}
