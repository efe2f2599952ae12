import HatchlingNumerics

/// All fixed synapses of one kind, between two populations, laid out for the engine.
///
/// Rows are neurons where neurons take part, else the presynaptic population, so that everything one particle sends or
/// receives lies together. A stored number is signed: positive is an excitatory synapse, negative an inhibitory one of that
/// magnitude, zero no synapse. The sign bit is the synapse's channel, not a negative weight.
public struct Projection<Scalar: NetworkScalar>: Sendable {
  /// How the synapses are stored.
  public enum Storage: Sendable {
    /// Populations connected (nearly) all to all.
    case dense(Matrix<Scalar>)
    /// One list per row.
    case sparse(SparseRows<Scalar>)
    /// Connected (nearly) all to all, in 16 or 8 bits per weight; in float32 networks only.
    case reduced(ReducedRows)
  }

  public var storage: Storage { didSet { knownCensus = nil } }
  /// What ``takeCensus(workers:)`` found; gone as soon as the storage changes.
  private var knownCensus: SignCensus?

  public init(_ storage: Storage) { self.storage = storage }
  public init(dense matrix: Matrix<Scalar>) { storage = .dense(matrix) }

  public var rows: Int {
    switch storage {
    case .dense(let matrix): matrix.rows
    case .sparse(let lists): lists.rowCount
    case .reduced(let rows): rows.rows
    }
  }

  public var columns: Int {
    switch storage {
    case .dense(let matrix): matrix.columns
    case .sparse(let lists): lists.columnCount
    case .reduced(let rows): rows.columns
    }
  }

  /// The signed weight, 0 where there is no synapse.
  public subscript(row: Int, column: Int) -> Scalar {
    get {
      switch storage {
      case .dense(let matrix): return matrix[row, column]
      case .sparse(let lists): return lists[row, column]
      case .reduced(let rows): return Scalar(rows[row, column])
      }
    }
    set {
      switch storage {
      case .dense(var matrix):
        storage = .dense(Matrix(rows: 0, columns: 0))  // keep the storage unique: edit in place
        matrix[row, column] = newValue
        storage = .dense(matrix)
      case .sparse(var lists):
        storage = .sparse(SparseRows(columnCount: 0, offsets: [], columns: [], weights: []))
        lists[row, column] = newValue
        storage = .sparse(lists)
      case .reduced:
        // One weight need not fit the row's scale: all go back to full width.
        var matrix = dense
        matrix[row, column] = newValue
        storage = .dense(matrix)
      }
    }
  }

  /// All weights at full width, 0 where there is no synapse. Cost: nothing for a dense block, else a copy of that size.
  public var dense: Matrix<Scalar> {
    switch storage {
    case .dense(let matrix): matrix
    case .sparse(let lists): lists.dense
    case .reduced(let rows): rows.dense.map { Scalar($0) }
    }
  }

  /// The same projection in another order of rows: row `order[j]` becomes row j.
  func permutingRows(_ order: [Int]) -> Projection {
    if case .sparse(let lists) = storage { return Projection(.sparse(lists.permutingRows(order))) }
    return Projection(dense: dense.selecting(order))
  }

  /// Below this fraction of all possible synapses, lists read fewer bytes than a block (a list spends 4 bytes on every
  /// column number and cannot be read in full vectors).
  public static var listsBelow: Double { 0.25 }

  /// The same synapses, stored as fits an engine: a block where most of two populations is connected, else lists. Cost: a census, and a
  /// copy where the storage changes.
  public var laidOut: Projection { laidOut(asOneOf: count, possible: rows * columns) }

  /// The same where these are the synapses of some neurons: stored as fits `count` synapses of all of them, of `possible` ones.
  package func laidOut(asOneOf count: Int, possible: Int) -> Projection {
    let isSparse = Double(count) < Self.listsBelow * Double(possible)
    switch storage {
    case .dense(let matrix): return isSparse ? Projection(.sparse(SparseRows(matrix))) : self
    case .sparse(let lists): return isSparse ? self : Projection(dense: lists.dense)
    case .reduced: return self
    }
  }

