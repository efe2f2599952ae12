import Foundation
import HatchlingCompiler
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
import HatchlingShards
import HatchlingTensor

/// How a network is run. The arithmetic is that of the weights, the threads are those of the workers that it is given.
public struct EngineDescription: Equatable, Sendable {
  /// Which formulation runs and, for graphs, in which form.
  public enum Formulation: Equatable, Sendable {
    /// Neurons that speak through hubs.
    case circuit
    /// Neuron to neuron, pruned as the options say.
    case direct(DirectOptions)
    /// Matrix products, the reference.
    case tensors

    var isDirect: Bool { if case .direct = self { true } else { false } }
  }

  public var formulation: Formulation
  /// Keeps D_x, D_y and E in fewer bits and computes from them; for a circuit in float.
  public var reduced: ReducedFormat?
  /// Runs a graph on spikes; nil for numbers.
  public var spiking: SpikingSetup?
  /// What is done to a graph that is compiled from weights so that its neurons excite or inhibit, and do not do both; nil for nothing. Such a circuit
  /// has no states that are saved: they would not know it from the one that it was.
  public var dale: DaleLaw?

  public init(
    _ formulation: Formulation = .circuit, reduced: ReducedFormat? = nil, spiking: SpikingSetup? = nil,
    dale: DaleLaw? = nil
  ) {
    (self.formulation, self.reduced, self.spiking, self.dale) = (formulation, reduced, spiking, dale)
  }

  /// Whether what runs says what the weights say, up to rounding.
  var isExact: Bool {
    if reduced != nil || spiking != nil || (dale ?? .shift) != .shift { return false }
    if case .direct(let options) = formulation { return options.isExact }
    return true
  }

  /// Compiles the weights to what an engine runs; several engines can run the same.
  ///
  /// - Parameters:
  ///   - fingerprint: of the model's file, for states that are saved; may be empty otherwise.
  ///   - ranks: who has the other neurons, where the weights are a part of a network's.
  /// - Throws: `StateMemoryError`, `DirectError` or `CompilerError` when graph or plastic state would take more than half of memory,
  ///   before anything is compiled; ``EngineDescriptionError`` for reduced weights of anything but a circuit in float.
  public func network<Scalar: NetworkScalar>(
    from weights: Weights<Scalar>, fingerprint: String = "", ranks: Ranks? = nil, workers: Workers
  ) throws -> RunnableNetwork<Scalar> {
    if weights.part != nil, formulation.isDirect || spiking != nil {
      throw EngineDescriptionError.onlyCircuitsAreSpread
    }
    if reduced != nil, formulation != .circuit || Scalar.self != Float.self {
      throw EngineDescriptionError.onlyCircuitsAreReduced
    }
    if reduced != nil && (spiking != nil || dale != nil) {
      throw EngineDescriptionError.onlyCircuitsAreReduced
    }
    // The direct form's state has other sizes.
    let (sizes, bytes) = (weights.hyperparameters, MemoryLayout<Scalar>.size)
    if let spiking { return try exact(from: weights, fingerprint, workers).onSpikes(spiking) }
    switch formulation {
    case .tensors:
      try checkState(of: weights, ranks)
      return .tensors(weights, fingerprint: fingerprint)
    case .circuit:
      try checkState(of: weights, ranks)
      let graph = try Compiler().circuit(
        from: weights, fingerprint: fingerprint, workers: workers, sum: ranks?.summing
      ).graph
      guard let reduced, let floats = graph as? CircuitGraph<Float>,
        let rounded = ReducePass.run(floats, to: reduced) as? CircuitGraph<Scalar>
      else { return try lawful(.circuit(graph)) }
      return .circuit(rounded)
    case .direct(let options):
      if options.isExact || options.plastic == .complete {
        try DirectError.checkState(
          sizes, plasticSynapses: nil, bytesPerWeight: bytes,
          memory: Int(ProcessInfo.processInfo.physicalMemory))
      }
      return try lawful(
        .direct(
          Compiler().direct(from: weights, options: options, fingerprint: fingerprint, workers: workers)
            .graph))
    }
  }

