import HatchlingModel
import HatchlingNumerics

/// What an executor keeps of what particles hold while a token passes: one array per quantity, rows of heads one after the other.
package struct ParticleValues<Scalar: NetworkScalar>: Sendable {
  private let sizes: Hyperparameters
  private let remainders: (x: Int, y: Int)
  private var arrays: [Quantity: NumberStorage<Scalar>] = [:]

  package init(_ sizes: Hyperparameters, remainders: (x: Int, y: Int) = (0, 0)) {
    (self.sizes, self.remainders) = (sizes, remainders)
  }

  /// Room for a quantity, zero.
  package mutating func keep(_ quantity: Quantity) -> NumberStorage<Scalar> {
    let array = NumberStorage<Scalar>(zeros: quantity.count(in: sizes, remainders: remainders))
    arrays[quantity] = array
    return array
  }

  /// A copy of all of a quantity or of the given entries; nil when it is not kept.
  package func values(of quantity: Quantity, _ entries: [Int]?) -> [Scalar]? {
    guard let array = arrays[quantity] else { return nil }
    return entries.map { $0.map { array.base[$0] } }
      ?? Array(UnsafeBufferPointer(start: array.base, count: array.count))
  }

  /// Replaces a quantity that is kept.
  package func replace(_ quantity: Quantity, by values: [Scalar]) {
    guard let array = arrays[quantity] else { return }
    precondition(values.count == array.count, "\(values.count) numbers for \(array.count)")
    for (index, value) in values.enumerated() { array.base[index] = value }
  }
}