  /// How the weights are kept in fewer bits; nil where they are not.
  public var reducedFormat: ReducedFormat? {
    if case .reduced(let rows) = storage { rows.format } else { nil }
  }

  /// Calls `body(row, column, signed weight)` for every synapse, row by row, columns ascending.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func forEachEntry(rows range: Range<Int>? = nil, _ body: (Int, Int, Scalar) throws -> Void) rethrows
  {
    let range = range ?? 0..<rows
    switch storage {
    case .dense(let matrix):
      for row in range {
        let values = matrix.row(row)
        for column in 0..<matrix.columns where values[column] != 0 { try body(row, column, values[column]) }
      }
    case .sparse(let lists):
      for row in range {
        for position in lists.offsets[row]..<lists.offsets[row + 1] {
          try body(row, Int(lists.columns[position]), lists.weights[position])
        }
      }
    case .reduced(let rows):
      for row in range {
        for column in 0..<rows.columns {
          let weight = rows[row, column]
          if weight != 0 { try body(row, column, Scalar(weight)) }
        }
      }
    }
  }

  /// Counts the synapses by sign and looks for weights that are not finite, once; everything that asks later has the answer until
  /// the storage changes. Cost: one pass.
  public mutating func takeCensus(workers: Workers? = nil) {
    if knownCensus == nil { knownCensus = count(workers) }
  }

  /// Synapses by sign, and whether all weights are finite. Cost: one pass without ``takeCensus(workers:)`` before.
  public var census: SignCensus { knownCensus ?? count(nil) }

  private func count(_ workers: Workers?) -> SignCensus {
    switch storage {
    case .dense(let matrix):
      return SignCensus(of: matrix.pointer, count: matrix.count, workers: workers)
    case .sparse(let lists):
      return SignCensus(of: lists.weights, count: lists.weights.count, workers: workers)
    case .reduced(let rows): return Projection<Float>(dense: rows.dense).count(workers)
    }
  }

  /// Number of excitatory and inhibitory synapses. Cost: as ``census``.
  public var counts: (excitatory: Int, inhibitory: Int) {
    let census = census
    return (census.positive, census.negative)
  }

  /// Whether all weights are finite. Cost: as ``census``.
  public var isFinite: Bool { census.isFinite }

  /// Number of synapses. Cost: as ``census``.
  public var count: Int { census.nonZero }

  /// Whether every synapse that the two populations allow exists, as far as a census has told.
  private var isKnownComplete: Bool { knownCensus?.nonZero == rows * columns }

  /// Synapses of each row, `(rows)`. Cost: nothing after a census that found no zero, else one pass.
  public var rowDegrees: [Int32] {
    if isKnownComplete { return [Int32](repeating: Int32(columns), count: rows) }
    switch storage {
    case .sparse(let lists):
      return (0..<lists.rowCount).map { Int32(lists.offsets[$0 + 1] - lists.offsets[$0]) }
    case .dense(let matrix):
      return (0..<matrix.rows).map { Int32(SignCensus(of: matrix.row($0), count: matrix.columns).nonZero) }
    case .reduced(let rows): return Projection<Float>(dense: rows.dense).rowDegrees
    }
  }

  /// Synapses of each column, `(columns)`. Cost: as ``rowDegrees``.
  public var columnDegrees: [Int] {
    if isKnownComplete { return [Int](repeating: rows, count: columns) }
    switch storage {
    case .sparse(let lists):
      var degrees = [Int](repeating: 0, count: columns)
      for column in lists.columns { degrees[Int(column)] += 1 }
      return degrees
    case .dense(let matrix): return Projection.columnDegrees(matrix)
    case .reduced(let rows): return Projection<Float>.columnDegrees(rows.dense)
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func columnDegrees(_ matrix: Matrix<Scalar>) -> [Int] {
    var degrees = [Int](repeating: 0, count: matrix.columns)
    degrees.withUnsafeMutableBufferPointer { degrees in
      for row in 0..<matrix.rows {
        let values = matrix.row(row)
        for column in 0..<matrix.columns { degrees[column] &+= values[column] != 0 ? 1 : 0 }
      }
    }
    return degrees
  }
}
