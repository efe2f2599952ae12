import HatchlingDynamics

/// Where the spikes inside a token lie in a recording's time.
///
/// A layer has its share of the token as the ``TimeConvention`` says. The share is cut into as many equal steps as all phases have sub-steps
/// together, so that every sub-step of a network is as long as any other: what the token fires has the first steps, which only layer 1 uses, then
/// come the phases of the layer in their order, and what the readout hears has the last steps, which only layer L uses.
public struct SpikeClock: Sendable, Hashable {
  public let slots: [PhaseSlot]
  public let layers: Int

  public init(slots: [PhaseSlot], layers: Int) { (self.slots, self.layers) = (slots, layers) }

  /// Steps of a layer's share.
  public var stepsPerLayer: Int { slots.reduce(0) { $0 + $1.substeps } }

  /// Steps of a token.
  public func steps(_ convention: TimeConvention) -> Int {
    convention.layers == .successive ? layers * stepsPerLayer : stepsPerLayer
  }

  /// The step of a token in which a sub-step of a phase is; `layer` is 0 before and after the rounds. Nil where there is no such phase.
  public func step(of quantity: Quantity, layer: Int, substep: Int, _ convention: TimeConvention) -> Int? {
    var first = 0
    for slot in slots {
      if slot.holds(quantity, layer: layer) {
        let own = slot.place == .readout ? layers - 1 : max(0, layer - 1)
        return (convention.layers == .successive ? own * stepsPerLayer : 0) + first + substep
      }
      first += slot.substeps
    }
    return nil
  }

  /// In milliseconds since the recording began.
  public func time(token: Int, step: Int, _ convention: TimeConvention) -> Double {
    (Double(token) + Double(step) / Double(steps(convention))) * convention.millisecondsPerToken
  }

  public var description: String {
    let parts = slots.map { slot in
      "\(slot.name)\(slot.place == .readout ? " for the readout" : "") \(slot.substeps)"
    }
    return
      "a layer's time is cut into \(stepsPerLayer) steps, one per sub-step of its phases in this order: \(parts.joined(separator: ", ")); the token's are layer 1's alone, the readout's layer \(layers)'s, and both have layer 0"
  }
}
