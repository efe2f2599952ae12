extension NetworkScalar {
  /// Whether none of some numbers is NaN or infinite.
  @inlinable @inline(__always)
  package static func areFinite(_ values: UnsafePointer<Self>, _ count: Int) -> Bool {
    var wrong = 0
    for index in 0..<count { wrong &+= values[index].magnitude <= .greatestFiniteMagnitude ? 0 : 1 }
    return wrong == 0
  }
}
