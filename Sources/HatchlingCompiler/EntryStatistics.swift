import HatchlingNumerics
import Synchronization

/// How the entries of a matrix are distributed (Fig. 9a): a histogram around zero, moments, extremes.
public struct EntryStatistics: Sendable, Equatable {
  /// What to count.
  public struct Request: Sendable {
    /// Bins on either side of zero.
    public let bins: Int
    /// Where the outermost bins end; entries beyond fall into them.
    public let reach: Double

    public init(bins: Int, reach: Double) {
      self.bins = max(1, bins)
      self.reach = reach > 0 && reach.isFinite ? reach : 1
    }

    /// As far as the entries of a matrix reach, by a sample of them. Cost: a product of at most 256 × 1024 entries.
    public init<Scalar: NetworkScalar>(_ matrix: FactoredMatrix<Scalar>, bins: Int) {
      let largest = matrix.gridSample(rows: 256, columns: 1024).lazy.map(\.magnitude).max() ?? 0
      self.init(bins: bins, reach: Double(largest) * 1.25)
    }
  }

  /// Entries looked at.
  public internal(set) var count = 0
  public internal(set) var positive = 0
  public internal(set) var negative = 0
  /// `2 · bins` counts; bin b covers `(b − bins) · width ..< (b − bins + 1) · width`.
  public internal(set) var histogram: [Int]
  public let width: Double
  public internal(set) var minimum = Double.infinity
  public internal(set) var maximum = -Double.infinity
  public internal(set) var mean = 0.0
  public internal(set) var variance = 0.0
  /// The third standardised moment; 0 when all entries are equal.
  public internal(set) var skewness = 0.0

  /// The middle of a bin.
  public func middle(_ bin: Int) -> Double { (Double(bin - histogram.count / 2) + 0.5) * width }

  /// The part of a bin that its mirror image has too: min(h(w), h(−w)).
  public func symmetricPart(_ bin: Int) -> Int { min(histogram[bin], histogram[histogram.count - 1 - bin]) }

  /// What a bin has beyond its mirror image: h(w) − min(h(w), h(−w)).
  public func skewPart(_ bin: Int) -> Int { histogram[bin] - symmetricPart(bin) }

  init(_ request: Request) {
    histogram = [Int](repeating: 0, count: 2 * request.bins)
    width = request.reach / Double(request.bins)
  }
}

/// Counts entries from many threads. Counts add up in any order; sums are kept per block and added in block order.
final class EntryCounter: Sendable {
  private let request: EntryStatistics.Request
  /// Per block how many entries there are, and the sums of ``NetworkScalar/countEntries(_:count:scale:bins:into:sums:)``.
  private let blocks: Mutex<[(count: Int, sums: [Double])]>
  private let histogram: Mutex<[Int]>

  init(_ request: EntryStatistics.Request, blocks: Int) {
    self.request = request
    self.blocks = Mutex(Array(repeating: (0, []), count: blocks))
    histogram = Mutex([Int](repeating: 0, count: 2 * request.bins))
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func count<Scalar: NetworkScalar>(_ values: UnsafePointer<Scalar>, _ count: Int, block: Int) {
    guard count > 0 else { return }
    let bins = 2 * request.bins
    let scale = Scalar(Double(request.bins) / request.reach)
    var counts = [UInt32](repeating: 0, count: Scalar.histograms * bins)
    var total = [Double](repeating: 0, count: Scalar.entrySums)
    Scalar.countEntries(values, count: count, scale: scale, bins: bins, into: &counts, sums: &total)
    blocks.withLock { [total] in $0[block] = (count, total) }
    histogram.withLock { histogram in
      for bin in 0..<bins {
        histogram[bin] += (0..<Scalar.histograms).reduce(0) { $0 + Int(counts[$1 * bins + bin]) }
      }
    }
  }

  func finish() -> EntryStatistics {
    var result = EntryStatistics(request)
    result.histogram = histogram.withLock { $0 }
    var (first, second, third) = (0.0, 0.0, 0.0)
    for (count, sums) in blocks.withLock({ $0 }) where count > 0 {
      result.count += count
      first += sums[0]
      second += sums[1]
      third += sums[2]
      result.minimum = min(result.minimum, sums[3])
      result.maximum = max(result.maximum, sums[4])
      result.positive += Int(sums[5])
      result.negative += Int(sums[6])
    }
    guard result.count > 0 else { return result }
    let count = Double(result.count)
    let mean = first / count
    let variance = max(0, second / count - mean * mean)
    let cubed = third / count - 3 * mean * second / count + 2 * mean * mean * mean
    (result.mean, result.variance) = (mean, variance)
    result.skewness = variance > 0 ? cubed / (variance * variance.squareRoot()) : 0
    return result
  }
}
