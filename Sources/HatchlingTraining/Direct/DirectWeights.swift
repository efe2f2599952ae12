import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// What is trained of a direct graph (Eq. 6): its kept synapses, its field and its readout; and what is not, its neurons.
///
/// All of it is O(synapses): G_x and G_y are lists, nowhere is there a matrix of n × n.
public struct DirectWeights<Scalar: NetworkScalar>: Sendable {
  public internal(set) var sizes: Hyperparameters
  /// Heads, clocks and damping.
  public internal(set) var neurons: NeuronPopulation
  /// Neuron → neuron synapses of G_x and G_y, incoming lists: sources of every postsynaptic neuron.
  public internal(set) var edgesX, edgesY: EdgeLists
  /// Their weights, `(1, synapses)`, signed.
  public internal(set) var weightsX, weightsY: Matrix<Scalar>
  /// Token → neuron synapses of G_x and G_y, `(n, V)`, row = postsynaptic neuron; 0 where there is none.
  public internal(set) var tokensX, tokensY: Matrix<Scalar>
  /// Which of them exist, `(n, V)`, 1 or 0; nil for all.
  var tokenMaskX, tokenMaskY: Matrix<Scalar>?
  /// Fᵀ, `(n + V, d)`, and W_out, `(d, V)`; where gains are local nothing and R, `(n + V, V)`.
  public internal(set) var field, readout: Matrix<Scalar>
  /// ln κ of every normaliser, `(1, normalisers)`, where gains are local; nil where they go through hubs.
  public internal(set) var logGains: Matrix<Scalar>?
  /// Whether σ lives on the kept synapses of G_x alone; otherwise every node has one to every neuron.
  public internal(set) var keepsPlastic: Bool

  /// What gains go through.
  public var gains: Gains { logGains == nil ? .hubs : .local }
  /// n and n + V.
  var neuronCount: Int { sizes.neurons }
  var nodeCount: Int { sizes.neurons + sizes.vocabulary }

