import HatchlingCompiler
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingTraining

/// What the training of a neuron graph is told beside what every training is.
public struct DirectTrainingRequest: Sendable, Equatable {
  /// Synapses between neurons in G_x and in G_y, each; nil where the run begins with a graph, which has its own.
  public var edges: Int?
  /// Which synapses carry σ; a graph that the run begins with says it itself.
  public var plastic = DirectOptions.Plastic.complete
  /// Whether token synapses are ranked with the others, where the run begins with weights; otherwise all are kept, beside the edges.
  public var prunesTokens = false
  /// Whether token neurons that the text does not have send to nobody.
  public var onlySeenTokens = false
  /// Which signs synapses may take.
  public var signs = SignRule.free
  /// What gains go through; nil: what the beginning has, and hubs in a graph from nothing.
  public var gains: Gains?
  /// How synapses are exchanged; nil leaves them where they are.
  public var rewiring: Rewiring?

  public init(edges: Int? = nil) { self.edges = edges }

  /// What the run will hold at least; a graph from a file tells its own synapses later.
  func memory(_ sizes: Hyperparameters, _ options: TrainingOptions) -> TrainingMemory {
    TrainingMemory(
      direct: sized(sizes), edges: 2 * (edges ?? 0), keepsPlastic: plastic == .kept, options,
      rewires: rewiring != nil)
  }

  /// The sizes of what is trained: no hubs where gains are local.
  private func sized(_ sizes: Hyperparameters) -> Hyperparameters {
    var sizes = sizes
    if gains == .local { sizes.synapticDimension = 0 }
    return sizes
  }

  /// What a run over `text` begins with, local gains calibrated on its first bytes where the beginning has hubs. - Throws and cost: as
  /// ``graph(from:_:seed:_:)``; ``DirectTrainingError/hasNoHubs`` where gains are to go through hubs that a graph does not have.
  func weights(
    from initial: Network?, _ sizes: Hyperparameters, text: [UInt8], seed: UInt64, _ workers: Workers
  ) throws -> DirectWeights<Float> {
    var weights = try graph(from: initial, sized(sizes), seed: seed, workers)
    if gains == .hubs, weights.gains == .local { throw DirectTrainingError.hasNoHubs }
    if gains == .local { weights = weights.withLocalGains(calibratedOn: text, workers: workers) }
    return onlySeenTokens ? weights.keepingTokens(Set(text.map(Int.init))) : weights
  }

  /// The graph that a run begins with: one from a file, the strongest entries of D F, or one drawn by lot.
  ///
  /// - Throws: ``DirectTrainingError``, `CompilerError`; ``NetworkError/isPruned(path:)`` where a graph of a file is asked for other
  ///   edges. Cost: of compiling, where it begins with weights.
  private func graph(
    from initial: Network?, _ sizes: Hyperparameters, seed: UInt64, _ workers: Workers
  ) throws -> DirectWeights<Float> {
    if case .graph(let file) = initial {
      guard edges == nil, !prunesTokens else { throw NetworkError.isPruned(path: file.path) }
      return try DirectWeights(file.graph)
    }
    guard let edges else { throw DirectTrainingError.needsEdges }
    let (possible, overflow) = sizes.neurons.multipliedReportingOverflow(by: sizes.neurons)
    guard overflow || edges <= possible else {
      throw DirectTrainingError.tooManyEdges(asked: edges, possible: possible)
    }
    guard case .weights(let model) = initial else {
      return try DirectWeights.untrained(sizes, edges: edges, keepsPlastic: plastic == .kept, seed: seed)
    }
    let options = DirectOptions(kept: .strongest(edges), prunesTokens: prunesTokens, plastic: plastic)
    return try DirectWeights(
      try Compiler().direct(from: model.weights, options: options, workers: workers).graph)
  }
}

extension DirectTrainer where Scalar == Float {
  /// What is trained, as a line says it.
  public var description: String {
    let wiring =
      rewiring.map {
        "exchanged every \($0.every) updates, \($0.drop) of them at first, new ones \($0.growth == .gradient ? "where the gradient is largest" : "by lot")"
      } ?? "fixed"
    let gains =
      weights.gains == .hubs ? "" : weights.sizes.variant.normalises ? "; local gains, no hubs" : "; no hubs"
    let signs =
      switch signRule {
      case .free: ""
      case .synapse: "; every synapse keeps its sign"
      case .neuron: "; all synapses of a neuron have one sign"
      }
    return
      "\(grouped(weights.edgesX.count)) + \(grouped(weights.edgesY.count)) synapses between neurons, \(wiring); σ on \(weights.keepsPlastic ? "those of G_x" : "all pairs")\(options.carry ? ", carried from block to block" : "")\(gains)\(signs)"
  }
}
