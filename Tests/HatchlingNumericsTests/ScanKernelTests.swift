import HatchlingNumerics
import TestSupport
import Testing

/// σ of a neuron's synapses through a block, from nothing or from what an earlier block left, and its gradients, against sums over all pairs of
/// tokens in double, for every instruction set that the machine has.
@Suite struct ScanKernelTests {
  struct Kind: Sendable {
    var damps, carries: Bool
    /// How many of a hundred tokens the neuron fires at.
    var firing: Int
  }

  static let kinds = [true, false].flatMap { damps in
    [true, false].flatMap { carries in
      [0, 5, 30, 100].map { Kind(damps: damps, carries: carries, firing: $0) }
    }
  }

  @Test(arguments: 1...8, kinds)
  func synapsesThroughABlock(_ seed: UInt64, _ kind: Kind) {
    scan(Float.self, seed, kind)
    scan(Double.self, seed, kind)
  }

  /// What sums over all pairs of tokens say.
  private struct Sums {
    var heard, toZ, toX, after: [Double]
    var kept = 0.0
  }

  private func scan<Scalar: NetworkScalar>(_: Scalar.Type, _ seed: UInt64, _ kind: Kind) {
    var random = SeededRandom(seed: seed &+ 900)
    let block = [1, 2, 5, 8, 15, 16, 17, 64, 100, 127, 128, 130, 256].randomElement(using: &random) ?? 1
    let rows = Int.random(in: 1...6, using: &random)
    let sources = (0..<rows).filter { _ in Bool.random(using: &random) }.map { Int32($0) }
    func numbers(_ count: Int) -> [Scalar] { (0..<count).map { _ in Scalar(Float(random.normal())) } }
    let (z, heard, gradient) = (numbers(rows * block), numbers(rows * block), numbers(rows * block))
    let x = numbers(block).map { Int.random(in: 0..<100, using: &random) < kind.firing ? $0 : 0 }
    let before = numbers(sources.count)
    var powers: [Scalar] = [1]
    for _ in 0..<block { powers.append(powers[powers.count - 1] * (kind.damps ? 0.875 : 1)) }
    let expected = sums(
      x, z, heard, gradient, before: kind.carries ? before : nil, sources, powers.map { Double($0) })
    let what = "seed \(seed), \(Scalar.precisionName), \(kind), \(block) tokens"
    func lanes(_ values: [Scalar]) -> [Scalar] {
      var lanes = [Scalar](repeating: 7, count: rows * Scalar.laneWidth(block))
      Scalar.toLanes(values, count: rows, columns: block, into: &lanes)
      return lanes
    }
    func rowsOf(_ lanes: [Scalar]) -> [Scalar] {
      var values = [Scalar](repeating: 9, count: rows * block)
      Scalar.fromLanes(lanes, count: rows, columns: block, added: false, into: &values)
      return values
    }
    func keeps(_ body: (UnsafePointer<Scalar>?) -> Void) {
      if kind.damps { powers.withUnsafeBufferPointer { body($0.baseAddress) } } else { body(nil) }
    }
    func found(_ body: (UnsafePointer<Scalar>?) -> Void) {
      if kind.carries { before.withUnsafeBufferPointer { body($0.baseAddress) } } else { body(nil) }
    }
    expectSets("to lanes and back, \(what)", z.map { Double($0) }) { rowsOf(lanes(z)) }
    expectSets("added from lanes, \(what)", zip(z, heard).map { Double($0) + Double($1) }) {
      var sums = heard
      Scalar.fromLanes(lanes(z), count: rows, columns: block, added: true, into: &sums)
      return sums
    }
    expectSets("scanEdges, \(what)", expected.heard + expected.after) {
      var (out, left) = (lanes(heard), [Scalar](repeating: 7, count: max(1, sources.count)))
      var scratch = [Scalar](repeating: 9, count: 4 * Scalar.laneWidth(block))
      keeps { keeps in
        found {
          Scalar.scanEdges(
            x, columns: block, keeps: keeps, sources: sources, count: sources.count, z: lanes(z),
            before: $0, into: &out, after: &left, scratch: &scratch)
        }
      }
      return rowsOf(out) + left.prefix(sources.count)
    }
    expectSets(
      "scanEdgesBack, \(what)", expected.toZ + expected.toX + (kind.damps ? [expected.kept] : []), ulps: 512
    ) {
      var (toZ, toX) = (
        lanes([Scalar](repeating: 0, count: rows * block)), [Scalar](repeating: 0, count: block)
      )
      var (kept, scratch) = ([Scalar(0)], [Scalar](repeating: 9, count: 4 * Scalar.laneWidth(block)))
      keeps { keeps in
        found {
          Scalar.scanEdgesBack(
            x, columns: block, keeps: keeps, sources: sources, count: sources.count, z: lanes(z),
            before: $0, heard: lanes(gradient), toZ: &toZ, toX: &toX, toKeep: &kept, scratch: &scratch)
        }
      }
      // Where the neuron is silent its gradient is nobody's: the threshold lets nothing through.
      return rowsOf(toZ) + zip(toX, x).map { $1 == 0 ? 0 : $0 } + (kind.damps ? kept : [])
    }
  }

  private func sums<Scalar: NetworkScalar>(
    _ x: [Scalar], _ z: [Scalar], _ heard: [Scalar], _ gradient: [Scalar], before: [Scalar]?,
    _ sources: [Int32], _ powers: [Double]
  ) -> Sums {
    let block = x.count
    var sums = Sums(
      heard: heard.map { Double($0) }, toZ: [Double](repeating: 0, count: z.count),
      toX: [Double](repeating: 0, count: block), after: [])
    for (edge, source) in sources.enumerated() {
      let (row, found) = (Int(source) * block, before.map { Double($0[edge]) } ?? 0)
      var after = found * powers[block]
      for t in 0..<block {
        let (q, g) = (Double(x[t]), Double(gradient[row + t]))
        sums.heard[row + t] += q * found * powers[t]
        sums.toX[t] += g * found * powers[t]
        sums.kept += Double(t) * g * q * found * powers[t]
        after += Double(z[row + t]) * q * powers[block - t]
        for tau in 0..<t {
          let (k, v, power) = (Double(x[tau]), Double(z[row + tau]), powers[t - tau])
          sums.heard[row + t] += q * k * v * power
          sums.toZ[row + tau] += g * q * k * power
          sums.toX[t] += g * k * v * power
          sums.toX[tau] += g * q * v * power
          sums.kept += Double(t - tau) * g * q * k * v * power
        }
      }
      sums.after.append(after)
    }
    for t in 0..<block where x[t] == 0 { sums.toX[t] = 0 }
    return sums
  }
}
