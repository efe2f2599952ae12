import Foundation
import HatchlingGraph

/// A node of an exported graph.
public struct ExportedNode: Sendable {
  public let particle: Particle
  /// The neuron's head; nil for other particles.
  public let head: Int?
  /// How fast the neuron's clock runs: ⌊log2(period in tokens)⌋; nil without a running clock.
  public let frequencyBucket: Int?
  /// Turns per token of a neuron's clock, and what its plastic weights lose per token.
  public let frequency, damping: Float
  /// The community that a partition puts the node into; nil without one.
  public var community: Int?
  /// Where a layout puts the node, in arbitrary units; nil without one.
  public var position: (x: Double, y: Double)?

  /// - Parameters:
  ///   - head: of a neuron.
  init(
    _ kind: ParticleKind, _ index: Int, head: Int? = nil, frequency: Float = 0, damping: Float = 0
  ) {
    particle = Particle(kind, index)
    (self.head, self.frequency, self.damping) = (head, frequency, damping)
    frequencyBucket =
      frequency != 0 && frequency.isFinite ? Int(log2(1 / Double(abs(frequency))).rounded(.down)) : nil
  }

  /// `neuron`, `hub`, `token` or `readout`.
  public var kind: String { particle.kind.rawValue }
  /// `n12`, `h3`, `t65`, `o10`.
  public var name: String { particle.name }
}

/// An edge of an exported graph, between numbers inside the populations of its kind.
public struct ExportedEdge: Sendable {
  public let source: Int
  public let target: Int
  public let sign: Sign
  /// At least 0; nil where the weight is state (plastic synapses, partner edges).
  public let weight: Double?
}

/// A graph to be exported: nodes and edges are asked for one after the other, so memory does not grow with their number.
public struct ExportedGraph {
  /// Edges of one kind join one population to one population.
  public struct Kind {
    /// What the edge attribute `kind` says.
    public let name: String
    /// The two populations and their sizes.
    public let source: ParticleKind
    public let target: ParticleKind
    public let sources: Int
    public let targets: Int
    /// How many edges there are; exact, because a Matrix Market file says so first.
    public let edges: Int
    /// False when no edge of this kind has a fixed weight.
    public internal(set) var hasWeights = true
    /// Calls its argument with every edge.
    public fileprivate(set) var forEachEdge: ((ExportedEdge) throws -> Void) throws -> Void
  }

  public let kinds: [Kind]
  /// What of a network is neither node nor edge, as text: `form`, `n_layer`, `variant`, `centred`; empty for other graphs.
  public var metadata: [String: String] = [:]
  /// Calls its argument with every node.
  public let forEachNode: ((ExportedNode) throws -> Void) throws -> Void

  /// The same graph, which tells how many edges were handed out, every 2¹² of them and at the end.
  public func reporting(_ progress: @escaping (_ done: Int, _ total: Int) -> Void) -> ExportedGraph {
    let total = edgeCount
    var before = 0
    let reporting = kinds.map { kind in
      defer { before += kind.edges }
      var told = kind
      told.forEachEdge = { [before] body in
        var done = before
        try kind.forEachEdge { edge in
          try body(edge)
          done += 1
          if done % 4096 == 0 || done == total { progress(done, total) }
        }
      }
      return told
    }
    return ExportedGraph(kinds: reporting, metadata: metadata, forEachNode: forEachNode)
  }

  /// The same graph whose nodes, in the order of ``forEachNode``, belong to communities and have positions; empty arrays say nothing.
  public func annotated(communities: [Int] = [], positions: [(x: Double, y: Double)] = []) -> ExportedGraph {
    ExportedGraph(
      kinds: kinds, metadata: metadata,
      forEachNode: { body in
        var place = 0
        try forEachNode { node in
          var node = node
          if place < communities.count { node.community = communities[place] }
          if place < positions.count { node.position = positions[place] }
          place += 1
          try body(node)
        }
      })
  }

  /// All edges of all kinds.
  public var edgeCount: Int { kinds.reduce(0) { $0 + $1.edges } }
}
