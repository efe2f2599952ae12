import HatchlingNumerics
import Testing

/// Kernels on rows of synapses against plain loops in double, for every instruction set.
@Suite struct RowKernelTests {
  /// The rule of rounds 4l+2 and 4l+3: what a particle hears is Σ w v. Ranges, lists and blocks give the same bits.
  private func dots<Scalar: NetworkScalar>(_: Scalar.Type) {
    forEveryLength(Scalar.self, seed: 1) { draw, d, what in
      let rows = 37
      let (w, v) = (draw.numbers(rows * d), draw.numbers(3 * d))
      let exact = (0..<3).map { t in
        (0..<rows).map { row in
          var sum = Exact()
          for c in 0..<d { sum.add(w[row * d + c], v[t * d + c]) }
          return sum
        }
      }
      for count in listLengths {
        let list = draw.list(count, of: rows)
        let expected = exact[0].prefix(count) + list.map { exact[0][Int($0)] }
        expectEverySet("\(what), \(count) rows", Array(expected)) {
          var (out, listed) = ([Scalar](repeating: 9, count: count), [Scalar](repeating: 9, count: count))
          var block = [Scalar](repeating: 9, count: 3 * rows)
          Scalar.dotRows(w, rows: count, v, d: d, into: &out)
          Scalar.dotList(w, list, count: count, v, d: d, into: &listed)
          Scalar.dotBlock(w, rows: count, v, count: 3, d: d, into: &block, stride: rows)
          #expect(Array(block.prefix(count)) == out, "\(what): blocks are summed as rows are")
          return out + listed
        }
      }
      for count in 0...3 {
        for used in [1, 5, 32, rows] {
          expectEverySet(
            "block, \(what), \(count) × \(used)", exact.prefix(count).flatMap { $0.prefix(used) }
          ) {
            var block = [Scalar](repeating: 9, count: 3 * rows)
            Scalar.dotBlock(w, rows: used, v, count: count, d: d, into: &block, stride: rows)
            return (0..<count).flatMap { block[$0 * rows..<$0 * rows + used] }
          }
        }
      }
    }
  }
  @Test func sumsOfRows() {
    dots(Float.self)
    dots(Double.self)
  }

  /// Round 4l, read: Σ w x; round 4l+1, reweight: w + x v; both; forget: w · keep.
  private func plastic<Scalar: NetworkScalar>(_: Scalar.Type) {
    forEveryLength(Scalar.self, seed: 2) { draw, d, what in
      let rows = 29
      let (w, v, start) = (draw.numbers(rows * d), draw.numbers(d), draw.numbers(d))
      for count in listLengths {
        let (list, x, keep) = (draw.list(count, of: rows), draw.numbers(count), draw.factors(count))
        var sums = start.map { Exact($0) }
        var (written, scaled) = (w.map { Exact($0) }, w.map { Exact($0) })
        for (k, row) in list.enumerated() {
          for c in 0..<d {
            let place = Int(row) * d + c
            sums[c].add(w[place], x[k])
            written[place].add(v[c], x[k])
            scaled[place] = Exact()
            scaled[place].add(w[place], keep[k])
          }
        }
        let what = "\(what), \(count) rows"
        expectEverySet("addRows, \(what)", sums) {
          var sum = start
          Scalar.addRows(w, list, x, count: count, d: d, into: &sum)
          return sum
        }
        expectEverySet("hebb, \(what)", written) {
          var weights = w
          Scalar.hebb(&weights, list, x, count: count, v, d: d)
          return weights
        }
        expectEverySet("readAndHebb, \(what)", sums + written) {
          var (weights, sum) = (w, start)
          Scalar.readAndHebb(&weights, list, x, keep: nil, count: count, v, d: d, into: &sum)
          return sum + weights
        }
        // Damping is rounded before anything is read: the bits of three kernels, one after the other.
        expectEverySet("damped, \(what)", equals: true) {
          var (together, read, apart, readApart) = (w, start, w, start)
          Scalar.readAndHebb(&together, list, x, keep: keep, count: count, v, d: d, into: &read)
          Scalar.scaleRows(&apart, list, keep, count: count, d: d)
          Scalar.readAndHebb(&apart, list, x, keep: nil, count: count, v, d: d, into: &readApart)
          return together == apart && read == readApart
        }
        expectEverySet("scaleRows, \(what)", scaled) {
          var weights = w
          Scalar.scaleRows(&weights, list, keep, count: count, d: d)
          return weights
        }
      }
    }
  }
  @Test func readingWritingAndForgetting() {
    plastic(Float.self)
    plastic(Double.self)
  }

