import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingGraph

/// Projections and their lists against a dictionary of synapses.
@Suite struct ProjectionTests {
  private struct Place: Hashable, Comparable {
    let row: Int
    let column: Int
    static func < (a: Place, b: Place) -> Bool { (a.row, a.column) < (b.row, b.column) }
  }

  private func check(_ projection: Projection<Double>, _ oracle: [Place: Double], _ note: String) {
    var walked: [(Place, Double)] = []
    projection.forEachEntry { walked.append((Place(row: $0, column: $1), $2)) }
    let expected = oracle.filter { $0.value != 0 }.sorted { $0.key < $1.key }
    #expect(walked.map(\.0) == expected.map(\.key), "\(note)")
    #expect(walked.map(\.1) == expected.map(\.value), "\(note)")
    #expect(projection.count == expected.count, "\(note)")
  }

  /// A dense matrix of this size would take 8 TB: the test is that it is never made.
  @Test func editsOfAMillionByAMillionStayLists() throws {
    let size = 1_000_000
    var projection = Projection<Double>(
      .sparse(
        SparseRows(columnCount: size, offsets: [Int](repeating: 0, count: size + 1), columns: [], weights: [])
      ))
    var random = SeededRandom(seed: 41)
    var oracle: [Place: Double] = [:]
    for edit in 0..<300 {
      // Few rows and columns, so that synapses are met again; the last of each among them.
      let place = Place(
        row: size - 1 - Int.random(in: 0..<12, using: &random) * 83_333,
        column: size - 1 - Int.random(in: 0..<9, using: &random) * 111_111)
      let weight = edit % 3 == 2 ? 0 : random.normal()
      projection[place.row, place.column] = weight
      oracle[place] = weight
      #expect(projection[place.row, place.column] == weight)
    }
    check(projection, oracle, "seed 41")
    guard case .sparse(let lists) = projection.storage else {
      Issue.record("the projection is not sparse any more")
      return
    }
    #expect(lists.violation == nil && lists.count == oracle.count { $0.value != 0 } && lists.count > 20)
  }

  @Test(arguments: UInt64(1)...20) func randomEditsEqualADictionary(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let (rows, columns) = (Int.random(in: 1...9, using: &random), Int.random(in: 1...9, using: &random))
    var oracle: [Place: Double] = [:]
    var sparse = Projection(.sparse(SparseRows(Matrix<Double>(rows: rows, columns: columns))))
    var dense = Projection(dense: Matrix<Double>(rows: rows, columns: columns))
    for edit in 0..<200 {
      let place = Place(
        row: Int.random(in: 0..<rows, using: &random), column: Int.random(in: 0..<columns, using: &random))
      let weight = Int.random(in: 0...2, using: &random) == 0 ? 0 : random.normal()
      let before = sparse
      sparse[place.row, place.column] = weight
      dense[place.row, place.column] = weight
      #expect(before[place.row, place.column] == oracle[place] ?? 0, "a copy stays what it was")
      oracle[place] = weight
      check(sparse, oracle, "seed \(seed), edit \(edit)")
      check(dense, oracle, "seed \(seed), edit \(edit)")
      guard case .sparse(let lists) = sparse.storage else {
        Issue.record("seed \(seed): not sparse any more")
        return
      }
      #expect(lists.violation == nil, "seed \(seed), edit \(edit)")
      #expect(sparse.rowDegrees == dense.rowDegrees && sparse.columnDegrees == dense.columnDegrees)
    }
    #expect(sparse.dense.elements == dense.dense.elements)
  }

  @Test(arguments: UInt64(1)...20) func listsTransposeAndPermute(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let (rows, columns) = (Int.random(in: 1...12, using: &random), Int.random(in: 1...12, using: &random))
    let matrix = Matrix<Double>(
      rows: rows, columns: columns,
      (0..<rows * columns).map { _ in
        Int.random(in: 0...2, using: &random) > 0 ? 0 : random.normal()
      })
    let lists = SparseRows(matrix)
    #expect(lists.violation == nil && lists.dense.elements == matrix.elements, "seed \(seed)")
    let turned = lists.transposing()
    #expect(turned.violation == nil && turned.rowCount == columns && turned.columnCount == rows)
    let order = (0..<rows).shuffled(using: &random)
    let (sparse, dense) = (
      Projection(.sparse(lists)).permutingRows(order), Projection(dense: matrix).permutingRows(order)
    )
    for row in 0..<rows {
      for column in 0..<columns {
        #expect(turned[column, row] == matrix[row, column], "seed \(seed)")
        #expect(sparse[row, column] == matrix[order[row], column], "seed \(seed)")
        #expect(dense[row, column] == matrix[order[row], column], "seed \(seed)")
        let position = lists.position(row: row, column: column)
        #expect((position != nil) == (matrix[row, column] != 0))
        #expect(position.map { lists.weights[$0] } ?? 0 == matrix[row, column])
      }
    }
  }

  @Test func tokensBesideListsAreFound() {
    // Two neurons, three tokens (nodes 2 … 4).
    let whole = EdgeLists(offsets: [0, 4, 7], sources: [1, 2, 3, 4, 2, 3, 4])
    #expect(
      whole.withoutCompleteTokens(neurons: 2, nodes: 5) == EdgeLists(offsets: [0, 1, 1], sources: [1]))
    let gap = EdgeLists(offsets: [0, 4, 6], sources: [1, 2, 3, 4, 2, 4])
    #expect(gap.withoutCompleteTokens(neurons: 2, nodes: 5) == nil)
  }

  @Test func writingOneReducedWeightWidensAll() {
    let matrix = Matrix<Float>(rows: 2, columns: 16, (0..<32).map { Float($0) / 8 - 1 })
    let rows = ReducedRows(matrix, .int8)
    var projection = Projection<Float>(.reduced(rows))
    projection[1, 3] = 0.123_456_7
    #expect(
      projection.reducedFormat == nil && projection[1, 3] == 0.123_456_7 && projection[0, 5] == rows[0, 5])
  }
}
