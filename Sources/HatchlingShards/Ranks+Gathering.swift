/// What every rank has, brought to all.
extension Ranks {
  /// A value of every rank, in order.
  public func gather<Value: BitwiseCopyable>(_ own: Value) -> [Value] {
    collect([own], counts: Array(repeating: 1, count: size))
  }

  /// Completes a table of which rank r has the rows `owners[r]`, `width` values each; ranges lie in order and cover the table.
  package func gather<Value: BitwiseCopyable>(_ table: inout [Value], rows owners: [Range<Int>], width: Int) {
    let own = owners[rank]
    table = collect(
      Array(table[own.lowerBound * width..<own.upperBound * width]), counts: owners.map { $0.count * width })
  }

  /// What all ranks have, one after the other; `counts` numbers of each, known to all.
  package func collect<Value: BitwiseCopyable>(_ own: [Value], counts: [Int]) -> [Value] {
    precondition(
      own.count == counts[rank], "\(own.count) numbers of rank \(rank), which was to have \(counts[rank])")
    let places = counts.indices.map { counts[..<$0].reduce(0, +) }
    return [Value](unsafeUninitializedCapacity: counts.reduce(0, +)) { all, count in
      count = all.count
      guard let base = all.baseAddress, count > 0 else { return }
      own.withUnsafeBufferPointer {
        (base + places[rank]).update(from: $0.baseAddress ?? UnsafePointer(base), count: $0.count)
      }
      gather(base, counts: counts, places: places)
    }
  }

  /// In rounds where MPI, which counts bytes in 32 bits, could not carry all at once.
  private func gather<Value: BitwiseCopyable>(
    _ all: UnsafeMutablePointer<Value>, counts: [Int], places: [Int]
  ) {
    let size = MemoryLayout<Value>.stride
    let most = max(1, (1 << 30) / (size * self.size))
    guard counts.contains(where: { $0 > most }) else {
      return gather(
        all, counts: counts.map { Int32($0 * size) }, places: places.map { Int32($0 * size) })
    }
    let buffer = UnsafeMutablePointer<Value>.allocate(capacity: most * self.size)
    defer { buffer.deallocate() }
    for first in stride(from: 0, to: counts.max() ?? 0, by: most) {
      let parts = counts.map { max(0, min(most, $0 - first)) }
      (buffer + rank * most).update(from: all + places[rank] + first, count: parts[rank])
      gather(
        buffer, counts: parts.map { Int32($0 * size) },
        places: parts.indices.map { Int32($0 * most * size) })
      for (rank, part) in parts.enumerated() {
        (all + places[rank] + first).update(from: buffer + rank * most, count: part)
      }
    }
  }
}
