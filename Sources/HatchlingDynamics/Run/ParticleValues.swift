import HatchlingModel
import HatchlingNumerics

/// What an executor keeps of what particles hold while a token passes: one array per quantity, rows of heads one after the other.
package struct ParticleValues<Scalar: NetworkScalar>: Sendable {
  private let sizes: Hyperparameters
  private let remainders: (x: Int, y: Int)
  /// In the order in which they were named, the same for all executors of a kind.
  package private(set) var arrays: [NumberStorage<Scalar>] = []
  private var places: [Quantity: Int] = [:]
  private var checked: [(quantity: Quantity, array: NumberStorage<Scalar>)] = []

  package init(_ sizes: Hyperparameters, remainders: (x: Int, y: Int) = (0, 0)) {
    (self.sizes, self.remainders) = (sizes, remainders)
  }

  /// Room for a quantity, zero.
  package mutating func keep(_ quantity: Quantity) -> NumberStorage<Scalar> {
    let array = NumberStorage<Scalar>(zeros: quantity.count(in: sizes, remainders: remainders))
    places[quantity] = arrays.count
    arrays.append(array)
    return array
  }

  /// Where in ``arrays`` a quantity is kept.
  package func place(of quantity: Quantity) -> Int? { places[quantity] }

  private subscript(quantity: Quantity) -> NumberStorage<Scalar>? { places[quantity].map { arrays[$0] } }

  /// Names what ``firstNonFinite()`` looks at, in the order of a layer's rounds.
  package mutating func check(_ quantities: [Quantity]) {
    checked = quantities.compactMap { quantity in self[quantity].map { (quantity, $0) } }
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
    guard let array = self[quantity] else { return nil }
    return entries.map { $0.map { array.base[$0] } }
      ?? Array(UnsafeBufferPointer(start: array.base, count: array.count))
  }

  /// Replaces a quantity that is kept.
  package func replace(_ quantity: Quantity, by values: [Scalar]) {
    guard let array = self[quantity] else { return }
    precondition(values.count == array.count, "\(values.count) numbers for \(array.count)")
    for (index, value) in values.enumerated() { array.base[index] = value }
  }
}
