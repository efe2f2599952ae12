import HatchlingEquivalence
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// Which graph of neurons is looked at, and how.
public struct TopologyRequest: Sendable {
  public enum Graph: String, CaseIterable, Sendable {
    /// G_x = D_x P E.
    case x
    /// G_y = D_y P E.
    case y
    /// The plastic state between neurons after a text.
    case sigma
  }

  /// Which entries of the matrix are edges.
  public enum Kept: Equatable, Sendable {
    /// All of at least this strength.
    case atLeast(Double)
    case strongest(Int)
    /// ``edgesPerNeuron`` per neuron; for σ all above the 5 % quantile.
    case standard
  }

  /// The layers whose σ is looked at.
  public enum Layers: Equatable, Sendable {
    /// ⌈L/2⌉ + 1.
    case middle
    /// From 1.
    case one(Int)
    /// All, added up.
    case all
  }

  public var graph: Graph
  /// The neurons of one head; nil for all.
  public var head: Int?
  /// With ``head``: edges into its neurons from those of this head, G^(ab) of §5.5; node k is the k-th neuron of both. Nil: the same head.
  public var sender: Int?
  public var sign = Sign.excitatory
  public var kept = Kept.standard
  /// Whether the mean that LayerNorm takes away is taken away, for G_x and G_y.
  public var isCentred = true
  /// Whether weights of edges count for modularity.
  public var isWeighted = true
  /// Synthetic samples for the p of a power-law fit.
  public var bootstraps = 100
  /// Numbers of edges at which modularity is compared with the baselines; nil for powers of 4.
  public var profileCounts: [Int]?
  public var layers = Layers.middle
  public var frame = SynapticState.Frame.current
  /// Of everything random: communities, baselines, bootstrap, layout.
  public var seed: UInt64 = 1

  public init(_ graph: Graph) { self.graph = graph }

  /// More edges than this are refused: nobody looks at them, and they would not fit in memory as lists.
  public static let mostEdges = 1 << 25
  /// Edges per neuron of the paper's Fig. 10: 46 820 on 8192 neurons.
  public static let edgesPerNeuron = 46_820.0 / 8192

  /// - Throws: ``TopologyError/noSuchHead(_:heads:)``, ``TopologyError/noSuchSender(_:heads:)``.
  func checkHeads(of sizes: Hyperparameters) throws(TopologyError) {
    let heads = 0..<sizes.heads
    if let head, !heads.contains(head) { throw .noSuchHead(head, heads: sizes.heads) }
    if let sender, !heads.contains(sender) { throw .noSuchSender(sender, heads: sizes.heads) }
  }

  /// The layers of σ, from 1. - Throws: ``TopologyError/noSuchLayer(_:layers:)``.
  func sigmaLayers(of sizes: Hyperparameters) throws(TopologyError) -> [Int] {
    switch layers {
    case .all: return Array(1...sizes.layers)
    case .one(let number):
      guard (1...sizes.layers).contains(number) else { throw .noSuchLayer(number, layers: sizes.layers) }
      return [number]
    case .middle: return [sizes.middleLayer]
    }
  }
}

extension Hyperparameters {
  /// ⌈L/2⌉ + 1, the layer of the paper's Fig. 11 (5 of 8), or the last one where there are fewer.
  var middleLayer: Int { min(layers, (layers + 1) / 2 + 1) }
}

/// A graph of neurons that there is not.
public enum TopologyError: InputError, Equatable {
  case noSuchHead(Int, heads: Int)
  case noSuchSender(Int, heads: Int)
  case noSuchLayer(Int, layers: Int)
  /// The standard number of edges is too large here.
  case tooManyEdges(wanted: Int, limit: Int)

  public var description: String {
    switch self {
    case .noSuchHead(let head, let heads): "head \(head): the model has heads 0 … \(heads - 1), or all"
    case .noSuchSender(let head, let heads): "from head \(head): the model has heads 0 … \(heads - 1)"
    case .noSuchLayer(let layer, let layers): "layer \(layer): the model has layers 1 … \(layers), or all"
    case .tooManyEdges(let wanted, let limit):
      "the paper's Fig. 10 would have \(wanted) edges here and at most \(limit) are analysed at a time; ask for fewer"
    }
  }
}

/// What needs igraph, in a build that was made without the package trait Topology.
public enum TopologyMissing: InputError, Equatable {
  /// Positions of nodes.
  case positions
  /// A log of how structure appears.
  case emergence
  /// Neurons by community.
  case communities
  /// Communities and power-law fits of this graph.
  case report(graph: String)

  public var description: String {
    let lack = "this build lacks: it was made without the package trait Topology"
    return switch self {
    case .positions: "a layout needs igraph, which \(lack)"
    case .communities: "communities of neurons need igraph, which \(lack)"
    case .emergence: "a topology log needs igraph, which \(lack)"
    case .report(let graph):
      "the topology of \(graph) needs communities and power-law fits, which \(lack) (igraph); build with the trait, or look at the circuit"
    }
  }
}
