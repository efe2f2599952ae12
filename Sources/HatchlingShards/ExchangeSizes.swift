/// How many numbers every rank gives in one exchange of partial sums: those of its pieces, and one for what it has to say.
package struct ExchangeSizes: Equatable, Sendable {
  /// Of every rank.
  package let numbers: [Int]

  /// - Parameters:
  ///   - sums: of all groups of blocks that are summed.
  ///   - width: of all tables together.
  package init(_ sums: [SubtreeSums], width: Int, ranks: Int) {
    numbers = (0..<ranks).map { rank in 1 + width * sums.reduce(0) { $0 + $1.pieces[rank].count } }
  }
}

extension Ranks {
  /// Exchanges in which every rank gives as many bytes, one after the other; all ranks call it together.
  ///
  /// - Returns: the seconds that each took here.
  package func timedExchanges(of bytes: Int, count: Int) -> [Double] {
    let counts = [Int32](repeating: Int32(bytes), count: size)
    let places = (0..<size).map { Int32($0 * bytes) }
    var all = [UInt8](repeating: 0, count: max(1, bytes * size))
    return all.withUnsafeMutableBytes { all in
      guard let base = all.baseAddress else { return [] }
      return (0..<count).map { _ in
        let before = traffic.seconds
        gather(base, counts: counts, places: places)
        return traffic.seconds - before
      }
    }
  }
}
