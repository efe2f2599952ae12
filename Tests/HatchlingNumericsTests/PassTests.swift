import HatchlingNumerics
import Testing

/// Elementwise passes of training and passes over blocks of products.
@Suite struct PassTests {
  private func elements<Scalar: NetworkScalar>(_: Scalar.Type) {
    forEveryLength(Scalar.self, seed: 31) { draw, count, what in
      let (a, b, start) = (draw.numbers(count), draw.numbers(count), draw.numbers(count))
      let positive = a.indices.filter { a[$0] > 0 }.map { Int32($0) }
      expectEverySet("positiveList, \(what)", equals: positive) {
        var list = [Int32](repeating: -1, count: count)
        let found = Scalar.positiveList(a, count: count, into: &list)
        return Array(list.prefix(found))
      }
      expectEverySet("reluList, \(what)", a.map { Exact(max(0, $0)) }, exactly: true) {
        var (drive, list) = (a, [Int32](repeating: -1, count: count))
        let found = Scalar.reluList(&drive, count: count, into: &list)
        #expect(Array(list.prefix(found)) == positive, "\(what)")
        return drive
      }
      var (products, sums) = ([Exact](repeating: Exact(), count: count), start.map { Exact($0) })
      for i in 0..<count {
        products[i].add(a[i], b[i])
        sums[i].add(a[i], b[i])
      }
      expectEverySet("times, \(what)", products) {
        var out = [Scalar](repeating: 9, count: count)
        Scalar.times(a, b, count: count, into: &out)
        return out
      }
      expectEverySet("addTimes, \(what)", sums) {
        var sum = start
        Scalar.addTimes(a, b, count: count, into: &sum)
        return sum
      }
      // A pair (i, i ^ 1); the transpose takes the partner's sine with the other sign.
      let pairs = count / 2 * 2
      var (forth, back) = (
        [Exact](repeating: Exact(), count: pairs), [Exact](repeating: Exact(), count: pairs)
      )
      for i in 0..<pairs {
        forth[i].add(a[i], b[i])
        forth[i].add(a[i ^ 1], i % 2 == 0 ? -start[i] : start[i])
        back[i].add(a[i], b[i])
        back[i].add(a[i ^ 1], i % 2 == 0 ? start[i ^ 1] : -start[i ^ 1])
      }
      for (name, exact, turn) in [("rotate", forth, Scalar.rotate), ("rotateBack", back, Scalar.rotateBack)] {
        expectEverySet("\(name), \(what)", exact) {
          var out = [Scalar](repeating: 9, count: pairs)
          turn(a, b, start, pairs, &out)
          return out
        }
      }
    }
  }
  @Test func elementwise() {
    elements(Float.self)
    elements(Double.self)
  }

  /// m ← m + (g − m)(1 − β₁), v ← β₂ v + (1 − β₂) g², p ← p (1 − ηλ) − η m̂ / (√v̂ + ε).
  private func updates<Scalar: NetworkScalar>(_: Scalar.Type) {
    forEveryLength(Scalar.self, seed: 32) { draw, count, what in
      guard !draw.isExtreme else { return }
      let (p, g, m) = (draw.numbers(count), draw.numbers(count), draw.numbers(count))
      let v = draw.numbers(count).map { $0 * $0 }
      let update = AdamWUpdate(
        scale: 0.5, beta1: 0.875, beta2: 0.96875, rate: 0.0078125, decay: 0.125, correction1: 2,
        correction2: 8, epsilon: 0.0009765625)
      var expected = [[Double]](repeating: [], count: 3)
      for i in 0..<count {
        let gradient = Double(g[i]) * 0.5
        let first = Double(m[i]) + (gradient - Double(m[i])) * 0.125
        let second = Double(v[i]) * 0.96875 + gradient * gradient * 0.03125
        expected[0].append(
          Double(p[i]) * (1 - 0.0078125 * 0.125) - 0.0078125 * first * 2
            / ((second * 8).squareRoot() + 0.0009765625))
        expected[1].append(first)
        expected[2].append(second)
      }
      let flat = expected.flatMap { $0 }
      var vectors: [Scalar]?
      defer { takeBestKernels() }
      for set in instructionSets {
        use(set)
        var (p, m, v) = (p, m, v)
        Scalar.adamW(&p, &m, &v, g, count: count, update)
        let got = p + m + v
        #expect(
          got.count == flat.count
            && zip(got, flat).allSatisfy {
              abs(Double($0) - $1) <= 16 * Double(Scalar.ulpOfOne) * (1 + abs($1))
            },
          "\(what), \(set)")
        if set != "plain" {
          #expect(vectors == nil || vectors == got, "\(what): \(set) has other bits")
          vectors = got
        }
      }
    }
  }
  @Test func adamW() {
    updates(Float.self)
    updates(Double.self)
  }

  private func entries<Scalar: NetworkScalar>(_: Scalar.Type) {
    forEveryLength(Scalar.self, seed: 33, lengths + [1000]) { draw, count, what in
      let values = draw.numbers(count)
      for (low, high) in [(-1, 1), (-2.5, 0), (0, 0.5), (-.infinity, .infinity), (-3, 2)]
        as [(Scalar, Scalar)]
      {
        let outside = values.indices.filter { values[$0] >= high || values[$0] <= low }.map { Int32($0) }
        expectEverySet("findOutside \(low) \(high), \(what)", equals: outside) {
          var places = [Int32](repeating: -1, count: count + 1)
          let found = Scalar.findOutside(values, count: count, low: low, high: high, into: &places)
          return Array(places.prefix(found))
        }
      }
      guard count > 0 else { return }
      let (bins, scale) = (40, Scalar(8))
      var histogram = [Int](repeating: 0, count: bins)
      var sums = [Exact](repeating: Exact(), count: 3)
      for value in values {
        histogram[Int(min(max(value * scale + 20, 0), 39))] += 1
        sums[0].add(value)
        sums[1].add(value, value)
        if !draw.isExtreme { sums[2].add(value, value, value) }
      }
      let rest: [Double] = [
        Double(values.min() ?? .nan), Double(values.max() ?? .nan), Double(values.count { $0 > 0 }),
        Double(values.count { $0 < 0 }),
      ]
      expectEverySet("countEntries, \(what)", sums.map { $0 }) { () -> [Double] in
        var counts = [UInt32](repeating: 0, count: Scalar.histograms * bins)
        var total = [Double](repeating: 9, count: Scalar.entrySums)
        Scalar.countEntries(values, count: count, scale: scale, bins: bins, into: &counts, sums: &total)
        let found = (0..<bins).map { bin in
          (0..<Scalar.histograms).reduce(0) { $0 + Int(counts[$1 * bins + bin]) }
        }
        #expect(found == histogram, "\(what)")
        #expect(Array(total.suffix(4)) == rest, "\(what)")
        return Array(total.prefix(2)) + [draw.isExtreme ? 0 : total[2]]
      }
    }
  }
  @Test func entriesOfProducts() {
    entries(Float.self)
    entries(Double.self)
  }
}
