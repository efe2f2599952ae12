import HatchlingCompiler
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import RealModule
import TestSupport
import Testing

@testable import HatchlingExecution

/// Screening must never rule out a neuron that fires, whatever the weights.
@Suite struct ScreeningTests {
  /// The rows of `rows` that the screen rules out, and their float32 sums.
  private func ruledOut(_ rows: Matrix<Float>, _ v: [Float]) -> (count: Int, worst: Float)? {
    let (n, d) = (rows.rows, rows.columns)
    let screen = RowScreen(rows.pointer, rows: n, d: d, workers: Workers(threads: 1))
    let query = RowScreen.Query(d: d)
    query.ask(v, screen)
    guard query.isUsable else { return nil }
    let (sums, possible) = (NumberStorage<Int32>(zeros: n), NumberStorage<Int32>(zeros: n))
    let found = screen.list(0..<n, query, sums: sums.base, into: possible.base)
    var isPossible = [Bool](repeating: false, count: n)
    for place in 0..<found { isPossible[Int(possible.base[place])] = true }
    // A list of rows must give the same answer as the range.
    let all = (0..<n).map { Int32($0) }
    let again = NumberStorage<Int32>(zeros: n)
    let foundAgain = screen.list(all, count: n, query, sums: sums.base, into: again.base)
    #expect(found == foundAgain && (0..<found).allSatisfy { possible.base[$0] == again.base[$0] })
    var drives = [Float](repeating: 0, count: n)
    Float.dotRows(rows.pointer, rows: n, v, d: d, into: &drives)
    var worst = -Float.infinity
    for row in 0..<n where !isPossible[row] {
      var inOrder: Float = 0
      for c in 0..<d { inOrder += rows[row, c] * v[c] }
      worst = max(worst, drives[row], inOrder)
      if drives[row].isNaN || inOrder.isNaN { worst = .infinity }
    }
    return (n - found, worst)
  }

  /// Exponents over the whole range of float32, subnormals, zeros, exact ties, sparse rows.
  private func wildRows(_ n: Int, _ d: Int, _ v: [Float], _ random: inout SeededRandom) -> Matrix<Float> {
    var rows = Matrix<Float>(rows: n, columns: d)
    let target = rows.mutablePointer()
    for row in 0..<n {
      let kind = row % 8
      let center = Double.random(in: -148...20, using: &random)
      for c in 0..<d {
        let sign: Float = random.uniform() < 0.5 ? -1 : 1
        let weight: Float =
          switch kind {
          case 0: Float(random.normal())
          case 1: sign * Float(Double.random(in: -149...30, using: &random)).exponential
          case 2: sign * Float(center + random.normal()).exponential
          case 3: 0
          case 4: sign * Float.leastNonzeroMagnitude * Float(Int.random(in: 0...3, using: &random))
          case 5: random.uniform() < 0.1 ? Float(random.normal()) : 0
          // The two halves cancel exactly or nearly.
          case 6: c < d / 2 ? Float(random.normal()) : 0
          default: -v[c] * Float(random.uniform()) - (c == 0 ? 100 * v[c] : 0)
          }
        target[row * d + c] = weight
      }
      if kind == 6 {
        for c in 0..<d / 2 where v[d / 2 + c] != 0 {
          target[row * d + d / 2 + c] = -target[row * d + c] * (v[c] / v[d / 2 + c])
        }
      }
    }
    return rows
  }

