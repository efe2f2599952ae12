/// A node of an exported graph.
public struct ExportedNode: Sendable {
  /// `n12`, `h3`, `t65`, `o10`.
  public let name: String
  /// `neuron`, `hub`, `token` or `readout`.
  public let kind: String
  /// The neuron's head; nil for other particles.
  public let head: Int?
  /// How fast the neuron's clock runs: ⌊log2(period in tokens)⌋; nil without a running clock.
  public let frequencyBucket: Int?

  public init(name: String, kind: String, head: Int? = nil, frequencyBucket: Int? = nil) {
    self.name = name
    self.kind = kind
    self.head = head
    self.frequencyBucket = frequencyBucket
  }
}

/// An edge of an exported graph. `weight` is nil where the weight is state (plastic synapses, partner edges).
public struct ExportedEdge: Sendable {
  public let source: String
  public let target: String
  public let kind: String
  public let sign: String
  public let weight: Double?
  /// Numbers inside their populations, for formats without names.
  public let sourceIndex: Int
  public let targetIndex: Int

  public init(
    source: String, target: String, kind: String, sign: String, weight: Double?, sourceIndex: Int,
    targetIndex: Int
  ) {
    self.source = source
    self.target = target
    self.kind = kind
    self.sign = sign
    self.weight = weight
    self.sourceIndex = sourceIndex
    self.targetIndex = targetIndex
  }
}

/// A graph to be exported: nodes and edges are asked for one after the other, so memory does not grow with their number.
public struct ExportedGraph {
  /// Calls its argument with every node.
  public let forEachNode: ((ExportedNode) throws -> Void) throws -> Void
  /// Calls its argument with every edge of a kind.
  public let forEachEdge: (String, (ExportedEdge) throws -> Void) throws -> Void
  /// The kinds of edges, with the sizes of the source and target populations and the number of edges.
  public let kinds: [Kind]

  public struct Kind: Sendable {
    public let name: String
    public let sources: Int
    public let targets: Int
    public let edges: Int

    public init(name: String, sources: Int, targets: Int, edges: Int) {
      self.name = name
      self.sources = sources
      self.targets = targets
      self.edges = edges
    }
  }

  public init(
    kinds: [Kind], forEachNode: @escaping ((ExportedNode) throws -> Void) throws -> Void,
    forEachEdge: @escaping (String, (ExportedEdge) throws -> Void) throws -> Void
  ) {
    self.kinds = kinds
    self.forEachNode = forEachNode
    self.forEachEdge = forEachEdge
  }

  /// All edges of all kinds.
  public var edgeCount: Int { kinds.reduce(0) { $0 + $1.edges } }
}
