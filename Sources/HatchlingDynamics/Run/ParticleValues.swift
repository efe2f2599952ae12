import HatchlingModel
import HatchlingNumerics

/// What an executor keeps of what particles hold while a token passes: one array per quantity, rows of heads one after the other.
package struct ParticleValues<Scalar: NetworkScalar>: Sendable {
  private let sizes: Hyperparameters
  private let remainders: (x: Int, y: Int)
  private var arrays: [Quantity: NumberStorage<Scalar>] = [:]
  private var checked: [(quantity: Quantity, array: NumberStorage<Scalar>)] = []

  package init(_ sizes: Hyperparameters, remainders: (x: Int, y: Int) = (0, 0)) {
    (self.sizes, self.remainders) = (sizes, remainders)
  }

  /// Room for a quantity, zero.
  package mutating func keep(_ quantity: Quantity) -> NumberStorage<Scalar> {
    let array = NumberStorage<Scalar>(zeros: quantity.count(in: sizes, remainders: remainders))
    arrays[quantity] = array
    return array
  }

  /// Names what ``firstNonFinite()`` looks at, in the order of a layer's rounds.
  package mutating func check(_ quantities: [Quantity]) {
    checked = quantities.compactMap { quantity in arrays[quantity].map { (quantity, $0) } }
  }

  /// The first quantity that holds a NaN or an infinity. Cost: one look at every number that is checked.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  package func firstNonFinite() -> Quantity? {
    for (quantity, array) in checked where !Scalar.areFinite(array.base, array.count) { return quantity }
    return nil
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
