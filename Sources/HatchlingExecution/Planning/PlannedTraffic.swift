import HatchlingShards

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

  /// Where everybody gets all pieces.
  init(gathering shares: PlannedShares, _ network: PlannedNetwork, ranks: Int) {
    let given = Self.given(shares, network, ranks: ranks)
    let total = given.busy.reduce(0, +) + given.idle * Double(ranks - shares.busy)
    let least = shares.busy < ranks ? given.idle : given.busy.min() ?? 0
    // Blocks are shared out from the end: where they are fewer than ranks the first has none.
    let first = shares.busy < ranks ? given.idle : given.busy.first ?? 0
    exchanges = Double(2 * network.sizes.layers + 1)
    steps = ExchangeWay.gather.steps(ranks)
    (sent, received, mostReceived) = (first, total - first, total - least)
  }

  /// Where ranks meet in pairs and add as they go.
  init(reducing shares: PlannedShares, _ network: PlannedNetwork, ranks: Int) {
    let (read, encoded, messages) = shares.reduced
    let (layers, bytes) = (Double(network.sizes.layers), Double(network.bytesPerNumber))
    func all(_ side: KeyPath<ExchangeSizes, [Int]>) -> [Double] {
      (0..<ranks).map { rank in
        let numbers = Double(read[keyPath: side][rank]) + Double(encoded[keyPath: side][rank])
        return layers * numbers * bytes + 8 * (2 * layers + 3) * Double(messages[keyPath: side][rank])
      }
    }
    let (told, heard) = (all(\.told), all(\.heard))
    exchanges = Double(2 * network.sizes.layers + 1)
    steps = ExchangeWay.reduce.steps(ranks)
    (sent, received, mostReceived) = (told.first ?? 0, heard.first ?? 0, heard.max() ?? 0)
  }

  /// Bytes of every rank with neurons, and of one without: the exchanges of all layers, then the counts.
  static func given(
    _ shares: PlannedShares, _ network: PlannedNetwork, ranks: Int
  ) -> (busy: [Double], idle: Double) {
    let (layers, bytes) = (Double(network.sizes.layers), Double(network.bytesPerNumber))
    func all(_ numbers: Double) -> Double { layers * numbers * bytes + 8 * (2 * layers + 3) }
    return (zip(shares.read, shares.encoded).map { all(Double($0) + Double($1)) }, all(2))
  }
}

extension PlannedNetwork {
  /// Numbers per piece of what firing neurons read: a, and overlaps with deferred writes.
  var readWidth: Int { sizes.synapticDimension + (choice.defers ? Float.slots : 0) }
}
