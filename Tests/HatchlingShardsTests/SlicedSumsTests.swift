import HatchlingDynamics
import HatchlingNumerics
import Testing

@testable import HatchlingShards

/// Long rows that ranks have are added to the bits of the whole tree, whatever the slices.
@Suite(.timeLimit(.minutes(5))) struct SlicedSumsTests {
  @Test(arguments: 0..<60 as Range<UInt64>)
  func ranksGiveTheBitsOfTheWholeTree(seed: UInt64) throws {
    try compare(seed, Float.self)
    try compare(seed, Double.self)
  }

  private func compare<Scalar: NetworkScalar>(_ seed: UInt64, _: Scalar.Type) throws {
    var random = SeededRandom(seed: seed)
    let (blocks, ranks) = (Int.random(in: 1...40, using: &random), Int.random(in: 1...7, using: &random))
    let count = Int.random(in: 0...50, using: &random)
    let slice = Int.random(in: 1...60, using: &random)
    let cuts = (0..<ranks - 1).map { _ in Int.random(in: 0...blocks, using: &random) }.sorted()
    let owners = zip([0] + cuts, cuts + [blocks]).map { $0..<$1 }
    let rows = (0..<blocks).map { _ in
      // Of all magnitudes, so that another order would show.
      (0..<count).map { _ in
        Scalar(random.normal()) * Scalar([1e-4, 1, 3e3].randomElement(using: &random) ?? 1)
      }
    }
    let expected = sum(rows, 0..<blocks)
    let sums = ThreadRank.run(ranks) { ranks in
      let exchange = SlicedSums<Scalar>(blocks: blocks, owners: owners, among: ranks, slice: slice)
      let pieces = exchange.pieces.map { sum(rows, $0) }
      let matrices = pieces.map { Matrix(rows: 1, columns: count, $0) }
      var result = Matrix<Scalar>(rows: 1, columns: count)
      // Twice: nothing of the first time may be left.
      for _ in 0..<2 {
        exchange.complete(matrices.map(\.pointer), count: count, into: result.mutablePointer())
      }
      return Array(result.elements)
    }
    #expect(sums.count == ranks)
    for (rank, sum) in sums.enumerated() {
      #expect(
        sum == expected, "seed \(seed), rank \(rank): \(blocks) blocks of \(owners), slices of \(slice)")
    }
  }
}

/// The sum of some rows by ``BlockSums``.
private func sum<Scalar: NetworkScalar>(_ rows: [[Scalar]], _ blocks: Range<Int>) -> [Scalar] {
  let width = rows[0].count
  var all = rows.flatMap(\.self)
  return all.withUnsafeMutableBufferPointer { all in
    guard let base = all.baseAddress else { return [] }
    let sum = BlockSums.add(base, blocks: blocks, width: width)
    return Array(UnsafeBufferPointer(start: sum, count: width))
  }
}
