import HatchlingModel
import HatchlingNumerics

/// A weighted directed graph of neurons: G_x, G_y or σ after a threshold, one sign of it, on all neurons or one head.
///
/// Nodes are numbered from 0; node k is neuron `firstNeuron + k`. Edges are ordered from the strongest to the weakest, so that the m
/// strongest are the first m.
public struct NeuronGraph: Sendable {
  public let firstNeuron, nodeCount: Int
  /// N, to tell a neuron's head.
  public let neuronsPerHead: Int
  /// Whether edges excite or inhibit; weights are positive either way.
  public let sign: Sign
  /// Node numbers and weights of the edges, parallel arrays.
  public private(set) var sources, targets: [Int32]
  public private(set) var weights: [Float]

  public init(
    firstNeuron: Int = 0, nodeCount: Int, neuronsPerHead: Int, sign: Sign = .excitatory, sources: [Int32],
    targets: [Int32], weights: [Float]
  ) {
    precondition(sources.count == targets.count && targets.count == weights.count)
    (self.firstNeuron, self.nodeCount) = (firstNeuron, nodeCount)
    self.neuronsPerHead = max(1, neuronsPerHead)
    (self.sign, self.sources, self.targets, self.weights) = (sign, sources, targets, weights)
  }

  public var edgeCount: Int { weights.count }

  /// The head of a node's neuron.
  public func head(of node: Int) -> Int { (firstNeuron + node) / neuronsPerHead }

  /// The `count` strongest edges on the same nodes.
  public func strongest(_ count: Int) -> NeuronGraph {
    guard count < edgeCount else { return self }
    return NeuronGraph(
      firstNeuron: firstNeuron, nodeCount: nodeCount, neuronsPerHead: neuronsPerHead, sign: sign,
      sources: Array(sources.prefix(count)), targets: Array(targets.prefix(count)),
      weights: Array(weights.prefix(count)))
  }

  /// The smallest weight; nil without edges.
  public var threshold: Float? { weights.last }

  /// Edges per node, self-connections included in both.
  public var inDegrees: [Int] { degrees(targets) }
  public var outDegrees: [Int] { degrees(sources) }
  /// Summed weights per node, in double.
  public var inStrengths: [Double] { strengths(targets) }
  public var outStrengths: [Double] { strengths(sources) }

  /// Edges from a neuron to itself.
  public var selfLoops: Int { zip(sources, targets).reduce(0) { $0 + ($1.0 == $1.1 ? 1 : 0) } }

  private func degrees(_ ends: [Int32]) -> [Int] {
    var degrees = [Int](repeating: 0, count: nodeCount)
    for end in ends { degrees[Int(end)] += 1 }
    return degrees
  }

  private func strengths(_ ends: [Int32]) -> [Double] {
    var strengths = [Double](repeating: 0, count: nodeCount)
    for (end, weight) in zip(ends, weights) { strengths[Int(end)] += Double(weight) }
    return strengths
  }
}

extension DirectGraph where Scalar == Float {
  /// The synapses of one kind and sign between neurons, the strongest first, equal ones by target and source. Cost: a pass, and sorting.
  ///
  /// - Parameters:
  ///   - head: keeps those inside one head; nil for all neurons.
  ///   - sender: with `head`, those into its neurons from this head's instead, of which node k is the k-th too.
  public func neuronGraph(
    of kind: SynapseKind, sign: Sign, head: Int? = nil, from sender: Int? = nil
  ) -> NeuronGraph {
    let part = head.map { neurons.heads[$0] } ?? 0..<neuronCount
    let senders = (sender ?? head).map { neurons.heads[$0] } ?? part
    var edges: [(weight: Float, target: Int32, source: Int32)] = []
    forEachSynapse(of: kind) { synapse in
      let (source, target) = (synapse.presynaptic.index, synapse.postsynaptic.index)
      guard synapse.sign == sign, let weight = synapse.weight, senders.contains(source), part.contains(target)
      else { return }
      edges.append((weight, Int32(target - part.lowerBound), Int32(source - senders.lowerBound)))
    }
    edges.sort { ($1.weight, $0.target, $0.source) < ($0.weight, $1.target, $1.source) }
    return NeuronGraph(
      firstNeuron: senders == part ? part.lowerBound : 0, nodeCount: max(part.count, senders.count),
      neuronsPerHead: neuronCount / headCount, sign: sign, sources: edges.map(\.source),
      targets: edges.map(\.target), weights: edges.map(\.weight))
  }
}

/// How often each degree occurs.
public struct DegreeDistribution: Sendable, Equatable {
  public struct Row: Sendable, Equatable {
    public let degree, count: Int
    /// P(degree ≥ k), degree zero included.
    public let ccdf: Double
  }

  /// By ascending degree; degrees that do not occur have no row.
  public let rows: [Row]

  public init(_ degrees: [Int]) {
    var counts: [Int: Int] = [:]
    for degree in degrees { counts[degree, default: 0] += 1 }
    var above = degrees.count
    rows = counts.sorted { $0.key < $1.key }.map { degree, count in
      defer { above -= count }
      return Row(degree: degree, count: count, ccdf: Double(above) / Double(degrees.count))
    }
  }
}
