import HatchlingActivity
import HatchlingCheckpoint
import HatchlingCompiler
import HatchlingDynamics
import HatchlingEquivalence
import HatchlingExport
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingShards
import HatchlingTensor

/// A network as a file holds it. What runs is made of it in one place, ``EngineDescription/network(of:touchedBy:fingerprinted:workers:)``.
public enum Network: Sendable {
  /// D_x, D_y, E: a graph is compiled from them.
  case weights(Model)
  /// A neuron graph, which runs as it is.
  case graph(GraphFile)

  /// Finds out what a file holds, and loads it.
  ///
  /// - Parameters: `layers`, `variant` and `prefix` are for files of weights, see `Model.load`; a graph says all of it itself. Of `ranks`
  ///   each loads its own neurons. A name of a `ShippedNetwork` stands for its file. SONATA networks are read with the package trait HDF5.
  /// - Throws: `CheckpointError`, `ModelError`, `NetworkError`. Cost: one pass over the file.
  public static func load(
    path: String, layers: Int? = nil, variant: Variant? = nil, prefix: String? = nil, ranks: Ranks? = nil,
    workers: Workers = Workers()
  ) throws -> Network {
    let place = try ShippedNetwork.path(of: path)
    #if HDF5
      if isSonata(place) {
        let weights = try sonata(place, ranks)
        let sizes = weights.hyperparameters
        guard layers ?? sizes.layers == sizes.layers, variant ?? sizes.variant == sizes.variant, prefix == nil
        else { throw NetworkError.saysItself(path: path, "network as SONATA") }
        return .weights(Model(path: place, weights: weights))
      }
    #endif
    let file = try CheckpointFile.open(place)
    guard file.graphFormat != nil else {
      return .weights(
        try Model.load(
          file, layers: layers, variant: variant, prefix: prefix, only: ranks?.choice, workers: workers))
    }
    if ranks?.size ?? 1 > 1 { throw EngineDescriptionError.onlyCircuitsAreSpread }
    let graph = try GraphFile(file)
    let sizes = graph.graph.hyperparameters
    guard layers ?? sizes.layers == sizes.layers, variant ?? sizes.variant == sizes.variant, prefix == nil
    else { throw NetworkError.saysItself(path: path, "neuron graph") }
    return .graph(graph)
  }

  /// Whether a file is read as a circuit in SONATA's format; none is without the package trait HDF5.
  public static func isSonata(_ path: String) -> Bool {
    #if HDF5
      SonataNetwork.mayBe(path)
    #else
      false
    #endif
  }

  #if HDF5
    /// The weights of a circuit in SONATA's format; of several ranks each keeps its own neurons'.
    private static func sonata(_ path: String, _ ranks: Ranks?) throws -> Weights<Float> {
      let weights = try Decompiler.weights(of: SonataNetwork.circuit(path: path))
      return ranks.map { weights.selecting($0.choice(weights.hyperparameters)) } ?? weights
    }
  #endif

  public var path: String {
    switch self {
    case .weights(let model): model.path
    case .graph(let file): file.path
    }
  }

  public var hyperparameters: Hyperparameters {
    switch self {
    case .weights(let model): model.hyperparameters
    case .graph(let file): file.graph.hyperparameters
    }
  }

  public var fingerprint: String {
    switch self {
    case .weights(let model): model.fingerprint
    case .graph(let file): file.graph.fingerprint
    }
  }

  /// What the user should know although nothing is wrong, one line each.
  public var warnings: [String] {
    if case .weights(let model) = self { model.warnings } else { [] }
  }

  /// The form that it runs in where nobody chooses.
  public var standardForm: GraphForm {
    switch self {
    case .weights: .circuit
    case .graph: .direct
    }
  }

  /// The weights, for what is done to D_x, D_y and E only. - Throws: `ModelError.isGraph`.
  public func model() throws(ModelError) -> Model {
    switch self {
    case .weights(let model): return model
    case .graph(let file): throw .isGraph(path: file.path)
    }
  }

  /// What graphs are compared with: the tensors of the weights, or the dense tensors of the graph.
  ///
  /// - Parameter ranks: who has the other neurons of a network that is a part.
  /// - Throws: `DenseGraphError`, `GraphError`.
  public func reference<Scalar: NetworkScalar>(
    touchedBy interventions: Interventions = Interventions(), ranks: Ranks? = nil, workers: Workers
  ) throws -> any WatchableEngine<Scalar> {
    switch self {
    case .weights(let model):
      TensorEngine(
        interventions.silencing(model.weights.converted(to: Scalar.self)), workers: workers, ranks: ranks)
    case .graph(let file):
      try DenseGraphEngine(
        dense: interventions.silencing(file.graph.converted(to: Scalar.self)), workers: workers)
    }
  }
}

extension EngineDescription {
  /// What an engine runs of a network: a graph that is compiled from weights, or the graph of the file.
  ///
  /// - Parameters:
  ///   - interventions: what of them is done to the network before it runs.
  ///   - fingerprinted: whether states or scales are to know the network.
  ///   - ranks: who has the other neurons of a network that is a part.
  /// - Throws: as ``network(from:fingerprint:workers:)``; ``NetworkError`` for a formulation that a graph does not have.
  public func network<Scalar: NetworkScalar>(
    of network: Network, touchedBy interventions: Interventions = Interventions(), fingerprinted: Bool = true,
    ranks: Ranks? = nil, workers: Workers
  ) throws -> RunnableNetwork<Scalar> {
    switch network {
    case .weights(let model):
      let fingerprint =
        fingerprinted ? ranks.map { model.weights.fingerprint(among: $0) } ?? model.fingerprint : ""
      return try self.network(
        from: interventions.silencing(model.weights.converted(to: Scalar.self)), fingerprint: fingerprint,
        ranks: ranks, workers: workers)
    case .graph(let file):
      guard reduced == nil else { throw EngineDescriptionError.onlyCircuitsAreReduced }
      switch formulation {
      case .circuit: throw NetworkError.noCircuit(path: file.path)
      case .tensors: throw NetworkError.noTensors(path: file.path)
      case .direct(let options):
        guard options == DirectOptions() else { throw NetworkError.isPruned(path: file.path) }
      }
      let graph = interventions.silencing(file.graph.converted(to: Scalar.self))
      return spiking.map { .spikingDirect(graph, $0) } ?? .direct(graph)
    }
  }
}

/// What a neuron graph in a file cannot do.
public enum NetworkError: InputError, Equatable {
  case noCircuit(path: String)
  case noTensors(path: String)
  case isPruned(path: String)
  /// `what` the file is.
  case saysItself(path: String, _ what: String)
  case noSigma(path: String)
  case uncentred(path: String)

  public var description: String { message.escaped }

  private var message: String {
    switch self {
    case .noCircuit(let path):
      "'\(path)' is a neuron graph: its synapses join neurons, so it runs in direct form and not as a circuit"
    case .noTensors(let path):
      "'\(path)' is a neuron graph: it has no D_x, D_y and E for tensors to run"
    case .isPruned(let path):
      "'\(path)' is a neuron graph, whose synapses are chosen already; prune the weights that it came from"
    case .saysItself(let path, let what):
      "'\(path)' is a \(what), which says itself how many layers and which rule it has, and is the only network of its file"
    case .noSigma(let path):
      "'\(path)' is a neuron graph, of which only G_x and G_y are analysed; its σ can be recorded"
    case .uncentred(let path):
      "'\(path)' is a neuron graph: its synapses are what they are, and there is no D E beside them"
    }
  }
}
