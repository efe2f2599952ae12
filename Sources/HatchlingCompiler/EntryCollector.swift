import HatchlingNumerics
import Synchronization

/// An entry that may become an edge.
struct SelectedEntry<Scalar: NetworkScalar>: Sendable {
  let weight: Scalar
  let target, source: Int32

  /// Row-major order.
  var place: UInt64 { UInt64(UInt32(bitPattern: target)) << 32 | UInt64(UInt32(bitPattern: source)) }

  /// The total order of selection: stronger first, then by place. All candidates of one selection have the right sign, so
  /// strength is magnitude.
  @inline(__always)
  func isStronger(than other: SelectedEntry) -> Bool {
    let (mine, others) = (weight.magnitude, other.weight.magnitude)
    return mine != others ? mine > others : place < other.place
  }
}

/// Collects the entries at or above a threshold from many threads. With a wanted number, the threshold rises while entries come in,
/// so memory stays in proportion to what is wanted; which entries were let in on the way depends on timing, which are kept does not.
final class EntryCollector<Scalar: NetworkScalar>: Sendable {
  private let wanted: Int?
  private let limit: Int
  /// The bits of the present threshold as a double, which holds every `Scalar` exactly.
  private let threshold: Atomic<UInt64>
  private let entries = Mutex<[SelectedEntry<Scalar>]>([])
  private let overflowed = Atomic<Bool>(false)
  /// Compaction costs a pass over all candidates, so it waits until there are as many superfluous ones as wanted ones.
  private let capacity: Int

  init(wanted: Int?, threshold: Scalar, limit: Int) {
    (self.wanted, self.limit) = (wanted, limit)
    self.threshold = Atomic(Double(max(threshold, .leastNonzeroMagnitude)).bitPattern)
    capacity = wanted.map { 2 * $0 + (1 << 16) } ?? .max
  }

  /// Lets in what is strong enough of one block of G, row-major.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  func collect(
    _ block: UnsafePointer<Scalar>, _ targets: Range<Int>, _ sources: Range<Int>, _ sign: EdgeSign
  ) {
    if overflowed.load(ordering: .relaxed) { return }
    let bound = Scalar(Double(bitPattern: threshold.load(ordering: .relaxed)))
    // Two bounds serve all three signs.
    let high = sign == .inhibitory ? Scalar.infinity : bound
    let low = sign == .excitatory ? -Scalar.infinity : -bound
    let count = targets.count * sources.count
    var found: [SelectedEntry<Scalar>] = []
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: count + 1) { places in
      guard let places = places.baseAddress else { return }
      let outside = Scalar.findOutside(block, count: count, low: low, high: high, into: places)
      found.reserveCapacity(outside)
      for index in 0..<outside {
        let place = Int(places[index])
        found.append(
          SelectedEntry(
            weight: block[place], target: Int32(targets.lowerBound + place / sources.count),
            source: Int32(sources.lowerBound + place % sources.count)))
      }
    }
    if !found.isEmpty { add(found) }
  }

  private func add(_ found: [SelectedEntry<Scalar>]) {
    entries.withLock { entries in
      entries += found
      if let wanted {
        if entries.count > capacity {
          entries.keepStrongest(wanted)
          let weakest = entries.lazy.map(\.weight.magnitude).min()
          if let weakest { threshold.store(Double(weakest).bitPattern, ordering: .relaxed) }
        }
      } else if entries.count > limit {
        overflowed.store(true, ordering: .relaxed)
        entries = []
      }
    }
  }

  /// What was kept, in no particular order; nil when there were more than the limit.
  func finish() -> [SelectedEntry<Scalar>]? {
    guard !overflowed.load(ordering: .acquiring) else { return nil }
    return entries.withLock { entries in
      if let wanted { entries.keepStrongest(wanted) }
      defer { entries = [] }
      return entries
    }
  }
}

extension Array {
  /// Keeps the `wanted` strongest candidates, in no particular order. Cost: linear on average (quickselect with the median of three).
  mutating func keepStrongest<Scalar>(_ wanted: Int) where Element == SelectedEntry<Scalar> {
    guard count > wanted else { return }
    guard wanted > 0 else { return removeAll() }
    withUnsafeMutableBufferPointer { entries in
      var (low, high) = (0, entries.count - 1)
      while low < high {
        let pivot = Self.medianOfThree(entries[low], entries[(low + high) / 2], entries[high])
        var (left, right) = (low, high)
        while left <= right {
          while entries[left].isStronger(than: pivot) { left += 1 }
          while pivot.isStronger(than: entries[right]) { right -= 1 }
          if left <= right {
            entries.swapAt(left, right)
            left += 1
            right -= 1
          }
        }
        if wanted - 1 <= right { high = right } else if wanted - 1 >= left { low = left } else { break }
      }
    }
    removeLast(count - wanted)
  }

  private static func medianOfThree<Scalar>(_ a: Element, _ b: Element, _ c: Element) -> Element
  where Element == SelectedEntry<Scalar> {
    let (first, second) = a.isStronger(than: b) ? (a, b) : (b, a)
    return c.isStronger(than: first) ? first : c.isStronger(than: second) ? c : second
  }
}
