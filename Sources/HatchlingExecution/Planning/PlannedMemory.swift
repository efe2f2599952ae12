import HatchlingNumerics
import HatchlingShards

/// Anonymous memory of the rank that has the most neurons, in bytes, and what of the file it uses where it is mapped. Pages count as touched.
public struct PlannedMemory: Equatable, Sendable {
  /// Rows of D_x and D_y, and whatever else is copied out of the file.
  public let weights: Double
  /// 8-bit copies of D_x and D_y.
  public let screens: Double
  /// ρ of all layers, with the tokens as of which rows are stored.
  public let plastic: Double
  /// Activities and fields of the last tokens, which are still to be written.
  public let histories: Double
  /// What is kept per neuron beside its synapses: activity, lists, clocks, degrees, damping.
  public let neurons: Double
  /// Frequencies of one whole head, of which every rank has all.
  public let frequencies: Double
  /// What blocks send to the hubs, and the buffers of exchanges.
  public let hubs: Double
  /// Pages of the mapped file, shared by the ranks of a machine: rows of E, embedding, readout.
  public let mapped: Double

  init(_ network: PlannedNetwork, _ shares: PlannedShares, ranks: Int, _ way: ExchangeWay) {
    let (sizes, choice) = (network.sizes, network.choice)
    let (n, d, b) = (
      Double(shares.neurons), Double(sizes.synapticDimension), Double(network.bytesPerNumber)
    )
    let (layers, blocks) = (Double(sizes.layers), Double(shares.blocks))
    let ends = 2 * Double(sizes.vocabulary) * d
    // The file's numbers in float stay beside those in double.
    mapped = network.usesMappedFile ? 4 * (n * d + ends) : 0
    weights =
      4 * (2 * n * d + (network.usesMappedFile ? 0 : n * d + ends)) + (b == 4 ? 0 : b * (3 * n * d + ends))
    screens = choice.screens ? 2 * n * (d + 16) : 0
    plastic = layers * n * (d * b + (network.isDamped ? 8 : 0))
    histories = choice.defers ? layers * Double(Float.slots) * (n + d) * b : 0
    neurons = n * Self.perNeuron(b, isDamped: network.isDamped)
    // Clocks of one head serve all only where all are here.
    let perHead = Double(sizes.neuronsPerHead)
    frequencies = 4 * perHead + (8 + 2 * b) * (ranks == 1 ? perHead : n)
    let given = PlannedTraffic.numbers(shares, ranks: ranks, way)
    hubs = b * (blocks * (d + Double(Float.slots)) + given) + b * d * Double(2 * sizes.heads + 6)
  }

  /// Bytes beside synapses: x, y, drives, what fired and what answers, with their numbers; five lists; which clock, degrees; frequency,
  /// damping, partner and who leads; what damping keeps.
  private static func perNeuron(_ b: Double, isDamped: Bool) -> Double {
    let slots = Double(Float.slots)
    return 5 * b + 5 * 4 + 3 * 4 + 3 * 4 + 1 + (isDamped ? 4 + 8 + 3 * slots * b : 0)
  }

  /// All but the mapped file.
  public var anonymous: Double {
    weights + screens + plastic + histories + neurons + frequencies + hubs
  }
}

extension PlannedTraffic {
  /// Numbers in the buffers of the two exchanges of a layer.
  static func numbers(_ shares: PlannedShares, ranks: Int, _ way: ExchangeWay) -> Double {
    guard way == .gather else {
      return Double(shares.reduced.read.kept) + Double(shares.reduced.encoded.kept)
    }
    return zip(shares.read, shares.encoded).reduce(2 * Double(ranks - shares.busy)) {
      $0 + Double($1.0) + Double($1.1)
    }
  }
}