  /// After ``dale``.
  private func lawful<Scalar: NetworkScalar>(_ stage: Stage<Scalar>) throws -> RunnableNetwork<Scalar> {
    switch try dale.map({ try DalePass($0).run(stage).stage }) ?? stage {
    case .weights(let weights): .tensors(weights, fingerprint: "")
    case .circuit(let graph): .circuit(dale == nil ? graph : LayOutPass.run(graph))
    case .direct(let graph): .direct(dale == nil ? graph : LayOutPass.run(graph))
    }
  }

  private func checkState<Scalar: NetworkScalar>(of weights: Weights<Scalar>, _ ranks: Ranks?) throws {
    var here = weights.hyperparameters
    // Other ranks on this machine have states of this size, too.
    if let part = weights.part { here.neurons = part.neurons.count * (ranks?.neighbours ?? 1) }
    try ranks.together { [here] in try here.checkState(bytesPerWeight: MemoryLayout<Scalar>.size) }
  }

  private func exact<Scalar: NetworkScalar>(
    from weights: Weights<Scalar>, _ fingerprint: String, _ workers: Workers
  ) throws -> RunnableNetwork<Scalar> {
    try EngineDescription(formulation, dale: dale).network(
      from: weights, fingerprint: fingerprint, workers: workers)
  }

  /// Compiles and makes one engine; throws as ``network(from:fingerprint:workers:)`` does.
  public func engine<Scalar: NetworkScalar>(
    running weights: Weights<Scalar>, fingerprint: String = "", workers: Workers
  ) throws -> any SteppingEngine<Scalar> {
    try network(from: weights, fingerprint: fingerprint, workers: workers).engine(workers: workers)
  }
}

/// A network as an engine runs it: compiled, without a state.
public enum RunnableNetwork<Scalar: NetworkScalar> {
  case circuit(CircuitGraph<Scalar>)
  case direct(DirectGraph<Scalar>)
  case spikingCircuit(CircuitGraph<Scalar>, SpikingSetup)
  case spikingDirect(DirectGraph<Scalar>, SpikingSetup)
  case tensors(Weights<Scalar>, fingerprint: String)

  /// The same graph on spikes. - Throws: ``EngineDescriptionError``.
  func onSpikes(_ setup: SpikingSetup) throws -> RunnableNetwork {
    switch self {
    case .circuit(let graph), .spikingCircuit(let graph, _): .spikingCircuit(graph, setup)
    case .direct(let graph), .spikingDirect(let graph, _): .spikingDirect(graph, setup)
    case .tensors: throw EngineDescriptionError.onlyGraphsSpike
    }
  }

  /// An engine with an empty state. `ranks` have the other neurons of a graph that is a part.
  /// - Throws: `DirectError` when the plastic state would take more than half of memory.
  public func engine(ranks: Ranks? = nil, workers: Workers) throws -> any SteppingEngine<Scalar> {
    switch self {
    case .circuit(let graph): try CircuitEngine(graph, workers: workers, ranks: ranks)
    case .direct(let graph): try DirectEngine(graph, workers: workers)
    case .spikingCircuit(let graph, let setup):
      try SpikingEngine(spiking: graph, setup.options, scales: setup.scales, workers: workers)
    case .spikingDirect(let graph, let setup):
      try SpikingEngine(spiking: graph, setup.options, scales: setup.scales, workers: workers)
    case .tensors(let weights, let fingerprint):
      TensorEngine(weights, workers: workers, fingerprint: fingerprint, ranks: ranks)
    }
  }
}

/// An engine that there is not.
public enum EngineDescriptionError: InputError, Equatable {
  case onlyCircuitsAreReduced
  case onlyGraphsSpike
  case onlyCircuitsAreSpread

  public var description: String {
    switch self {
    case .onlyCircuitsAreReduced: "only a circuit in float computes from reduced weights"
    case .onlyCircuitsAreSpread: "several ranks run a circuit or tensors on numbers, nothing else yet"
    case .onlyGraphsSpike: "tensors do not send spikes; a graph does"
    }
  }
}
