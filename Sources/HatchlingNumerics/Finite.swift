extension NetworkScalar {
  /// Whether none of some numbers is NaN or infinite.
  @inlinable @inline(__always)
  package static func areFinite(_ values: UnsafePointer<Self>, _ count: Int) -> Bool {
    // As wide as a float: the loop becomes vectors.
    var wrong: Int32 = 0
    for index in 0..<count { wrong &+= values[index].magnitude <= .greatestFiniteMagnitude ? 0 : 1 }
    return wrong == 0
  }

  /// As ``areFinite(_:_:)``, where the type of the numbers is not known when it is compiled.
  @_specialize(where Self == Float)
  @_specialize(where Self == Double)
  package static func areFinite(_ values: [Self]) -> Bool {
    values.withUnsafeBufferPointer { buffer in buffer.baseAddress.map { areFinite($0, buffer.count) } ?? true
    }
  }
}
