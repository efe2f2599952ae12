import CKernels

/// How many of some numbers are above and below zero, and whether all are finite: one pass answers what synapses there are and
/// whether they may be used.
///
/// −0.0 counts as zero. Numbers that are not finite are counted by their sign bit, and `isFinite` is false.
public struct SignCensus: Equatable, Sendable {
  public var positive = 0
  public var negative = 0
  public var isFinite = true

  public var nonZero: Int { positive + negative }

  public init() {}

  /// - Parameter workers: to share the pass among threads; the answer does not depend on them. Cost: one pass.
  public init<Scalar: NetworkScalar>(of values: UnsafePointer<Scalar>, count: Int, workers: Workers? = nil) {
    guard count > 0 else { return }
    let blocks = (count + Self.stretch - 1) / Self.stretch
    // Raw memory: neighbouring elements of one array may not be written by two threads.
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 3 * blocks) { counts in
      func take(_ block: Int) {
        let start = block * Self.stretch
        let length = min(Self.stretch, count - start)
        hatchling_census(Scalar.isFloat, values + start, length, counts.baseAddress.map { $0 + 3 * block })
      }
      if let workers { workers.run(blocks: blocks, take) } else { (0..<blocks).forEach(take) }
      for block in 0..<blocks {
        positive += counts[3 * block]
        negative += counts[3 * block + 1]
        isFinite = isFinite && counts[3 * block + 2] == 0
      }
    }
  }

  /// Numbers per block of work, 1 MiB of float.
  private static let stretch = 1 << 18
}
