import HatchlingNumerics

/// Synapses per particle of one population.
struct Degrees: Sendable {
  /// `(particles)`.
  let each: [Int32]
  /// The degree of every particle where all have the same.
  let uniform: Int?

  init(_ each: [Int32]) {
    self.each = each
    uniform = each.first.flatMap { first in each.allSatisfy { $0 == first } ? Int(first) : nil }
  }

  init(_ each: [Int]) { self.init(each.map { Int32($0) }) }

  /// The degrees of the particles whose value is not zero, together; every row of `values` has one per particle.
  func total(ofNonZero values: NumberStorage<some NetworkScalar>, rows: Int) -> Int {
    let row = values.count / rows
    var sum = 0
    for place in 0..<values.count where values.base[place] != 0 { sum += Int(each[place % row]) }
    return sum
  }

  /// The degrees of the listed particles together.
  func total(_ list: UnsafePointer<Int32>, _ count: Int) -> Int {
    if let uniform { return uniform * count }
    var sum = 0
    for place in 0..<count { sum += Int(each[Int(list[place])]) }
    return sum
  }
}
