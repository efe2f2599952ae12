import HatchlingDynamics
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// An executor that runs a graph of particles.
public protocol GraphExecutor: Executor {
  associatedtype Graph: ExecutableGraph where Graph.Scalar == Scalar
  var graph: Graph { get }
}

extension Run where Engine: GraphExecutor {
  /// The graph that runs.
  public var graph: Engine.Graph { executor.graph }
}

extension GraphExecutor {
  public var hyperparameters: Hyperparameters { graph.hyperparameters }

  public func hasPlasticSynapse(_ synapse: PlasticSynapse) -> Bool {
    graph.hasPlasticSynapse(from: synapse.presynaptic, to: synapse.postsynaptic)
  }
}

extension GraphExecutor where Self: ParticleStore {
  /// What arrives at particles now, channel by channel, added up synapse by synapse from what the senders hold: for looking, not for running,
  /// which adds in another order. Nil for quantities that are no sums. Cost per entry: its synapses.
  func arrivals(of quantity: Quantity, channel: Channel, entries: [Int]?) -> [Scalar]? {
    guard let (from, connection, listening) = schedule.sender(of: quantity) else { return nil }
    let entries = entries ?? Array(0..<graph.count(of: quantity))
    guard !entries.isEmpty else { return [] }
    let (values, listens) = (load(from), listening.map { load($0) })
    let heads = hyperparameters.heads
    let (sources, targets) = (
      from.isPerHead ? values.count / heads : values.count,
      quantity.isPerHead ? graph.count(of: quantity) / heads : graph.count(of: quantity)
    )
    return entries.map { entry in
      let target = entry % targets
      if let listens, !(listens[target] > 0) { return 0 }
      let head =
        quantity.isPerHead
        ? entry / targets : from.isPerHead ? graph.neurons.head(of: NeuronIndex(target)) : 0
      var sums = Channels<Scalar>()
      for source in 0..<sources where values[head * sources + source] != 0 {
        let weight = graph.weight(of: connection, from: source, to: target)
        guard weight != 0 else { continue }
        let arrived = DragonRules<Scalar>.deliver(
          values[head * sources + source],
          over: SynapseView(weight: weight.magnitude, sign: weight > 0 ? .excitatory : .inhibitory))
        sums.excitation += arrived.excitation
        sums.inhibition += arrived.inhibition
      }
      return switch channel {
      case .net: DragonRules<Scalar>.compete(sums)
      case .excitation: sums.excitation
      case .inhibition: sums.inhibition
      }
    }
  }
}