  /// Weights of 16 and 8 bits, as the numbers that they stand for.
  @Test(arguments: ReducedFormat.allCases) func reducedWeights(_ format: ReducedFormat) {
    forEveryLength(Float.self, seed: 3) { draw, d, what in
      let count = 23
      let rows = ReducedRows(Matrix(rows: count, columns: d, draw.numbers(count * d)), format)
      let (v, start, x) = (draw.numbers(d), draw.numbers(d), draw.numbers(count))
      let dots = (0..<count).map { row in
        var sum = Exact()
        for c in 0..<d { sum.add(rows[row, c], v[c], losing: 256) }
        return sum
      }
      for used in listLengths {
        let list = draw.list(used, of: count)
        var sums = start.map { Exact($0) }
        for (k, row) in list.enumerated() {
          for c in 0..<d { sums[c].add(rows[Int(row), c], x[k], losing: 256) }
        }
        let first = (count - used) / 2
        expectEverySet(
          "\(format), \(what), \(used) rows", dots[first..<first + used] + list.map { dots[Int($0)] } + sums
        ) {
          var (range, listed) = ([Float](repeating: 9, count: used), [Float](repeating: 9, count: used))
          var sum = start
          rows.dot(first..<first + used, v, into: &range)
          rows.dot(list, count: used, v, into: &listed)
          rows.add(list, x, count: used, into: &sum)
          return range + listed + sum
        }
      }
    }
  }

  /// A neuron whose float sum is positive is never ruled out, whatever instruction set screens and whatever set sums; rows that are
  /// not finite are never ruled out; most others are.
  @Test func screeningKeepsEveryPositiveSum() {
    let workers = Workers(threads: 1)
    var (asked, kept) = (0, 0)
    forEveryLength(Float.self, seed: 4, Array(lengths.dropFirst())) { draw, d, what in
      let rows = 53
      var w = draw.numbers(rows * d)
      w[5 * d] = .nan
      // Nothing is screened beside a row of infinite length.
      w[7 * d + d - 1] = draw.isExtreme ? .infinity : .nan
      let v = draw.numbers(d)
      let list = draw.list(29, of: rows)
      defer { takeBestKernels() }
      var positive = Set<Int32>([5, 7])
      for set in instructionSets {
        use(set)
        var sums = [Float](repeating: 0, count: rows)
        Float.dotRows(w, rows: rows, v, d: d, into: &sums)
        positive.formUnion((0..<Int32(rows)).filter { sums[Int($0)] > 0 })
      }
      for set in instructionSets {
        use(set)
        let screen = RowScreen(w, rows: rows, d: d, workers: workers)
        let query = RowScreen.Query(d: d)
        query.ask(v, screen)
        guard query.isUsable else { continue }
        var (scratch, possible) = ([Int32](repeating: 0, count: rows), [Int32](repeating: 0, count: rows))
        let found = screen.list(3..<rows, query, sums: &scratch, into: &possible)
        #expect(positive.filter { $0 >= 3 }.isSubset(of: possible.prefix(found)), "\(set), \(what)")
        #expect(possible.prefix(found).allSatisfy { (3..<Int32(rows)).contains($0) })
        if !draw.isExtreme { (asked, kept) = (asked + rows - 3, kept + found) }
        let listed = screen.list(list, count: list.count, query, sums: &scratch, into: &possible)
        #expect(positive.intersection(list).isSubset(of: possible.prefix(listed)), "\(set), list, \(what)")
        #expect(Set(possible.prefix(listed)).isSubset(of: list))
      }
    }
    #expect(asked > 1000 && Double(kept) < 0.75 * Double(asked), "screening rules out most silent neurons")
  }
}
