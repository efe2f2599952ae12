import Foundation
import HatchlingNumerics
import Testing

/// Kernels on histories, chunks, clocks and lists of who fired.
@Suite struct HistoryKernelTests {
  private func deferred<Scalar: NetworkScalar>(_: Scalar.Type) {
    let slots = Scalar.slots
    forEveryLength(Scalar.self, seed: 11) { draw, d, what in
      let rows = 25
      let (w, start, scores) = (draw.numbers(rows * d), draw.numbers(d), draw.numbers(slots))
      var history = draw.numbers(rows * slots)
      for place in history.indices where draw.random.next() % 2 == 0 { history[place] = 0 }
      let fields = draw.numbers(slots * d)
      let first = Int(draw.random.next() % UInt64(slots))
      for (count, keep) in listLengths.map({ ($0, $0 % 2 == 0 ? nil : draw.factors(2 * rows * slots)) }) {
        let (list, x, damped) = (draw.list(count, of: rows), draw.numbers(count), draw.numbers(count))
        var (sums, overlaps) = (start.map { Exact($0) }, scores.map { Exact($0) })
        var (settled, rest) = (w.map { Exact($0) }, history)
        for (k, row) in list.map({ Int($0) }).enumerated() {
          for c in 0..<d { sums[c].add(w[row * d + c], damped[k]) }
          for slot in 0..<slots {
            let (past, factor) = (history[row * slots + slot], keep?[2 * row * slots + slot] ?? 1)
            overlaps[slot].add(x[k], past, factor)
            for c in 0..<d { settled[row * d + c].add(past, factor, fields[slot * d + c]) }
            rest[row * slots + slot] = 0
          }
        }
        let what = "\(what), \(count) rows"
        expectEverySet("readPlastic, \(what)", sums + overlaps) {
          var (sum, score) = (start, scores)
          Scalar.readPlastic(
            w, list, damped: damped, x, count: count, history: history, keep: keep, d: d, into: &sum,
            scores: &score)
          return sum + score
        }
        expectEverySet("settleRows, \(what)", settled) {
          var (weights, left) = (w, history)
          Scalar.settleRows(
            &weights, list, count: count, history: &left, from: first, fields: fields, keep: keep, d: d)
          #expect(left == rest, "\(what): settled histories are empty, others as they were")
          return weights
        }
      }
      let remembering = (0..<Int32(rows)).filter { row in
        row >= 2 && (0..<slots).contains { history[Int(row) * slots + $0] != 0 }
      }
      expectEverySet("listRemembering, \(what)", equals: remembering) {
        var list = [Int32](repeating: -1, count: rows)
        let found = Scalar.listRemembering(history, 2..<rows, into: &list)
        return Array(list.prefix(found))
      }
    }
  }
  @Test func deferredWrites() {
    deferred(Float.self)
    deferred(Double.self)
  }

  private func chunks<Scalar: NetworkScalar>(_: Scalar.Type) {
    forEveryLength(Scalar.self, seed: 12, [0, 1, 7, 16, 17, 64, 130, 257]) { draw, d, what in
      let (rows, stride, tokens) = (35, 37, 67)
      let (w, fields) = (draw.numbers(rows * d), draw.numbers(tokens * d))
      var keys = draw.numbers(tokens * stride)
      for place in keys.indices where draw.random.next() % 2 == 0 { keys[place] = 0 }
      for (used, count) in [(0, 3), (1, 1), (15, 31), (16, 32), (17, 33), (rows, 0), (rows, tokens)] {
        var expected = w.map { Exact($0) }
        for token in 0..<count {
          for row in 0..<used {
            for c in 0..<d { expected[row * d + c].add(keys[token * stride + row], fields[token * d + c]) }
          }
        }
        expectEverySet("\(what), \(used) rows, \(count) tokens", expected) {
          var weights = w
          Scalar.writeChunk(
            &weights, rows: used, keys: keys, stride: stride, count: count, fields: fields, d: d)
          return weights
        }
      }
    }
  }
  @Test func chunksOfTokens() {
    chunks(Float.self)
    chunks(Double.self)
  }

  /// Round 4l+3, rotate: own · cos ± partner · sin, without a fused product, so that every set has these very bits.
  private func turning<Scalar: NetworkScalar>(_: Scalar.Type) {
    forEveryLength(Scalar.self, seed: 13, [0, 2, 6, 14, 16, 18, 34, 100]) { draw, count, what in
      let (x, first) = (draw.numbers(count).map { draw.random.next() % 3 == 0 ? 0 : $0 }, 40)
      let (cosines, sines) = (draw.numbers(count), draw.numbers(count))
      for (turns, count) in [(true, count), (false, count), (false, max(0, count - 1))] {
        let turned = (0..<count).map { i -> Scalar in
          guard turns else { return x[i] }
          let across: Scalar = x[i ^ 1] * sines[i]
          let along: Scalar = x[i] * cosines[i]
          return i % 2 == 1 ? along + across : along - across
        }
        let fires = turned.indices.filter { turned[$0] != 0 }
        let expected = [turned.indices.filter { x[$0] > 0 }, fires].map { $0.map { Int32(first + $0) } }
        expectEverySet("\(what), \(count), turns \(turns)", fires.map { Exact(turned[$0]) }, exactly: true) {
          var (listening, fired) = (
            [Int32](repeating: -1, count: count), [Int32](repeating: -1, count: count)
          )
          var sent = [Scalar](repeating: 9, count: count)
          let found = Scalar.rotateAndCollect(
            x, turns ? cosines : nil, turns ? sines : nil, first..<first + count, listening: &listening,
            fired: &fired, sent: &sent)
          #expect(Array(listening.prefix(found.listening)) == expected[0], "\(what)")
          #expect(Array(fired.prefix(found.fired)) == expected[1], "\(what)")
          return Array(sent.prefix(found.fired))
        }
      }
    }
  }
  @Test func whoListensAndWhoFires() {
    turning(Float.self)
    turning(Double.self)
  }

  private func clocks<Scalar: NetworkScalar>(_: Scalar.Type) {
    let seed: UInt64 = 14
    print("seed \(seed)")
    var random = SeededRandom(seed: seed)
    for position: UInt64 in [0, 1, 3, 1 << 20, 1 << 40, .max] {
      let turns = [0, 1, 1 << 61, 1 << 62, 3 << 62, 5 << 61, .max] + (0..<30).map { _ in random.next() }
      let angles = turns.map { 2 * Double.pi * Double(Int64(bitPattern: $0 &* position)) * 0x1p-64 }
      let expected = angles.map { Foundation.cos($0) } + angles.map { Foundation.sin($0) }
      for set in instructionSets {
        use(set)
        defer { takeBestKernels() }
        var (cosines, sines) = (turns.map { _ in Scalar(9) }, turns.map { _ in Scalar(9) })
        Scalar.phases(turns, at: position, count: turns.count, cosines: &cosines, sines: &sines)
        let far = zip(cosines + sines, expected).map { abs(Double($0) - $1) }
        // 2π times the rounding of the phase, and the type's own.
        #expect(
          far.count == 74 && far.allSatisfy { $0 <= 1e-15 + Double(Scalar.ulpOfOne) / 2 },
          "\(set), \(position)")
      }
    }
  }
  @Test func phases() {
    clocks(Float.self)
    clocks(Double.self)
  }
}
