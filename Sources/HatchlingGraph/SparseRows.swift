import HatchlingNumerics

/// Synapses of one population as outgoing or incoming lists: compressed sparse rows.
///
/// Invariants: `offsets` has `rows + 1` ascending entries from 0 to `columns.count`; column numbers ascend strictly inside
/// a row and lie below `columnCount`; no stored weight is zero.
public struct SparseRows<Scalar: NetworkScalar>: Sendable {
  public let columnCount: Int
  /// Row r occupies `offsets[r] ..< offsets[r + 1]`.
  public var offsets: [Int]
  public var columns: [Int32]
  /// Signed: the sign says whether the synapse is excitatory or inhibitory.
  public var weights: [Scalar]

  public var rowCount: Int { offsets.count - 1 }
  public var count: Int { columns.count }

  public init(columnCount: Int, offsets: [Int], columns: [Int32], weights: [Scalar]) {
    self.columnCount = columnCount
    self.offsets = offsets
    self.columns = columns
    self.weights = weights
  }

  /// Keeps the non-zero entries.
  public init(_ matrix: Matrix<Scalar>) {
    columnCount = matrix.columns
    offsets = [0]
    columns = []
    weights = []
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

  /// Position of (row, column) in `columns` and `weights`, by binary search; nil where there is no synapse.
  public func position(row: Int, column: Int) -> Int? {
    var (low, high) = (offsets[row], offsets[row + 1])
    while low < high {
      let middle = (low + high) / 2
      if Int(columns[middle]) < column { low = middle + 1 } else { high = middle }
    }
    return low < offsets[row + 1] && Int(columns[low]) == column ? low : nil
  }

  /// What is wrong with the lists, nil when the invariants hold.
  public var violation: String? {
    guard offsets.first == 0, offsets.last == columns.count, columns.count == weights.count else {
      return "offsets do not cover the stored synapses"
    }
    for row in 0..<rowCount {
      guard offsets[row] <= offsets[row + 1] else { return "offsets descend at row \(row)" }
      for position in offsets[row]..<offsets[row + 1] {
        guard columns[position] >= 0, Int(columns[position]) < columnCount else {
          return "row \(row) names column \(columns[position]) of \(columnCount)"
        }
        guard position == offsets[row] || columns[position - 1] < columns[position] else {
          return "columns of row \(row) do not ascend"
        }
        guard weights[position] != 0 else { return "row \(row) stores a synapse of weight zero" }
      }
    }
    return nil
  }
}
