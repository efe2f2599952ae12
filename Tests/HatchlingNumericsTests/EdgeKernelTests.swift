import CKernels
import HatchlingNumerics
import TestSupport
import Testing

/// Kernels of training on synapse lists against plain loops in double, for every instruction set that the machine has.
@Suite struct EdgeKernelTests {
  /// Random lists, with empty ones, over `columns` tokens.
  struct Case<Scalar: NetworkScalar> {
    let rows, sources, columns: Int
    var offsets = [0]
    var list: [Int32] = []
    var weights: [Scalar] = []
    var values, changes, base: [Scalar]
    var share: [Scalar]

    init(seed: UInt64) {
      var random = SeededRandom(seed: seed)
      func numbers(_ count: Int) -> [Scalar] {
        (0..<count).map { _ in Int.random(in: 0..<4, using: &random) == 0 ? 0 : Scalar(Float(random.normal()))
        }
      }
      rows = Int.random(in: 1...9, using: &random)
      sources = Int.random(in: 1...12, using: &random)
      columns = [1, 2, 7, 15, 16, 31, 32, 33, 64, 65, 127, 128, 130].randomElement(using: &random) ?? 1
      for _ in 0..<rows {
        for source in 0..<sources where Int.random(in: 0..<3, using: &random) == 0 {
          list.append(Int32(source))
        }
        offsets.append(list.count)
      }
      weights = numbers(list.count)
      values = numbers(sources * columns)
      (changes, base, share) = (numbers(rows * columns), numbers(rows * columns), numbers(columns))
    }

    func edges(_ body: (_ row: Int, _ place: Int, _ source: Int) -> Void) {
      for row in 0..<rows {
        for place in offsets[row]..<offsets[row + 1] { body(row, place, Int(list[place])) }
      }
    }
  }

  @Test(arguments: 1...60)
  func sumsAndProducts(_ seed: UInt64) {
    sumsAndProducts(Case<Float>(seed: seed), "seed \(seed), float")
    sumsAndProducts(Case<Double>(seed: seed), "seed \(seed), double")
  }

  private func sumsAndProducts<Scalar: NetworkScalar>(_ c: Case<Scalar>, _ what: String) {
    var (based, added) = ([Exact](), c.base.map { Exact($0) })
    for place in 0..<c.rows * c.columns {
      based.append(Exact())
      based[place].add(c.base[place], c.share[place % c.columns])
    }
    var products = c.weights.map { _ in Exact(1.0) }
    c.edges { row, place, source in
      for token in 0..<c.columns {
        based[row * c.columns + token].add(c.weights[place], c.values[source * c.columns + token])
        added[row * c.columns + token].add(c.weights[place], c.values[source * c.columns + token])
        products[place].add(c.changes[row * c.columns + token], c.values[source * c.columns + token])
      }
    }
    for (expected, hasBase) in [(based, true), (added, false)] {
      expectEverySet("edgeSums, \(what)", expected) {
        var out = hasBase ? [Scalar](repeating: 9, count: c.base.count) : c.base
        c.base.withUnsafeBufferPointer { base in
          c.share.withUnsafeBufferPointer { share in
            Scalar.edgeSums(
              offsets: c.offsets, sources: c.list, weights: c.weights, rows: c.rows, of: c.values,
              columns: c.columns, base: hasBase ? (base.baseAddress!, share.baseAddress!) : nil, into: &out)
          }
        }
        return out
      }
    }
    expectEverySet("edgeProducts, \(what)", products) {
      var gradient = [Scalar](repeating: 1, count: c.list.count)
      Scalar.edgeProducts(
        offsets: c.offsets, sources: c.list, rows: c.rows, changes: c.changes, values: c.values,
        columns: c.columns, into: &gradient)
      return gradient
    }
  }

  @Test(arguments: 1...60)
  func tokensOfOneNeuron(_ seed: UInt64) {
    tokensOfOneNeuron(Float.self, seed)
    tokensOfOneNeuron(Double.self, seed)
  }

  private func tokensOfOneNeuron<Scalar: NetworkScalar>(_: Scalar.Type, _ seed: UInt64) {
    var random = SeededRandom(seed: seed &+ 500)
    let count = Int.random(in: 1...70, using: &random)
    func numbers(_ count: Int) -> [Scalar] { (0..<count).map { _ in Scalar(Float(random.normal())) } }
    let (drive, x, gains, g) = (numbers(count), numbers(count), numbers(count), numbers(count))
    let (startX, startGains) = (numbers(count), numbers(count))
    let what = "seed \(seed), \(Scalar.precisionName)"
    func d(_ values: [Scalar], _ index: Int) -> Double { Double(values[index]) }
    let all = 0..<count
    expectSets("fire, \(what)", all.map { max(0, d(drive, $0)) * d(gains, $0) * d(x, $0) }) {
      var y = drive
      Scalar.fire(drive, x, gains: gains, columns: count, into: &y)
      return y
    }
    let back =
      all.map { d(drive, $0) > 0 ? d(g, $0) * d(x, $0) * d(gains, $0) : 0 }
      + all.map { d(startX, $0) + d(g, $0) * max(0, d(drive, $0)) * d(gains, $0) }
      + all.map { d(startGains, $0) + d(g, $0) * max(0, d(drive, $0)) * d(x, $0) }
    expectSets("fireBack, \(what)", back) {
      var (change, toX, toGains) = (drive, startX, startGains)
      Scalar.fireBack(&change, x, gains: gains, gradient: g, columns: count, toX: &toX, toGains: &toGains)
      return change + toX + toGains
    }
    expectSets("keepTrace, \(what)", all.map { (d(drive, $0) + d(x, $0) * d(gains, $0)) * d(g, $0) }) {
      var out = drive
      Scalar.keepTrace(drive, x, gainsOfY: gains, gains: g, columns: count, into: &out)
      return out
    }
    let (pair, c, s, start) = (numbers(2 * count), numbers(2 * count), numbers(2 * count), numbers(2 * count))
    func other(_ index: Int) -> Int { index < count ? index + count : index - count }
    expectSets(
      "rotateRows, \(what)",
      (0..<2 * count).map { d(pair, $0) * d(c, $0) + ($0 < count ? -1 : 1) * d(pair, other($0)) * d(s, $0) }
    ) {
      var out = pair
      Scalar.rotateRows(pair, c, s, columns: count, into: &out)
      return out
    }
    expectSets(
      "addRotatedBack, \(what)",
      (0..<2 * count).map {
        d(start, $0) + d(pair, $0) * d(c, $0) + ($0 < count ? 1 : -1) * d(pair, other($0)) * d(s, other($0))
      }
    ) {
      var out = start
      Scalar.addRotatedBack(pair, c, s, columns: count, into: &out)
      return out
    }
  }
}
