import HatchlingCompiler
import HatchlingDynamics
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import HatchlingTensor
import TestSupport
import Testing

/// A small random network and how it runs.
struct NetworkCase: Sendable, CustomTestStringConvertible {
  let form: String
  let isDamped: Bool
  var testDescription: String { "\(form), \(isDamped ? "damped" : "undamped")" }

  static let all = ["circuit", "circuit deferred", "direct", "direct pruned", "tensor"].flatMap { form in
    [false, true].map { NetworkCase(form: form, isDamped: $0) }
  }

  static let sizes = Hyperparameters(
    neurons: 2 * 34, synapticDimension: 12, heads: 2, layers: 3, vocabulary: 7, variant: .released)
  static let tokens = randomTokens(40, vocabulary: 7, seed: 5)

  func weights<Scalar: NetworkScalar>(_: Scalar.Type) -> Weights<Scalar> {
    Weights.random(Self.sizes, seed: 11, damping: isDamped).converted(to: Scalar.self)
  }

  func engine<Scalar: NetworkScalar>(
    _ scalar: Scalar.Type, threads: Int = 1
  ) throws -> any WatchableEngine<Scalar> {
    let (weights, workers) = (weights(scalar), Workers(threads: threads))
    switch form {
    case "tensor": return TensorEngine(weights, workers: workers)
    case "direct", "direct pruned":
      let options = form == "direct" ? DirectOptions() : DirectOptions(kept: .strongest(900))
      return try DirectEngine(
        Compiler().direct(from: weights, options: options, workers: workers).graph, workers: workers)
    default:
      let isDeferred = form == "circuit deferred"
      return try CircuitEngine(
        Compiler().circuit(from: weights).graph, workers: workers,
        options: CircuitEngineOptions(screens: isDeferred, defersWrites: isDeferred))
    }
  }
}
