import HatchlingGraph
import HatchlingNumerics

/// Synapses laid out by presynaptic node, so that a node that fires finds all its synapses together and the others cost nothing.
///
/// Sparse synapses lie in lists of 6 bytes each (a weight in float and the target's 16-bit number inside its block of targets), cut by
/// blocks of targets: threads take blocks, no two write the same sum, and every sum is taken in the order of the active nodes, so the
/// result is the same to the last bit for any number of threads. Nearly complete synapses are one dense block.
public struct OutgoingSynapses<Scalar: NetworkScalar>: Sendable {
  /// The lists of all sources into one block of targets.
  private struct TargetBlock: Sendable {
    let targets: Range<Int>
    /// `(sources + 1)`, into the other two.
    let offsets: NumberStorage<UInt32>
    /// Numbers of the targets inside the block.
    let places: NumberStorage<UInt16>
    let weights: NumberStorage<Scalar>
  }

  private enum Layout: Sendable {
    case dense(Matrix<Scalar>)
    case lists([TargetBlock])
  }

  private let layout: Layout
  public let sourceCount: Int
  public let targetCount: Int
  /// Synapses of each source, `(sources)`.
  public let degrees: [Int32]

  /// Targets per parallel piece of a dense block.
  private static var denseWidth: Int { 256 }
  /// Targets of a block have 16-bit numbers.
  private static var mostTargets: Int { 1 << 16 }

  /// Lays out a projection whose rows are sources. A dense one shares its storage; lists are copied. Cost: one pass.
  public init(_ projection: Projection<Scalar>) {
    sourceCount = projection.rows
    targetCount = projection.columns
    degrees = projection.rowDegrees
    switch projection.storage {
    case .dense(let matrix): layout = .dense(matrix)
    case .sparse(let lists): layout = .lists(Self.cut(lists))
    // The direct form is compiled from full weights; reduced ones are widened.
    case .reduced(let rows): layout = .dense(rows.dense.map { Scalar($0) })
    }
  }

  /// At most 8 blocks, so that a list has some 24 synapses per block on average, and at least 2 for two threads.
  private static func cut(_ lists: SparseRows<Scalar>) -> [TargetBlock] {
    let (sources, targets) = (lists.rowCount, lists.columnCount)
    guard targets > 0 else { return [] }
    let fitting = lists.count / max(1, 24 * sources)
    let needed = (targets + mostTargets - 1) / mostTargets
    let blocks = max(needed, min(8, max(2, fitting)))
    let width = (targets + blocks - 1) / blocks
    return stride(from: 0, to: targets, by: width).map { first in
      block(lists, first..<min(first + width, targets))
    }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private static func block(_ lists: SparseRows<Scalar>, _ targets: Range<Int>) -> TargetBlock {
    let sources = lists.rowCount
    let (low, high) = (Int32(targets.lowerBound), Int32(targets.upperBound))
    let offsets = NumberStorage<UInt32>(zeros: sources + 1)
    var ranges: [Range<Int>] = []
    ranges.reserveCapacity(sources)
    var count = 0
    for source in 0..<sources {
      let all = lists.offsets[source]..<lists.offsets[source + 1]
      let first = all.lowerBound + lists.columns[all].partitioningIndex { $0 >= low }
      let end = all.lowerBound + lists.columns[all].partitioningIndex { $0 >= high }
      ranges.append(first..<end)
      count += end - first
      precondition(count < Int(UInt32.max), "more than 2³² synapses into one block of targets")
      offsets.base[source + 1] = UInt32(count)
    }
    let places = NumberStorage<UInt16>(zeros: count)
    let weights = NumberStorage<Scalar>(zeros: count)
    var place = 0
    for range in ranges {
      for position in range {
        places.base[place] = UInt16(lists.columns[position] - low)
        weights.base[place] = lists.weights[position]
        place += 1
      }
    }
    return TargetBlock(targets: targets, offsets: offsets, places: places, weights: weights)
  }

  /// sums_j = Σ_k values_k G(active_k → j) for every target j: the active nodes send over all their synapses.
  ///
  /// - Parameters:
  ///   - active: numbers of `count` sources, ascending for a fixed order of sums.
  ///   - sums: `(targets)`, overwritten.
  /// - Cost: the synapses of the active sources.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func deliver(
    from active: UnsafePointer<Int32>, _ values: UnsafePointer<Scalar>, count: Int,
    into sums: UnsafeMutablePointer<Scalar>, workers: Workers
  ) {
    switch layout {
    case .dense(let matrix):
      let width = Self.denseWidth
      workers.run(blocks: (targetCount + width - 1) / width) { index in
        let first = index * width
        Scalar.deliverRows(
          matrix.pointer + first, leading: targetCount, active, values, count: count,
          width: min(width, targetCount - first), into: sums + first)
      }
    case .lists(let blocks):
      workers.run(blocks: blocks.count) { index in
        let block = blocks[index]
        let part = sums + block.targets.lowerBound
        part.update(repeating: 0, count: block.targets.count)
        Scalar.deliverLists(
          block.offsets.base, block.places.base, block.weights.base, active, values, count: count, into: part)
      }
    }
  }
}

extension ArraySlice {
  /// The number of leading elements before the first that satisfies a monotone predicate, by binary search.
  fileprivate func partitioningIndex(_ belongsToEnd: (Element) -> Bool) -> Int {
    var (low, high) = (startIndex, endIndex)
    while low < high {
      let middle = low + (high - low) / 2
      if belongsToEnd(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low - startIndex
  }
}
