import HatchlingNumerics
import Synchronization

extension FactoredMatrix {
  /// Rows and columns of a block. A block of float32 takes 1 MB, small beside the caches that OpenBLAS needs anyway.
  static var blockRows: Int { 256 }
  static var blockColumns: Int { 1024 }

  /// The edges that meet a criterion, and counts of all entries on the way if they are asked for.
  ///
  /// G goes by in blocks of 256 × 1024 that do not depend on the number of threads; the answer is exact, equal strengths are
  /// decided by target, then source, and it is the same for any number of threads. Cost: one product, `2 d` operations per entry
  /// (a second one if the sampled first threshold was too high, which is rare), a comparison per entry, and memory for
  /// about twice the edges kept. With ``EdgeCriterion/strongestPerTarget(_:)`` a block holds whole rows of G.
  /// - Throws: ``CompilerError/tooManyEdges(limit:)`` as soon as more than `limit` edges meet a threshold.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func select(
    _ criterion: EdgeCriterion, sign: EdgeSign = .excitatory, statistics: EntryStatistics.Request? = nil,
    limit: Int = .max, workers: Workers = Workers()
  ) throws(CompilerError) -> (edges: SelectedEdges<Scalar>, statistics: EntryStatistics?) {
    switch criterion {
    case .strongest(let wanted):
      return try selectStrongest(max(0, wanted), sign, statistics, workers)
    case .atLeast(let threshold):
      let collector = EntryCollector<Scalar>(
        wanted: nil, threshold: Scalar(roundedUp: threshold), limit: limit)
      let found = pass(collector, sign, statistics, workers)
      guard let entries = collector.finish() else { throw .tooManyEdges(limit: limit) }
      return (edges(entries, sign), found)
    case .strongestPerTarget(let wanted):
      return selectPerTarget(max(0, wanted), sign, statistics, workers)
    case .strongestPerSource(let wanted):
      let (edges, found) = transposed.selectPerTarget(max(0, wanted), sign, statistics, workers)
      return (edges.exchanged, found)
    }
  }

  private func selectStrongest(
    _ wanted: Int, _ sign: EdgeSign, _ request: EntryStatistics.Request?, _ workers: Workers
  ) throws(CompilerError) -> (edges: SelectedEdges<Scalar>, statistics: EntryStatistics?) {
    guard wanted > 0, count > 0 else {
      return (SelectedEdges(), request.map { pass(nil, sign, $0, workers) } ?? nil)
    }
    var threshold = sampledThreshold(keeping: wanted, sign)
    while true {
      let collector = EntryCollector<Scalar>(wanted: wanted, threshold: threshold, limit: .max)
      let found = pass(collector, sign, request, workers)
      let entries = collector.finish() ?? []
      // Fewer than wanted below a guess says nothing; below "any positive strength" it is all there is.
      if entries.count == wanted || threshold == .leastNonzeroMagnitude {
        return (edges(entries, sign), found)
      }
      threshold = .leastNonzeroMagnitude
    }
  }

  /// A strength that somewhat more than `wanted` entries reach, from a sample of at most 2¹⁸ entries on a regular grid.
  private func sampledThreshold(keeping wanted: Int, _ sign: EdgeSign) -> Scalar {
    let sample = gridSample(rows: 256, columns: 1024).map { sign.strength($0) }.sorted(by: >)
    let expected = Double(wanted) / Double(count) * Double(sample.count)
    // Three standard deviations more than expected; entries of a row are not independent, so some more on top.
    let rank = expected * 1.1 + 6 * expected.squareRoot() + 16
    guard rank < Double(sample.count) else { return .leastNonzeroMagnitude }
    return max(.leastNonzeroMagnitude, sample[Int(rank)])
  }

  /// Entries at the crossings of evenly spaced rows and columns.
  func gridSample(rows: Int, columns: Int) -> [Scalar] {
    func pick(_ range: Range<Int>, _ most: Int, _ source: Matrix<Scalar>) -> Matrix<Scalar> {
      let taken = min(most, range.count)
      var result = Matrix<Scalar>(rows: taken, columns: rank)
      let target = result.mutablePointer()
      for index in 0..<taken {
        let row = range.lowerBound + index * range.count / taken
        (target + index * rank).update(from: source.row(row), count: rank)
      }
      return result
    }
    let (some, others) = (pick(targets, rows, left), pick(sources, columns, right))
    var product = Matrix<Scalar>(rows: some.rows, columns: others.rows)
    BLAS.multiply(
      some.pointer, by: others.pointer, transposedB: true, into: product.mutablePointer(), m: some.rows,
      n: others.rows, k: rank)
    return product.elements
  }

  /// One pass over all blocks: entries go to the collector, counts to the statistics.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func pass(
    _ collector: EntryCollector<Scalar>?, _ sign: EdgeSign, _ request: EntryStatistics.Request?,
    _ workers: Workers
  ) -> EntryStatistics? {
    let across = (sources.count + Self.blockColumns - 1) / Self.blockColumns
    let down = (targets.count + Self.blockRows - 1) / Self.blockRows
    let counter = request.map { EntryCounter($0, blocks: across * down) }
    let scratch = ScratchPool<Scalar>(count: Self.blockRows * Self.blockColumns)
    workers.run(blocks: across * down) { index in
      let rows = Self.part(index / across, of: targets, Self.blockRows)
      let columns = Self.part(index % across, of: sources, Self.blockColumns)
      scratch.use { block in
        multiply(targets: rows, sources: columns, into: block.base)
        collector?.collect(block.base, rows, columns, sign)
        counter?.count(block.base, rows.count * columns.count, block: index)
      }
    }
    return counter?.finish()
  }

  static func part(_ index: Int, of range: Range<Int>, _ size: Int) -> Range<Int> {
    let first = range.lowerBound + index * size
    return first..<min(first + size, range.upperBound)
  }

  private func edges(_ entries: [SelectedEntry<Scalar>], _ sign: EdgeSign) -> SelectedEdges<Scalar> {
    let sorted = entries.sorted { $0.place < $1.place }
    return SelectedEdges(
      sources: sorted.map(\.source), targets: sorted.map(\.target), weights: sorted.map(\.weight))
  }

  /// The strongest of every row: a block holds whole rows.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func selectPerTarget(
    _ wanted: Int, _ sign: EdgeSign, _ request: EntryStatistics.Request?, _ workers: Workers
  ) -> (edges: SelectedEdges<Scalar>, statistics: EntryStatistics?) {
    let blocks = (targets.count + 63) / 64
    let counter = request.map { EntryCounter($0, blocks: blocks) }
    let scratch = ScratchPool<Scalar>(count: 64 * sources.count)
    let found = Mutex<[Int: [SelectedEntry<Scalar>]]>([:])
    workers.run(blocks: blocks) { index in
      let rows = Self.part(index, of: targets, 64)
      var kept: [SelectedEntry<Scalar>] = []
      scratch.use { block in
        multiply(targets: rows, sources: sources, into: block.base)
        for row in rows {
          let values = block.base + (row - rows.lowerBound) * sources.count
          kept += Self.strongest(wanted, of: values, row: row, sources: sources, sign)
        }
        counter?.count(block.base, rows.count * sources.count, block: index)
      }
      found.withLock { $0[index] = kept }
    }
    let entries = found.withLock { all in (0..<blocks).flatMap { all[$0] ?? [] } }
    return (edges(entries, sign), counter?.finish())
  }

  private static func strongest(
    _ wanted: Int, of values: UnsafePointer<Scalar>, row: Int, sources: Range<Int>, _ sign: EdgeSign
  ) -> [SelectedEntry<Scalar>] {
    var entries: [SelectedEntry<Scalar>] = []
    entries.reserveCapacity(sources.count)
    for column in 0..<sources.count where sign.strength(values[column]) > 0 {
      entries.append(
        SelectedEntry(
          weight: values[column], target: Int32(row), source: Int32(sources.lowerBound + column)))
    }
    entries.keepStrongest(wanted)
    return entries
  }
}

extension SelectedEdges {
  /// Sources and targets exchanged, ordered by the new target, then source.
  var exchanged: SelectedEdges {
    let order = weights.indices.sorted {
      (sources[$0], targets[$0]) < (sources[$1], targets[$1])
    }
    return SelectedEdges(
      sources: order.map { targets[$0] }, targets: order.map { sources[$0] },
      weights: order.map { weights[$0] }
    )
  }
}

extension NetworkScalar {
  /// The smallest value that is at least `bound`: a threshold given in double means the same for float32 entries.
  init(roundedUp bound: Double) {
    let nearest = Self(bound)
    self = Double(nearest) < bound ? nearest.nextUp : nearest
  }
}

/// Blocks of memory that threads borrow, at most one each.
final class ScratchPool<Scalar: NetworkScalar>: Sendable {
  private let free = Mutex<[NumberStorage<Scalar>]>([])
  private let count: Int

  init(count: Int) { self.count = count }

  func use(_ body: (NumberStorage<Scalar>) -> Void) {
    let block = free.withLock { $0.popLast() } ?? NumberStorage(zeros: count)
    body(block)
    free.withLock { $0.append(block) }
  }
}
