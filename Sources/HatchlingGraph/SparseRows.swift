import HatchlingNumerics

/// Synapses of one population as outgoing or incoming lists: compressed sparse rows.
///
/// Edge lists with weights: the invariants of ``EdgeLists`` hold, column numbers lie below `columnCount`, no stored weight is zero.
public struct SparseRows<Scalar: NetworkScalar>: Sendable {
  public let columnCount: Int
  /// Where the synapses are: rows are its targets, columns its sources.
  public var edges: EdgeLists
  /// Signed: the sign says whether the synapse is excitatory or inhibitory.
  public var weights: [Scalar]

  /// Row r occupies `offsets[r] ..< offsets[r + 1]`.
  @inlinable public var offsets: [Int] {
    get { edges.offsets }
    _modify { yield &edges.offsets }
  }
  @inlinable public var columns: [Int32] {
    get { edges.sources }
    _modify { yield &edges.sources }
  }

  public var rowCount: Int { edges.targetCount }
  public var count: Int { edges.count }

  public init(columnCount: Int, offsets: [Int], columns: [Int32], weights: [Scalar]) {
    self.columnCount = columnCount
    edges = EdgeLists(offsets: offsets, sources: columns)
    self.weights = weights
  }

  /// The signed weight, 0 where there is no synapse. Cost of writing: moves what lies behind it when a synapse comes or goes.
  public subscript(row: Int, column: Int) -> Scalar {
    get { position(row: row, column: column).map { weights[$0] } ?? 0 }
    set {
      precondition(
        (0..<rowCount).contains(row) && (0..<columnCount).contains(column),
        "(\(row), \(column)) lies outside \(rowCount) × \(columnCount)")
      switch (edges.search(row, column), newValue != 0) {
      case ((let position, true), true): weights[position] = newValue
      case ((let position, true), false):
        edges.remove(at: position, of: row)
        weights.remove(at: position)
      case ((let position, false), true):
        edges.insert(column, of: row, at: position)
        weights.insert(newValue, at: position)
      case ((_, false), false): break
      }
    }
  }

  /// Keeps the non-zero entries.
  public init(_ matrix: Matrix<Scalar>) {
    self.init(columnCount: matrix.columns, offsets: [0], columns: [], weights: [])
    offsets.reserveCapacity(matrix.rows + 1)
    for row in 0..<matrix.rows {
      let values = matrix.row(row)
      for column in 0..<matrix.columns where values[column] != 0 {
        columns.append(Int32(column))
        weights.append(values[column])
      }
      offsets.append(columns.count)
    }
  }

  /// The dense matrix with zeros where there is no synapse.
  public var dense: Matrix<Scalar> {
    var matrix = Matrix<Scalar>(rows: rowCount, columns: columnCount)
    let target = matrix.mutablePointer()
    for row in 0..<rowCount {
      for position in offsets[row]..<offsets[row + 1] {
        target[row * columnCount + Int(columns[position])] = weights[position]
      }
    }
    return matrix
  }

  /// The same synapses by column: row c of the result lists what was in column c, in the order of rows. Cost: two passes.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func transposing() -> SparseRows {
    var starts = [Int](repeating: 0, count: columnCount + 1)
    for column in columns { starts[Int(column) + 1] += 1 }
    for column in 0..<columnCount { starts[column + 1] += starts[column] }
    var next = starts
    var rows = [Int32](repeating: 0, count: count)
    var moved = [Scalar](repeating: 0, count: count)
    for row in 0..<rowCount {
      for position in offsets[row]..<offsets[row + 1] {
        let place = next[Int(columns[position])]
        next[Int(columns[position])] += 1
        rows[place] = Int32(row)
        moved[place] = weights[position]
      }
    }
    return SparseRows(columnCount: rowCount, offsets: starts, columns: rows, weights: moved)
  }

  /// The same lists in another order of rows: row `order[j]` becomes row j.
  func permutingRows(_ order: [Int]) -> SparseRows {
    var result = SparseRows(columnCount: columnCount, offsets: [0], columns: [], weights: [])
    for row in order {
      result.columns += columns[offsets[row]..<offsets[row + 1]]
      result.weights += weights[offsets[row]..<offsets[row + 1]]
      result.offsets.append(result.count)
    }
    return result
  }

  /// Position of (row, column) in `columns` and `weights`, by binary search; nil where there is no synapse.
  public func position(row: Int, column: Int) -> Int? { edges.position(target: row, source: column) }

  /// What is wrong with the lists, nil when the invariants hold.
  public var violation: String? {
    guard columns.count == weights.count else { return "offsets do not cover the stored synapses" }
    if let wrong = edges.violation(sourceCount: columnCount, row: "row", column: "column", columns: "columns")
    {
      return wrong
    }
    guard SignCensus(of: weights, count: count).nonZero == count else {
      let row = (0..<rowCount).first { weights[offsets[$0]..<offsets[$0 + 1]].contains(0) }
      return "row \(row ?? 0) stores a synapse of weight zero"
    }
    return nil
  }
}