  @Test(arguments: 0..<24)
  func nothingThatFiresIsRuledOut(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed) &+ 1000)
    let d = [1, 3, 16, 17, 63, 64, 65, 100, 256][seed % 9]
    var scales = [Float](repeating: 1, count: d)
    if seed % 3 == 1 { for c in 0..<d { scales[c] = Float(random.normal() * 12).exponential } }
    let magnitude: Float = seed % 5 == 4 ? 0x1p-120 : 1
    let v = (0..<d).map { Float(random.normal()) * scales[$0] * magnitude }
    let rows = wildRows(400, d, v, &random)
    let result = try #require(ruledOut(rows, v), "seed \(seed)")
    #expect(result.worst <= 0, "a row that fires was ruled out, seed \(seed), d \(d)")
    #expect(d == 1 || result.count > 40, "nothing was ruled out, seed \(seed), d \(d)")
  }

  /// The rounding errors of all codes point the way of v, which is as bad as the bound allows: it must hold with nothing to spare.
  @Test(arguments: [64, 192, 256])
  func theBoundIsTightAndHolds(d: Int) throws {
    var random = SeededRandom(seed: UInt64(d))
    let v = (0..<d).map { _ -> Float in random.uniform() < 0.5 ? -1 : 1 }
    let reach = 0.49 * Double(d)
    var rows = Matrix<Float>(rows: 64, columns: d)
    let target = rows.mutablePointer()
    for row in 0..<64 {
      // Codes whose sum with v is just less negative than what their rounding hides.
      var codes = [Int](repeating: 0, count: d)
      (codes[0], codes[1]) = (127 * Int(v[0]), -127 * Int(v[1]))
      for _ in 0..<Int(reach) - 1 { codes[Int.random(in: 2..<d, using: &random)] -= 1 }
      for c in 2..<d where codes[c] < 0 { codes[c] *= Int(v[c]) }
      let scale = Float(Double.random(in: 0.01...3, using: &random))
      for c in 0..<d {
        let hidden: Float = c < 2 ? 0 : 0.49 * v[c]
        target[row * d + c] = scale * (Float(codes[c]) + hidden)
      }
    }
    var drives = [Float](repeating: 0, count: 64)
    Float.dotRows(rows.pointer, rows: 64, v, d: d, into: &drives)
    #expect(drives.contains { $0 > 0 }, "the construction must fire")
    let result = try #require(ruledOut(rows, v))
    #expect(result.worst <= 0)
  }

  @Test func vectorsAndRowsThatAreNotFiniteOrOverflowAreNotScreened() {
    var rows = Matrix<Float>(rows: 2, columns: 4, [1, 2, 3, 4, -1, -2, -3, -4])
    #expect(ruledOut(rows, [1, .nan, 0, 0]) == nil && ruledOut(rows, [1, .infinity, 0, 0]) == nil)
    #expect(ruledOut(rows, [3e38, 1, 0, 0]) == nil)
    rows[1, 2] = .nan
    let query = RowScreen.Query(d: 4)
    let screen = RowScreen(rows.pointer, rows: 2, d: 4, workers: Workers(threads: 1))
    query.ask([-1, -1, -1, -1], screen)
    let (sums, possible) = (NumberStorage<Int32>(zeros: 2), NumberStorage<Int32>(zeros: 2))
    #expect(query.isUsable && screen.list(0..<2, query, sums: sums.base, into: possible.base) == 1)
    #expect(possible.base[0] == 1)
  }

  @Test func largeNetworksScreenAndDeferByThemselves() {
    let choose = CircuitEngineOptions().settled
    #expect(choose(2048, 64, 4, true) == (false, false) && choose(32_768, 256, 4, true) == (true, true))
    #expect(choose(32_768, 256, 4, false) == (true, false))
    #expect(
      CircuitEngineOptions(screens: false, defersWrites: true).settled(
        neurons: 1 << 20, hubs: 64, layers: 1, isComplete: false) == (false, false))
  }

  /// Whole networks, with and without: every value of every layer, and every count, to the last bit.
  @Test(arguments: [Variant.released, .definition4], 0..<10)
  func screeningChangesNoBit(variant: Variant, seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let sizes = Hyperparameters(
      neurons: 2 * [12, 150, 330][seed % 3], synapticDimension: [7, 24, 64, 80][seed % 4], heads: 2,
      layers: 3,
      vocabulary: 9, variant: variant)
    var weights = Weights.random(
      sizes, seed: UInt64(seed), rotates: seed % 4 != 1, damping: seed % 2 == 0)
    if seed >= 4 {
      let v = (0..<sizes.synapticDimension).map { _ in Float(random.normal()) }
      // Rows that dwarf all others would leave nothing else to hear: keep D_x and D_y within a wide but audible range.
      let wild = wildRows(sizes.neurons, sizes.synapticDimension, v, &random)
      weights.decoderX = wild.map { min(4, max(-4, $0)) }
      if seed >= 7 { weights.decoderY = wild.map { min(2, max(-2, -$0)) } }
    }
    let graph = try Compiler().circuit(from: weights).graph
    let screened = try CircuitEngine(
      graph, workers: Workers(threads: 1 + seed % 2), options: CircuitEngineOptions(screens: true))
    let unscreened = try CircuitEngine(
      graph, workers: Workers(threads: 1), options: CircuitEngineOptions(screens: false))
    #expect(screened.executor.screens != nil && unscreened.executor.screens == nil)
    for token in randomTokens(24, vocabulary: 9, seed: UInt64(seed)) {
      let (activity, layers) = try screened.stepRecording(token)
      let (expectedActivity, expected) = try unscreened.stepRecording(token)
      #expect(activity == expectedActivity, "seed \(seed)")
      for (layer, other) in try paired(layers, expected) {
        #expect(
          layer.x == other.x && layer.a == other.a && layer.y == other.y && layer.v == other.v,
          "seed \(seed)")
      }
      #expect(screened.logits == unscreened.logits && !screened.logits.contains { !$0.isFinite })
    }
    #expect(screened.executor.screens?.isUsableX == true)
  }
}

extension Float {
  /// 2 to this power, subnormal where it has to be.
  fileprivate var exponential: Float { Float.exp2(self) }
}
