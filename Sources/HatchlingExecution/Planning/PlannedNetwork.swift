import HatchlingModel
import HatchlingNumerics

/// What a plan has to know of a network, which need not exist. All projections count as dense.
public struct PlannedNetwork: Equatable, Sendable {
  /// Of the whole network.
  public var sizes: Hyperparameters
  /// Bytes of a number: 4 in float, 8 in double.
  public var bytesPerNumber: Int
  public var activity: PlannedActivity
  /// Whether any neuron forgets.
  public var isDamped = false
  /// Whether all plastic synapses exist.
  public var isComplete = true
  /// Whether E, embedding and readout are used where they lie in the mapped file, as packed float32 is.
  public var usesMappedFile = true

  public init(
    _ sizes: Hyperparameters, bytesPerNumber: Int = 4, activity: PlannedActivity = PlannedActivity()
  ) {
    (self.sizes, self.bytesPerNumber, self.activity) = (sizes, bytesPerNumber, activity)
  }

  /// Whether 8-bit copies of D_x and D_y are kept, and whether Hebbian writes wait: as an engine decides.
  public var choice: (screens: Bool, defers: Bool) {
    let settled = CircuitEngineOptions().settled(
      neurons: sizes.neurons, hubs: sizes.synapticDimension, layers: sizes.layers, isComplete: isComplete)
    return (settled.screens && bytesPerNumber == 4, settled.defers)
  }
}

/// How much of a network is active, as fractions of its neurons.
public struct PlannedActivity: Equatable, Sendable {
  /// With x > 0 and with y > 0.
  public var x, y: Double
  /// With x̃ ≠ 0: a pair fires as a whole.
  public var fired: Double

  /// Without numbers those of a trained network. `fired` as if the members of a pair were active independently, unless it is known.
  public init(x: Double = 0.25, y: Double = 0.05, fired: Double? = nil) {
    (self.x, self.y) = (x, y)
    self.fired = fired ?? 1 - (1 - x) * (1 - x)
  }
}
