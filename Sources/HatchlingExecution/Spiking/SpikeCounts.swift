import HatchlingDynamics

/// What spikes did since an executor was made: counted while they travelled.
public struct SpikeCounts: Sendable, Equatable {
  public var tokens = 0
  /// By who fired.
  public var spikes: [Quantity: Int] = [:]
  /// Values beyond what their code can express at their scale.
  public var saturated: [Quantity: Int] = [:]
  /// Synapses over which spikes were delivered to a particle that listens: by connection and layer (0 for what is before round −1 and after the
  /// last round).
  public var events: [Route: Int] = [:]

  /// Where spikes travel.
  public struct Route: Sendable, Hashable {
    public let path: Path
    public let layer: Int
  }

  /// What spikes travel over.
  public enum Path: Sendable, Hashable {
    case fixed(Connection)
    /// Round 4l, x̃ → a.
    case read
    /// Round 4l + 1: plastic weights changed by a spike.
    case hebb

    public var name: String {
      switch self {
      case .fixed(let connection): connection.rawValue
      case .read: "read σ"
      case .hebb: "write σ"
      }
    }
  }

  public init() {}

  public var totalSpikes: Int { spikes.values.reduce(0, +) }
  /// Synaptic events without Hebb's.
  public var deliveries: Int { events.reduce(0) { $0 + ($1.key.path == .hebb ? 0 : $1.value) } }
  public var hebbianEvents: Int { events.reduce(0) { $0 + ($1.key.path == .hebb ? $1.value : 0) } }

  /// Events over a path, all layers together.
  public func events(over path: Path) -> Int {
    events.reduce(0) { $0 + ($1.key.path == path ? $1.value : 0) }
  }

  mutating func add(_ count: Int, over path: Path, layer: Int) {
    events[Route(path: path, layer: layer), default: 0] += count
  }
}
