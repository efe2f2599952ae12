import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// What particles hold, for probes and for rounds that are done plainly.
extension DirectExecutor: ParticleStore {
  public func values(of quantity: Quantity, channel: Channel, entries: [Int]?) -> [Scalar]? {
    if channel != .net { return arrivals(of: quantity, channel: channel, entries: entries) }
    if quantity == .logits { return entries?.map { logits[$0] } ?? logits }
    return held.values(of: quantity, entries)
  }

  public func firstNonFinite() -> Quantity? { held.firstNonFinite() }

  public func load(_ quantity: Quantity) -> [Scalar] {
    values(of: quantity, channel: .net, entries: nil) ?? []
  }

  public func store(_ values: [Scalar], _ quantity: Quantity, arrived: [Channels<Scalar>]?) {
    if quantity == .logits { logits = values }
    held.replace(quantity, by: values)
    // The lists that kernels read follow along.
    if quantity == .z { collectTrace() }
    if quantity == .rotated {
      for (index, block) in layout.blocks.enumerated() { lists.collect(block, index, x.base) { values[$0] } }
    }
  }

  public func store(gain: Scalar, place: Int) { gains.base[place] = gain }
}
