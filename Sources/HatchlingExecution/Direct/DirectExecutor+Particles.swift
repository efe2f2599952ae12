import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// What particles hold, for probes and for rounds that are done plainly.
extension DirectExecutor: ParticleStore {
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func values(of quantity: Quantity, channel: Channel, entries: [Int]?) -> [Scalar]? {
    if channel != .net { return arrivals(of: quantity, channel: channel, entries: entries) }
    if quantity == .logits { return entries?.map { logits[$0] } ?? logits }
    return held.values(of: quantity, entries)
  }

  /// Without a copy of the graph, which a witness of `graph` makes.
  public func hasPlasticSynapse(_ synapse: PlasticSynapse) -> Bool {
    graph.hasPlasticSynapse(from: synapse.presynaptic, to: synapse.postsynaptic)
  }

  public func firing(_ quantity: Quantity) -> Firing<Scalar> {
    lists.firing(quantity == .x ? x : y, in: layout.blocks)
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
