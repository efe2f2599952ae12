import Foundation
import HatchlingGraph
import HatchlingNumerics

/// *prune*: *expand* that stores only what is kept.
public struct PrunePass: CompilerPass {
  public let name = "prune"
  private let options: DirectOptions
  private let workers: Workers

  public init(options: DirectOptions, workers: Workers) {
    (self.options, self.workers) = (options, workers)
  }

  public func run<Scalar: NetworkScalar>(_ stage: Stage<Scalar>) throws -> PassResult<Scalar> {
    let circuit = try stage.circuit(for: self)
    let field = ExpandPass.field(circuit)
    func prune(_ decoder: Projection<Scalar>) throws -> PrunedMatrix<Scalar>.Result {
      try PrunedMatrix(
        decoder: decoder.dense, field: field, neurons: circuit.neuronCount, options: options, workers: workers
      ).run()
    }
    let (x, y) = (try prune(circuit.drivesX), try prune(circuit.drivesY))
    var graph = ExpandPass.direct(
      circuit, field, drivesX: Projection(.sparse(x.incoming.transposing())),
      drivesY: Projection(.sparse(y.incoming)))
    let possible = circuit.neuronCount * field.rows
    let isComplete = options.plastic == .complete || x.edges.count == possible
    graph.plastic = isComplete ? .complete : .lists(x.edges)
    (graph.remainderX, graph.remainderY) = (x.remainder, y.remainder)
    graph.compilation = options.spelling
    func text(_ threshold: Scalar?) -> String {
      threshold.map { String(format: "%.4g", Double($0)) } ?? "–"
    }
    let tokens = options.prunesTokens ? "" : ", all token → neuron synapses beside them"
    let bounds = "|G_x| ≥ \(text(x.threshold)), |G_y| ≥ \(text(y.threshold))"
    let note = "\(x.chosen) of G_x, \(y.chosen) of G_y kept (\(bounds))\(tokens)"
    return (.direct(graph), 2 * possible, note)
  }
}

/// Which entries of one matrix G = D F become synapses.
struct PrunedMatrix<Scalar: NetworkScalar> {
  /// D, `(n, d)`.
  let decoder: Matrix<Scalar>
  /// Fᵀ, `(n + V, d)`.
  let field: Matrix<Scalar>
  let neurons: Int
  let options: DirectOptions
  let workers: Workers

  /// What was kept of one matrix.
  struct Result {
    /// Incoming lists, `(n, n + V)`, row = postsynaptic neuron.
    let incoming: SparseRows<Scalar>
    /// Where they are, also where hubs carry all of the weight.
    let edges: EdgeLists
    let remainder: HubRemainder<Scalar>?
    /// Synapses that pruning chose, those of tokens that are always kept left out.
    let chosen: Int
    /// The smallest magnitude among them.
    let threshold: Scalar?
  }

  /// Cost: one product of all entries in blocks, nothing of G is kept but the synapses.
  func run() throws(CompilerError) -> Result {
    let d = field.columns
    var (remainder, weightField): (HubRemainder<Scalar>?, Matrix<Scalar>) = (nil, field)
    if options.hubs > 0 {
      let made = try RemainderPass.run(decoder: decoder, field: field, hubs: options.hubs)
      (remainder, weightField) = (made.remainder, made.left)
    }
    // Where hubs carry everything, nothing is left over to rank: take the strongest of G, for σ.
    let ranked = FactoredMatrix(
      left: decoder, right: options.hubs == d ? field : weightField,
      sources: 0..<(options.prunesTokens ? field.rows : neurons))
    // Lists are numbered with 32 bits per block of targets, and a run has to hold them.
    var chosen = try ranked.select(
      criterion, sign: options.excitatoryOnly ? .excitatory : .both, limit: 1 << 30, workers: workers
    ).edges
    let threshold = chosen.threshold
    if options.hubs == d { chosen.weights = [Scalar](repeating: 0, count: chosen.count) }
    if options.rescales { rescale(&chosen) }
    let tokens =
      options.prunesTokens
      ? nil
      : ExpandPass.run(decoder, weightField.selecting(neurons..<field.rows), workers: workers)
    return lists(chosen, tokens, remainder, threshold)
  }

  private var criterion: EdgeCriterion {
    switch options.kept {
    case .all: .atLeast(0)
    case .atLeast(let threshold): .atLeast(threshold)
    case .strongest(let count): .strongest(count)
    case .strongestPerNeuron(let count): .strongestPerTarget(count / max(1, neurons))
    }
  }

  /// Multiplies what was chosen into each neuron to the Euclidean norm of all that was ranked.
  private func rescale(_ edges: inout SelectedEdges<Scalar>) {
    let sources = 0..<(options.prunesTokens ? field.rows : neurons)
    let spread = decoder.times(field.transposedTimes(field, rows: sources))
    var kept = [Double](repeating: 0, count: neurons)
    for index in 0..<edges.count {
      kept[Int(edges.targets[index])] += Double(edges.weights[index]) * Double(edges.weights[index])
    }
    let factors = (0..<neurons).map { neuron -> Scalar in
      var all = 0.0
      for hub in 0..<field.columns {
        all += Double(spread.row(neuron)[hub]) * Double(decoder.row(neuron)[hub])
      }
      return kept[neuron] > 0 ? Scalar((max(0, all) / kept[neuron]).squareRoot()) : 1
    }
    for index in 0..<edges.count { edges.weights[index] *= factors[Int(edges.targets[index])] }
  }

  /// Chosen edges and, after them, those of tokens, as incoming lists.
  @_specialize(where Scalar == Float)
  @_specialize(where Scalar == Double)
  private func lists(
    _ chosen: SelectedEdges<Scalar>, _ tokens: Matrix<Scalar>?, _ remainder: HubRemainder<Scalar>?,
    _ threshold: Scalar?
  ) -> Result {
    let nodes = field.rows
    var edges = EdgeLists(offsets: [0], sources: [])
    var incoming = SparseRows<Scalar>(columnCount: nodes, offsets: [0], columns: [], weights: [])
    let total = chosen.count + (tokens?.count ?? 0)
    edges.sources.reserveCapacity(total)
    incoming.columns.reserveCapacity(total)
    incoming.weights.reserveCapacity(total)
    var next = 0
    func add(_ source: Int32, _ weight: Scalar) {
      edges.sources.append(source)
      guard weight != 0 else { return }
      incoming.columns.append(source)
      incoming.weights.append(weight)
    }
    for neuron in 0..<neurons {
      while next < chosen.count, chosen.targets[next] == neuron {
        add(chosen.sources[next], chosen.weights[next])
        next += 1
      }
      if let tokens {
        let row = tokens.row(neuron)
        for token in 0..<tokens.columns { add(Int32(neurons + token), row[token]) }
      }
      edges.offsets.append(edges.sources.count)
      incoming.offsets.append(incoming.columns.count)
    }
    return Result(
      incoming: incoming, edges: edges, remainder: remainder, chosen: chosen.count, threshold: threshold)
  }
}
