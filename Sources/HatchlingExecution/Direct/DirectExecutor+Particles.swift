import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// What particles hold, for probes and for rounds that are done plainly.
extension DirectExecutor: ParticleStore {
  /// Where a quantity lies; nil where it is not kept.
  private func storage(of quantity: Quantity) -> NumberStorage<Scalar>? {
    switch quantity {
    case .v: field
    case .z: trace
    case .driveX: driveX
    case .x: x
    case .rotated: rotated
    case .attention: attention
    case .a: attentionField
    case .driveY: driveY
    case .y: y
    case .encoded: encoded
    case .update: update
    case .remainderX: scratch.hubsX
    case .remainderY: scratch.hubsY
    case .gains: gains
    default: nil
    }
  }

  public func values(of quantity: Quantity, channel: Channel, entries: [Int]?) -> [Scalar]? {
    if channel != .net { return arrivals(of: quantity, channel: channel, entries: entries) }
    if quantity == .logits { return entries?.map { logits[$0] } ?? logits }
    return storage(of: quantity)?.values(entries)
  }

  public func load(_ quantity: Quantity) -> [Scalar] {
    values(of: quantity, channel: .net, entries: nil) ?? []
  }

  public func store(_ values: [Scalar], _ quantity: Quantity, arrived: [Channels<Scalar>]?) {
    if quantity == .logits { logits = values }
    storage(of: quantity)?.replace(by: values)
    // The lists that kernels read follow along.
    if quantity == .z { collectTrace() }
    if quantity == .rotated {
      for (index, block) in layout.blocks.enumerated() { collect(block, index) }
    }
  }

  public func store(gain: Scalar, place: Int) { gains.base[place] = gain }
}
