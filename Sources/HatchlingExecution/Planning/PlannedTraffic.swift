/// What ranks tell each other for one token.
public struct PlannedTraffic: Equatable, Sendable {
  /// Times that all ranks exchange something.
  public let exchanges: Double
  /// Messages that follow one another in an exchange.
  public let steps: Int
  /// Bytes that the first rank gives, each counted once, and bytes that it gets.
  public let sent, received: Double
  /// Bytes that the rank gets that gets the most.
  public let mostReceived: Double

  /// As it is built: everybody gets all pieces.
  init(gathering shares: PlannedShares, _ network: PlannedNetwork, ranks: Int) {
    let given = Self.given(shares, network, ranks: ranks)
    let total = given.busy.reduce(0, +) + given.idle * Double(ranks - shares.busy)
    let least = shares.busy < ranks ? given.idle : given.busy.min() ?? 0
    // Blocks are shared out from the end: where they are fewer than ranks the first has none.
    let first = shares.busy < ranks ? given.idle : given.busy.first ?? 0
    exchanges = Double(2 * network.sizes.layers + 1)
    steps = Self.doublings(ranks)
    (sent, received, mostReceived) = (first, total - first, total - least)
  }

  /// As it could be: in every step two ranks tell each other the sums of a node of the tree and go on with both, so that after ⌈log₂ R⌉ steps
  /// everybody has the whole sum.
  init(reducing network: PlannedNetwork, ranks: Int) {
    let (sizes, numbers) = (network.sizes, Double(network.bytesPerNumber))
    let (layers, d) = (Double(sizes.layers), Double(sizes.synapticDimension))
    let read = Double(sizes.heads) * Double(network.readWidth)
    exchanges = 2 * layers + 1
    steps = Self.doublings(ranks)
    sent = Double(steps) * (layers * (read + d + 2) * numbers + 8 * (2 * layers + 3))
    (received, mostReceived) = (sent, sent)
  }

  /// Bytes of every rank with neurons, and of one without: the exchanges of all layers, then the counts.
  static func given(
    _ shares: PlannedShares, _ network: PlannedNetwork, ranks: Int
  ) -> (busy: [Double], idle: Double) {
    let (layers, bytes) = (Double(network.sizes.layers), Double(network.bytesPerNumber))
    func all(_ numbers: Double) -> Double { layers * numbers * bytes + 8 * (2 * layers + 3) }
    return (zip(shares.read, shares.encoded).map { all(Double($0) + Double($1)) }, all(2))
  }

  /// ⌈log₂ ranks⌉.
  static func doublings(_ ranks: Int) -> Int {
    ranks <= 1 ? 0 : Int.bitWidth - (ranks - 1).leadingZeroBitCount
  }
}

extension PlannedNetwork {
  /// Numbers per piece of what firing neurons read: a, and overlaps with deferred writes.
  var readWidth: Int { sizes.synapticDimension + (choice.defers ? Float.slots : 0) }
}
