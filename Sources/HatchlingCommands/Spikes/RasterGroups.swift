import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics

#if Topology
  import HatchlingTopology
#endif

/// In which order a raster shows neurons, from below, and what it calls those that stand together.
public struct RasterGroups: Sendable, Equatable {
  /// Neurons that stand together.
  struct Group: Sendable, Equatable {
    let name: String
    let count: Int

    /// Of all neurons that share a community with nobody.
    static var alone: String { "alone" }
  }

  /// Whether they are communities.
  let areCommunities: Bool
  let groups: [Group]
  /// Of every neuron: its group.
  let groupOf: [Int]
  /// Of every neuron: where it stands.
  let place: [Int]

  /// By head, in the order of their numbers.
  init(neurons: Int, heads: Int) {
    let size = neurons / max(1, heads)
    self.init(
      (0..<neurons).map { min($0 / max(1, size), heads - 1) },
      names: (0..<heads).map { "head \($0 + 1)" }, areCommunities: false)
  }

  /// By community, the largest below; neurons that share theirs with nobody stand above all others.
  ///
  /// - Parameter communities: of every neuron, from 0.
  init(communities: [Int]) {
    var sizes: [Int: Int] = [:]
    for community in communities { sizes[community, default: 0] += 1 }
    let shared = sizes.filter { $0.value > 1 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
    let order = Dictionary(uniqueKeysWithValues: shared.enumerated().map { ($1, $0) })
    let names =
      shared.indices.map { "community \($0 + 1)" } + (shared.count < sizes.count ? [Group.alone] : [])
    self.init(
      communities.map { order[$0] ?? shared.count }, names: names, areCommunities: true)
  }

  private init(_ groupOf: [Int], names: [String], areCommunities: Bool) {
    self.groupOf = groupOf
    self.areCommunities = areCommunities
    var counts = [Int](repeating: 0, count: names.count)
    for group in groupOf { counts[group] += 1 }
    groups = zip(names, counts).map(Group.init)
    var next = counts.indices.map { counts[..<$0].reduce(0, +) }
    place = groupOf.map { group in
      next[group] += 1
      return next[group] - 1
    }
  }

  /// Where an entry of a quantity stands: neurons in their order, everything else as it is numbered.
  func place(of entry: Int, _ quantity: Quantity, width: Int) -> Int {
    guard quantity.population == .neurons || quantity.population == .nodes else { return entry }
    let own = entry % width
    return own < place.count ? entry - own + place[own] : entry
  }

  /// Of pairs of neurons that fire together, how many are of one group.
  ///
  /// - Parameter firing: neurons that fire, once for every occasion.
  /// - Returns: over all occasions, and what it would be by chance were every neuron to fire as often as it does, whoever else fires; nil without a pair.
  func pairsInside(_ firing: [[Int32]]) -> (seen: Double, chance: Double)? {
    var (inside, pairs) = (0, 0)
    var rates = [Double](repeating: 0, count: place.count)
    for neurons in firing {
      var counts = [Int](repeating: 0, count: groups.count)
      for neuron in neurons {
        counts[groupOf[Int(neuron)]] += 1
        rates[Int(neuron)] += 1
      }
      inside += counts.reduce(0) { $0 + $1 * ($1 - 1) / 2 }
      pairs += neurons.count * (neurons.count - 1) / 2
    }
    func squares(_ sums: [Double]) -> Double { sums.reduce(0) { $0 + $1 * $1 } }
    var sums = [Double](repeating: 0, count: groups.count)
    for (neuron, rate) in rates.enumerated() { sums[groupOf[neuron]] += rate }
    let (total, own) = (rates.reduce(0, +), squares(rates))
    guard pairs > 0, total * total > own else { return nil }
    return (Double(inside) / Double(pairs), (squares(sums) - own) / (total * total - own))
  }
}

extension RasterGroups {
  /// Communities of the strongest excitatory synapses of G_x, as many as of a topology where nobody chooses, by Leiden.
  ///
  /// - Throws: ``TopologyMissing/communities`` without igraph, `IgraphError`, ``RasterError/noCommunities``. Cost: a pass over all n² entries.
  public static func communities(of network: Network, workers: Workers) throws -> RasterGroups {
    #if Topology
      var request = TopologyRequest(.x)
      request.profileCounts = [1]
      let selection =
        switch network {
        case .weights(let model): try EdgeSelection(request, of: model.weights, workers: workers)
        case .graph(let file): try EdgeSelection(request, of: file)
        }
      let found = try UndirectedGraph(selection.graph).communities(.leiden, seed: request.seed)
      guard let found, found.communities.count == network.hyperparameters.neurons else {
        throw RasterError.noCommunities
      }
      return RasterGroups(communities: found.communities)
    #else
      throw TopologyMissing.communities
    #endif
  }
}