  /// Takes a graph apart.
  ///
  /// - Throws: ``DirectTrainingError`` for graphs with hubs that carry what was cut, for pairs that are not neighbours, and for plastic
  ///   synapses that are neither complete nor those of G_x with all of the tokens'. Cost: one pass over the synapses.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public init(_ graph: DirectGraph<Scalar>) throws(DirectTrainingError) {
    guard graph.remainderX == nil, graph.remainderY == nil else { throw .hasRemainder }
    let (n, v) = (graph.neurons.count, graph.tokenCount)
    neurons = graph.neurons
    let perHead = n / max(1, neurons.heads.count)
    guard neurons.heads == (0..<neurons.heads.count).map({ $0 * perHead..<($0 + 1) * perHead }) else {
      throw .unevenHeads
    }
    for neuron in 0..<n where neurons.partners[neuron] >= 0 {
      let other = Int(neurons.partners[neuron])
      guard other == neuron ^ 1, neurons.leads[neuron] == (neuron % 2 == 0),
        neurons.frequencies[neuron] == neurons.frequencies[other]
      else { throw .pairsAreNotNeighbours }
    }
    sizes = Hyperparameters(
      neurons: n, synapticDimension: graph.hubCount, heads: neurons.heads.count, layers: graph.layers,
      vocabulary: v, variant: graph.variant)
    (field, readout) = (graph.field, graph.readout)
    logGains = graph.localGains.map {
      Matrix(rows: 1, columns: $0.count, $0.map { Scalar(Double.log(Double($0))) })
    }
    let x = Self.lists(graph.drivesX).transposing()
    let y = Self.lists(graph.drivesY)
    let (partsX, partsY) = (SynapseParts(x, neurons: n, tokens: v), SynapseParts(y, neurons: n, tokens: v))
    (edgesX, weightsX, tokensX, tokenMaskX) = (partsX.edges, partsX.weights, partsX.tokens, partsX.mask)
    (edgesY, weightsY, tokensY, tokenMaskY) = (partsY.edges, partsY.weights, partsY.tokens, partsY.mask)
    switch graph.plastic {
    case .complete: keepsPlastic = false
    case .lists(let lists):
      keepsPlastic = true
      // The lists name all token synapses, weight or not, and every synapse of G_x, weight or not.
      guard let kept = lists.withoutCompleteTokens(neurons: n, nodes: n + v) else { throw .plasticIsNotOfX }
      tokenMaskX = nil
      if kept != edgesX {
        var weights = Matrix<Scalar>(rows: 1, columns: kept.count)
        let values = weights.mutablePointer()
        var next = 0
        for target in 0..<n {
          for place in kept.offsets[target]..<kept.offsets[target + 1] {
            guard next < edgesX.offsets[target + 1], edgesX.sources[next] == kept.sources[place] else {
              continue
            }
            values[place] = weightsX.pointer[next]
            next += 1
          }
        }
        guard next == edgesX.count else { throw .plasticIsNotOfX }
        (edgesX, weightsX) = (kept, weights)
      }
    }
  }

  private static func lists(_ projection: Projection<Scalar>) -> SparseRows<Scalar> {
    if case .sparse(let rows) = projection.storage { return rows }
    return SparseRows(projection.dense)
  }

  /// The graph with these weights. Synapses whose weight is 0 are left out of G_x and G_y, not of G_s. Cost: one pass over the synapses.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  public func graph() -> DirectGraph<Scalar> {
    let nodes = nodeCount
    let x = SynapseParts.joined(edgesX, weightsX, tokensX, nodes: nodes)
    let y = SynapseParts.joined(edgesY, weightsY, tokensY, nodes: nodes)
    var plastic = PlasticEdges.complete
    if keepsPlastic {
      var lists = EdgeLists(offsets: [0], sources: [])
      let tokens = (sizes.neurons..<nodes).map { Int32($0) }
      for target in 0..<sizes.neurons {
        lists.sources += edgesX.sources[edgesX.offsets[target]..<edgesX.offsets[target + 1]]
        lists.sources += tokens
        lists.offsets.append(lists.sources.count)
      }
      plastic = .lists(lists)
    }
    var graph = DirectGraph(
      layers: sizes.layers, variant: sizes.variant, neurons: neurons, tokenCount: sizes.vocabulary,
      field: field, readout: readout, drivesX: Projection(.sparse(x.transposing())),
      drivesY: Projection(.sparse(y)), plastic: plastic,
      localGains: logGains?.elements.map { Scalar(Double.exp(Double($0))) })
    graph.compilation =
      "trained edges=\(edgesX.count)+\(edgesY.count) plastic=\(keepsPlastic ? "kept" : "complete")"
      + (gains == .local ? " gains=local" : "")
    return graph
  }

  /// The same weights without synapses from token neurons other than `tokens`: a text in which they never come gives them no gradient.
  public func keepingTokens(_ tokens: Set<Int>) -> DirectWeights {
    var result = self
    for synapses in [\DirectWeights.tokensX, \.tokensY] {
      let (rows, columns) = (sizes.neurons, sizes.vocabulary)
      let values = result[keyPath: synapses].mutablePointer()
      for column in 0..<columns where !tokens.contains(column) {
        for row in 0..<rows { values[row * columns + column] = 0 }
      }
    }
    return result
  }

  /// Everything that gradients are taken of, in the order of ``DirectGradients``.
  var trained: [Matrix<Scalar>] {
    get { [weightsX, weightsY, tokensX, tokensY, field, readout] + (logGains.map { [$0] } ?? []) }
    set {
      weightsX = newValue[0]
      weightsY = newValue[1]
      tokensX = newValue[2]
      tokensY = newValue[3]
      field = newValue[4]
      readout = newValue[5]
      if logGains != nil { logGains = newValue[6] }
    }
  }

  /// Which of ``trained`` do not decay: ln κ, which is no weight.
  var undecayed: Set<Int> { logGains == nil ? [] : [6] }

  /// How many numbers are trained, damping left out: synapses that exist, field and readout, local gains.
  public var trainedCount: Int {
    func count(_ tokens: Matrix<Scalar>, _ mask: Matrix<Scalar>?) -> Int {
      mask.map { $0.elements.count { $0 != 0 } } ?? tokens.count
    }
    return edgesX.count + edgesY.count + count(tokensX, tokenMaskX) + count(tokensY, tokenMaskY) + field.count
      + readout.count + (logGains?.count ?? 0)
  }
}

