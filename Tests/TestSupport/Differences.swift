/// max |a − b| / max |b|; 0 when both are all zero; infinite when lengths differ, anything is NaN or infinite, one side alone is
/// all zero, or nothing was compared: so that `relativeDifference(…) <= tolerance` fails in all those cases.
@_specialize(where A == Float, B == Float)
@_specialize(where A == Double, B == Double)
@_specialize(where A == Float, B == Double)
@_specialize(where A == Double, B == Float)
public func relativeDifference<A: BinaryFloatingPoint, B: BinaryFloatingPoint>(_ a: [A], _ b: [B]) -> Double {
  guard a.count == b.count, !a.isEmpty else { return .infinity }
  var (largest, scale, other) = (0.0, 0.0, 0.0)
  for (left, right) in zip(a, b) {
    guard left.isFinite, right.isFinite else { return .infinity }
    largest = max(largest, abs(Double(left) - Double(right)))
    scale = max(scale, abs(Double(right)))
    other = max(other, abs(Double(left)))
  }
  if scale == 0 { return other == 0 ? 0 : .infinity }
  return other == 0 ? .infinity : largest / scale
}

/// max |a − b|, infinite when lengths differ, nothing was compared or anything is not finite.
@_specialize(where A == Float, B == Float)
@_specialize(where A == Double, B == Double)
@_specialize(where A == Float, B == Double)
@_specialize(where A == Double, B == Float)
public func absoluteDifference<A: BinaryFloatingPoint, B: BinaryFloatingPoint>(_ a: [A], _ b: [B]) -> Double {
  guard a.count == b.count, !a.isEmpty else { return .infinity }
  var largest = 0.0
  for (left, right) in zip(a, b) {
    guard left.isFinite, right.isFinite else { return .infinity }
    largest = max(largest, abs(Double(left) - Double(right)))
  }
  return largest
}

/// Two collections that do not match one to one, or are empty: a loop over them would compare less than it says.
public struct Unpaired: Error {
  public let counts: (Int, Int)
}

/// As `zip`. - Throws: ``Unpaired`` when the lengths differ or there is nothing to compare.
public func paired<A: Collection, B: Collection>(_ a: A, _ b: B) throws -> Zip2Sequence<A, B> {
  guard a.count == b.count, !a.isEmpty else { throw Unpaired(counts: (a.count, b.count)) }
  return zip(a, b)
}
