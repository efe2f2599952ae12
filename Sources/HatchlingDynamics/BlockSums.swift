import HatchlingNumerics

/// Sums over blocks of neurons, always in one order: a binary tree over the blocks' numbers.
///
/// Node k of level s adds blocks k · 2ˢ ..< (k + 1) · 2ˢ, its left half first; a half without blocks is left out. So an aligned group of blocks can
/// be summed anywhere, by any number of threads or machines, and the bits stay.
public enum BlockSums {
  /// Adds the rows `blocks` of `(blocks, width)` partial sums. Rows are overwritten; the sum is in the first of them.
  ///
  /// - Returns: the row of the sum; nil without blocks. Cost: (blocks − 1) · width additions.
  @discardableResult
  public static func add<Scalar: NetworkScalar>(
    _ rows: UnsafeMutablePointer<Scalar>, blocks: Range<Int>, width: Int
  ) -> UnsafeMutablePointer<Scalar>? {
    guard !blocks.isEmpty else { return nil }
    Scalar.addBlocks(rows, blocks, d: width)
    return rows + blocks.lowerBound * width
  }

  /// The same, and the sum, 0 without blocks, goes to `sum`, `(width)`.
  public static func add<Scalar: NetworkScalar>(
    _ rows: UnsafeMutablePointer<Scalar>, blocks: Range<Int>, width: Int,
    into sum: UnsafeMutablePointer<Scalar>
  ) {
    guard let total = add(rows, blocks: blocks, width: width) else {
      return sum.update(repeating: 0, count: width)
    }
    sum.update(from: total, count: width)
  }
}
