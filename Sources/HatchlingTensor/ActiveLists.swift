import HatchlingNumerics

/// Who is active at one token among some neurons, one set of lists per block.
final class ActiveLists<Scalar: NetworkScalar>: @unchecked Sendable {
  // Blocks write their own parts.
  /// Neurons per list: 64 rows of 1 kB stay in the second cache.
  static var room: Int { 64 }
  private let numbers: NumberStorage<Int32>
  private let numbersOfPositive: NumberStorage<Int32>
  private let sent: NumberStorage<Scalar>

  init(blocks: Int) {
    numbers = NumberStorage(zeros: blocks * Self.room)
    numbersOfPositive = NumberStorage(zeros: blocks * Self.room)
    sent = NumberStorage(zeros: blocks * Self.room)
  }

  typealias Part = (
    positive: UnsafeMutablePointer<Int32>, active: UnsafeMutablePointer<Int32>,
    values: UnsafeMutablePointer<Scalar>
  )

  func part(_ index: Int) -> Part {
    let first = index * Self.room
    return (numbersOfPositive.base + first, numbers.base + first, sent.base + first)
  }
}
