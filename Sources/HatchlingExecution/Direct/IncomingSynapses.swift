import HatchlingGraph
import HatchlingNumerics

/// Synapses laid out by postsynaptic neuron, so that one that listens finds all its synapses together and the others cost nothing.
struct IncomingSynapses<Scalar: NetworkScalar>: Sendable {
  private enum Layout: Sendable {
    /// `(targets, sources)`, and the synapses that exist as bits, `(targets, words)`, nil when all do.
    case dense(Matrix<Scalar>, present: Matrix<UInt64>?)
    /// Lists, and, where every token reaches every target, the tokens' synapses as a block `(targets, V)` beside them.
    case lists(
      offsets: NumberStorage<Int64>, sources: NumberStorage<Int32>, weights: NumberStorage<Scalar>,
      tokens: Matrix<Scalar>?)
  }

  private let layout: Layout
  private let sourceCount: Int

  /// From a projection whose rows are targets; its last `tokenCount` columns are token neurons. Cost: one pass.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  init(_ projection: Projection<Scalar>, tokenCount: Int) {
    sourceCount = projection.columns
    switch projection.storage {
    case .dense(let matrix):
      layout = .dense(matrix, present: projection.count == matrix.count ? nil : Self.bits(matrix))
    case .sparse(let lists):
      let first = projection.columns - tokenCount
      let isComplete = (0..<lists.rowCount).allSatisfy { row in
        let end = lists.offsets[row + 1] - tokenCount
        return end >= lists.offsets[row] && Int(lists.columns[end]) == first
      }
      let beside = isComplete ? tokenCount : 0
      let count = lists.count - beside * lists.rowCount
      let offsets = NumberStorage<Int64>(zeros: lists.offsets.count)
      let sources = NumberStorage<Int32>(zeros: count)
      let weights = NumberStorage<Scalar>(zeros: count)
      var tokens = Matrix<Scalar>(rows: lists.rowCount, columns: beside)
      let block = tokens.mutablePointer()
      var place = 0
      for row in 0..<lists.rowCount {
        let end = lists.offsets[row + 1] - beside
        for position in lists.offsets[row]..<end {
          sources.base[place] = lists.columns[position]
          weights.base[place] = lists.weights[position]
          place += 1
        }
        for token in 0..<beside { block[row * beside + token] = lists.weights[end + token] }
        offsets.base[row + 1] = Int64(place)
      }
      layout = .lists(
        offsets: offsets, sources: sources, weights: weights, tokens: isComplete ? tokens : nil)
    // The direct form is compiled from full weights; reduced ones are widened.
    case .reduced(let rows):
      let matrix = rows.dense.map { Scalar($0) }
      layout = .dense(matrix, present: projection.count == matrix.count ? nil : Self.bits(matrix))
    }
  }

  private static func bits(_ matrix: Matrix<Scalar>) -> Matrix<UInt64> {
    let words = (matrix.columns + 63) / 64
    var result = Matrix<UInt64>(rows: matrix.rows, columns: words)
    let target = result.mutablePointer()
    for row in 0..<matrix.rows { mark(matrix.row(row), count: matrix.columns, into: target + row * words) }
    return result
  }

  /// Sets a bit for every number that is not zero.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func mark(
    _ values: UnsafePointer<Scalar>, count: Int, into words: UnsafeMutablePointer<UInt64>
  ) {
    for index in 0..<count where values[index] != 0 { words[index / 64] |= 1 << UInt64(index % 64) }
  }

  /// Which sources speak, in the form that ``hear(_:count:_:speaking:into:)`` counts with; empty where it needs none.
  func speaking(_ heard: UnsafePointer<Scalar>) -> [UInt64] {
    let present: Matrix<UInt64>?
    switch layout {
    case .dense(_, let bits): present = bits
    case .lists(_, _, _, let tokens):
      guard let tokens else { return [] }
      let first = sourceCount - tokens.columns
      return [UInt64((first..<sourceCount).count { heard[$0] != 0 })]
    }
    var words = [UInt64](repeating: 0, count: (sourceCount + 63) / 64)
    guard present != nil else {
      var count: UInt64 = 0
      for index in 0..<sourceCount { count += heard[index] != 0 ? 1 : 0 }
      return [count]
    }
    words.withUnsafeMutableBufferPointer { words in
      if let words = words.baseAddress { Self.mark(heard, count: sourceCount, into: words) }
    }
    return words
  }

  /// drives_k = Σ_i G(i → list_k) heard_i; returns how many synapses carried a value other than zero.
  ///
  /// - Parameter speaking: of the same `heard`, see ``speaking(_:)``.
  func hear(
    _ list: UnsafePointer<Int32>, count: Int, _ heard: UnsafePointer<Scalar>, speaking: [UInt64],
    into drives: UnsafeMutablePointer<Scalar>
  ) -> Int {
    switch layout {
    case .dense(let matrix, let present):
      Scalar.dotList(matrix.pointer, list, count: count, heard, d: sourceCount, into: drives)
      guard let present else { return count * Int(speaking[0]) }
      var messages = 0
      for place in 0..<count {
        let row = present.row(Int(list[place]))
        for word in speaking.indices { messages += (row[word] & speaking[word]).nonzeroBitCount }
      }
      return messages
    case .lists(let offsets, let sources, let weights, let tokens):
      let messages = Scalar.hearLists(
        offsets.base, sources.base, weights.base, list, count: count, heard, into: drives)
      guard let tokens else { return messages }
      let spoken = heard + (sourceCount - tokens.columns)
      withUnsafeTemporaryAllocation(of: Scalar.self, capacity: max(1, count)) { sums in
        guard let sums = sums.baseAddress else { return }
        Scalar.dotList(tokens.pointer, list, count: count, spoken, d: tokens.columns, into: sums)
        for place in 0..<count { drives[place] += sums[place] }
      }
      return messages + count * Int(speaking[0])
    }
  }
}
