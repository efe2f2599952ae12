import HatchlingGraph

/// A node of an exported graph.
public struct ExportedNode: Sendable {
  /// The letter before the number in names: `n12`, `h3`, `t65`, `o10`.
  public let letter: Character
  /// The number inside its population.
  public let index: Int
  /// `neuron`, `hub`, `token` or `readout`.
  public let kind: String
  /// The neuron's head; nil for other particles.
  public let head: Int?
  /// How fast the neuron's clock runs: ⌊log2(period in tokens)⌋; nil without a running clock.
  public let frequencyBucket: Int?
  /// The community that a partition puts the node into; nil without one.
  public var community: Int?
  /// Where a layout puts the node, in arbitrary units; nil without one.
  public var position: (x: Double, y: Double)?

  public init(
    letter: Character, index: Int, kind: String, head: Int? = nil, frequencyBucket: Int? = nil,
    community: Int? = nil, position: (x: Double, y: Double)? = nil
  ) {
    self.letter = letter
    self.index = index
    self.kind = kind
    self.head = head
    self.frequencyBucket = frequencyBucket
    self.community = community
    self.position = position
  }

  public var name: String { "\(letter)\(index)" }
}

/// An edge of an exported graph, between numbers inside the populations of its kind.
public struct ExportedEdge: Sendable {
  public let source: Int
  public let target: Int
  public let sign: Sign
  /// At least 0; nil where the weight is state (plastic synapses, partner edges).
  public let weight: Double?

  @inlinable
  public init(source: Int, target: Int, sign: Sign, weight: Double?) {
    self.source = source
    self.target = target
    self.sign = sign
    self.weight = weight
  }
}

/// A graph to be exported: nodes and edges are asked for one after the other, so memory does not grow with their number.
public struct ExportedGraph {
  /// Edges of one kind join one population to one population.
  public struct Kind: Sendable {
    /// What the edge attribute `kind` says.
    public let name: String
    /// The letters of the two populations.
    public let sourceLetter: Character
    public let targetLetter: Character
    /// The sizes of the two populations.
    public let sources: Int
    public let targets: Int
    /// How many edges there are; exact, because a Matrix Market file says so first.
    public let edges: Int
    /// False when no edge of this kind has a fixed weight.
    public let hasWeights: Bool

    public init(
      name: String, from sourceLetter: Character, to targetLetter: Character, sources: Int, targets: Int,
      edges: Int, hasWeights: Bool = true
    ) {
      self.name = name
      self.sourceLetter = sourceLetter
      self.targetLetter = targetLetter
      self.sources = sources
      self.targets = targets
      self.edges = edges
      self.hasWeights = hasWeights
    }
  }

  public let kinds: [Kind]
  /// Calls its argument with every node.
  public let forEachNode: ((ExportedNode) throws -> Void) throws -> Void
  /// Calls its argument with every edge of the kind with that name.
  public let forEachEdge: (String, (ExportedEdge) throws -> Void) throws -> Void

  public init(
    kinds: [Kind], forEachNode: @escaping ((ExportedNode) throws -> Void) throws -> Void,
    forEachEdge: @escaping (String, (ExportedEdge) throws -> Void) throws -> Void
  ) {
    self.kinds = kinds
    self.forEachNode = forEachNode
    self.forEachEdge = forEachEdge
  }

  /// The same graph whose nodes, in the order of ``forEachNode``, belong to communities and have positions; empty arrays say nothing.
  public func annotated(
    communities: [Int] = [], positions: [(x: Double, y: Double)] = []
  ) -> ExportedGraph {
    ExportedGraph(
      kinds: kinds,
      forEachNode: { body in
        var place = 0
        try forEachNode { node in
          var node = node
          if place < communities.count { node.community = communities[place] }
          if place < positions.count { node.position = positions[place] }
          place += 1
          try body(node)
        }
      }, forEachEdge: forEachEdge)
  }

  /// All edges of all kinds.
  public var edgeCount: Int { kinds.reduce(0) { $0 + $1.edges } }
}
