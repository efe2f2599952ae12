import Foundation
import HatchlingCompiler
import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics
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
  }

  public var formulation: Formulation
  /// Keeps D_x, D_y and E in fewer bits and computes from them; for a circuit in float.
  public var reduced: ReducedFormat?

  public init(_ formulation: Formulation = .circuit, reduced: ReducedFormat? = nil) {
    self.formulation = formulation
    self.reduced = reduced
  }

  /// Compiles the weights to what an engine runs; several engines can run the same.
  ///
  /// - Parameter fingerprint: of the model's file, for states that are saved; may be empty otherwise.
  /// - Throws: `StateMemoryError`, `DirectError` or `CompilerError` when graph or plastic state would take more than half of memory,
  ///   before anything is compiled; ``EngineDescriptionError`` for reduced weights of anything but a circuit in float.
  public func network<Scalar: NetworkScalar>(
    from weights: Weights<Scalar>, fingerprint: String = "", workers: Workers
  ) throws -> RunnableNetwork<Scalar> {
    if reduced != nil, formulation != .circuit || Scalar.self != Float.self {
      throw EngineDescriptionError.onlyCircuitsAreReduced
    }
    // The direct form's state has other sizes.
    let (sizes, bytes) = (weights.hyperparameters, MemoryLayout<Scalar>.size)
    switch formulation {
    case .tensors:
      try sizes.checkState(bytesPerWeight: bytes)
      return .tensors(weights, fingerprint: fingerprint)
    case .circuit:
      try sizes.checkState(bytesPerWeight: bytes)
      let graph = try Compiler().circuit(from: weights, fingerprint: fingerprint, workers: workers).graph
      guard let reduced, let floats = graph as? CircuitGraph<Float>,
        let rounded = ReducePass.run(floats, to: reduced) as? CircuitGraph<Scalar>
      else { return .circuit(graph) }
      return .circuit(rounded)
    case .direct(let options):
      if options.isExact || options.plastic == .complete {
        try DirectError.checkState(
          sizes, plasticSynapses: nil, bytesPerWeight: bytes,
          memory: Int(ProcessInfo.processInfo.physicalMemory))
      }
      return .direct(
        try Compiler().direct(from: weights, options: options, fingerprint: fingerprint, workers: workers)
          .graph)
    }
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
  case tensors(Weights<Scalar>, fingerprint: String)

  /// An engine with an empty state. - Throws: `DirectError` when the plastic state would take more than half of memory.
  public func engine(workers: Workers) throws -> any SteppingEngine<Scalar> {
    switch self {
    case .circuit(let graph): try CircuitEngine(graph, workers: workers)
    case .direct(let graph): try DirectEngine(graph, workers: workers)
    case .tensors(let weights, let fingerprint):
      TensorEngine(weights, workers: workers, fingerprint: fingerprint)
    }
  }
}

/// An engine that there is not.
public enum EngineDescriptionError: InputError, Equatable {
  case onlyCircuitsAreReduced

  public var description: String { "only a circuit in float computes from reduced weights" }
}
