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
  public init<Scalar: NetworkScalar>(
    of values: UnsafePointer<Scalar>, count: Int, workers: Workers? = nil
  ) {
    guard let workers, workers.threads > 1, count > Self.stretch else {
      self = Self.serial(values, count)
      return
    }
    let blocks = (count + Self.stretch - 1) / Self.stretch
    // Raw memory: neighbouring elements of one array may not be written by two threads.
    let partial = NumberStorage<Partial>(zeros: blocks)
    nonisolated(unsafe) let values = values
    workers.run(blocks: blocks) { block in
      let start = block * Self.stretch
      let part = Self.serial(values + start, min(Self.stretch, count - start))
      partial.base[block] = Partial(
        positive: part.positive, negative: part.negative, infinite: part.isFinite ? 0 : 1)
    }
    for block in 0..<blocks {
      positive += partial.base[block].positive
      negative += partial.base[block].negative
      isFinite = isFinite && partial.base[block].infinite == 0
    }
  }

  private struct Partial: BitwiseCopyable {
    var positive = 0
    var negative = 0
    var infinite = 0
  }

  /// Numbers per block of work, 1 MiB of float.
  private static let stretch = 1 << 18

  private static func serial<Scalar: NetworkScalar>(_ values: UnsafePointer<Scalar>, _ count: Int)
    -> SignCensus
  {
    let raw = UnsafeRawPointer(values)
    return Scalar.self == Float.self ? floats(raw, count) : doubles(raw, count)
  }

  // By bits and without comparisons: shifts and sums of one width are what compilers turn into vector code. m is the magnitude's
  // bits: 0 − m has the top bit iff m ≠ 0, and m plus one unit of exponent has it iff m is infinite or no number. Counters of a
  // short stretch have the width of the numbers.

  private static func floats(_ raw: UnsafeRawPointer, _ count: Int) -> SignCensus {
    typealias Lanes = SIMD16<UInt32>
    var census = SignCensus()
    let top = Lanes(repeating: 31)
    let magnitude = Lanes(repeating: 0x7FFF_FFFF)
    let exponentUnit = Lanes(repeating: 0x0080_0000)
    var index = 0
    while index + Lanes.scalarCount <= count {
      let end = min(count - Lanes.scalarCount, index + 65536)
      var (nonZero, negative, infinite) = (Lanes.zero, Lanes.zero, Lanes.zero)
      while index <= end {
        let bits = raw.loadUnaligned(fromByteOffset: index &* 4, as: Lanes.self)
        let m = bits & magnitude
        let there = (Lanes.zero &- m) &>> top
        nonZero &+= there
        negative &+= there & (bits &>> top)
        infinite |= m &+ exponentUnit
        index &+= Lanes.scalarCount
      }
      census.add(nonZero: sum(nonZero), negative: sum(negative), isInfinite: any(infinite))
    }
    while index < count {
      census.add(raw.loadUnaligned(fromByteOffset: index * 4, as: Float.self))
      index += 1
    }
    return census
  }

  private static func sum(_ lanes: SIMD16<UInt32>) -> Int { lanes.indices.reduce(0) { $0 + Int(lanes[$1]) } }
  private static func any(_ lanes: SIMD16<UInt32>) -> Bool { lanes.indices.contains { lanes[$0] >> 31 != 0 } }

  private static func doubles(_ raw: UnsafeRawPointer, _ count: Int) -> SignCensus {
    typealias Lanes = SIMD8<UInt64>
    var census = SignCensus()
    let top = Lanes(repeating: 63)
    let magnitude = Lanes(repeating: 0x7FFF_FFFF_FFFF_FFFF)
    let exponentUnit = Lanes(repeating: 0x0010_0000_0000_0000)
    var (nonZero, negative, infinite) = (Lanes.zero, Lanes.zero, Lanes.zero)
    var index = 0
    while index + Lanes.scalarCount <= count {
      let bits = raw.loadUnaligned(fromByteOffset: index &* 8, as: Lanes.self)
      let m = bits & magnitude
      let there = (Lanes.zero &- m) &>> top
      nonZero &+= there
      negative &+= there & (bits &>> top)
      infinite |= m &+ exponentUnit
      index &+= Lanes.scalarCount
    }
    census.add(
      nonZero: nonZero.indices.reduce(0) { $0 + Int(nonZero[$1]) },
      negative: negative.indices.reduce(0) { $0 + Int(negative[$1]) },
      isInfinite: infinite.indices.contains { infinite[$0] >> 63 != 0 })
    while index < count {
      census.add(raw.loadUnaligned(fromByteOffset: index * 8, as: Double.self))
      index += 1
    }
    return census
  }

  private mutating func add(nonZero: Int, negative: Int, isInfinite: Bool) {
    positive += nonZero - negative
    self.negative += negative
    isFinite = isFinite && !isInfinite
  }

  private mutating func add<Scalar: BinaryFloatingPoint>(_ value: Scalar) {
    add(
      nonZero: value == 0 ? 0 : 1, negative: value != 0 && value.sign == .minus ? 1 : 0,
      isInfinite: !value.isFinite)
  }
}
