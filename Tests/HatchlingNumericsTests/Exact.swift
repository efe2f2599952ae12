import CKernels
import HatchlingNumerics
import Testing

/// The instruction sets that this machine has, simplest first.
let instructionSets: [String] = {
  defer { takeBestKernels() }
  return ["plain", "avx2", "avx512", "avx512-vnni"].filter { hatchling_use_kernels($0) != 0 }
}()

/// Gives this thread the best kernels back.
func takeBestKernels() {
  for set in ["plain", "avx2", "avx512", "avx512-vnni"] { _ = hatchling_use_kernels(set) }
}

/// A sum of products in double, and how far a sum in any order and in a narrower type may lie from it.
struct Exact {
  private(set) var value: Double
  private var size: Double
  private var terms = 1.0
  private var lost = 2.0

  init(_ start: some BinaryFloatingPoint) {
    value = Double(start)
    size = abs(value)
  }
  init() { self.init(0.0) }

  /// - Parameter losing: what a factor that was lost below the normal range may yet be multiplied by, besides the other factors.
  mutating func add<Scalar: BinaryFloatingPoint>(_ factors: Scalar..., losing: Double = 2) {
    let product = factors.reduce(1) { $0 * Double($1) }
    value += product
    size += abs(product)
    terms += Double(factors.count)
    // A factor that lost bits below the normal range is multiplied by the others.
    lost += losing * factors.reduce(1) { max($0, abs(Double($1))) }
  }

  /// A rounding per term and one below the normal range.
  func bound<Scalar: NetworkScalar>(_: Scalar.Type) -> Double {
    terms * Double(Scalar.ulpOfOne) * size + lost * Double(Scalar.leastNonzeroMagnitude)
  }
}

/// Runs a kernel with every instruction set, holds what it gives to `expected`, and AVX2 and AVX-512 to the same bits.
func expectEverySet<Scalar: NetworkScalar>(
  _ what: @autoclosure () -> String, _ expected: [Exact], exactly: Bool = false, _ run: () -> [Scalar],
  at location: SourceLocation = #_sourceLocation
) {
  defer { takeBestKernels() }
  var vectors: [Scalar]?
  for set in instructionSets {
    #expect(hatchling_use_kernels(set) == 1 && String(cString: hatchling_kernel_name()) == set)
    let got = run()
    #expect(got.count == expected.count, "\(what()), \(set)", sourceLocation: location)
    let wrong = zip(got, expected).enumerated().first { _, pair in
      let distance = abs(Double(pair.0) - pair.1.value)
      return !(exactly ? distance == 0 : distance <= pair.1.bound(Scalar.self))
    }
    if let wrong {
      Issue.record(
        "\(Scalar.self), \(what()), \(set): number \(wrong.offset) is \(wrong.element.0), not \(wrong.element.1.value)",
        sourceLocation: location)
    }
    guard set != "plain" else { continue }
    if let vectors {
      #expect(
        zip(got, vectors).allSatisfy { $0 == $1 },
        "\(Scalar.self), \(what()): \(set) has other bits than avx2",
        sourceLocation: location)
    } else {
      vectors = got
    }
  }
}

/// Runs something with every instruction set that gives integers or the like, which all must be as expected.
func expectEverySet<Answer: Equatable>(
  _ what: @autoclosure () -> String, equals expected: Answer, _ run: () -> Answer,
  at location: SourceLocation = #_sourceLocation
) {
  defer { takeBestKernels() }
  for set in instructionSets {
    #expect(hatchling_use_kernels(set) == 1)
    #expect(run() == expected, "\(what()), \(set)", sourceLocation: location)
  }
}

/// Random rows, lists and numbers of one test.
struct Draw<Scalar: NetworkScalar> {
  var random: SeededRandom
  /// Zeros, subnormals and exponents far apart among the numbers.
  let isExtreme: Bool

  /// So small that no sum of products overflows.
  private static var exponents: ClosedRange<Int> { Scalar.isFloat ? -149...40 : -1074...300 }

  mutating func number() -> Scalar {
    guard isExtreme else { return Scalar(random.normal()) }
    let significand = Scalar(random.uniform() + 1) * (random.next() % 2 == 0 ? 1 : -1)
    switch random.next() % 8 {
    case 0: return 0
    case 1: return -0.0
    case 2: return significand * Scalar.leastNormalMagnitude / 1024
    case 3: return significand * Scalar.leastNonzeroMagnitude
    default:
      return significand
        * Scalar(sign: .plus, exponent: .init(Int.random(in: Self.exponents, using: &random)), significand: 1)
    }
  }

  mutating func numbers(_ count: Int) -> [Scalar] { (0..<count).map { _ in number() } }
  /// In [0, 1], often 1.
  mutating func factors(_ count: Int) -> [Scalar] {
    (0..<count).map { _ in random.next() % 3 == 0 ? 1 : Scalar(random.uniform()) }
  }
  /// Different rows, ascending.
  mutating func list(_ count: Int, of rows: Int) -> [Int32] {
    (0..<Int32(rows)).shuffled(using: &random).prefix(count).sorted()
  }
}

/// Lengths of rows around all widths of vectors and tiles.
let lengths = [0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 128, 257, 300]
/// Lengths of lists around groups of four and what is asked for ahead.
let listLengths = [0, 1, 2, 3, 4, 5, 8, 9, 13, 23]

/// Calls `body` in both number types' turn, for every length, with plain and with extreme numbers.
func forEveryLength<Scalar: NetworkScalar>(
  _: Scalar.Type, seed: UInt64, _ lengths: [Int] = lengths,
  _ body: (_ draw: inout Draw<Scalar>, _ d: Int, _ what: String) -> Void
) {
  print("\(Scalar.self), seed \(seed)")
  for isExtreme in [false, true] {
    for d in lengths {
      let own = seed &* 1000 &+ UInt64(d)
      var draw = Draw<Scalar>(random: SeededRandom(seed: own), isExtreme: isExtreme)
      body(&draw, d, "d = \(d), \(isExtreme ? "extreme, " : "")seed \(own)")
    }
  }
}

/// Takes one instruction set on this thread; ``takeBestKernels()`` undoes it.
func use(_ set: String) { #expect(hatchling_use_kernels(set) == 1) }
