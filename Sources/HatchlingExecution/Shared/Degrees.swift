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

  /// The degrees of the listed particles together.
  func total(_ list: UnsafePointer<Int32>, _ count: Int) -> Int {
    if let uniform { return uniform * count }
    var sum = 0
    for place in 0..<count { sum += Int(each[Int(list[place])]) }
    return sum
  }
}
