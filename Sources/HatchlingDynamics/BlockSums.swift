import HatchlingNumerics

/// Sums over blocks of neurons, always in one order: a binary tree over the blocks' numbers.
///
/// Node k of level s adds blocks k · 2ˢ ..< (k + 1) · 2ˢ, its left half first; a half without blocks is left out. So an aligned group of blocks can
/// be summed anywhere, by any number of threads or machines, and the bits stay.
public enum BlockSums {
  /// Adds the rows `blocks` of `(blocks, width)` partial sums. Rows are overwritten; the sum is in the first of them.
  ///
  /// - Returns: the row of the sum; nil without blocks. Cost: (blocks − 1) · width additions.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  @discardableResult
  public static func add<Scalar: NetworkScalar>(
    _ rows: UnsafeMutablePointer<Scalar>, blocks: Range<Int>, width: Int
  ) -> UnsafeMutablePointer<Scalar>? {
    guard !blocks.isEmpty else { return nil }
    var half = 1
    while half < blocks.upperBound {
      var node = blocks.lowerBound / (2 * half) * 2 * half
      while node < blocks.upperBound {
        // Each half's sum lies in its first row that exists.
        let (left, right) = (max(node, blocks.lowerBound), max(node + half, blocks.lowerBound))
        if left < node + half && right < min(node + 2 * half, blocks.upperBound) {
          let (sum, other) = (rows + left * width, rows + right * width)
          for index in 0..<width { sum[index] += other[index] }
        }
        node += 2 * half
      }
      half *= 2
    }
    return rows + blocks.lowerBound * width
  }
}
