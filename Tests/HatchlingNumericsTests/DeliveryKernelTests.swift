import HatchlingNumerics
import Testing

/// Kernels of the direct form: delivery over lists and panels of synapses.
@Suite struct DeliveryKernelTests {
  /// Lists of different partners: offsets `(rows + 1)` and partners below `size`; some are empty.
  private func wire<Scalar: NetworkScalar>(
    _ draw: inout Draw<Scalar>, rows: Int, size: Int
  ) -> (offsets: [Int], partners: [Int32]) {
    var (offsets, partners) = ([0], [Int32]())
    for _ in 0..<rows {
      let count = size == 0 || draw.random.next() % 4 == 0 ? 0 : Int(draw.random.next() % UInt64(size + 1))
      partners += draw.list(count, of: size)
      offsets.append(partners.count)
    }
    return (offsets, partners)
  }

  private func deliveries<Scalar: NetworkScalar>(_: Scalar.Type) {
    forEveryLength(Scalar.self, seed: 21) { draw, d, what in
      let (rows, leading) = (27, d + 3)
      let w = draw.numbers(rows * leading)
      let (offsets, partners) = wire(&draw, rows: rows, size: min(d, 40))
      let (weights, start, heard) = (draw.numbers(partners.count), draw.numbers(d), draw.numbers(d))
      for count in listLengths {
        let (list, x) = (draw.list(count, of: rows), draw.numbers(count))
        var (sums, spread) = ([Exact](repeating: Exact(), count: d), start.map { Exact($0) })
        var (told, messages) = ([Exact](repeating: Exact(), count: count), 0)
        for (k, row) in list.map({ Int($0) }).enumerated() {
          for c in 0..<d { sums[c].add(w[row * leading + c], x[k]) }
          for e in offsets[row]..<offsets[row + 1] {
            let partner = Int(partners[e])
            spread[partner].add(weights[e], x[k])
            told[k].add(weights[e], heard[partner])
            messages += heard[partner] == 0 ? 0 : 1
          }
        }
        let what = "\(what), \(count) listed"
        expectEverySet("deliverRows, \(what)", sums) {
          var sum = [Scalar](repeating: 9, count: d)
          Scalar.deliverRows(w, leading: leading, list, x, count: count, width: d, into: &sum)
          return sum
        }
        expectEverySet("deliverLists, \(what)", spread) {
          var sum = start
          Scalar.deliverLists(
            offsets.map { UInt32($0) }, partners.map { UInt16($0) }, weights, list, x, count: count,
            into: &sum)
          return sum
        }
        expectEverySet("hearLists, \(what)", told) {
          var out = [Scalar](repeating: 9, count: count)
          let heard = Scalar.hearLists(
            offsets.map { Int64($0) }, partners, weights, list, count: count, heard, into: &out)
          #expect(heard == messages, "\(what): messages")
          return out
        }
      }
    }
  }
  @Test func delivery() {
    deliveries(Float.self)
    deliveries(Double.self)
  }

  /// Forget, read, write in this order, every part with and without the others.
  private func exchanges<Scalar: NetworkScalar>(_: Scalar.Type) {
    let (rows, width) = (27, Scalar.panelWidth)
    forEveryLength(Scalar.self, seed: 22, [1, 5, 17, 40]) { draw, size, what in
      let panel = draw.numbers(rows * width)
      let (offsets, partners) = wire(&draw, rows: rows, size: size)
      let weights = draw.numbers(partners.count)
      for (round, count) in listLengths.enumerated() {
        for parts in 0..<8 {
          let (list, x) = (draw.list(count, of: rows), draw.numbers(count))
          let keep = parts & 4 == 0 ? nil : draw.factors(count)
          let start = parts & 2 == 0 ? nil : draw.numbers(max(width, size))
          let z = parts & 1 == 0 ? nil : draw.numbers(max(width, size))
          let what = "\(what), \(count) listed, parts \(parts), round \(round)"
          /// What is left of weights that lie at `place(row, e)` and join `hub(row, e)`.
          func exchange(
            _ w: [Scalar], _ run: (Int) -> Range<Int>, _ hub: (Int, Int) -> Int
          ) -> (exact: [Exact], updates: Int) {
            var (left, sums, updates) = (w.map { Exact($0) }, (start ?? []).map { Exact($0) }, 0)
            for (k, row) in list.map({ Int($0) }).enumerated() {
              for place in run(row) {
                let hub = hub(row, place)
                if start != nil { sums[hub].add(w[place], keep?[k] ?? 1, x[k]) }
                left[place] = Exact()
                left[place].add(w[place], keep?[k] ?? 1)
                if let z { left[place].add(z[hub], x[k]) }
                if let z, z[hub] != 0 { updates += 1 }
              }
            }
            return (left + sums, updates)
          }
          let inPanel = exchange(panel, { $0 * width..<($0 + 1) * width }, { $1 - $0 * width })
          expectEverySet("exchangePanel, \(what)", inPanel.exact) {
            var (left, sum) = (panel, start ?? [])
            sum.withUnsafeMutableBufferPointer {
              Scalar.exchangePanel(
                &left, list, x, keep: keep, count: count, z: z, into: start == nil ? nil : $0.baseAddress)
            }
            return left + sum
          }
          let inLists = exchange(weights, { offsets[$0]..<offsets[$0 + 1] }, { Int(partners[$1]) })
          expectEverySet("exchangeLists, \(what)", inLists.exact) {
            var (left, sum) = (weights, start ?? [])
            let updates = sum.withUnsafeMutableBufferPointer {
              Scalar.exchangeLists(
                offsets.map { Int64($0) }, partners, &left, list, x, keep: keep, count: count, z: z,
                into: start == nil ? nil : $0.baseAddress)
            }
            #expect(updates == inLists.updates, "\(what): updates")
            return left + sum
          }
        }
      }
    }
  }
  @Test func exchange() {
    exchanges(Float.self)
    exchanges(Double.self)
  }
}
