import Foundation
import HatchlingNumerics

/// What a machine and its network can do, per rank.
public struct MachineConstants: Equatable, Sendable {
  /// Seconds until a message from one rank to another begins to arrive, and bytes per second that a rank gets; nil where nobody knows.
  public var exchange: ExchangeConstants?
  /// Bytes per second, of rows of synapses that are picked here and there, and of 8-bit codes read in order.
  public var rows, codes: Double
  /// Seconds for what a neuron does in a layer beside its synapses.
  public var perNeuron: Double

  /// - Parameter perNeuron: 0 is the bound that memory sets.
  public init(exchange: ExchangeConstants?, rows: Double, codes: Double? = nil, perNeuron: Double = 0) {
    (self.exchange, self.rows, self.codes) = (exchange, rows, codes ?? rows)
    self.perNeuron = perNeuron
  }
}

/// A network between ranks.
public struct ExchangeConstants: Equatable, Sendable {
  /// Seconds.
  public var latency: Double
  /// Bytes per second.
  public var bandwidth: Double

  public init(latency: Double, bandwidth: Double) { (self.latency, self.bandwidth) = (latency, bandwidth) }
}

/// Bytes that the rank with the most neurons reads and writes for one token.
public struct PlannedBytes: Equatable, Sendable {
  /// 8-bit copies of D_x and D_y.
  public let codes: Double
  /// Rows of D_x, D_y and E, of ρ with its histories, and the readout.
  public let rows: Double
  /// Neurons, of all layers together.
  public let neurons: Double

  /// Neurons whose drive a screen cannot rule out although they stay silent (docs/engine.md).
  static let wrongGuesses = 0.03

  init(_ network: PlannedNetwork, _ shares: PlannedShares) {
    let (sizes, choice, active) = (network.sizes, network.choice, network.activity)
    let d = Double(sizes.synapticDimension)
    neurons = Double(sizes.layers) * Double(shares.neurons)
    codes = choice.screens ? neurons * (d + 16) * (1 + active.x) : 0
    let perNeuron = Self.rowNumbers(active, choice, d: sizes.synapticDimension)
    rows = Double(network.bytesPerNumber) * (neurons * perNeuron + Double(sizes.vocabulary) * d)
  }

  /// Shares of neurons whose rows of D_x and of D_y are read.
  static func drives(_ network: PlannedNetwork) -> (x: Double, y: Double) {
    drives(network.activity, screens: network.choice.screens)
  }

  private static func drives(_ active: PlannedActivity, screens: Bool) -> (x: Double, y: Double) {
    screens ? (min(1, active.x + wrongGuesses), min(active.x, active.y + wrongGuesses)) : (1, active.x)
  }

  /// Numbers in rows of D_x, D_y and E and of ρ and its histories, read and written in a layer per neuron.
  static func rowNumbers(
    _ active: PlannedActivity, _ choice: (screens: Bool, defers: Bool), d: Int
  ) -> Double {
    let (d, slots) = (Double(d), Double(Float.slots))
    let drives = drives(active, screens: choice.screens)
    let synapses = (drives.x + drives.y + active.y) * d
    guard choice.defers else { return synapses + 2 * active.fired * d }
    // In each 16 tokens every neuron that fired is written once; all are looked at.
    let written = 1 - pow(1 - active.fired, Double(Float.slots))
    return synapses + active.fired * (d + slots) + (2 * written * d + slots) / slots
  }
}

/// How long a token takes, in seconds.
public struct PlannedTime: Equatable, Sendable {
  /// Reading and writing synapses.
  public let memory: Double
  /// What neurons do beside their synapses.
  public let neurons: Double
  /// Waiting for messages to begin, and for their bytes to come.
  public let latency, bandwidth: Double

  /// What follows one another: everybody's neurons at the pace of the rank that has the most, then exchanges; nil for several ranks on a network that
  /// nobody knows.
  init?(
    _ bytes: PlannedBytes, _ traffic: PlannedTraffic, added: Double, ranks: Int, _ constants: MachineConstants
  ) {
    // What is gathered is added up from memory, or the cache, by every rank.
    memory = bytes.codes / constants.codes + (bytes.rows + added) / constants.rows
    neurons = bytes.neurons * constants.perNeuron
    if ranks == 1 {
      (latency, bandwidth) = (0, 0)
      return
    }
    guard let exchange = constants.exchange else { return nil }
    latency = traffic.exchanges * Double(traffic.steps) * exchange.latency
    bandwidth = traffic.mostReceived / exchange.bandwidth
  }

  public var exchange: Double { latency + bandwidth }
  /// Seconds per token.
  public var total: Double { memory + neurons + exchange }

  /// What takes the longest.
  public var bound: String {
    let parts = [
      ("memory", memory), ("neurons", neurons), ("latency", latency), ("bandwidth", bandwidth),
    ]
    return parts.max { $0.1 < $1.1 }?.0 ?? "memory"
  }
}