/// The rows of G_x or G_y in two parts: from neurons, as lists, and from tokens, as a matrix.
struct SynapseParts<Scalar: NetworkScalar> {
  var edges = EdgeLists(offsets: [0], sources: [])
  var weights: Matrix<Scalar>
  var tokens: Matrix<Scalar>
  var mask: Matrix<Scalar>?

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  init(_ rows: SparseRows<Scalar>, neurons: Int, tokens count: Int) {
    tokens = Matrix(rows: neurons, columns: count)
    let target = tokens.mutablePointer()
    var values: [Scalar] = []
    var tokenSynapses = 0
    for row in 0..<neurons {
      for position in rows.offsets[row]..<rows.offsets[row + 1] {
        let source = Int(rows.columns[position])
        if source < neurons {
          edges.sources.append(Int32(source))
          values.append(rows.weights[position])
        } else {
          target[row * count + source - neurons] = rows.weights[position]
          tokenSynapses += 1
        }
      }
      edges.offsets.append(edges.sources.count)
    }
    weights = Matrix(rows: 1, columns: values.count, values)
    // A few weights of a complete graph may be 0 by chance.
    if tokenSynapses < neurons * count - neurons * count / 100 { mask = tokens.map { $0 == 0 ? 0 : 1 } }
  }

  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  static func joined(
    _ edges: EdgeLists, _ weights: Matrix<Scalar>, _ tokens: Matrix<Scalar>, nodes: Int
  ) -> SparseRows<Scalar> {
    var rows = SparseRows<Scalar>(columnCount: nodes, offsets: [0], columns: [], weights: [])
    for row in 0..<tokens.rows {
      for place in edges.offsets[row]..<edges.offsets[row + 1] where weights.pointer[place] != 0 {
        rows.columns.append(edges.sources[place])
        rows.weights.append(weights.pointer[place])
      }
      let values = tokens.row(row)
      for token in 0..<tokens.columns where values[token] != 0 {
        rows.columns.append(Int32(tokens.rows + token))
        rows.weights.append(values[token])
      }
      rows.offsets.append(rows.columns.count)
    }
    return rows
  }
}

/// Graphs that cannot be trained, and runs that cannot go on.
public enum DirectTrainingError: InputError, Equatable {
  case hasRemainder
  case unevenHeads
  case pairsAreNotNeighbours
  case plasticIsNotOfX
  case tooManyEdges(asked: Int, possible: Int)
  case unreached(neuron: Int)
  case carriesAllPairs
  case detaches
  case needsEdges
  case logsNoTopology
  case badRewiring(String)
  case hasNoShares
  /// The graph that the run begins with has none.
  case hasNoHubs
  /// Started as several ranks.
  case isNotShared(ranks: Int)

  public var description: String {
    switch self {
    case .hasRemainder:
      "the graph has hubs that carry what was cut; only synapses are trained, compile it without hubs"
    case .unevenHeads: "the heads of the graph differ in size; training needs equal ones"
    case .pairsAreNotNeighbours:
      "the rotating pairs of the graph are not neurons 2i and 2i + 1; training needs that"
    case .plasticIsNotOfX:
      "plastic synapses are neither complete nor those of G_x with every token's; training knows these two"
    case .tooManyEdges(let asked, let possible):
      "\(asked) edges: a graph of this size has \(possible) between its neurons"
    case .unreached(let neuron):
      "no synapse reaches neuron \(neuron), so it would never fire; give more edges"
    case .carriesAllPairs:
      "σ on all pairs is too much to carry from block to block, n (n + V) numbers of every stream and layer; keep it on the synapses of G_x, or let blocks begin with an empty state"
    case .detaches: "keys and values of a direct graph cannot count as constants; leave that out"
    case .needsEdges:
      "how many synapses the graph is to have between its neurons is not said; give a number of edges"
    case .logsNoTopology:
      "a topology log follows D_x F while it is trained; a trained graph's degrees are found from its file"
    case .badRewiring(let what): what
    case .hasNoHubs: "the graph has local gains and no hubs that gains could go through; leave hubs out"
    case .hasNoShares: "a direct graph is trained on whole batches, not in shares; leave them out"
    case .isNotShared(let ranks):
      "a direct graph is not trained on \(ranks) ranks yet, only the weights of tensors are; leave mpirun out"
    }
  }
}
