import HatchlingDynamics
import HatchlingNumerics
import Testing

@testable import HatchlingShards

/// However blocks are shared out among ranks, their pieces finish to the bits of the whole tree.
@Suite struct SubtreeSumsTests {
  @Test(arguments: 0..<400 as Range<UInt64>)
  func anyPartitionGivesTheBitsOfTheWholeTree(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let blocks = Int.random(in: 1...90, using: &random)
    let lower = Int.random(in: 0..<blocks, using: &random)
    let group = lower..<Int.random(in: lower + 1...blocks, using: &random)
    let owners = Self.owners(blocks, &random)
    check(group, owners, Float.self, &random, "seed \(seed): \(group) among \(owners)")
    check(group, owners, Double.self, &random, "seed \(seed): \(group) among \(owners)")
  }

  /// Ranges in a row that cover all blocks, some of them perhaps empty.
  private static func owners(_ blocks: Int, _ random: inout SeededRandom) -> [Range<Int>] {
    let ranks = Int.random(in: 1...9, using: &random)
    let cuts = (0..<ranks - 1).map { _ in Int.random(in: 0...blocks, using: &random) }.sorted()
    return zip([0] + cuts, cuts + [blocks]).map { $0..<$1 }
  }

  private func check<Scalar: NetworkScalar>(
    _ group: Range<Int>, _ owners: [Range<Int>], _: Scalar.Type, _ random: inout SeededRandom, _ place: String
  ) {
    let (width, blocks) = (5, owners.last?.upperBound ?? 0)
    // Of all magnitudes, so that another order would show.
    let values = (0..<blocks * width).map { _ in
      Scalar(random.normal()) * Scalar([1e-4, 1, 3e3].randomElement(using: &random) ?? 1)
    }
    let sums = SubtreeSums(group, owners: owners)
    var (whole, shared) = (values, values)
    whole.withUnsafeMutableBufferPointer { rows in
      if let base = rows.baseAddress { BlockSums.add(base, blocks: group, width: width) }
    }
    shared.withUnsafeMutableBufferPointer { rows in
      guard let base = rows.baseAddress else { return }
      for piece in sums.pieces.flatMap(\.self) { BlockSums.add(base, blocks: piece, width: width) }
      for (into, from) in sums.additions {
        for column in 0..<width { base[into * width + column] += base[from * width + column] }
      }
    }
    let result = group.lowerBound * width..<(group.lowerBound + 1) * width
    #expect(Array(whole[result]) == Array(shared[result]), "\(place)")
    // Every block is in one piece, of the rank that has it; few pieces are to be sent.
    #expect(
      sums.pieces.flatMap(\.self).sorted { $0.lowerBound < $1.lowerBound }.flatMap(\.self) == Array(group))
    for (owner, pieces) in zip(owners, sums.pieces) {
      #expect(pieces.allSatisfy { owner.lowerBound <= $0.lowerBound && $0.upperBound <= owner.upperBound })
      #expect(pieces.count <= 14, "\(place)")
    }
  }
}
