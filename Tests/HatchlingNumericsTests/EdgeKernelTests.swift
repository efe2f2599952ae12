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

  /// Several results of one run, put together, in every instruction set.
  private func expectSets<Scalar: NetworkScalar>(_ what: String, _ expected: [Double], _ run: () -> [Scalar])
  {
    defer { takeBestKernels() }
    var vectors: [Scalar]?
    let tolerance = 64 * Double(Scalar.ulpOfOne)
    for set in instructionSets {
      #expect(hatchling_use_kernels(set) == 1)
      let got = run()
      #expect(relativeDifference(got.map { Double($0) }, expected) <= tolerance, "\(what), \(set)")
      guard set != "plain" else { continue }
      #expect(got == vectors ?? got, "\(what): \(set) has other bits")
      vectors = got
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

  /// σ along its synapse, from nothing or from what an earlier block left, and its gradients, against sums over all pairs of tokens.
  @Test(arguments: 1...40, [(true, false), (false, false), (true, true), (false, true)])
  func aSynapseThroughABlock(_ seed: UInt64, _ kind: (damps: Bool, carries: Bool)) {
    scan(Float.self, seed, kind.damps, kind.carries)
    scan(Double.self, seed, kind.damps, kind.carries)
  }

  private func scan<Scalar: NetworkScalar>(
    _: Scalar.Type, _ seed: UInt64, _ damps: Bool, _ carries: Bool
  ) {
    var random = SeededRandom(seed: seed &+ 900)
    let block = Int.random(in: 1...40, using: &random)
    let places = (0..<block).filter { _ in Bool.random(using: &random) }.map { Int32($0) }
    func numbers(_ count: Int) -> [Scalar] { (0..<count).map { _ in Scalar(Float(random.normal())) } }
    let (x, z, heard, gradient) = (numbers(places.count), numbers(block), numbers(block), numbers(block))
    let lambda = damps ? 0.875 : 1.0
    var powers: [Scalar] = [1]
    for _ in 0..<block { powers.append(powers[powers.count - 1] * Scalar(lambda)) }
    var (expected, toZ, toX) = (
      heard.map { Double($0) }, [Double](repeating: 0, count: block),
      [Double](repeating: 0, count: places.count)
    )
    var kept = 0.0
    let before = carries ? Scalar(Float(random.normal())) : 0
    var after = Double(before) * Double(powers[block])
    for (late, t) in places.enumerated() {
      let (power, q, g) = (Double(powers[Int(t)]), Double(x[late]), Double(gradient[Int(t)]))
      expected[Int(t)] += q * Double(before) * power
      toX[late] += g * Double(before) * power
      kept += Double(t) * g * q * Double(before) * power
      after += Double(z[Int(t)]) * q * Double(powers[block - Int(t)])
    }
    for (late, t) in places.enumerated() {
      for (early, tau) in places.enumerated() where early < late {
        let power = Double(powers[Int(t - tau)])
        let (q, k, v, g) = (Double(x[late]), Double(x[early]), Double(z[Int(tau)]), Double(gradient[Int(t)]))
        expected[Int(t)] += q * k * v * power
        toZ[Int(tau)] += g * q * k * power
        toX[late] += g * k * v * power
        toX[early] += g * q * v * power
        kept += Double(t - tau) * g * q * k * v * power
      }
    }
    let what = "seed \(seed), \(Scalar.precisionName), damped \(damps), carries \(carries)"
    func run(_ body: (UnsafePointer<Scalar>?) -> Void) {
      if damps { powers.withUnsafeBufferPointer { body($0.baseAddress) } } else { body(nil) }
    }
    expectSets("scanEdge, \(what)", expected + [after]) {
      var (out, left) = (heard, [Scalar(7)])
      run {
        Scalar.scanEdge(
          places, x, count: places.count, z: z, keeps: $0, columns: block, before: carries ? [before] : nil,
          into: &out, after: &left)
      }
      return out + left
    }
    expectSets("scanEdgeBack, \(what)", toZ + toX + (damps ? [kept] : [])) {
      var sigma = [Scalar](repeating: 9, count: max(1, places.count))
      var (gz, gx, gk) = (
        [Scalar](repeating: 0, count: block), [Scalar](repeating: 0, count: places.count), [Scalar(0)]
      )
      run {
        Scalar.scanEdgeBack(
          places, x, count: places.count, z: z, keeps: $0, before: carries ? [before] : nil, heard: gradient,
          sigma: &sigma, toZ: &gz, toX: &gx, toKeep: &gk)
      }
      return gz + gx + (damps ? gk : [])
    }
  }
}
