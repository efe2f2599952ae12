import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics
import TestSupport
import Testing

@testable import HatchlingExecution

/// The rounds of Table 1, as data.
@Suite struct ScheduleTests {
  @Test(arguments: Variant.allCases, [2, 3, 8])
  func roundsAreNumberedAsInTableOne(variant: Variant, layers: Int) {
    for schedule in [
      Schedule.circuit(layers: layers, variant: variant), .direct(layers: layers, variant: variant),
    ] {
      let rounds = schedule.numberedRounds
      #expect(rounds.map(\.number) == Array(-1...4 * layers - 2))
      for (number, layer, round) in rounds {
        // 4l + 3 makes the x of the layer that begins; the other three belong to layer l + 1.
        #expect(((number + 4) % 4) == round.kind.rawValue % 4)
        #expect(layer == (number + 1) / 4 + 1)
      }
      #expect(schedule.table.map(\.round) == ["input", "4l + 3", "4l", "4l + 1", "4l + 2", "readout"])
    }
  }

  /// Read first, then write, then forget; y after both: what the paper's rows 4l, 4l + 1 and 4l + 2 say.
  @Test(arguments: Variant.allCases)
  func theOrderIsThePapers(variant: Variant) throws {
    for schedule in [Schedule.circuit(layers: 2, variant: variant), .direct(layers: 2, variant: variant)] {
      let order = try ["σ →", "σ ← σ +", "σ ← (1 − u) σ", "y ← (drive of y)₊ x"].map { sign in
        try #require(schedule.layerOperations.firstIndex { $0.summary.contains(sign) }, "\(sign)")
      }
      #expect(order == order.sorted() && Set(order).count == 4)
      #expect(
        schedule.layerOperations.contains { if case .normalise = $0 { true } else { false } }
          == variant.normalises)
    }
  }

  /// Any aligned group of blocks can be summed elsewhere, and the bits stay.
  @Test(arguments: 0..<40)
  func sumsOverBlocksDoNotDependOnWhereTheyAreTaken(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let (count, width) = (Int.random(in: 1...70, using: &random), Int.random(in: 1...19, using: &random))
    let first = Int.random(in: 0..<count, using: &random)
    let rows = (0..<count * width).map { _ in
      Float(random.normal() * Double.random(in: 1e-6...1e6, using: &random))
    }
    func sum(_ groups: [Range<Int>]) throws -> [Float] {
      var partial = rows
      return try partial.withUnsafeMutableBufferPointer { buffer in
        let base = try #require(buffer.baseAddress)
        for group in groups { BlockSums.add(base, blocks: group, width: width) }
        let result = try #require(BlockSums.add(base, blocks: first..<count, width: width))
        return Array(UnsafeBufferPointer(start: result, count: width))
      }
    }
    // Elsewhere: every aligned group of a size has its sum in its first row and nothing in the others.
    let whole = try sum([])
    for size in [1, 2, 4, 8, 16, 32] {
      var partial = rows
      let result = try partial.withUnsafeMutableBufferPointer { buffer in
        let base = try #require(buffer.baseAddress)
        var sums: [(node: Int, values: [Float])] = []
        for start in stride(from: first / size * size, to: count, by: size) {
          let group = max(start, first)..<min(start + size, count)
          let sum = try #require(BlockSums.add(base, blocks: group, width: width))
          sums.append((start / size, Array(UnsafeBufferPointer(start: sum, count: width))))
        }
        // The groups are the blocks of a tree of their own.
        let above = sums[0].node
        var rows = sums.flatMap(\.values)
        let padding = [Float](repeating: 0, count: above * width)
        rows = padding + rows
        return try rows.withUnsafeMutableBufferPointer { buffer in
          let base = try #require(buffer.baseAddress)
          let sum = try #require(
            BlockSums.add(base, blocks: above..<above + sums.count, width: width))
          return Array(UnsafeBufferPointer(start: sum, count: width))
        }
      }
      #expect(result == whole, "seed \(seed), groups of \(size)")
    }
    let plain = (0..<width).map { column in
      (first..<count).reduce(0.0) { $0 + Double(rows[$1 * width + column]) }
    }
    let largest = rows.reduce(0) { max($0, abs($1)) }
    #expect(absoluteDifference(whole.map { Double($0) }, plain) <= Double(largest) * 1e-5)
  }
}
