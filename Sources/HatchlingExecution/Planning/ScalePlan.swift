import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// What a network will cost on several ranks: memory, traffic, time. Computed from sizes alone, in floating point, so that networks that no machine
/// has ever held can be asked about.
public struct ScalePlan: Sendable {
  public let network: PlannedNetwork
  public let ranks: Int
  public let cut: BlockCut
  /// Blocks that the network is cut into, and ranks that have any.
  public let blocks, busyRanks: Int
  /// Neurons of the rank that has the most; memory, bytes and time are that rank's.
  public let neurons: Int
  public let memory: PlannedMemory
  public let bytes: PlannedBytes
  /// Where everybody gets the pieces of all, and where ranks meet in pairs.
  public let gathered, reduced: PlannedTraffic
  /// Which of the two it is; memory is of that one.
  public let way: ExchangeWay

  /// - Parameter way: nil is what ranks on several machines choose.
  /// - Throws: ``PlanError`` for sizes that no network has. Cost: about ranks · log₂(ranks).
  public init(
    _ network: PlannedNetwork, ranks: Int, cut: BlockCut = .built, way: ExchangeWay? = nil
  ) throws(PlanError) {
    try PlanError.check(network.sizes, ranks: ranks)
    let shares = PlannedShares(network.sizes, ranks: ranks, cut: cut, readWidth: network.readWidth)
    let way = way ?? .best(ranks: ranks)
    (self.network, self.ranks, self.cut, self.way) = (network, ranks, cut, way)
    (blocks, busyRanks, neurons) = (shares.blocks, shares.busy, shares.neurons)
    memory = PlannedMemory(network, shares, ranks: ranks, way)
    bytes = PlannedBytes(network, shares)
    gathered = PlannedTraffic(gathering: shares, network, ranks: ranks)
    reduced = PlannedTraffic(reducing: shares, network, ranks: ranks)
  }

  /// What passes one way, by default the one that it is.
  public func traffic(_ way: ExchangeWay? = nil) -> PlannedTraffic {
    switch way ?? self.way {
    case .gather: gathered
    case .reduce: reduced
    }
  }

  /// The time of a token; nil where several ranks exchange over a network that nobody knows.
  public func time(_ constants: MachineConstants, _ way: ExchangeWay? = nil) -> PlannedTime? {
    let traffic = traffic(way)
    return PlannedTime(bytes, traffic, added: ranks == 1 ? 0 : traffic.received, ranks: ranks, constants)
  }

  /// Whether an exchange is larger than MPI can count, 2 GiB.
  public var isTooLargeForMPI: Bool {
    traffic().received / traffic().exchanges > Double(Int32.max)
  }
}

/// Sizes that cannot be planned for.
public enum PlanError: InputError, Equatable {
  /// A quantity that is not in the range that is planned for.
  case outOfRange(PlannedQuantity, value: Int, allowed: String)
  /// Heads do not have whole pairs of neurons.
  case unevenHeads(neurons: Int, heads: Int)

  public var description: String {
    switch self {
    case .outOfRange(let quantity, let value, let allowed): "\(quantity.rawValue) \(value): \(allowed)"
    case .unevenHeads(let neurons, let heads):
      "\(neurons) neurons: a multiple of \(2 * heads) is needed, whole pairs in each of \(heads) heads"
    }
  }

  /// Whether a network of these sizes can be planned for.
  public static func check(_ sizes: Hyperparameters, ranks: Int) throws(PlanError) {
    let ranges: [(PlannedQuantity, Int, Int)] = [
      (.neurons, sizes.neurons, 1_000_000_000_000_000),
      (.synapticDimension, sizes.synapticDimension, 1_000_000),
      (.heads, sizes.heads, 4096), (.layers, sizes.layers, 1_000_000),
      (.vocabulary, sizes.vocabulary, 1_000_000_000),
      (.ranks, ranks, 65_536),
    ]
    for (quantity, value, most) in ranges where !(1...most).contains(value) {
      throw .outOfRange(quantity, value: value, allowed: "1 to \(most)")
    }
    guard sizes.neurons % (2 * sizes.heads) == 0 else {
      throw .unevenHeads(neurons: sizes.neurons, heads: sizes.heads)
    }
  }
}

/// What a plan is made from.
public enum PlannedQuantity: String, Sendable {
  case neurons, heads, layers, vocabulary, ranks
  case synapticDimension = "d"
}
