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
      return source.selecting((0..<taken).map { range.lowerBound + $0 * range.count / taken })
    }
    return pick(targets, rows, left).times(pick(sources, columns, right), transposed: true).elements
  }

  /// One pass over all blocks: entries go to the collector, counts to the statistics.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func pass(
    _ collector: EntryCollector<Scalar>?, _ sign: EdgeSign, _ request: EntryStatistics.Request?,
    _ workers: Workers
  ) -> EntryStatistics? {
    forEachBlock((Self.blockRows, Self.blockColumns), request, workers) { _, rows, columns, block in
      collector?.collect(block, rows, columns, sign)
    }
  }

  /// Hands out every block of at most so many rows and columns with its number, and counts entries where that is asked for.
  private func forEachBlock(
    _ size: (rows: Int, columns: Int), _ request: EntryStatistics.Request?, _ workers: Workers,
    _ body: (Int, Range<Int>, Range<Int>, UnsafePointer<Scalar>) -> Void
  ) -> EntryStatistics? {
    func part(_ index: Int, of range: Range<Int>, _ size: Int) -> Range<Int> {
      let first = range.lowerBound + index * size
      return first..<min(first + size, range.upperBound)
    }
    let across = (sources.count + size.columns - 1) / size.columns
    let down = (targets.count + size.rows - 1) / size.rows
    let counter = request.map { EntryCounter($0, blocks: across * down) }
    let scratch = ScratchPool<Scalar>(count: size.rows * size.columns)
    workers.run(blocks: across * down) { index in
      let rows = part(index / across, of: targets, size.rows)
      let columns = part(index % across, of: sources, size.columns)
      scratch.use { block in
        multiply(targets: rows, sources: columns, into: block.base)
        body(index, rows, columns, block.base)
        counter?.count(block.base, rows.count * columns.count, block: index)
      }
    }
    return counter?.finish()
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
    let found = Mutex<[Int: [SelectedEntry<Scalar>]]>([:])
    let counts = forEachBlock((64, max(1, sources.count)), request, workers) { index, rows, columns, block in
      let kept = rows.flatMap { row in
        Self.strongest(
          wanted, of: block + (row - rows.lowerBound) * columns.count, row: row, sources: columns, sign)
      }
      found.withLock { $0[index] = kept }
    }
    let entries = found.withLock { $0.sorted { $0.key < $1.key }.flatMap(\.value) }
    return (edges(entries, sign), counts)
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
